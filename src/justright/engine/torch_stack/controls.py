"""The controls of a span: checked, in double precision, ready for the steps of a chunk."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.core.errors import InputError
from justright.engine.contract import CONTROLS, Array

Numbers = npt.NDArray[np.float64]
Series = list[float] | list[Tensor]
"""One value a step: a number where all candidates agree, else a column ``[k, 1]``."""


def read_controls(values: Mapping[str, Array], k: int, steps: int) -> dict[str, Numbers]:
    """Every control ``[k, steps]`` by name; what a span leaves out takes the contract's value.

    Raises:
        InputError: If a name is unknown or a shape wrong.
    """
    unknown = sorted(set(values) - set(CONTROLS))
    if unknown:
        raise InputError(f"unknown controls {unknown}", hint=f"known are {sorted(CONTROLS)}")
    controls: dict[str, Numbers] = {}
    for name, usual in CONTROLS.items():
        given = values.get(name)
        value = np.full((k, steps), usual) if given is None else np.asarray(given, np.float64)
        if value.shape != (k, steps):
            raise InputError(
                f"control {name!r} has shape {value.shape}", hint=f"expected {(k, steps)}"
            )
        controls[name] = value
    return controls


def series(values: Numbers, dtype: torch.dtype) -> Series:
    """Turn ``[k, steps]`` into one value a step, once a span.

    Where all candidates agree at every step these are plain numbers: the kernels for numbers are
    faster than those for columns.
    """
    if values.shape[0] == 1 or bool((values == values[:1]).all()):
        return values[0].tolist()
    columns = torch.from_numpy(np.ascontiguousarray(values.T)).to(dtype).unsqueeze(-1)
    return list(columns.unbind(0))


def used(values: Numbers, neutral: float = 0.0) -> list[bool]:
    """For each step, whether any candidate differs from the neutral value."""
    return (values != neutral).any(axis=0).tolist()
