"""Blocks: the borders between kinds of tables, and what is worked out only once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

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
    REPORTED,
    Splits,
    partition,
)
from justright.deploy.network import Preprocessing
from justright.designer.work import blocks as module
from justright.designer.work.blocks import ALL, Blocks


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
    """Calls of a function that `designer.work.blocks` uses, with their arguments."""
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


def test_encoding_is_priced_by_the_latest_for_what_does_not_lie_encoded(tmp_path: Path) -> None:
    blocks = blocks_of(tmp_path, CROSS_VALIDATE_BELOW)
    blocks.block(0, blocks.spec)
    price = blocks.latest_encode_s
    assert price > 0.0
    assert blocks.fresh_encode_s == price
    assert blocks.encoding_s((0, 1, 2), blocks.spec) == 2 * price
    assert blocks.encoding_s((0,), blocks.spec) == 0.0


def test_a_study_that_goes_on_knows_the_price_from_the_rows_it_finds(tmp_path: Path) -> None:
    killed, resumed = (blocks_of(tmp_path, CROSS_VALIDATE_BELOW) for _ in range(2))
    killed.block(0, killed.spec)
    resumed.block(0, resumed.spec)
    assert resumed.latest_encode_s == resumed.encode_s == killed.latest_encode_s > 0.0


def test_blocks_of_a_fixed_holdout_are_encoded_once(tmp_path: Path) -> None:
    blocks = blocks_of(tmp_path, HOLD_OUT_ABOVE + 1)
    blocks.latest_encode_s = 3.0
    assert blocks.encoding_s(range(5), blocks.spec) == 3.0
    blocks.block(4, blocks.spec)
    assert blocks.encoding_s(range(5), blocks.spec) == blocks.fresh_encode_s == 0.0


def test_beyond_the_search_a_large_table_is_divided_anew(tmp_path: Path) -> None:
    blocks = blocks_of(tmp_path, HOLD_OUT_ABOVE + 1)
    numbers = (0, REPORTED, REPORTED + 1)
    assert len({blocks.planned(number, blocks.spec).partition for number in numbers}) == 3
    blocks.latest_encode_s = 3.0
    assert blocks.encoding_s(numbers, blocks.spec) == 9.0


def test_what_the_training_rows_teach_is_a_part_of_the_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = blocks_of(tmp_path, CROSS_VALIDATE_BELOW)
    real = module.fit_preprocessing

    def slow(*arguments: Any) -> Preprocessing:
        time.sleep(0.3)
        return real(*arguments)

    monkeypatch.setattr(module, "fit_preprocessing", slow)
    blocks.block(ALL, blocks.spec)
    assert blocks.latest_encode_s >= 0.3
    price = blocks.latest_encode_s
    blocks.test_folder(blocks.spec)  # ten rows, which teach nothing: no price for a partition
    assert (blocks.latest_encode_s, blocks.encode_s) == (price, price)
