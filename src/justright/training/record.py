"""What the loop remembers of each candidate: its curve, its best weights, its fate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
import numpy.typing as npt

from justright.engine.contract import Array
from justright.training.health import Health

CURVES = ("step", "train_loss", "probe_loss", "validation_loss", "metric")


@dataclass(frozen=True, eq=False)
class Kept:
    """Weights worth keeping, and what they achieve.

    Attributes:
        step: Steps they were trained for.
        loss: Proper loss of the validation rows, or of the probe without any.
        arrays: Tensors by name, moments left out.
        prediction: Of the validation rows, or of the probe without any.
    """

    step: int
    loss: float
    arrays: Mapping[str, Array]
    prediction: npt.NDArray[np.float64]


@dataclass
class Record:
    """One candidate's history; the loop writes it.

    Attributes:
        id: The candidate's.
        state: "running", and in the end "done", "cut" or "failed".
        reason: Why it was cut or failed.
        steps: Steps taken.
        curve: One list per name of `CURVES`.
        kept: The weights to hand out so far.
        losses: Sum and number of the training losses since the last evaluation.
        health: How gradients and layers do; None where nobody watches.
    """

    id: str
    state: str = "running"
    reason: str = ""
    steps: int = 0
    curve: dict[str, list[float]] = field(default_factory=dict)
    kept: Kept | None = None
    losses: tuple[float, int] = (0.0, 0)
    health: Health | None = None

    def advance(self, losses: npt.NDArray[np.floating], alive: bool) -> int:
        """Note the training losses ``[n]`` of a span, and whether the candidate survived it.

        Returns:
            How many of the steps it took.
        """
        finite = np.isfinite(losses)
        taken = len(losses) if alive or finite.all() else int(np.argmin(finite))
        total, number = self.losses
        self.losses = (total + float(losses[:taken].sum()), number + taken)
        self.steps += taken
        if not alive:
            self.fail(f"diverged at step {self.steps + (taken < len(losses))}")
        return taken

    def fail(self, reason: str) -> None:
        """Record that the candidate cannot go on."""
        self.state, self.reason = "failed", reason

    def note(self, **values: float) -> None:
        """Append a point to the curve."""
        total, number = self.losses
        point = {"step": self.steps, "train_loss": total / max(number, 1), **values}
        for name, value in point.items():
            self.curve.setdefault(name, []).append(value)
        self.losses = (0.0, 0)

    @property
    def judged(self) -> Sequence[float]:
        """The losses of the evaluations so far: of the validation rows, or else of the probe."""
        return self.curve.get("validation_loss", self.curve.get("probe_loss", ()))

    @property
    def lags(self) -> bool:
        """Whether steps were taken since the last point of the curve."""
        return self.steps > self.curve.get("step", [0])[-1]

    def improves(self, loss: float, keep_best: bool) -> bool:
        """Whether weights with this loss are to be kept instead of those so far."""
        if not isfinite(loss):
            return False
        return self.kept is None or not keep_best or loss < self.kept.loss
