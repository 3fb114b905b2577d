"""``justright export``: a model folder as one file that other programs run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from justright.api import load
from justright.model.onnx_file import Exported


def export(
    model: Annotated[Path, typer.Argument(help="Model folder: studies/NAME/model.")],
    onnx: Annotated[Path, typer.Option(help="Where to write: a file that ends with .onnx.")],
    check: Annotated[
        Path | None, typer.Option(help="Rows to compare file and model on, not made-up ones.")
    ] = None,
) -> None:
    """Write a model as one ONNX file with its preprocessing inside, and check it.

    Every column is an input: numbers as double (NaN is missing), categories as string ("" is
    missing), dates as seconds since 1970.
    """
    done = load(model).export_onnx(onnx, check)
    print(
        f"{_size(done.size)}, {len(done.inputs)} columns in → {', '.join(done.outputs)} → {onnx}"
    )
    for line in _inputs(done):
        print(line)
    print(_checked(done))


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 1):.0f} kB"


def _inputs(done: Exported) -> list[str]:
    """What each column takes; those that take the same share a line."""
    columns: dict[str, list[str]] = {}
    for name, meaning in done.inputs.items():
        columns.setdefault(meaning, []).append(name)
    return [f"  {_shown(names)}: {meaning}" for meaning, names in columns.items()]


def _shown(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _checked(done: Exported) -> str:
    if done.comparison is None:
        return "not checked: onnxruntime is not installed (pip install 'justright[onnx]')"
    rows, difference = done.comparison
    unit = "standard deviations of the target" if len(done.outputs) == 1 else "in a probability"
    return f"checked on {rows:,} rows: differs from the model by at most {difference:.1g} {unit}"
