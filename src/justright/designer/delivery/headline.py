"""What a study says first: repeated cross-validation below 500 rows, else the locked test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from justright.baselines.registry import baseline_named
from justright.core.codec import fingerprint
from justright.core.seeds import child_seed
from justright.core.trial import Trial, TrialState
from justright.designer.delivery.repeats import Repeated
from justright.designer.work.blocks import FOLDS
from justright.designer.work.session import Champion, Session
from justright.statistics.folds import block_interval, within_range, worsened
from justright.statistics.intervals import Interval, standing
from justright.statistics.metrics import Metric, metric_named
from justright.statistics.optimism import Optimism, choice_optimism

LOCKED = "locked test"

CHOOSING = ("champion", "size/ladder", "size/length", "size/shape")
"""Stages, beside screening, whose trainings on the screening folds lead to what is handed over."""

FEWEST_BLOCKS = FOLDS
"""Folds on which the metric must be defined (assumption: a repetition's worth)."""


def headline(
    session: Session,
    repeated: Repeated | str,
    champion: Champion,
    delta: float,
    test: Mapping[str, Any],
) -> dict[str, Any]:
    """The headline as a document: source, score, interval, word, and what they rest on.

    Args:
        session: The study at work.
        repeated: Trainings on fresh repetitions, or why there are none.
        champion: What the search chose.
        delta: Smallest difference that matters.
        test: What the locked test said, for where it is the headline.
    """
    metric = metric_named(session.metric)
    # a large table has one hold-out for all blocks, of so many rows that choosing flatters little
    # (assumption; what it flatters is the validation score, not the locked test)
    found = None if session.blocks.fixed_holdout else choice(session, metric, champion)
    if isinstance(repeated, str):
        return _locked(test, repeated, found)
    places = _defined(metric, repeated)
    if len(places) < FEWEST_BLOCKS:
        return _locked(test, f"{metric.title} is undefined on too many folds", found)
    optimism = max(found.value, 0.0) if found is not None and np.isfinite(found.value) else 0.0
    source = f"repeated cross-validation, {repeated.repetitions} × {FOLDS} folds"
    network = _scores(metric, repeated.network, places)
    overlap = float(np.mean([block.overlap for block in repeated.blocks]))
    own = block_interval(network, overlap, source)
    methods = [
        _method("network", "network", metric, repeated.network, places)
        | _shown(metric, worsened(own, optimism, greater_is_better=metric.greater_is_better))
    ]
    methods[0]["scores"][metric.name] = methods[0]["score"]
    comparisons = []
    for name, trials in repeated.baselines.items():
        title, scores = baseline_named(name).title, _scores(metric, trials, places)
        shown = _shown(metric, block_interval(scores, overlap, source))
        methods.append(_method(name, title, metric, trials, places) | shown)
        gains = [metric.loss(b) - metric.loss(a) for a, b in zip(network, scores, strict=True)]
        difference = block_interval(gains, overlap, source)
        difference = worsened(difference, optimism, greater_is_better=True)
        comparisons.append(_comparison(name, title, difference, delta))
    first = comparisons[0] if comparisons else None  # the baseline that was best before
    return {
        "source": source,
        "reason": "",
        "repetitions": repeated.repetitions,
        "blocks": len(places),
        "rows": session.blocks.rows,
        **{key: methods[0][key] for key in ("score", "low", "high")},
        "apparent": own.estimate,
        "optimism": None if found is None else found.value,
        "taken_off": optimism,
        "tried": 1 if found is None else len(found.chosen),
        "word": first["word"] if first else "",
        "against": first["title"] if first else "",
        "difference": first["difference"] if first else None,
        "difference_low": first["low"] if first else None,
        "difference_high": first["high"] if first else None,
        "methods": methods,
        "comparisons": comparisons,
    }


def choice(session: Session, metric: Metric, champion: Champion) -> Optimism | None:
    """What choosing among all that was trained in full was worth; None if there was no choice.

    That is every champion and candidate, and the sizes of the size search, which chose one of
    them on the same folds. Shortened trainings, such as those of the race of rates, only say what
    to train in full, and cannot be told apart from worse recipes: they do not count.
    """
    if metric.function is not None:  # only its values are known, not what rows make of them
        return None
    partitions = [trial.spec.partition for trial in champion.trials]
    tried = {_key(champion.trials[0]): {t.spec.partition: t for t in champion.trials}}
    for trial in session.store.trials.list(session.name):
        if trial.spec.partition in partitions and _chose(trial):
            tried.setdefault(_key(trial), {})[trial.spec.partition] = trial
    whole = [own for own in tried.values() if len(own) == len(set(partitions))]
    whole = [own for own in whole if all(t.result.get("predictions") for t in own.values())]
    if len(whole) < 2:
        return None
    order = list(dict.fromkeys(partitions))
    numbers = dict(zip(partitions, session.blocks.first, strict=True))
    blocks = [session.blocks.block(numbers[key], session.blocks.spec) for key in order]
    rows = np.concatenate([session.blocks.splits.rest[block.validation] for block in blocks])
    predictions = [
        np.concatenate([session.predictions(own[key]) for key in order]) for own in whole
    ]
    seed = child_seed(session.blocks.seed, "optimism")
    return choice_optimism(metric, session.blocks.rows_sample(rows), predictions, seed=seed)


def _chose(trial: Trial) -> bool:
    """Whether a training ended at its full length in a stage that chooses on its folds."""
    stage, planned = trial.spec.stage, trial.spec.steps
    chooses = stage in CHOOSING or stage.endswith("/screen")
    whole = trial.spec.recipe.get("stop", planned) == planned
    return chooses and whole and trial.state is TrialState.DONE


def _key(trial: Trial) -> str:
    """The same for all folds of a configuration."""
    return fingerprint([trial.spec.subject, dict(trial.spec.recipe), trial.spec.steps])


def _locked(test: Mapping[str, Any], reason: str, found: Optimism | None) -> dict[str, Any]:
    """The locked test as the headline; choosing flattered only the validation score."""
    own = test["methods"][0]
    decisive = next((c for c in test["comparisons"] if c["title"] == test["against"]), {})
    return {
        "source": LOCKED,
        "reason": reason,
        "rows": test["rows"],
        "score": own["scores"].get(test["metric"]),
        "low": own["interval"][0],
        "high": own["interval"][1],
        "optimism": None if found is None else found.value,
        "tried": 1 if found is None else len(found.chosen),
        "word": test["word"],
        "against": test["against"],
        "difference": decisive.get("difference"),
        "difference_low": decisive.get("low"),
        "difference_high": decisive.get("high"),
    }


def _defined(metric: Metric, repeated: Repeated) -> list[int]:
    """Folds on which every method has the metric (AUC needs two classes)."""
    table = [
        [trial.result["scores"].get(metric.name, np.nan) for trial in trials]
        for trials in (repeated.network, *repeated.baselines.values())
    ]
    return [int(place) for place in np.flatnonzero(np.isfinite(np.array(table)).all(axis=0))]


def _scores(metric: Metric, trials: Sequence[Trial], places: Sequence[int]) -> list[float]:
    return [float(trials[place].result["scores"][metric.name]) for place in places]


def _method(
    name: str, title: str, metric: Metric, trials: Sequence[Trial], places: Sequence[int]
) -> dict[str, Any]:
    each = [trials[place].result["scores"] for place in places]
    names = [metric.name, *(key for key in each[0] if key != metric.name)]
    return {
        "name": name,
        "title": title,
        "kind": "network" if name == "network" else "baseline",
        "scores": {key: float(np.mean([s.get(key, np.nan) for s in each])) for key in names},
        "seconds": float(sum(trial.result.get("seconds", 0.0) for trial in trials)),
    }


def _shown(metric: Metric, interval: Interval) -> dict[str, Any]:
    shown = within_range(interval, metric)
    return {
        "score": shown.estimate,
        "low": shown.low,
        "high": shown.high,
        "interval": [shown.low, shown.high],
        "source": shown.source,
    }


def _comparison(name: str, title: str, difference: Interval, delta: float) -> dict[str, Any]:
    word, why = standing(difference, delta)
    return {
        "against": name,
        "title": title,
        "word": word,
        "why": why,
        "difference": difference.estimate,
        "low": difference.low,
        "high": difference.high,
        "source": difference.source,
    }
