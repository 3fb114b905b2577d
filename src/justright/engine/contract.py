"""The only door to training: callers speak in spans of steps, backends differ only behind it.

Schedules, range tests, warm-up, folds, subsets, bootstraps and curricula are pure functions of
the caller that make the arrays of a `Span`; backends know none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from justright.recipe.network import NetworkSpec
from justright.recipe.recipe import LossSpec, OptimiserName

Array = npt.NDArray[np.generic]

CONTROLS: Mapping[str, float] = {
    "rate": 0.0,  # learning rate at width 256
    "shrink": 0.0,  # share by which weight matrices shrink in the step (decay)
    "beta1": 0.9,  # momentum or first moment
    "beta2": 0.999,  # second moment
    "dropout": 0.0,  # share of hidden units silenced
    "dropout_layers": np.inf,  # how many of the last hidden layers have dropout
    "input_dropout": 0.0,  # share of inputs silenced
    "input_noise": 0.0,  # standard deviation of what is added to scaled numbers
    "stochastic_depth": 0.0,  # probability of skipping the last residual block
    "smoothing": 0.0,  # label smoothing
    "mixup": 1.0,  # share of the row itself (partner: next row of the batch)
    "clip": np.inf,  # bound on the global norm of the gradient
    "ema": 0.0,  # weight of the old average after the step; 0 = the average follows
}
"""Every control of a step and its value when a span leaves it out."""


@dataclass(frozen=True)
class Program:
    """What is equal for every candidate of a stack.

    Attributes:
        net: The network's shape, inputs included.
        loss: The loss; one value a row, so weights stay outside.
        optimiser: Name of the update rule; its numbers are controls.
        batch: Rows a step, constant: the order wraps round, there are no partial batches.
        parametrisation: "width" scales each tensor's rate so that one rate serves all widths
            (`nets.rates`); "standard" uses the rate as it is.
        epsilon: The rule's ε.
        dtype: "float32", or "float64" for tests.
    """

    net: NetworkSpec
    loss: LossSpec
    optimiser: OptimiserName
    batch: int
    parametrisation: Literal["width", "standard"] = "width"
    epsilon: float = 1e-8
    dtype: Literal["float32", "float64"] = "float32"


@dataclass(frozen=True)
class Weights:
    """One candidate's state in single-network layout, the same for every backend.

    Attributes:
        arrays: Tensors by name (`recipe.network.tensor_shapes` and `buffer_shapes`), the average
            under ``ema/NAME``, optimiser moments under ``m/NAME`` and ``v/NAME``. As a start it
            may be partial: what is missing is initialised from the seed.
        step: Steps taken.
    """

    arrays: Mapping[str, Array]
    step: int = 0


@dataclass(frozen=True)
class Candidate:
    """One training of a stack.

    Attributes:
        id: Name within the stack.
        seed: Initialisation and masks draw from (seed, purpose, step), never from the stack's
            membership.
        start: Where to start from: resume, growth, warm start, prior of the head, bin edges.
    """

    id: str
    seed: int
    start: Weights | None = None


@dataclass(frozen=True)
class Span:
    """Some steps, wholly decided by the caller (about 0.25 s of work at most).

    Attributes:
        order: int32 ``[K, n, batch]``, the rows of each step.
        controls: float32 or float64 ``[K, n]`` by name; see `CONTROLS`.
        health_every: Record `Trace.health` at every so many steps, counted from the candidate's
            first: 50 = in its 50th, 100th, … step, however spans are cut; 0 = never.
    """

    order: Array
    controls: Mapping[str, Array]
    health_every: int = 0


@dataclass(frozen=True)
class Trace:
    """What a span left behind.

    Attributes:
        loss: ``[K, n]`` training loss of each step (mean over the batch, by weight).
        alive: bool ``[K]``; False after a non-finite loss: that state is frozen, nothing raises.
        norm: ``[K, n]`` norm of the whole gradient of each step before it is clipped; above the
            control "clip" the step was clipped.
        health: Name to ``[K, samples, hidden layers]``: "gradient_norm", the norm of the gradient
            of the layer's matrix before clipping, and "update_ratio", the norm of the matrix's
            step over the norm of the matrix, decay left out: it would hide a rate that is far
            too low.
        seconds: Wall time of the span.
    """

    loss: Array
    alive: Array
    norm: Array
    health: Mapping[str, Array] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Cost:
    """Predicted cost of a program on this machine, on one thread.

    Attributes:
        step_s: Seconds per candidate and step at the backend's own best chunk.
        row_s: Seconds per evaluated row.
        bytes: Memory of one candidate.
    """

    step_s: float
    row_s: float
    bytes: int


class Rows(Protocol):
    """Encoded rows: in memory, memory-mapped, or a user's data set.

    ``batch`` returns the named tensors: ``x`` float32 ``[..., m, numbers + indicators]``, ``c``
    int32 ``[..., m, categories]``, ``y`` float32 ``[..., m, outputs]`` or int64 ``[..., m]`` for
    classes, and ``w`` float32 ``[..., m]`` where rows have weights.
    """

    def __len__(self) -> int: ...

    def batch(self, rows: Array) -> Mapping[str, Array]: ...


class Stack(Protocol):
    """K candidates in training; owns its memory, uses one thread, chunks along K as it likes.

    `advance` is deterministic given state and span; `keep` never changes a survivor's numbers.
    """

    ids: tuple[str, ...]

    def advance(self, span: Span) -> Trace: ...

    def outputs(self, rows: Array, *, averaged: bool = False) -> Array:
        """``[K, m, outputs]`` in evaluation mode; rows ``[m]``, or ``[K, m]``: one list each."""
        ...

    def refresh(self, rows: Array) -> None:
        """Recompute normalisation statistics of current and averaged weights, one pass."""
        ...

    def activations(self, rows: Array) -> Mapping[str, Array]:
        """What the hidden layers say of rows ``[m]`` or ``[K, m]``, in evaluation mode.

        Name to ``[K, hidden layers]``: "activation_std", the deviation over rows and units;
        "activation_mean", the size of the mean over that deviation; "dead_share", the share of
        units that say the same for every row (of ReLU: nothing); and for activations with two
        flat ends "saturated_share", the share of what is said that lies on one of them.
        """
        ...

    def distribution(self, rows: Array) -> tuple[Array, Array]:
        """How what each hidden layer says of rows ``[m]`` or ``[K, m]`` is distributed.

        Edges ``[K, hidden layers, bins + 1]``, evenly spaced from the lowest value to the highest
        (a layer that says one thing only gets a bin's width around it), and values per bin
        ``[K, hidden layers, bins]``; in evaluation mode.
        """
        ...

    def keep(self, ids: Sequence[str]) -> None: ...

    def weights(self, id: str) -> Weights: ...

    def close(self) -> None: ...


class Backend(Protocol):
    """Something that can train programs."""

    name: str

    def accepts(self, program: Program) -> str | None:
        """None if it can run the program, else the reason why not."""
        ...

    def cost(self, program: Program, k: int) -> Cost: ...

    def open(self, program: Program, data: Rows, candidates: Sequence[Candidate]) -> Stack: ...
