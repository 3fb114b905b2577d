"""``justright predict`` and ``justright evaluate``: use a model folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from justright.api import load
from justright.model.predictor import predict_file


def predict(
    model: Annotated[Path, typer.Argument(help="Model folder: studies/NAME/model.")],
    data: Annotated[Path, typer.Argument(help="Rows to predict, with the training columns.")],
    out: Annotated[Path, typer.Option(help="Where to write: .csv, .tsv, .parquet or .jsonl.")],
    interval: Annotated[
        float | None,
        typer.Option(help="Add intervals, or sets of classes, that hold this share, such as 0.9."),
    ] = None,
) -> None:
    """Predict the rows of a file, in chunks, in constant memory."""
    rows = predict_file(load(model), data, out, interval)
    print(f"{rows:,} rows predicted → {out}")


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder: studies/NAME/model.")],
    data: Annotated[Path, typer.Argument(help="Rows with the target.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a model on rows whose target is known."""
    scores = load(model).evaluate(data)
    if as_json:
        print(json.dumps(scores, indent=2))
        return
    for metric, score in scores.items():
        print(f"{metric:<18} {score:.6g}")
