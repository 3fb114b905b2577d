"""The locked test set, opened once the network is final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from justright.baselines.registry import baseline_named
from justright.core.task import Task
from justright.core.trial import Trial, TrialState
from justright.designer.stages.finish import Final
from justright.designer.work.rivals import Rival
from justright.designer.work.session import Session
from justright.statistics.intervals import (
    Interval,
    Sample,
    paired_difference,
    score_interval,
    standing,
)
from justright.statistics.metrics import Metric, metric_named, score
from justright.statistics.temperature import BINS, bin_of, chances

SHOWN_ROWS = 2_000
"""Rows whose predictions the report shows; drawn evenly from the test set."""


@dataclass(frozen=True)
class Earlier:
    """Trainings that were scored on the validation rows of the screening blocks.

    Attributes:
        champion: The champion's, one per block.
        baselines: The baselines by name.
    """

    champion: tuple[Trial, ...]
    baselines: Mapping[str, Rival]


@dataclass(frozen=True)
class Tested:
    """A method's predictions of the test rows.

    Attributes:
        name: "network", or the baseline's name.
        title: For people.
        kind: "network" or "baseline".
        prediction: Values [n, T] or probabilities [n, classes].
        seconds: Of its training.
    """

    name: str
    title: str
    kind: str
    prediction: np.ndarray
    seconds: float


def open_test(
    session: Session,
    final: Final,
    network: np.ndarray,
    validation: Mapping[str, float],
    earlier: Earlier,
    delta: float,
) -> dict[str, Any]:
    """Score the network and the baselines on the test rows.

    Args:
        session: The study at work.
        final: What is handed over.
        network: The network's predictions of the test rows, by the shipped file.
        validation: Deciding metric on the validation rows by method, which chose the baseline that
            the verdict speaks of before the test set was opened.
        earlier: The champion and the baselines as they were trained for the validation rows.
        delta: Smallest difference that matters.
    """
    problem = session.blocks.problem
    sample = session.blocks.rows_sample(session.blocks.splits.test)
    metric = metric_named(session.metric)
    methods = [Tested("network", "network", "network", network, _seconds(final.trial))]
    for name, trial in final.baselines.items():
        if trial.state is TrialState.DONE:
            path = session.folder.trials / Path(trial.result["predictions"]).name
            title = baseline_named(name).title
            methods.append(Tested(name, title, "baseline", np.load(path), _seconds(trial)))
    before = session.store.ledger.fact(session.name, "test") or {}
    comparisons = [_comparison(metric, sample, methods[0], other, delta) for other in methods[1:]]
    best = _best_baseline(metric, validation)
    decisive = next((c for c in comparisons if c["against"] == best), None)
    if best is not None and decisive is None:
        # it could not be refitted: beating a weaker one would say nothing, so what the
        # validation rows say of the best one decides
        decisive = _on_validation(session, metric, earlier, best, delta)
        comparisons = [decisive, *comparisons] if decisive else comparisons
    own = score(problem.task, sample.y, network, sample.weights, metric.name)
    return {
        "metric": metric.name,
        "rows": len(sample.y),
        "openings": int(before.get("openings", 0)) + 1,
        "methods": [_method(problem.task, metric, sample, method) for method in methods],
        "comparisons": comparisons,
        "untested": _untested(final, methods, validation),
        "word": decisive["word"] if decisive else "",
        "against": decisive["title"] if decisive else "",
        "locked": {key: decisive[key] if decisive else "" for key in ("word", "title")},
        "validation_score": validation.get("network"),
        "drop": _drop(metric, own[metric.name], validation.get("network")),
        "sample": _shown(session, sample, network),
        "confusion": _confusion(problem.task, sample, network),
        "calibration": _calibration(problem.task, sample, network),
    }


def _seconds(trial: Trial) -> float:
    return float(trial.result.get("seconds", 0.0))


def _best_baseline(metric: Metric, validation: Mapping[str, float]) -> str | None:
    """The baseline that was best on the validation rows, whether it was tested or not."""
    known = [
        name for name, score in validation.items() if name != "network" and np.isfinite(score)
    ]
    return min(known, key=lambda name: metric.loss(validation[name]), default=None)


def _untested(
    final: Final, methods: Sequence[Tested], validation: Mapping[str, float]
) -> list[dict[str, str]]:
    """Baselines with a score on the validation rows and none on the test rows, and why."""
    tested = {method.name for method in methods}
    missing = [name for name in validation if name not in tested]
    reasons = {name: trial.reason for name, trial in final.baselines.items()}
    return [
        {"title": baseline_named(name).title, "reason": reasons.get(name) or "not refitted"}
        for name in missing
    ]


def _method(task: Task, metric: Metric, sample: Sample, method: Tested) -> dict[str, Any]:
    interval = score_interval(metric, sample, method.prediction)
    return {
        "name": method.name,
        "title": method.title,
        "kind": method.kind,
        "scores": score(task, sample.y, method.prediction, sample.weights, metric.name),
        "interval": [interval.low, interval.high],
        "source": interval.source,
        "seconds": method.seconds,
    }


def _comparison(
    metric: Metric, sample: Sample, network: Tested, other: Tested, delta: float
) -> dict[str, Any]:
    found: Interval = paired_difference(metric, sample, network.prediction, other.prediction)
    word, why = standing(found, delta)
    return {
        "against": other.name,
        "title": other.title,
        "word": word,
        "why": why,
        "difference": found.estimate,
        "low": found.low,
        "high": found.high,
        "source": found.source,
    }


def _on_validation(
    session: Session, metric: Metric, earlier: Earlier, name: str, delta: float
) -> dict[str, Any] | None:
    """The champion against a baseline on the validation rows of the screening blocks."""
    if not all(trial.result.get("predictions") for trial in earlier.champion):
        return None
    blocks = [session.blocks.block(n, session.blocks.spec) for n in session.blocks.first]
    rows = np.concatenate([session.blocks.splits.rest[b.validation] for b in blocks])
    network, other = (
        np.concatenate([session.predictions(trial) for trial in trials])
        for trials in (earlier.champion, earlier.baselines[name].trials)
    )
    title = f"{baseline_named(name).title} on the validation rows"
    first = Tested("network", "network", "network", network, 0.0)
    second = Tested(name, title, "baseline", other, 0.0)
    return _comparison(metric, session.blocks.rows_sample(rows), first, second, delta)


def _drop(metric: Metric, test: float, validation: float | None) -> float | None:
    """How much worse the test score is than the validation score; negative if it is better."""
    if validation is None:
        return None
    return metric.loss(test) - metric.loss(validation)


def _shown(session: Session, sample: Sample, prediction: np.ndarray) -> dict[str, Any] | None:
    """Targets and predictions of some test rows, for the residual plot of a regression."""
    if session.blocks.problem.task.is_classification or not session.options.examples:
        return None
    places = np.unique(np.linspace(0, len(sample.y) - 1, SHOWN_ROWS).astype(int))
    return {"y": sample.y[places].tolist(), "prediction": prediction[places].tolist()}


def _confusion(task: Task, sample: Sample, prediction: np.ndarray) -> dict[str, Any] | None:
    if not task.is_classification:
        return None
    size = len(task.classes)
    flat = sample.y * size + prediction.argmax(axis=1)
    matrix = np.bincount(flat, minlength=size * size).reshape(size, size)
    return {"labels": list(task.classes), "matrix": matrix.tolist()}


def _calibration(
    task: Task, sample: Sample, prediction: np.ndarray
) -> list[dict[str, float]] | None:
    """Reliability: of two classes the second one's probability, of more the predicted one's."""
    if not task.is_classification:
        return None
    chance, hit = chances(sample.y, prediction)
    places = bin_of(chance)
    return [
        {
            "low": place / BINS,
            "high": (place + 1) / BINS,
            "predicted": float(chance[places == place].mean()),
            "observed": float(hit[places == place].mean()),
            "count": int((places == place).sum()),
        }
        for place in range(BINS)
        if (places == place).any()
    ]
