"""Blocks: the borders between kinds of tables, and what is worked out only once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.data.encoded import EncodedRows
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
from justright.designer import blocks as module
from justright.designer.blocks import ALL, Blocks


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


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[object, ...]]:
    """Calls of a function that `designer.blocks` uses, with their arguments."""
    calls: list[tuple[object, ...]] = []
    real = getattr(module, name)

    def call(*arguments: object) -> object:
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(module, name, call)
    return calls


def test_a_partition_and_its_inputs_are_worked_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = blocks_of(tmp_path, CROSS_VALIDATE_BELOW)
    partitions, read = counted(monkeypatch, "partition"), counted(monkeypatch, "EncodedRows")
    for number in (0, 1, 0, 1, ALL, ALL):
        assert blocks.inputs(blocks.block(number, blocks.spec)).numbers == 1
    assert [arguments[2] for arguments in partitions] == [0, 1]
    assert len(read) == 3


def test_a_fixed_holdout_is_worked_out_once_for_all_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = blocks_of(tmp_path, HOLD_OUT_ABOVE + 1)
    partitions = counted(monkeypatch, "partition")
    first, second = (blocks.planned(number, blocks.spec) for number in (0, 7))
    assert len(partitions) == 1
    assert second.partition == first.partition
    assert second.seed != first.seed
    assert len(blocks.planned(ALL, blocks.spec).train) == HOLD_OUT_ABOVE + 1


def test_a_planned_block_is_the_block_before_its_rows_are_encoded(tmp_path: Path) -> None:
    blocks = blocks_of(tmp_path, CROSS_VALIDATE_BELOW)
    planned = blocks.planned(3, blocks.spec)
    assert not planned.folder.exists()
    block = blocks.block(3, blocks.spec)
    assert (planned.partition, planned.seed) == (block.partition, block.seed)
    assert planned.folder == block.folder
    assert len(EncodedRows(block.folder)) == blocks.rows
