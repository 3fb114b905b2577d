"""The jobs behind a learning rate: a range test, and a race of rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from justright.core.codec import to_document
from justright.core.trial import TrialSpec, TrialState
from justright.designer.work.crew import Outcome
from justright.designer.work.jobs import EncodedBlock, outcome_of
from justright.executors.base import Call
from justright.recipe.recipe import Recipe
from justright.training.rate_rules import STEPS
from justright.training.request import Member, RangeRequest, TrainRequest

EVALUATIONS = 4
"""Three of them fall within the third of a run that a race lasts; the last one decides."""


@dataclass(frozen=True)
class RangeJob:
    """A range test: some seeds of one recipe on one block, one trial.

    Attributes:
        recipe: What is tested, at a constant rate.
        block: Its training rows are used.
        seeds: One candidate each.
    """

    recipe: Recipe
    block: EncodedBlock
    seeds: tuple[int, ...]

    @property
    def label(self) -> str:
        """For the screen."""
        return f"range test × {len(self.seeds)}"

    @property
    def specs(self) -> tuple[TrialSpec, ...]:
        """The one trial."""
        return (
            TrialSpec(
                kind="range test",
                subject="range test",
                stage="rate",
                recipe=to_document(self.recipe) | {"seeds": list(self.seeds)},
                partition=self.block.partition,
                seed=self.block.seed,
                steps=STEPS,
            ),
        )

    def call(self, missing: tuple[TrialSpec, ...], deadline: float) -> Call:
        """Run the test; there is only one trial, so it is the missing one."""
        assert len(missing) == 1
        folder, train = str(self.block.folder), self.block.train
        request = RangeRequest(self.recipe, folder, train, self.seeds, deadline)
        return Call("justright.training.range_test:range_test", {"request": request})

    def outcomes(self, value: Any) -> tuple[Outcome, ...]:
        """A curve, whole or cut by the deadline."""
        if value["cut"]:
            return (Outcome(TrialState.CUT, value, "time was up"),)
        return (Outcome(TrialState.DONE, value),)


@dataclass(frozen=True)
class RaceJob:
    """Rates of one recipe trained on one block as one stack, one trial each.

    All have the block's seed, so they start from the same weights and see the same rows.

    Attributes:
        recipe: What is trained, at a constant rate; only the rate differs.
        rates: The rates.
        block: The rows.
        steps: Steps of a full run, which says how long the rate rises.
        stop: Step at which the race ends.
        metric: Metric that is shown beside the loss.
        out: Folder for weights and predictions.
    """

    recipe: Recipe
    rates: tuple[float, ...]
    block: EncodedBlock
    steps: int
    stop: int
    metric: str
    out: Path

    @property
    def label(self) -> str:
        """For the screen."""
        return f"race of {len(self.rates)} rates"

    @property
    def specs(self) -> tuple[TrialSpec, ...]:
        """One trial per rate."""
        return tuple(self._spec(rate) for rate in self.rates)

    def call(self, missing: tuple[TrialSpec, ...], deadline: float) -> Call:
        """Train the missing rates together."""
        wanted = {spec.id for spec in missing}
        rates = {spec.id: rate for spec, rate in zip(self.specs, self.rates, strict=True)}
        block = self.block
        request = TrainRequest(
            recipe=self.recipe,
            folders=(str(block.folder),),
            members=tuple(
                Member(id, block.seed, 0, block.train, block.validation, rate=rate)
                for id, rate in rates.items()
                if id in wanted
            ),
            steps=self.steps,
            stop=self.stop,
            out=str(self.out),
            evaluations=EVALUATIONS,
            keep_best=False,  # the end decides: the best of several looks favours noisy rates
            deadline=deadline,
            metric=self.metric,
        )
        return Call("justright.training.run:train_stack", {"request": request})

    def outcomes(self, value: Any) -> tuple[Outcome, ...]:
        """One outcome per rate."""
        return tuple(outcome_of(member) for member in value)

    def _spec(self, rate: float) -> TrialSpec:
        optimiser = replace(self.recipe.optimiser, rate=rate)
        recipe: Mapping[str, Any] = to_document(replace(self.recipe, optimiser=optimiser))
        return TrialSpec(
            kind="race",
            subject=f"rate {rate:.2g}",
            stage="rate",
            recipe={**recipe, "stop": self.stop},
            partition=self.block.partition,
            seed=self.block.seed,
            steps=self.steps,
        )
