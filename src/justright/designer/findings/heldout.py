"""What the champion says of rows that it was not trained on: those that its blocks validate on.

Never test rows. Early stopping has seen these rows through one number, their mean loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from justright.baselines.registry import baseline_named
from justright.core.seeds import child_seed
from justright.core.trial import Trial
from justright.data.arrays import ColumnArray, columns_of
from justright.designer.work.rivals import Rival, score_of
from justright.designer.work.session import Champion, Session
from justright.statistics.intervals import Sample
from justright.statistics.metrics import metric_named

ROWS = 10_000
"""Rows that are described at most, drawn at random (assumption: half a second's worth)."""

TRUSTED = 0.8
"""A baseline is heard beside the network if it learned this share of what the better of the two
did, counted from the constant (assumption)."""


@dataclass(frozen=True)
class HeldOut:
    """Rows that the champion did not see, and what it and others say of them.

    Attributes:
        rows: Rows of the table, int64 [n].
        sample: Their targets, weights, groups and times.
        prediction: The champion's values [n, T] or probabilities [n, classes].
        others: The same of baselines that learned nearly as much, or more, by title.
    """

    rows: np.ndarray
    sample: Sample
    prediction: np.ndarray
    others: Mapping[str, np.ndarray]


def held_out(
    session: Session, champion: Champion, baselines: Mapping[str, Rival]
) -> HeldOut | None:
    """The validation rows of the screening blocks; None if a prediction is missing there.

    Args:
        session: The study at work.
        champion: Whose predictions.
        baselines: The baselines on the same blocks.
    """
    blocks = session.blocks
    if not all(trial.result.get("predictions") for trial in champion.trials):
        return None
    own = [blocks.block(number, champion.arm.recipe.preprocessing) for number in blocks.first]
    rows = np.concatenate([blocks.splits.rest[block.validation] for block in own])
    prediction = _joined(session, champion.trials)
    others = {
        baseline_named(rival.name).title: _joined(session, rival.trials)
        for rival in _trusted(session, champion, baselines)
    }
    known = np.isfinite(prediction).all(axis=1)
    weights = blocks.problem.weights()
    if weights is not None:
        known &= weights[rows] > 0
    places = np.flatnonzero(known)
    if len(places) > ROWS:
        rng = np.random.default_rng(child_seed(blocks.seed, "described rows"))
        places = np.sort(rng.choice(places, ROWS, replace=False))
    if not len(places):
        return None
    return HeldOut(
        rows=rows[places],
        sample=blocks.rows_sample(rows[places]),
        prediction=prediction[places],
        others={title: each[places] for title, each in others.items()},
    )


def columns_in(session: Session, rows: np.ndarray) -> dict[str, ColumnArray]:
    """The input columns of some rows of the table."""
    problem = session.blocks.problem
    return columns_of(problem.table.frame, problem.schema.columns, rows)


def _joined(session: Session, trials: Sequence[Trial]) -> np.ndarray:
    return np.concatenate([session.predictions(trial) for trial in trials])


def _trusted(session: Session, champion: Champion, baselines: Mapping[str, Rival]) -> list[Rival]:
    metric = metric_named(session.metric)
    losses = {name: metric.loss(s) for name, s in score_of(baselines, metric.name).items()}
    constant = losses.pop("constant", np.nan)
    return [
        baselines[name]
        for name, loss in losses.items()
        if constant - loss >= TRUSTED * (constant - min(loss, champion.loss)) > 0.0
        and all(trial.result.get("predictions") for trial in baselines[name].trials)
    ]
