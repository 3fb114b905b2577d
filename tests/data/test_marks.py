"""Rows are known again by their marks, whatever way they come in."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import polars as pl

from justright.data.arrays import columns_of
from justright.data.ingest import read_table
from justright.data.marks import row_marks
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem
from justright.deploy.network import Coded
from justright.testing.tables import INPUTS, mixed_frame, mixed_problem


def marks(problem: Problem) -> np.ndarray:
    return row_marks(columns_of(problem.table.frame, problem.schema.columns), problem.target())


def test_every_row_has_a_mark_of_its_own() -> None:
    found = marks(mixed_problem(2_000))
    assert len(np.unique(found)) == 2_000


def test_order_of_rows_and_columns_and_the_file_do_not_matter(tmp_path) -> None:
    frame = mixed_frame(200).drop("kind")
    order = np.random.default_rng(0).permutation(200)
    frame[order].select(*reversed(frame.columns)).write_csv(tmp_path / "t.csv")
    options = DataOptions(target=("y",))
    one = make_problem(read_table(frame), options)
    other = make_problem(read_table(tmp_path / "t.csv"), options)
    np.testing.assert_array_equal(marks(one)[order], marks(other))


def test_any_changed_cell_changes_the_mark() -> None:
    problem = mixed_problem(50)
    columns = columns_of(problem.table.frame, problem.schema.columns)
    before = row_marks(columns, problem.target())
    for name in INPUTS:
        values = columns[name]
        if isinstance(values, np.ndarray):
            changed: np.ndarray | Coded = np.where(np.isnan(values), 0.0, values + 1.0)
        else:
            changed = Coded(values.codes, [f"{text}!" for text in values.values])
        after = row_marks({**columns, name: changed}, problem.target())
        known = ~problem.table.frame[name].is_null().to_numpy()
        assert (after != before)[known].all(), name
    assert (row_marks(columns, problem.target() + 1.0) != before).all()


def test_values_may_not_change_places() -> None:
    y, a, b = np.zeros((1, 1)), np.array([1.0]), np.array([2.0])
    assert row_marks({"a": a, "b": b}, y) != row_marks({"a": b, "b": a}, y)


def by_hand(cells: list[float | str | None], target: float) -> int:
    """The mark of a row in plain whole numbers."""
    gap, mark, full = 0x9E3779B97F4A7C15, 0, 2**64 - 1
    for cell in [*cells, target]:
        if cell is None:
            bits = gap
        elif isinstance(cell, str):
            bits = int(hashlib.blake2b(cell.encode(), digest_size=8).hexdigest(), 16)
        else:
            (bits,) = struct.unpack("<Q", struct.pack("<d", cell))
        mark = ((mark ^ bits) + gap) & full
        mark = ((mark ^ mark >> 30) * 0xBF58476D1CE4E5B9) & full
        mark = ((mark ^ mark >> 27) * 0x94D049BB133111EB) & full
        mark ^= mark >> 31
    return mark


def test_marks_are_the_same_for_good() -> None:
    """They are kept in files, so another version must make the same ones."""
    columns = {
        "t": Coded(np.array([0, 1, -1], np.int32), ["Ulm", "Oslo"]),
        "n": np.array([1.5, np.nan, -0.0]),
    }
    found = row_marks(columns, np.array([0, 1, 1]))
    rows = ([1.5, "Ulm"], [None, "Oslo"], [0.0, None])
    wanted = [by_hand(row, float(y)) for row, y in zip(rows, (0, 1, 1), strict=True)]
    assert found.tolist() == wanted


def test_frames_of_other_types_have_the_same_marks() -> None:
    whole = pl.DataFrame({"n": [1, 2, 3] * 9, "c": ["a", "b", None] * 9, "y": [0.5, 1, 2] * 9})
    text = whole.with_columns(pl.col("n").cast(pl.Float32), pl.col("c").cast(pl.Categorical))
    options = DataOptions(target=("y",), kinds={"n": "number", "c": "category"})
    one, other = (make_problem(read_table(frame), options) for frame in (whole, text))
    np.testing.assert_array_equal(marks(one), marks(other))
