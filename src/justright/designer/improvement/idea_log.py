"""The record of ideas: predictions before, verdicts after, and what trying them took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from justright.core.codec import to_document
from justright.core.idea import Idea, Verdict, is_own
from justright.designer.work.session import Arm, Session
from justright.ideas.rule import Move
from justright.store.rules import idea_id

NOT_RUN = "not run"
"""Word of an idea that there was no time for."""


class IdeaLog:
    """Writes ideas into the store, and their rounds into the fact that the views read.

    Args:
        session: The study at work.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: list[dict[str, object]] = []
        self._judged: set[str] = set()
        self._before: dict[str, float] = {}
        self._ended = {
            record.id
            for record in session.store.ideas.list(session.name)
            if any(verdict.word != NOT_RUN for verdict in record.verdicts)
        }

    def is_judged(self, move: Move, arm: Arm) -> bool:
        """Whether the idea has an answer: around this champion, or, if it lasts, around any."""
        return (move.idea.title if move.lasting else arm.subject) in self._judged

    def in_hand(self, move: Move) -> float:
        """What a move's slot has brought since its gain was predicted, in units of the metric.

        What is predicted anew around each champion counts from there: nothing is in hand.
        """
        before = self._before.get(move.idea.title)
        if before is None or not move.lasting:
            return 0.0
        return self._brought(move.idea.slot) - before

    def _brought(self, slot: str) -> float:
        """What the accepted ideas of a slot brought, the start recipe's own forms left out."""
        gains = [
            verdict["difference"] or 0.0
            for entry in self._entries
            if entry["accepted"] and entry["slot"] == slot and not is_own(entry)
            for verdict in (entry["verdict"],)
            if isinstance(verdict, Mapping)
        ]
        return sum(max(gain, 0.0) for gain in gains)

    def foretell(self, idea: Idea, seconds: float = 0.0) -> str:
        """Record an idea's prediction and return the idea's id.

        Where its outcome is known, from an earlier round or from before the study was resumed,
        what was predicted then stays.

        Args:
            idea: The idea.
            seconds: What its first run is expected to cost.
        """
        name, ideas = self._session.name, self._session.store.ideas
        self._before.setdefault(idea.title, self._brought(idea.slot))
        idea = replace(idea, prediction=replace(idea.prediction, seconds=min(seconds, 1e9)))
        own = idea_id(name, idea)
        return own if own in self._ended else ideas.add(name, idea)

    def judge(
        self,
        key: str,
        move: Move,
        own: str,
        verdict: Verdict,
        *,
        accepted: bool,
        ends: bool = True,
    ) -> None:
        """Record how an idea ended.

        Args:
            key: Of the slot of the round.
            move: The idea.
            own: Its id in the store.
            verdict: The word on it.
            accepted: Whether it is part of the champion now.
            ends: Whether that answers it; not if it looked promising and was overtaken.
        """
        session = self._session
        ran = verdict.word != NOT_RUN
        if ran and ends:
            self._judged.add(move.idea.title if move.lasting else verdict.subject)
        if ran:
            self._ended.add(own)
        session.store.ideas.judge(own, verdict)
        title = move.idea.title  # asked for again in a later round: that answer counts
        self._entries = [
            entry
            for entry in self._entries
            if entry["subject"] != title or _word(entry) != NOT_RUN
        ]
        self._entries.append(
            {
                "round": key,
                "subject": title,
                "slot": move.idea.slot,
                "stage": move.idea.stage,
                "verdict": _document(verdict),
                "accepted": accepted,
                "cost_s": _cost_s(session, key, verdict.subject) if ran else None,
            }
        )
        session.fact("rounds", self._entries)
        if ran:  # of the others one line tells, not one each
            session.watch.headline(_sentence(move, verdict, accepted=accepted))


def _word(entry: Mapping[str, object]) -> object:
    verdict = entry["verdict"]
    return verdict["word"] if isinstance(verdict, Mapping) else ""


def _cost_s(session: Session, key: str, subject: str) -> float | None:
    """Seconds of workers that a comparison's trainings of an idea took; None if none ran.

    Those that were trained as one stack all carry its seconds, to the last digit, which count
    once. The champion's trainings beside them are shared by the ideas of a round: not counted.
    """
    taken = {
        float(trial.result.get("seconds", 0.0))
        for trial in session.store.trials.list(session.name)
        if trial.spec.subject == subject and trial.spec.stage.startswith(f"{key}/")
    }
    return sum(taken) or None


def _document(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON, with null where nothing was measured."""
    document = to_document(verdict)
    for key in ("difference", "low", "high"):
        document[key] = document[key] if math.isfinite(document[key]) else None
    return document


def _sentence(move: Move, verdict: Verdict, *, accepted: bool) -> str:
    """One line for the screen about how an idea ended."""
    blocks = f"{verdict.blocks} block{'s' if verdict.blocks != 1 else ''}"
    gain = f"gain {verdict.difference:.3g} on {blocks}"
    end = ", the new champion" if accepted else ""
    return f"idea {move.idea.title}: {verdict.word} ({gain}){end}"
