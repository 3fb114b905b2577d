"""The controls of a span, ready for the steps of one chunk."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.core.errors import InputError
from justright.engine.contract import CONTROLS, Array

Numbers = npt.NDArray[np.float64]


class Controls:
    """Every control ``[k, n]`` in double precision.

    Args:
        values: What the span gives, ``[k, n]`` by name; the rest takes the contract's values.
        k: Candidates.
        steps: Steps of the span.

    Raises:
        InputError: If a name is unknown or a shape wrong.
    """

    def __init__(self, values: Mapping[str, Array], k: int, steps: int) -> None:
        unknown = sorted(set(values) - set(CONTROLS))
        if unknown:
            raise InputError(f"unknown controls {unknown}", hint=f"known are {sorted(CONTROLS)}")
        self._values: dict[str, Numbers] = {}
        for name, usual in CONTROLS.items():
            given = values.get(name)
            value = np.full((k, steps), usual) if given is None else np.asarray(given, np.float64)
            if value.shape != (k, steps):
                raise InputError(
                    f"control {name!r} has shape {value.shape}", hint=f"expected {(k, steps)}"
                )
            self._values[name] = value

    def rows(self, rows: slice) -> Controls:
        """The controls of some candidates."""
        part = object.__new__(Controls)
        part._values = {name: value[rows] for name, value in self._values.items()}
        return part

    def at(self, name: str, step: int) -> Numbers:
        """One control ``[k]`` at a step."""
        return self._values[name][:, step]

    def used(self, name: str) -> bool:
        """Whether a control ever differs from its neutral value."""
        return bool((self._values[name] != CONTROLS[name]).any())


def column(values: Numbers, dtype: torch.dtype, *, dims: int = 2) -> float | Tensor:
    """A number where all candidates agree (the faster kernels), else a column ``[k, 1, …]``."""
    first = float(values[0])
    if values.shape[0] == 1 or bool((values == first).all()):
        return first
    return torch.from_numpy(values.copy()).to(dtype).view(-1, *([1] * (dims - 1)))
