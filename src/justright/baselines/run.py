"""Fits one baseline on encoded rows and scores it; what a worker runs."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from justright.baselines.base import Answer, Exercise, Sample
from justright.baselines.registry import baseline_named
from justright.core.errors import DataError
from justright.data.encoded import EncodedMeta, EncodedRows
from justright.statistics.metrics import metric_named, score


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
    choice: tuple[int, ...] = (),
    metric: str = "",
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
        choice: What an earlier call returned as such, to repeat it exactly; empty = none.
        metric: Name of the deciding metric, which is scored also where it is one of the user's.

    Returns:
        JSON types: scores (every metric that applies), loss (the proper one), seconds,
        predictions (path), notes, hurried, choice.

    Raises:
        DataError: If no training row has a finite target.
    """
    start = time.monotonic()
    baseline = baseline_named(name)
    report({"text": f"{baseline.title}: reading"})
    source = EncodedRows(folder)
    judged = source if evaluate_folder == folder else EncodedRows(evaluate_folder)
    task, rows = source.meta.task, _sample(source, train).usable()
    if not len(rows):
        raise DataError("no training row has a finite target", hint="check the target column")
    test = _sample(judged, evaluate)
    exercise = Exercise(
        task=task,
        categories=source.meta.inputs.categories,
        train=rows,
        x=test.x,
        c=test.c,
        seed=seed,
        deadline=start + budget_s,
        choice=tuple(choice),
    )
    report({"text": f"{baseline.title}: {len(rows):,} rows"})
    answer = _solve(baseline.load(), exercise)
    y, prediction = test.y, answer.prediction
    if not task.is_classification:
        y, prediction = _original(y, judged.meta), _original(prediction, source.meta)
        prediction = np.clip(prediction, source.meta.y_low, source.meta.y_high)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    np.save(out, prediction, allow_pickle=False)
    scores = score(task, y, prediction, test.w, metric)
    return {
        "scores": scores,
        "loss": _loss(source.meta, y, prediction, test.w),
        "seconds": time.monotonic() - start,
        "predictions": str(out),
        "notes": list(answer.notes),
        "hurried": answer.hurried,
        "choice": [int(number) for number in answer.choice],
    }


def _sample(encoded: EncodedRows, rows: np.ndarray) -> Sample:
    """Some rows of a folder, in memory."""
    everything = Sample(encoded.x, encoded.c, encoded.y, encoded.w, encoded.groups, encoded.times)
    return everything.take(rows)


def _original(standardised: np.ndarray, meta: EncodedMeta) -> np.ndarray:
    """Targets or predictions in the units of the table, float64 [n, T]."""
    return standardised.astype(np.float64) * np.array(meta.y_scale) + np.array(meta.y_mean)


def _loss(meta: EncodedMeta, y: np.ndarray, prediction: np.ndarray, w: np.ndarray | None) -> float:
    """What networks are compared by: log-loss, or mean squared error of standardised targets."""
    if meta.task.is_classification:
        return metric_named("log_loss")(y, prediction, w)
    errors = np.square((prediction - y) / np.array(meta.y_scale)).mean(axis=1)
    return float(np.average(errors, weights=w)) if len(errors) else float("nan")


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
