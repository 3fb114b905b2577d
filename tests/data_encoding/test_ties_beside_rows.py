"""Groups and times lie beside the encoded rows, for those who part the rows once more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.data.encode import write_encoded
from justright.data.encoded import EncodedRows
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import make_problem
from justright.recipe.recipe import PreprocessingSpec


@pytest.mark.parametrize(("group", "time"), [("who", None), (None, "day"), ("who", "day")])
def test_groups_and_times_are_those_of_the_rows(
    tmp_path: Path, group: str | None, time: str | None
) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "who": [f"p{k}" for k in rng.integers(0, 20, 200)],
            "day": rng.permutation(200).astype(np.float64),
            "x": rng.normal(size=200),
            "y": rng.normal(size=200),
        }
    )
    options = DataOptions(target=("y",), group=group, time_column=time)
    problem = make_problem(read_table(frame), options)
    rows = np.arange(0, 200, 2)[::-1]
    fitted = fit_preprocessing(problem, rows, PreprocessingSpec(), rows)
    write_encoded(problem, fitted, rows, tmp_path)
    found = EncodedRows(tmp_path)
    for name, values in (("groups", problem.groups()), ("times", problem.times())):
        beside = getattr(found, name)
        assert (beside is None) == (values is None)
        if values is not None:
            np.testing.assert_array_equal(beside, values[rows])
            assert isinstance(beside, np.memmap)
    assert set(found.batch(np.arange(3))) == {"x", "c", "y"}  # networks are not shown them
