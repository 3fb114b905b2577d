"""What the stages of one study share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.idea import Verdict
from justright.core.trial import Trial, TrialState
from justright.designer.request.folder import StudyFolder
from justright.designer.request.options import FitOptions
from justright.designer.timing.clock import Clock
from justright.designer.timing.prices import Prices
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.blocks import Blocks
from justright.designer.work.crew import Crew, Job, OnEnd
from justright.designer.work.jobs import BaselineJob, EncodedBlock, NetworkJob
from justright.designer.work.watch import Watch
from justright.recipe.network import Inputs
from justright.recipe.recipe import Recipe
from justright.statistics.metrics import metric_named
from justright.store.base import AbstractStore
from justright.training.cost import Measured

CUT = "cut"
"""Ends the key of a baseline that the clock cut in the work plan."""

FOREVER = 1e12
"""A deadline (Unix time) that never comes."""

WATCHED = ("champion", "screen")
"""Stages whose trainings may be the champion's: their health is kept. Others only compare."""

USABLE_SHARE, USABLE_ALONE = 0.85, 0.95
"""Share of the cores' time that reaches training, where workers wait for each other (assumption)
and where there is one (measured: 0.98 of a minute of ideas on 4,601 rows)."""


def work_a_second(workers: int) -> float:
    """Seconds of training that so many workers do in a second.

    >>> work_a_second(1), work_a_second(4)
    (0.95, 3.4)
    """
    return workers * (USABLE_SHARE if workers > 1 else USABLE_ALONE)


@dataclass(frozen=True)
class Arm:
    """A recipe and its length: what is compared, and what can be champion.

    Attributes:
        subject: Name for people.
        recipe: The recipe.
        steps: Steps of a training on a block.
    """

    subject: str
    recipe: Recipe
    steps: int


@dataclass(frozen=True)
class Champion:
    """The best arm so far, and what is known of it on the screening blocks.

    Attributes:
        arm: What it is.
        trials: Its trials on the screening blocks, in their order.
        loss: Mean of the deciding metric over them, turned so that lower is better.
        confirmed: How often an idea was accepted on the way here.
    """

    arm: Arm
    trials: tuple[Trial, ...]
    loss: float
    confirmed: int = 0

    @property
    def best_step(self) -> int:
        """Median step of the best evaluation; the last one where nothing was trained."""
        steps = [int(trial.result["best_step"]) for trial in self.trials]
        return int(np.median(steps)) if steps else self.arm.steps

    @property
    def best_at(self) -> float:
        """Share of the run at which the best evaluation lay."""
        return self.best_step / self.arm.steps


