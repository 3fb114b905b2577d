"""Fits one baseline on encoded rows and scores it; what a worker runs."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from justright.baselines.base import Answer, Exercise, Sample
from justright.baselines.registry import baseline_named
from justright.core.codec import from_document
from justright.core.errors import DataError
from justright.core.task import Task
from justright.statistics.metrics import loss_of, score


@dataclass(frozen=True)
class Encoded:
    """A folder of encoded rows, memory-mapped.

    Attributes:
        rows: Inputs, targets and weights of all rows of the folder.
        task: What is to be predicted.
        categories: Number of codes of each category column.
        scaling: Mean, scale, lower and upper bound of each target column; empty for classes.
    """

    rows: Sample
    task: Task
    categories: tuple[int, ...]
    scaling: np.ndarray

    @staticmethod
    def open(folder: str | Path) -> Encoded:
        """Open a folder.

        Raises:
            FileNotFoundError: If it is not one.
        """
        folder = Path(folder)
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        x, c, y = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in "xcy")
        weights = folder / "w.npy"
        w = np.load(weights, mmap_mode="r") if weights.exists() else None
        scaling = np.array([meta[f"y_{name}"] for name in ("mean", "scale", "low", "high")])
        task = from_document(Task, meta["task"])
        return Encoded(Sample(x, c, y, w), task, tuple(meta["inputs"]["categories"]), scaling)

    def values(self, standardised: np.ndarray) -> np.ndarray:
        """Targets or predictions in original units, float64 [n, T]."""
        mean, scale, _, _ = self.scaling
        return standardised.astype(np.float64) * scale + mean

    def decode(self, prediction: np.ndarray) -> np.ndarray:
        """A prediction as users get it: values within the training range, or probabilities."""
        if self.task.is_classification:
            return prediction
        _, _, low, high = self.scaling
        return np.clip(self.values(prediction), low, high)


def fit_baseline(
    name: str,
    folder: str,
    train: np.ndarray,
    evaluate_folder: str,
    evaluate: np.ndarray,
    seed: int,
    budget_s: float,
    out: str,
    report: Callable[[Any], None],
) -> dict[str, Any]:
    """Fit a baseline and score it, on one thread.

    Args:
        name: Name in `registry.BASELINES`.
        folder: Encoded rows to learn from.
        train: int64 places of the training rows in ``folder``.
        evaluate_folder: Encoded rows to be judged on, by the same preprocessing.
        evaluate: int64 places of those rows in ``evaluate_folder``.
        seed: For everything random.
        budget_s: Seconds it may take.
        out: File for the predictions (npy): values [m, T] in original units, or probabilities.
        report: Receives what it is doing.

    Returns:
        JSON types: scores (every metric that applies), loss (the proper one), seconds,
        predictions (path), notes, capped.

    Raises:
        DataError: If no training row has a finite target.
    """
    start = time.monotonic()
    baseline = baseline_named(name)
    report({"text": f"{baseline.title}: reading"})
    source = Encoded.open(folder)
    judged = source if evaluate_folder == folder else Encoded.open(evaluate_folder)
    rows = source.rows.take(train).usable()
    if not len(rows):
        raise DataError("no training row has a finite target", hint="check the target column")
    test = judged.rows.take(evaluate)
    exercise = Exercise(
        task=source.task,
        categories=source.categories,
        train=rows,
        x=test.x,
        c=test.c,
        seed=seed,
        deadline=start + budget_s,
    )
    report({"text": f"{baseline.title}: {len(rows):,} rows"})
    answer = _solve(baseline.load(), exercise)
    prediction = judged.decode(answer.prediction)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    np.save(out, prediction, allow_pickle=False)
    y = test.y if source.task.is_classification else judged.values(test.y)
    scores = score(source.task, y, prediction, test.w)
    return {
        "scores": scores,
        "loss": scores[loss_of(source.task).name],
        "seconds": time.monotonic() - start,
        "predictions": str(out),
        "notes": list(answer.notes),
        "capped": answer.capped,
    }


def _solve(function: Callable[[Exercise], Answer], exercise: Exercise) -> Answer:
    """Run a baseline on one thread, its libraries' warnings kept off the screen.

    Raises:
        ArithmeticError: If a prediction is not finite.
    """
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = function(exercise)
    if not np.isfinite(answer.prediction).all():
        raise ArithmeticError("a prediction is not finite")
    return answer
