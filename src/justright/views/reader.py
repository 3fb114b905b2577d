"""What a card may know: one study of one store, each part read once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import inf, isfinite
from typing import Any

from justright.core.decision import Decision
from justright.core.finding import Finding, worst_first
from justright.core.study import StudyHead
from justright.core.trial import Trial
from justright.core.withheld import without_values
from justright.store.base import AbstractStore
from justright.store.records import Histogram, IdeaRecord

TRAIN_CURVES = ("probe_loss", "train_loss")
"""Names of the training curve, best first: the probe is evaluated like validation is."""

FINAL = "final"
"""Stage of trainings on every row that is not a test row: their loss is of training rows."""

VALIDATION_CURVES = ("validation_loss",)
"""Names of the validation curve."""


def validation_loss(trial: Trial) -> float:
    """A training's loss on its validation rows; infinite without one, as a final training is."""
    loss = trial.result.get("loss")
    if trial.spec.stage == FINAL or not isinstance(loss, int | float) or not isfinite(loss):
        return inf
    return float(loss)


_CUT = (
    (re.compile(r"^(round \d+( noise| state)?|hurry|latency .*|.* (stop|cut))$"), ""),
    (re.compile(r"^(late )?size (core-seconds|length over|milliseconds left)$"), ""),
    (re.compile(r"^(late )?size (ask .*|search)$"), "size search"),
    (re.compile(r"^own length steps$"), "the recipe's own length"),
    (re.compile(r"^own rate (test|steps)$"), "the check of the recipe's rate"),
    (re.compile(r"^own members steps$"), "the recipe's members"),
    (re.compile(r"^final \d+$"), "training on all rows"),
    (re.compile(r"^round [\d.]+/[^/]+/(screen|third) "), ""),
    (re.compile(r"^round [\d.]+/([^/]+)/confirm.*"), r"confirming another \1"),
    (re.compile(r"^whole gain/.*"), "what the ideas brought together"),
    (re.compile(r"^noise .*"), "noise between seeds"),
    (re.compile(r"^(late )?rate$"), "race of learning rates"),
    (re.compile(r"^sanity$"), "sanity checks"),
)
"""Keys of the work plan, and what they mean to people; others speak for themselves."""


class Reader:
    """Reads a study for cards.

    Args:
        store: Where the study is kept.
        study: Its name.
        examples: Whether cards may show cells of the user's table, if the study itself was told
            that it may. Names of columns and classes are always shown.
    """

    def __init__(self, store: AbstractStore, study: str, *, examples: bool = True) -> None:
        self._store = store
        self.study = study
        self._examples = examples

    @cached_property
    def examples(self) -> bool:
        """Whether cells may be shown: both the study and whoever reads it must allow it."""
        return self._examples and bool(self.fact("shown").get("examples", True))

    @cached_property
    def head(self) -> StudyHead | None:
        """What identifies the study; None if the store has none of that name."""
        return self._store.studies.head(self.study)

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """All facts by key."""
        return self._store.ledger.facts(self.study)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What audits saw, worst first."""
        found = self._store.ledger.findings(self.study)
        return worst_first(
            tuple(
                replace(f, message=self.shown(f.message), action=self.shown(f.action))
                for f in found
            )
        )

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Decisions in the order they were made."""
        made = self._store.ledger.decisions(self.study)
        return tuple(
            replace(d, choice=self.shown(d.choice), reason=self.shown(d.reason)) for d in made
        )

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Every trial, in the order they were planned."""
        return tuple(self._store.trials.list(self.study))

    @cached_property
    def ideas(self) -> tuple[IdeaRecord, ...]:
        """Every idea with its frozen prediction."""
        return tuple(self._store.ideas.list(self.study))

    def shown(self, sentence: str) -> str:
        """A sentence about the table, without cells of it if they are to be kept out."""
        return sentence if self.examples else without_values(sentence)

    def fact(self, key: str) -> Mapping[str, Any]:
        """A fact that is an object; empty while unknown."""
        value = self.facts.get(key)
        return value if isinstance(value, Mapping) else {}

    def entries(self, key: str) -> tuple[Mapping[str, Any], ...]:
        """A fact that is a list of objects; empty while unknown."""
        value = self.facts.get(key)
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            return ()
        return tuple(entry for entry in value if isinstance(entry, Mapping))

    def cut(self) -> tuple[str, ...]:
        """What the time limit cut, in words rather than by the keys of the work plan.

        Later rounds ask again for what an earlier one could not do: each thing is said once, and
        a round that did not begin says nothing of its own.
        """
        names = [str(key) for key in self.fact("clock").get("truncated") or ()]
        for pattern, words in _CUT:
            names = [pattern.sub(words, name) for name in names]
        return tuple(dict.fromkeys(name for name in names if name))

    def curves(
        self, trial_id: str, prefix: str
    ) -> dict[str, tuple[Sequence[float], Sequence[float]]]:
        """Steps and values of all curves whose names begin so, by the rest of the name."""
        stored = self._store.curves
        names = [n for n in stored.names(self.study, trial_id) if n.startswith(prefix)]
        found = {name: stored.read(self.study, trial_id, name) for name in names}
        return {n.removeprefix(prefix): (s.tolist(), v.tolist()) for n, (s, v) in found.items()}

    def histograms(self, trial_id: str, prefix: str) -> dict[str, tuple[Histogram, ...]]:
        """All histograms whose names begin so, by the rest of the name."""
        stored = self._store.histograms
        names = [n for n in stored.names(self.study, trial_id) if n.startswith(prefix)]
        return {n.removeprefix(prefix): stored.read(self.study, trial_id, n) for n in names}

    def curve(self, trial_id: str, names: Sequence[str]) -> tuple[list[float], list[float]]:
        """Steps and values of the first of these curves that the trial has; empty if none."""
        for name in names:
            steps, values = self._store.curves.read(self.study, trial_id, name)
            if len(steps):
                return [float(step) for step in steps], [float(value) for value in values]
        return [], []