@dataclass
class Session:
    """A study at work; the stages read it and call its crew.

    Attributes:
        options: What the user asked.
        name: Name of the study.
        folder: Its files.
        store: Where everything is recorded.
        clock: The time limit.
        plan: The work granted.
        crew: The workers.
        watch: Who is told.
        blocks: Rows, partitions, encodings.
        prices: What trainings cost.
    """

    options: FitOptions
    name: str
    folder: StudyFolder
    store: AbstractStore
    clock: Clock
    plan: WorkPlan
    crew: Crew
    watch: Watch
    blocks: Blocks
    prices: Prices = field(default_factory=Prices)

    @property
    def metric(self) -> str:
        """Metric that decides and is reported first."""
        return self.blocks.problem.metric

    def measure(self, trials: Sequence[Trial]) -> float:
        """Mean of the deciding metric over trials, turned so that lower is better.

        Infinite if there is none, or if one of them has no score.
        """
        metric = metric_named(self.metric)
        scores = [trial.result.get("scores", {}).get(self.metric) for trial in trials]
        if not scores or any(score is None or not np.isfinite(score) for score in scores):
            return float("inf")
        return float(np.mean([metric.loss(score) for score in scores]))

    def trials(self, jobs: Sequence[Job]) -> tuple[Trial, ...]:
        """The trials of jobs as the store has them, in the order of their specs."""
        specs = [spec for job in jobs for spec in job.specs]
        return tuple(self.store.trials.get(self.name, spec.id) for spec in specs)

    def predictions(self, trial: Trial) -> np.ndarray:
        """Validation predictions of a finished trial, in the order of its block's rows."""
        return np.load(self.folder.trials / Path(trial.result["predictions"]).name)

    def fact(self, key: str, document: Any) -> None:
        """Record a fact for the views."""
        self.store.ledger.put(self.name, key, document)

    def run(
        self, jobs: Sequence[Job], reserve_s: float = 0.0, on_end: OnEnd = lambda _: None
    ) -> dict[str, Trial]:
        """Run jobs until they are done or only `reserve_s` and the report's time are left."""
        deadline = self.clock.deadline(reserve_s)
        if self.plan.repeat:  # a repetition does the same work, however long it takes
            deadline = FOREVER

        def ended(job: Job) -> None:
            self._learn_price(job)
            if isinstance(job, BaselineJob):
                self._record_choice(job)
            on_end(job)

        trials: dict[str, Trial] = {}
        if self.plan.repeat:  # what the clock cut is not tried again
            cut = [
                j
                for j in jobs
                if isinstance(j, BaselineJob) and self.plan.granted.get(f"{j.key} {CUT}")
            ]
            trials = self.crew.run(cut, 0.0, ended)
            jobs = [job for job in jobs if not any(job is each for each in cut)]
        return trials | self.crew.run([self._as_chosen(job) for job in jobs], deadline, ended)

    def _as_chosen(self, job: Job) -> Job:
        """A baseline chooses by the clock once; after that it is told."""
        if not isinstance(job, BaselineJob):
            return job
        return replace(job, choice=self.plan.choice(job.key))

    def _record_choice(self, job: BaselineJob) -> None:
        trial = self.trials([job])[0]
        if trial.state is TrialState.CUT:
            self.plan.truncate(f"{job.key} {CUT}", 1)
        elif trial.state is TrialState.DONE:
            if f"{job.key} {CUT}" in self.plan.granted:  # another call had more time
                self.plan.truncate(f"{job.key} {CUT}", 0)
            self.plan.choose(job.key, trial.result.get("choice", ()))

    def train(
        self, arm: Arm, stage: str, blocks: Sequence[EncodedBlock], *, parts: int | None = None
    ) -> tuple[NetworkJob, ...]:
        """Jobs that train an arm on blocks: one stack per worker, or one job each if wide.

        Args:
            arm: What is trained.
            stage: Stage of the study.
            blocks: One training on each, encoded as the arm's recipe says where they are not.
            parts: Into how many stacks narrow networks go; None = one per worker. A candidate's
                numbers do not depend on it, but for the rounding of sums.
        """
        spec = arm.recipe.preprocessing
        blocks = [self.blocks.encoded_as(block, spec) for block in blocks]
        job = NetworkJob(
            subject=arm.subject,
            stage=stage,
            recipe=arm.recipe,
            steps=arm.steps,
            blocks=tuple(blocks),
            metric=self.metric,
            out=self.folder.trials,
            health=stage.rpartition("/")[2] in WATCHED,
        )
        wanted = len(blocks) if self.alone(arm.recipe) else parts or self.crew.capacity
        bounds = np.linspace(0, len(blocks), min(wanted, len(blocks)) + 1).round().astype(int)
        return tuple(
            replace(job, blocks=tuple(blocks[low:high])) for low, high in pairwise(bounds)
        )

    def alone(self, recipe: Recipe) -> bool:
        """Whether networks of a recipe are separate jobs, because stacking them gains too little.

        The calibrated prices are asked once, and the answer is part of the work plan.
        """

        def ask() -> int:
            return self.prices.alone_from(recipe, self.blocks.inputs_of(recipe.preprocessing))

        return max(recipe.shape.hidden) >= self.plan.grant("alone from", ask)

    def seconds(self, arm: Arm, inputs: Inputs, members: int = 1) -> float:
        """Predicted seconds of one worker, 90% quantile."""
        return self.prices.seconds(arm.recipe, inputs, arm.steps, members)

    def _learn_price(self, job: Job) -> None:
        """Follow what a finished training has taken, once.

        One that went on from a checkpoint took only the rest of its steps in the seconds that are
        known of it; none, if it was killed after the last one. Stored trials are asked for again,
        in other stacks than they were trained in.
        """
        if not isinstance(job, NetworkJob):
            return
        known = self.prices.known
        new = [
            trial
            for trial in self.trials([job])
            if trial.state is TrialState.DONE and trial.spec.id not in known
        ]
        known.update(trial.spec.id for trial in new)
        result = new[0].result if new else {}
        stepped = int(result.get("stepped", 0))  # absent where nothing was trained
        if not stepped:
            return
        seconds, stepped_s = (float(result[name]) for name in ("seconds", "stepped_s"))
        stack = int(result.get("stack", len(job.blocks)))
        done = Measured(job.recipe, stack, stepped_s / stepped)
        inputs = self.blocks.inputs(job.blocks[0])
        self.prices.learn(done, inputs, stepped, seconds - stepped_s)


def results(trials: dict[str, Trial], jobs: Sequence[Job]) -> tuple[Trial, ...]:
    """The trials of jobs in the order of their specs."""
    return tuple(trials[spec.id] for job in jobs for spec in job.specs)


def all_done(trials: Sequence[Trial]) -> bool:
    """Whether every trial has a result."""
    return bool(trials) and all(trial.state is TrialState.DONE for trial in trials)


def not_run(arm: Arm, evidence: Mapping[str, Any]) -> Verdict:
    """The verdict of an arm that nothing is known of."""
    return Verdict(arm.subject, "not run", math.nan, math.nan, math.nan, 0, evidence)
