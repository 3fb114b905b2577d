"""Large tables are thinned out to what the time limit bears, and say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.data.options import DataOptions
from justright.data.split import TEST_MOST
from justright.designer.request import reading
from justright.designer.request.options import FitOptions, parse_time
from justright.designer.request.reading import read_problem

OPTIONS = FitOptions(data=DataOptions(target=("y",)), limit_s=20.0)


def table(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame({"a": rng.normal(size=rows), "y": rng.normal(size=rows)})


def test_a_small_table_is_used_whole() -> None:
    problem, test_rows, rows = read_problem(table(300), OPTIONS, None)
    assert (problem.table.rows, rows, test_rows) == (300, 300, None)
    assert not problem.findings


def test_a_large_table_is_thinned_out_with_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FEWEST", 100)
    monkeypatch.setattr(reading, "CELLS_PER_S", 500.0)
    problem, _, rows = read_problem(table(5_000), OPTIONS, None)
    assert problem.table.rows == rows < 5_000
    assert [finding.code for finding in problem.findings] == ["thinned-out"]
    whole = read_problem(table(5_000), replace(OPTIONS, limit_s=600.0), None)[0]
    assert problem.table.fingerprint == whole.table.fingerprint


def test_a_study_that_goes_on_says_the_same_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its rows, so a longer limit must not lead to a second finding, which is false."""
    monkeypatch.setattr(reading, "FEWEST", 100)
    monkeypatch.setattr(reading, "CELLS_PER_S", 500.0)
    first, _, rows = read_problem(table(5_000), OPTIONS, None)
    longer = replace(OPTIONS, limit_s=10 * OPTIONS.limit_s)
    again, _, kept = read_problem(table(5_000), longer, rows)
    assert (kept, again.findings) == (rows, first.findings)


def test_the_time_that_is_advised_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FEWEST", 100)
    monkeypatch.setattr(reading, "CELLS_PER_S", 500.0)
    (finding,) = read_problem(table(5_000), OPTIONS, None)[0].findings
    assert "under another --name" in finding.action
    advised = parse_time(finding.action.split("--time ")[1].split()[0])
    assert read_problem(table(5_000), replace(OPTIONS, limit_s=advised), None)[2] == 5_000
    assert read_problem(table(5_000), replace(OPTIONS, limit_s=advised / 1.3), None)[2] < 5_000


def test_a_work_plan_says_how_many_rows() -> None:
    first, _, rows = read_problem(table(3_000), OPTIONS, 1_000)
    again, _, _ = read_problem(table(3_000), replace(OPTIONS, limit_s=600.0), 1_000)
    assert rows == 1_000
    assert first.table.frame.equals(again.table.frame)


def test_the_users_test_rows_stand_at_the_end(tmp_path: object) -> None:
    path = f"{tmp_path}/test.csv"
    table(50).write_csv(path)
    options = replace(OPTIONS, data=replace(OPTIONS.data, test=path))
    problem, test_rows, _ = read_problem(table(300), options, None)
    assert test_rows is not None
    assert test_rows.tolist() == list(range(300, 350))
    assert problem.table.rows == 350


def test_rows_without_a_target_are_left_out_of_both_files_and_said(tmp_path: Path) -> None:
    numbers = table(350).with_columns(i=pl.int_range(pl.len()))
    numbers = numbers.with_columns(y=pl.when(pl.col("i") % 50 != 7).then("y"))
    numbers[300:].write_csv(tmp_path / "test.csv")
    data = replace(OPTIONS.data, test=str(tmp_path / "test.csv"))
    problem, test_rows, _ = read_problem(numbers[:300], replace(OPTIONS, data=data), None)
    assert test_rows is not None
    kept = problem.table.frame["i"]
    assert kept.to_list() == [i for i in range(350) if i % 50 != 7]
    assert kept[test_rows].to_list() == [i for i in range(300, 350) if i % 50 != 7]
    (finding,) = problem.findings
    assert finding.code == "missing-target"
    assert "7 of 350 rows" in finding.message


def test_a_large_test_file_is_thinned_out_with_a_finding(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reading, "TEST_MOST", 200)
    table(1_000).write_csv(tmp_path / "test.csv")
    data = replace(OPTIONS.data, test=str(tmp_path / "test.csv"))
    found = [
        read_problem(table(300), FitOptions(data=data, limit_s=limit), None)
        for limit in (20.0, 600.0)
    ]
    (problem, test_rows, rows), (longer, _, _) = found
    assert test_rows is not None
    assert (rows, test_rows.tolist()) == (300, list(range(300, 500)))
    assert [finding.code for finding in problem.findings] == ["test-thinned-out"]
    assert "1,000 rows" in problem.findings[0].message
    assert problem.table.frame.equals(longer.table.frame)  # a longer limit changes no test row
    tested = problem.table.frame[300:]
    places = table(1_000).with_row_index().join(tested, on=["a", "y"])["index"].to_list()
    assert len(places) == 200
    assert places == sorted(set(places))


def test_what_is_thinned_out_to_depends_on_the_columns() -> None:
    assert reading._most_tested(2) == TEST_MOST
    assert reading._most_tested(100) == reading.CELLS_PER_S / 100
    assert reading._most_tested(100_000) == reading.TEST_FEWEST
