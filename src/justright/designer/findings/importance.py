"""Permutation importance within the time: on fewer rows, or less often, where that is short."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from justright.core.seeds import child_seed
from justright.designer.work.admission import DESCRIBE_SHARE, TEST_S
from justright.designer.work.session import FOREVER, Champion, Session
from justright.diagnosis.importance import MOST, Judged, Reliance
from justright.executors.base import Call

KEY = "permutation importance"

REPEATS = (5, 2)
"""Shufflings of each column, most first (assumption: five, as scikit-learn's default)."""

ROWS, FEWEST_ROWS = 2_000, 200
"""Rows that are predicted for each shuffling at most, and at least where there are so many
(assumption: of fewer the interval hides what matters)."""

SPARE = 0.25
"""Share of the time left that it may take, where that is more than the usual one (assumption)."""

PATIENCE = 4.0
"""After so many times the predicted seconds it is given up (assumption)."""

_REPEAT = 1_000_000
"""The work plan's amount is repeats × this + rows."""

_MODULE = "justright.diagnosis.importance"


@dataclass(frozen=True)
class Importance:
    """What was measured.

    Attributes:
        columns: The most important first.
        rows: On how many rows.
        cut: Whether the time allowed less than usual.
    """

    columns: tuple[Reliance, ...]
    rows: int
    cut: bool


def measure_importance(session: Session, champion: Champion) -> Importance | str:
    """What each input column is worth to the champion, on rows that it was not trained on.

    Args:
        session: The study at work.
        champion: Its networks on the screening blocks are asked.

    Returns:
        The columns, or why there are none.
    """
    networks = _networks(session, champion)
    total = sum(len(each.rows) for each in networks)
    columns = len(session.blocks.problem.schema.inputs)
    predicted = [0.0]

    def propose() -> int:
        """Time a prediction, then see what fits."""
        call = Call(f"{_MODULE}:seconds_a_row", {"networks": networks[:1]})
        left = session.clock.work_left_s - TEST_S
        seconds = session.crew.ask(call, KEY, time.time() + max(left, 0.0)) if left > 0 else None
        left = session.clock.work_left_s - TEST_S
        allowed = min(max(DESCRIBE_SHARE * session.clock.limit_s, SPARE * left), left)
        if not seconds:
            return 0
        for repeats in REPEATS:
            each = seconds * passes(columns, repeats)
            rows = min(int(allowed / each), ROWS, total)
            if rows >= min(FEWEST_ROWS, total):
                predicted[0] = rows * each
                return repeats * _REPEAT + rows
        return 0

    repeats, rows = divmod(session.plan.grant(KEY, propose), _REPEAT)
    if not rows:
        return "no time was left to shuffle columns"
    chosen = _fewer(networks, rows / total, child_seed(session.blocks.seed, KEY))
    places = [session.blocks.splits.rest[each.rows] for each in chosen]
    arguments = {
        "networks": chosen,
        "sample": session.blocks.rows_sample(np.concatenate(places)),
        "metric": session.metric,
        "repeats": repeats,
        "seed": child_seed(session.blocks.seed, KEY) % 2**32,
    }
    patience = FOREVER if session.plan.repeat else time.time() + PATIENCE * predicted[0] + 1.0
    found = session.crew.ask(Call(f"{_MODULE}:permutation_importance", arguments), KEY, patience)
    if found is None:
        session.plan.truncate(KEY, 0)
        return "shuffling columns took longer than there was time for"
    usual = repeats == REPEATS[0] and rows == min(total, ROWS)
    return Importance(found, sum(len(each.rows) for each in chosen), not usual)


def passes(columns: int, repeats: int) -> int:
    """How often all rows are predicted.

    >>> passes(12, 5), passes(500, 5)
    (61, 701)
    """
    return 1 + columns + min(columns, MOST) * (repeats - 1)


def _networks(session: Session, champion: Champion) -> tuple[Judged, ...]:
    spec = champion.arm.recipe.preprocessing
    blocks = [session.blocks.block(number, spec) for number in session.blocks.first]
    return tuple(
        Judged(
            folder=str(block.folder),
            weights=str(session.folder.trials / Path(trial.result["weights"]).name),
            shape=champion.arm.recipe.shape,
            rows=block.validation,
        )
        for block, trial in zip(blocks, champion.trials, strict=True)
    )


def _fewer(networks: tuple[Judged, ...], share: float, seed: int) -> tuple[Judged, ...]:
    """The same share of every network's rows, drawn at random."""
    found = []
    for place, each in enumerate(networks):
        rng = np.random.default_rng([seed, place])
        count = max(round(share * len(each.rows)), 2)
        rows = np.sort(rng.choice(each.rows, min(count, len(each.rows)), replace=False))
        found.append(Judged(each.folder, each.weights, each.shape, rows))
    return tuple(found)
