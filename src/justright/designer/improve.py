"""The anytime part: the recipe's own length, then moves around the champion in rounds.

A round goes through the slots (length, shape, rate) by expected gain per second. The moves of a
slot are screened on the champion's own blocks; the best of them, if it looks better there, is
trained beside the champion on blocks that no decision has seen, and replaces it only if the
corrected interval of the paired difference excludes zero there (a heavier one has to be better by
what matters in the mean, too), or if it is the lighter size that the search chose and surely not
worse by what matters. Rounds go on until one accepts nothing, or until the time is needed for the
final training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from justright.core.codec import to_document
from justright.core.idea import Idea, Verdict
from justright.core.trial import TrialState
from justright.designer.admission import Admission
from justright.designer.allowed import Allowed
from justright.designer.confirm import LIGHTER, Confirmer
from justright.designer.lengthen import full_steps, is_taken, judge_longer, longer_move
from justright.designer.limits import weight_of
from justright.designer.moves import Leads, Move, by_value, propose_moves
from justright.designer.rate import follow_change
from justright.designer.session import Arm, Champion, Session, all_done, not_run, results
from justright.sizing.shapes import Hidden
from justright.store.rules import idea_id

LEAST_ROUND_S = 1.0
"""Less time than this is not worth looking for what fits into it (assumption)."""

MOST_ROUNDS = 6
"""Rounds after which nothing new is expected (assumption; most studies end earlier)."""


@dataclass(frozen=True)
class RoundResult:
    """What one slot of one round brought.

    Attributes:
        champion: The champion afterwards.
        accepted: Whether it is a new one.
    """

    champion: Champion
    accepted: bool


class Improver:
    """Runs rounds of moves for one study.

    Args:
        session: The study at work.
        admission: Says what fits into the time.
        on_champion: Called with each new champion, to save it.
        delta: Smallest difference of the deciding metric that matters.

    Attributes:
        refused: Whether the latest rounds left out a move for lack of time.
        leads: What was measured on these data so far.
    """

    def __init__(
        self,
        session: Session,
        admission: Admission,
        on_champion: Callable[[Champion], None],
        delta: float,
    ) -> None:
        self._session = session
        self._admission = admission
        self._on_champion = on_champion
        self._delta = delta
        self._round = 0
        self._judged: set[str] = set()
        self.refused = False
        self.leads = Leads(blocks=max(session.blocks.first) + 1)
        self._confirmer = self._new_confirmer()
        self._log: list[dict[str, object]] = []

    @property
    def has_rounds(self) -> bool:
        """Whether there may be another round."""
        return self._round < MOST_ROUNDS

    def follow(self, leads: Leads) -> None:
        """Take up what was measured on these data since the champion was trained."""
        self.leads = replace(leads, blocks=max(leads.blocks, self._confirmer.used))
        self._confirmer = self._new_confirmer()

    def use(self, admission: Admission) -> None:
        """Let something else say what fits into the time."""
        self._admission = admission
        self._confirmer.use(admission)

    def run(self, champion: Champion) -> Champion:
        """Improve the champion while time and ideas last; it can be called again."""
        self.refused = False
        while self.has_rounds:
            self._round, number, accepted = self._round + 1, self._round + 1, False
            if not self._session.plan.grant(f"round {number}", lambda c=champion: self._time(c)):
                self.refused = True
                break
            self._confirmer.next_round()
            for slot in self._slots(champion, number):
                chosen = [
                    move
                    for move in self._moves(champion)
                    if move.idea.slot == slot
                    and self._arm(champion, move).subject not in self._judged
                ]
                outcome = self._try(champion, f"round {number}/{slot}", chosen)
                champion, accepted = outcome.champion, accepted or outcome.accepted
            if not accepted:
                break
            if self.has_rounds:
                self.leads = follow_change(
                    self._session, champion, self._admission, self.leads, number
                )
        return champion

    def lengthen(self, champion: Champion) -> Champion:
        """Give the champion the length that its recipe asks for, if the clock had cut it."""
        full = full_steps(self._session, champion)
        if not full:
            return champion
        key = "own length"
        steps = self._session.plan.grant(
            f"{key} steps", lambda: self._admission.longer_steps(champion.arm, full)
        )
        move, arm = longer_move(champion, steps or full)
        idea_id = self._foretell(move.idea)
        screened = self._screen(champion, key, [(move, arm)]) if steps else []
        verdict = not_run(arm, {"reason": "no time, or no result"})
        if not screened:
            self._session.plan.truncate(f"{key} steps", 0)
        else:
            verdict = judge_longer(self._session, champion, screened[0][1])
        accepted = is_taken(verdict)
        self._judge(key, move, idea_id, verdict, accepted=accepted)
        if not accepted:
            return champion
        longer = replace(screened[0][1], confirmed=champion.confirmed + 1)
        self._on_champion(longer)
        return longer

    def _time(self, champion: Champion) -> int:
        """Whether there is any time for a round: 1 or 0."""
        return int(self._admission.left(champion.arm, champion.arm) > LEAST_ROUND_S)

    def _slots(self, champion: Champion, number: int) -> tuple[str, ...]:
        """Slots by the best expected gain per predicted second of their moves.

        Prices follow the clock, so the order that they led to is part of the work plan.
        """
        plan, key = self._session.plan, f"round {number} order"
        moves = self._moves(champion)
        slots = sorted({move.idea.slot for move in moves})
        if not plan.choice(key):
            ordered = by_value(moves, self._admission.relative_cost)
            plan.choose(key, [slots.index(slot) for slot in ordered])
        places = plan.choice(key) or range(len(slots))
        return tuple(slots[place] for place in places if place < len(slots))

    def _try(self, champion: Champion, key: str, moves: Sequence[Move]) -> RoundResult:
        arms = [(move, self._arm(champion, move)) for move in moves]
        ideas = {}
        for move, arm in arms:
            seconds = self._admission.cost(arm, len(self._session.blocks.first))
            prediction = replace(move.idea.prediction, seconds=min(seconds, 1e9))
            ideas[arm.subject] = self._foretell(replace(move.idea, prediction=prediction))
        run = self._admitted(champion, key, arms)
        screened = self._screen(champion, key, run)
        best = min(screened, key=lambda item: item[1].loss, default=None)
        for move, arm in arms:
            verdict = _screen_verdict(champion, arm, screened)
            if best is None or arm is not best[0] or not self._goes_on(champion, best):
                self._judge(key, move, ideas[arm.subject], verdict, accepted=False)
        if best is None or not self._goes_on(champion, best):
            return RoundResult(champion, accepted=False)
        move = next(move for move, arm in run if arm is best[0])
        weight = _weight(self._session, best[0], champion.arm, self.leads.size)
        verdict = self._confirmer.confirm(champion, best[1], key, weight)
        accepted = verdict.word in ("better", LIGHTER)
        self._judge(key, move, ideas[best[0].subject], verdict, accepted=accepted)
        if not accepted:
            return RoundResult(champion, accepted=False)
        new = replace(best[1], confirmed=champion.confirmed + 1)
        self._on_champion(new)
        return RoundResult(new, accepted=True)

    def _goes_on(self, champion: Champion, best: tuple[Arm, Champion]) -> bool:
        """Whether a screened candidate is worth confirming; a lighter one need not be better."""
        lighter = _weight(self._session, best[0], champion.arm, self.leads.size) < 0
        return self._confirmer.within(champion, best[1], lighter=lighter)

    def _moves(self, champion: Champion) -> tuple[Move, ...]:
        recipe, best_at = champion.arm.recipe, champion.best_at
        moves = propose_moves(recipe, best_at=best_at, loss=champion.loss, leads=self.leads)
        inputs = self._session.blocks.inputs_of(recipe.preprocessing)
        allowed = Allowed(self._session).among([move.recipe for move in moves], inputs)
        return tuple(move for move in moves if move.recipe in allowed)

    def _new_confirmer(self) -> Confirmer:
        return Confirmer(self._session, self._admission, self.leads.blocks, self._delta)

    def _foretell(self, idea: Idea) -> str:
        """Record an idea's prediction and return the idea's id.

        Where its outcome is known, from an earlier round or from before the study was resumed,
        what was predicted then stays.
        """
        name, ideas = self._session.name, self._session.store.ideas
        own = idea_id(name, idea)
        known = next((record for record in ideas.list(name) if record.id == own), None)
        if known is not None and any(verdict.word != "not run" for verdict in known.verdicts):
            return own
        return ideas.add(name, idea)

    def _admitted(
        self, champion: Champion, key: str, arms: Sequence[tuple[Move, Arm]]
    ) -> list[tuple[Move, Arm]]:
        """The moves that the time allows to screen, asked one after the other."""
        run: list[tuple[Move, Arm]] = []
        blocks = len(self._session.blocks.first)
        for move, arm in arms:
            pending = sum(self._admission.cost(other, blocks, 1) for _, other in run)

            def screen(arm: Arm = arm, pending: float = pending) -> int:
                return self._admission.screen(arm, champion.arm, pending)

            if self._session.plan.grant(_screen_key(key, move), screen):
                run.append((move, arm))
            else:
                self.refused = True
        return run

    def _arm(self, champion: Champion, move: Move) -> Arm:
        steps = round(champion.arm.steps * move.length)
        base = champion.arm.subject
        title = move.idea.title
        subject = title if base == "start recipe" else f"{base}, {title}"
        return Arm(subject, move.recipe, steps)

    def _screen(
        self, champion: Champion, key: str, run: Sequence[tuple[Move, Arm]]
    ) -> list[tuple[Arm, Champion]]:
        session = self._session
        spec = champion.arm.recipe.preprocessing
        blocks = [session.blocks.block(number, spec) for number in session.blocks.first]
        parts = 1 if len(run) >= session.crew.capacity else None
        stage = f"{key}/screen"
        jobs = {arm.subject: session.train(arm, stage, blocks, parts=parts) for _, arm in run}
        flat = [job for group in jobs.values() for job in group]
        trials = session.run(flat, self._admission.reserve_s(champion.arm))
        found = []
        for move, arm in run:
            own = results(trials, jobs[arm.subject])
            if all_done(own):
                found.append((arm, Champion(arm, own, session.measure(own))))
            elif any(trial.state is TrialState.CUT for trial in own):
                session.plan.truncate(_screen_key(key, move), 0)
        return found

    def _judge(
        self, key: str, move: Move, idea_id: str, verdict: Verdict, *, accepted: bool
    ) -> None:
        session = self._session
        if verdict.word != "not run":
            self._judged.add(verdict.subject)
        session.store.ideas.judge(idea_id, verdict)
        title = move.idea.title  # asked for again in a later round: that answer counts
        self._log = [
            entry for entry in self._log if entry["subject"] != title or _word(entry) != "not run"
        ]
        self._log.append(
            {
                "round": key,
                "subject": move.idea.title,
                "slot": move.idea.slot,
                "verdict": _document(verdict),
                "accepted": accepted,
                "cost_s": _cost_s(session, key, verdict.subject),
            }
        )
        session.fact("rounds", self._log)
        session.watch.headline(_sentence(move, verdict, accepted=accepted))


def _screen_verdict(
    champion: Champion, arm: Arm, screened: Sequence[tuple[Arm, Champion]]
) -> Verdict:
    """What screening alone says: a direction, never a claim."""
    rival = next((item for tried, item in screened if tried is arm), None)
    if rival is None:
        reason = "no time, or no result"
        return not_run(arm, {"reason": reason})
    gain = champion.loss - rival.loss
    word = "not better" if gain <= 0 else "cannot tell"
    evidence = {"stage": "screening", "loss": rival.loss, "champion": champion.loss}
    count = len(rival.trials)
    return Verdict(arm.subject, word, gain, math.nan, math.nan, count, evidence)


def _weight(session: Session, arm: Arm, champion: Arm, chosen: Hidden | None) -> int:
    """1 if an arm is heavier than the champion, -1 if it is the lighter size that was chosen.

    Else 0, as where accuracy is preferred.
    """
    if session.options.size.prefer != "small":
        return 0
    inputs = session.blocks.inputs_of(arm.recipe.preprocessing)
    more = weight_of(arm.recipe, inputs) - weight_of(champion.recipe, inputs)
    return 1 if more > 0 else -1 if more < 0 and arm.recipe.shape.hidden == chosen else 0


def _word(entry: Mapping[str, object]) -> object:
    verdict = entry["verdict"]
    return verdict["word"] if isinstance(verdict, Mapping) else ""


def _screen_key(key: str, move: Move) -> str:
    return f"{key}/screen {move.idea.title}"


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
    if verdict.word == "not run":
        return f"idea {move.idea.title}: not run ({verdict.evidence.get('reason', '')})"
    gain = f"gain {verdict.difference:.3g} on {verdict.blocks} blocks"
    end = ", the new champion" if accepted else ""
    return f"idea {move.idea.title}: {verdict.word} ({gain}){end}"
