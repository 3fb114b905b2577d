"""Blocks: the borders between kinds of tables, and what is worked out only once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import (
    CROSS_VALIDATE_BELOW,
    FOLDS,
    HOLD_OUT_ABOVE,
    Splits,
    partition,
)
from justright.designer.blocks import Blocks


def blocks_of(folder: Path, rest: int) -> Blocks:
    """Blocks of a table with so many rows besides its ten test rows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=rest + 10)
    problem = make_problem(
        read_table(pl.DataFrame({"x": x, "y": 2 * x})), DataOptions(target=("y",))
    )
    rows = np.arange(rest + 10)
    return Blocks(problem, Splits(rows[:10], rows[10:], "random", ""), folder, 0)


@pytest.mark.parametrize(
    "rest",
    [CROSS_VALIDATE_BELOW - 1, CROSS_VALIDATE_BELOW, HOLD_OUT_ABOVE, HOLD_OUT_ABOVE + 1],
)
def test_blocks_and_splits_agree_on_what_is_small_and_large(tmp_path: Path, rest: int) -> None:
    blocks = blocks_of(tmp_path, rest)
    parts = [partition(blocks.problem, blocks.splits, number) for number in range(FOLDS + 1)]
    folds = np.sort(np.concatenate([part.validation for part in parts[:FOLDS]]))
    alike = all(np.array_equal(parts[0].train, part.train) for part in parts)
    assert (len(blocks.first) == FOLDS) == np.array_equal(folds, blocks.splits.rest)
    assert blocks.fixed_holdout == parts[0].fixed == alike
