"""Weights files: safetensors, written so that a reader never sees half of one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from justright.core.errors import ModelError
from justright.engine.contract import Array, Weights
from justright.recipe.network import NetworkSpec, buffer_shapes, tensor_shapes


def write_tensors(path: Path, arrays: Mapping[str, Array], notes: Mapping[str, str]) -> None:
    """Write tensors beside `path`, make them durable, then rename: a kill leaves old or new.

    Args:
        path: The safetensors file.
        arrays: Tensors by name.
        notes: The file's metadata.

    Raises:
        OSError: If the folder cannot be written.
    """
    content = save({name: np.array(value) for name, value in arrays.items()}, dict(notes))
    replace_file(path, content)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file by one rename; a reader sees the old content or the new.

    Raises:
        OSError: If the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Tensors by name and metadata of a safetensors file.

    Raises:
        ModelError: If it is missing or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return arrays, dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"cannot read the weights {str(path)!r} ({error})", hint="train the network again"
        ) from error


def write_weights(path: Path, arrays: Mapping[str, Array], step: int) -> None:
    """Write one network's tensors, named as in `recipe.network`, with the step in the notes.

    Raises:
        OSError: If the folder cannot be written.
    """
    write_tensors(path, arrays, {"step": str(step)})


def usable_tensors(net: NetworkSpec, weights: Weights, *, averaged: bool) -> dict[str, Array]:
    """The tensors that make predictions: a candidate's state without moments.

    Args:
        net: The network.
        weights: State of a candidate.
        averaged: Take the average of weights where there is one.
    """
    arrays = weights.arrays
    names = [*tensor_shapes(net), *buffer_shapes(net)]
    prefix = "ema/" if averaged else ""
    return {name: arrays.get(prefix + name, arrays[name]) for name in names}
