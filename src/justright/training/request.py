"""What is asked of a training worker, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np
import numpy.typing as npt

from justright.core.errors import OptionError
from justright.recipe.recipe import Recipe

CHECKS = ("initial", "repeatable", "gradients", "apart", "heart", "inputs")
"""The sanity checks in the order in which they are made: the cheapest first."""

MAX_EVALUATIONS = 10
"""Most evaluations of a run (measured: scoring every epoch costs a third of the time)."""


@dataclass(frozen=True, eq=False)
class Member:
    """One training of a stack.

    Attributes:
        id: Name within the stack, and of its files; letters, digits, "-", "_" and ".".
        seed: Initialisation, masks and order draw from it.
        folder: Which of the request's folders its rows lie in.
        train: int64 ``[n]``, places of the training rows in the folder.
        validation: int64 ``[m]``, places of the validation rows; empty for a final training.
        rate: Peak rate instead of the recipe's, so that rates can be compared within a stack.
    """

    id: str
    seed: int
    folder: int
    train: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    rate: float | None = None


@dataclass(frozen=True, eq=False)
class TrainRequest:
    """Networks of one recipe to be trained together.

    Attributes:
        recipe: Preprocessing excepted, everything that defines the trainings.
        folders: Folders of encoded rows, all with the same inputs.
        members: The trainings.
        steps: Steps of each.
        out: Folder for weights, predictions and checkpoints; made when missing.
        metric: Name of the metric that is recorded beside the loss.
        evaluations: How often validation rows are scored.
        deadline: Unix time after which no further span starts; None = no limit.
        keep_best: Keep the weights of the best evaluation rather than the last.
        checkpoint_s: Seconds of training between checkpoints.
        stop: Step at which to end, in the middle of the schedule of `steps`: what an evaluation
            at that step saw can so be trained again. None = at the end.
        trunk: Leave the state of the stack, so that the same request with a later `stop` goes on
            from there.
        health: Whether gradients and layers are watched, and `MemberResult.health` is filled.

    Raises:
        OptionError: If a part makes no sense.
    """

    recipe: Recipe
    folders: tuple[str, ...]
    members: tuple[Member, ...]
    steps: int
    out: str
    metric: str
    evaluations: int = 8
    deadline: float | None = None
    keep_best: bool = True
    checkpoint_s: float = 20.0
    stop: int | None = None
    trunk: bool = False
    health: bool = False

    def __post_init__(self) -> None:
        """Refuse what the loop could not survive."""
        ids = [member.id for member in self.members]
        if self.steps < 1:
            raise OptionError(f"a training of {self.steps} steps", hint="ask for at least one")
        if not ids or len(set(ids)) < len(ids):
            raise OptionError(f"members {ids}", hint="name at least one, each differently")
        if not 1 <= self.evaluations <= MAX_EVALUATIONS:
            raise OptionError(
                f"{self.evaluations} evaluations", hint=f"ask for 1 to {MAX_EVALUATIONS}"
            )
        if self.stop is not None and not 1 <= self.stop <= self.steps:
            raise OptionError(f"a stop at step {self.stop} of {self.steps}", hint="stop within")
        for member in self.members:
            if not 0 <= member.folder < len(self.folders):
                raise OptionError(
                    f"member {member.id!r} names folder {member.folder} of {len(self.folders)}"
                )
            if len(member.train) == 0:
                raise OptionError(f"member {member.id!r} has no training rows")
            if member.rate is not None and not 0 < member.rate < inf:
                raise OptionError(f"member {member.id!r} has the rate {member.rate}")

    @property
    def last(self) -> int:
        """The last step to be taken."""
        return self.steps if self.stop is None else self.stop


@dataclass(frozen=True, eq=False)
class RangeRequest:
    """A range test: some seeds of one recipe, trained while the rate grows.

    Attributes:
        recipe: What is trained, at a constant dropout and with no schedule.
        folder: Folder of encoded rows.
        train: int64 ``[n]``, places of the training rows in the folder.
        seeds: One candidate each.
        deadline: Unix time after which no further span starts; None = no limit.

    Raises:
        OptionError: If there is no row or no seed.
    """

    recipe: Recipe
    folder: str
    train: npt.NDArray[np.int64]
    seeds: tuple[int, ...]
    deadline: float | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be trained."""
        if not self.seeds or len(self.train) == 0:
            raise OptionError(f"a range test of {len(self.seeds)} seeds, {len(self.train)} rows")


@dataclass(frozen=True, eq=False)
class SanityRequest:
    """The checks of `training.sanity` on one block.

    Attributes:
        recipe: What is checked.
        folder: Folder of encoded rows.
        train: int64 ``[n]``, places of the training rows in the folder.
        validation: int64 ``[m]``, places of rows that are not trained on; may be empty.
        seed: Everything random draws from it.
        checks: So many of them, from the first on.
        deadline: Unix time after which nothing further starts; None = no limit.

    Raises:
        OptionError: If there is no row.
    """

    recipe: Recipe
    folder: str
    train: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    seed: int
    checks: int
    deadline: float | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be trained."""
        if len(self.train) == 0:
            raise OptionError("checks of a network on no training rows", hint="give at least one")


@dataclass(frozen=True)
class MemberResult:
    """What became of one training.

    Attributes:
        id: The member's.
        state: "done"; "cut" by the deadline, with the best so far; or "failed", with the weights
            of its last good evaluation if there was one.
        reason: Why it was cut or failed.
        scores: Metrics of the kept weights on the validation rows by name, in the target's own
            units; none for a final training, which has no such rows.
        loss: The proper loss of the same rows (log-loss, or mean squared error of the
            standardised target), of the training probe for a final training; infinite when
            nothing was evaluated. When the best of several
            evaluations was kept it is slightly too good: comparisons that are claimed need rows
            that did not choose the step.
        best_step: Step of the kept weights.
        steps: Steps taken.
        curve: Lists of equal length: "step", "train_loss" (the training loss, regularised, since
            the last evaluation), "probe_loss", "validation_loss" and "metric" (absent for a final
            training, which has no validation rows).
        weights: Path of the weights file; empty if there is none.
        predictions: Path of the predictions of the validation rows, in their order (values
            ``[m, targets]`` or probabilities ``[m, classes]``); empty if there are none.
        health: Steps and values by name, as `training.health.Health` says; empty unless asked for.
        histograms: Step, edges and counts by name, before the first step and at the end, of what
            each hidden layer says; empty unless health was asked for.
        stepped: Steps taken by this call: fewer than `steps` where it went on from a checkpoint.
        seconds: Wall time of this call, shared by the members of the stack.
        stepped_s: What of it the steps took; the rest is fixed: opening, evaluations, files.
        stack: Members of the stack.
    """

    id: str
    state: str
    reason: str
    scores: Mapping[str, float]
    loss: float
    best_step: int
    steps: int
    curve: Mapping[str, Sequence[float]]
    weights: str
    predictions: str
    health: Mapping[str, tuple[Sequence[int], Sequence[float]]] = field(default_factory=dict)
    histograms: Mapping[str, Sequence[tuple[int, list[float], list[int]]]] = field(
        default_factory=dict
    )
    stepped: int = 0
    seconds: float = 0.0
    stepped_s: float = 0.0
    stack: int = 1
