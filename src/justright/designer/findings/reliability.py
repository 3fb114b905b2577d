"""What probabilities and intervals are worth on the test rows, once these were opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from justright.core.seeds import child_seed
from justright.designer.work.session import Session
from justright.statistics.conformal import coverage
from justright.statistics.intervals import Interval, Sample
from justright.statistics.reliability import THIRDS, reliability, third_of
from justright.statistics.terms import columns


def measure_reliability(session: Session, prediction: np.ndarray) -> None:
    """Record Brier score, calibration error, and what the temperature did to the test rows.

    Args:
        session: The study at work.
        prediction: Of the test rows, by the model folder; of values nothing is recorded.
    """
    if not session.blocks.problem.task.is_classification:
        return
    scaling = session.store.ledger.fact(session.name, "calibration") or {}
    sample = session.blocks.rows_sample(session.blocks.splits.test)
    seed = child_seed(session.blocks.seed, "reliability")
    found = reliability(sample, prediction, float(scaling.get("temperature") or 1.0), seed=seed)
    session.fact(
        "reliability",
        {
            "rows": found.rows,
            "brier": _ends(found.brier),
            "error": found.error,
            "perfect": found.perfect,
            "most": found.most,
            "log_loss": [found.before, found.after],
            "gain": _ends(found.gain),
        },
    )


def coverage_by_thirds(
    prediction: np.ndarray, inside: np.ndarray, sample: Sample, seed: int
) -> list[list[Mapping[str, Any]]]:
    """Share of rows whose interval holds, for each target in each third of the predictions.

    One width for all rows is right on average and may be wrong everywhere: too narrow where
    values are large, too wide where they are small (Lei et al. 2018).

    Args:
        prediction: Values [n, T].
        inside: Which targets their interval holds, bool [n, T].
        sample: The rows, with their groups and times.
        seed: Of the bootstrap.
    """
    found = []
    for values, held in zip(columns(prediction).T, inside.T, strict=True):
        third = third_of(values)
        parts = [(name, third == place) for place, name in enumerate(THIRDS)]
        found.append(
            [
                {"third": name, "rows": int(own.sum())}
                | _named(coverage(held[own], _part(sample, own), seed))
                for name, own in parts
                if own.any()
            ]
        )
    return found


def _part(sample: Sample, own: np.ndarray) -> Sample:
    groups, times = (None if x is None else x[own] for x in (sample.groups, sample.times))
    return Sample(sample.y[own], None, groups, times)


def _named(found: Interval) -> dict[str, float]:
    return {"coverage": found.estimate, "low": found.low, "high": found.high}


def _ends(found: Interval) -> list[float]:
    return [found.estimate, found.low, found.high]
