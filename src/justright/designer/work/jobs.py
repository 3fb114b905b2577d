"""The two kinds of jobs: a stack of networks, and a baseline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.codec import to_document
from justright.core.trial import TrialSpec, TrialState
from justright.designer.work.crew import Outcome
from justright.diagnosis.view import HEALTH
from justright.executors.base import Call
from justright.recipe.recipe import Recipe
from justright.store.records import Histogram
from justright.training.request import Member, MemberResult, TrainRequest

LEAST_BUDGET_S = 0.5
"""A baseline is not asked for less; the deadline kills it if it must (assumption)."""


@dataclass(frozen=True)
class EncodedBlock:
    """A block whose rows lie encoded on disk.

    Attributes:
        number: Number of the block: -1 for all rows that are not test rows.
        partition: Key of the partition.
        seed: Seed of the block, the same for everything that is compared on it.
        folder: Where the rows lie, encoded with what the training rows taught.
        train: Places of the training rows in the folder.
        validation: Places of the validation rows in the folder; empty for a final training.
        overlap: Validation rows over training rows.
    """

    number: int
    partition: str
    seed: int
    folder: Path
    train: np.ndarray
    validation: np.ndarray
    overlap: float


@dataclass(frozen=True)
class NetworkJob:
    """One recipe on some blocks, trained as one stack.

    Attributes:
        subject: What the recipe is called.
        stage: Stage of the study.
        recipe: The recipe.
        steps: Steps to train.
        blocks: One candidate per block.
        metric: Metric that is shown beside the loss.
        out: Folder for weights and predictions.
        evaluations: How often the validation rows are scored.
        stop: Step at which to end, within the schedule of `steps`; None = at its end.
        trunk: Whether a later job with a later `stop` is to go on from there.
        health: Whether the health of the trainings is watched and kept with their curves.
    """

    subject: str
    stage: str
    recipe: Recipe
    steps: int
    blocks: tuple[EncodedBlock, ...]
    metric: str
    out: Path
    evaluations: int = 8
    stop: int | None = None
    trunk: bool = False
    health: bool = True

    @property
    def label(self) -> str:
        """For the screen."""
        several = f" × {len(self.blocks)}" if len(self.blocks) > 1 else ""
        return f"{self.subject}{several}"

    @property
    def specs(self) -> tuple[TrialSpec, ...]:
        """One trial per block."""
        return tuple(self._spec(block) for block in self.blocks)

    def call(self, missing: tuple[TrialSpec, ...], deadline: float) -> Call:
        """Train the missing trials together."""
        wanted = {spec.id for spec in missing}
        blocks = [block for block in self.blocks if self._spec(block).id in wanted]
        folders = sorted({str(block.folder) for block in blocks})
        members = tuple(
            Member(
                id=self._spec(block).id,
                seed=block.seed,
                folder=folders.index(str(block.folder)),
                train=block.train,
                validation=block.validation,
            )
            for block in blocks
        )
        request = TrainRequest(
            recipe=self.recipe,
            folders=tuple(folders),
            members=members,
            steps=self.steps,
            out=str(self.out),
            evaluations=self.evaluations,
            deadline=deadline,
            metric=self.metric,
            stop=self.stop,
            trunk=self.trunk,
            health=self.health,
        )
        return Call("justright.training.run:train_stack", {"request": request})

    def outcomes(self, value: Any) -> tuple[Outcome, ...]:
        """Translate the members' results."""
        return tuple(outcome_of(member) for member in value)

    def _spec(self, block: EncodedBlock) -> TrialSpec:
        return TrialSpec(
            kind="network",
            subject=self.subject,
            stage=self.stage,
            recipe=to_document(self.recipe) | ({} if self.stop is None else {"stop": self.stop}),
            partition=block.partition,
            seed=block.seed,
            steps=self.steps,
        )


@dataclass(frozen=True)
class BaselineJob:
    """One baseline on one block.

    Attributes:
        name: Name of the baseline.
        stage: Stage of the study.
        block: The rows it learns from and is judged on.
        judged: Folder of the rows it is judged on; the block's own without it.
        judged_rows: Places of those rows in that folder.
        ends: Unix time at which all baselines of the stage are to be done.
        share: Share of the time until then that this one may take.
        out: Folder for its predictions.
        refit: Whether it learns from all rows that are not test rows.
        choice: What it chose in an earlier run, looking at the clock; empty = it may choose.
        most_s: Seconds that it may take at most.
        metric: Name of the deciding metric.
    """

    name: str
    stage: str
    block: EncodedBlock
    judged: Path
    judged_rows: np.ndarray
    ends: float
    share: float
    out: Path
    refit: bool = False
    most_s: float = float("inf")
    choice: tuple[int, ...] = ()
    metric: str = ""

    @property
    def label(self) -> str:
        """For the screen."""
        return self.name

    @property
    def key(self) -> str:
        """Names it in the work plan, the same in every run."""
        return f"{self.stage} {self.name} {self.block.partition} {self.block.seed}"

    @property
    def specs(self) -> tuple[TrialSpec, ...]:
        """The one trial."""
        return (
            TrialSpec(
                kind="baseline",
                subject=self.name,
                stage=self.stage,
                recipe={"baseline": self.name, "refit": self.refit},
                partition=self.block.partition,
                seed=self.block.seed,
                steps=0,
            ),
        )

    def call(self, missing: tuple[TrialSpec, ...], deadline: float) -> Call:
        """Fit it within its share of the time."""
        left = min(self.ends, deadline) - time.time()
        arguments: Mapping[str, Any] = {
            "name": self.name,
            "folder": str(self.block.folder),
            "train": self.block.train,
            "evaluate_folder": str(self.judged),
            "evaluate": self.judged_rows,
            "seed": self.block.seed,
            "budget_s": max(min(self.share * left, self.most_s), LEAST_BUDGET_S),
            "out": str(self.out / f"{missing[0].id}.npy"),
            "choice": self.choice,
            "metric": self.metric,
        }
        return Call("justright.baselines.run:fit_baseline", arguments)

    def outcomes(self, value: Any) -> tuple[Outcome, ...]:
        """A baseline either has scores or has failed with a reason."""
        if not value.get("scores"):
            return (Outcome(TrialState.FAILED, {}, str(value.get("reason", "no result"))),)
        return (Outcome(TrialState.DONE, value),)


def outcome_of(member: MemberResult) -> Outcome:
    """What became of a training, in the form that the store keeps."""
    result = {
        "scores": dict(member.scores),
        "loss": member.loss,
        "best_step": member.best_step,
        "steps": member.steps,
        "weights": member.weights,
        "predictions": member.predictions,
        "stepped": member.stepped,
        "seconds": member.seconds,
        "stepped_s": member.stepped_s,
        "stack": member.stack,
    }
    steps = [int(step) for step in member.curve.get("step", [])]
    curves = {
        name: (steps, values)
        for name, values in member.curve.items()
        if name != "step" and len(values) == len(steps)
    }
    curves |= {f"{HEALTH}{name}": curve for name, curve in member.health.items()}
    histograms = {
        f"{HEALTH}{name}": [
            Histogram(step, np.array(edges), np.array(counts)) for step, edges, counts in found
        ]
        for name, found in member.histograms.items()
    }
    return Outcome(TrialState(member.state), result, member.reason, curves, histograms)
