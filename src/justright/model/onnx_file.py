"""A model folder written as one ONNX file, which is run against the model before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from justright.core.errors import OptionError
from justright.core.files import write_whole
from justright.deploy import network
from justright.export.build import build
from justright.model.onnx_check import Answer, Comparison, compare


@dataclass(frozen=True)
class Exported:
    """An ONNX file that was written.

    Attributes:
        path: Where it lies.
        size: Bytes.
        inputs: Column to type and meaning of what it takes, in one line.
        outputs: Names of the outputs.
        comparison: With the model itself; None where onnxruntime is not installed.
    """

    path: Path
    size: int
    inputs: Mapping[str, str]
    outputs: tuple[str, ...]
    comparison: Comparison | None


def write_onnx(folder: Path, out: Path, answer: Answer, check: Any = None) -> Exported:
    """Write a model folder, its preprocessing included, as one ONNX file.

    Args:
        folder: The model folder, checked.
        out: The file, which ends with ``.onnx``; one that is there is replaced.
        answer: What the model itself says.
        check: Table on whose rows both are compared; None = made-up rows.

    Raises:
        InputError: If the model or the data cannot be used, or the file cannot be written.
        JustRightError: If the file and the model differ; it is not written then.
    """
    _check_place(out)
    document = network.read_json(folder / "preprocessing.json")
    recipe = network.read_json(folder / "recipe.json")
    arrays = network.read_safetensors(folder / "weights.safetensors")
    made = build(_title(folder), recipe["network"], document, arrays)
    comparison = compare(made, document, answer, check)
    try:
        write_whole(out, made.content)
    except OSError as error:
        raise OptionError(
            f"{out} cannot be written ({error.strerror or error})", hint="choose another place"
        ) from error
    inputs = {column.name: f"{column.type}, {column.meaning}" for column in made.inputs}
    return Exported(out, len(made.content), inputs, made.outputs, comparison)


def _check_place(out: Path) -> None:
    if out.suffix.lower() != ".onnx":
        raise OptionError(f"{out} does not end with .onnx", hint="name a file such as model.onnx")
    if out.is_dir():
        raise OptionError(f"{out} is a folder", hint="name a file")
    if not out.parent.is_dir():
        raise OptionError(f"{out}: the folder {out.parent} does not exist", hint="make it first")


def _title(folder: Path) -> str:
    """What the model's card calls it."""
    first = (folder / "card.md").read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip()
