"""Numbers of few whole values are categories, too, where many rows hold each of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.data.arrays import columns_of
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import Problem, make_problem
from justright.data.split import make_splits
from justright.deploy.network import Preprocessing
from justright.designer.work.blocks import Blocks
from justright.recipe.recipe import PreprocessingSpec
from justright.training.request import Member, TrainRequest
from justright.training.run import train_stack
from justright.training.start import PERIODIC, start_recipe

ROWS = 4_000
SPEC = PreprocessingSpec(level_rows=100)


def made(**columns: np.ndarray) -> Problem:
    """A table whose target jumps from day to day; further columns as they are given."""
    rng = np.random.default_rng(0)
    day = rng.integers(1, 32, ROWS).astype(np.float64)
    y = rng.normal(size=32)[day.astype(int)] + 0.3 * rng.normal(size=ROWS)
    frame = pl.DataFrame({"day": day, **columns, "y": y})
    return make_problem(read_table(frame), DataOptions(target=("y",)))


def fitted(problem: Problem, spec: PreprocessingSpec = SPEC) -> Preprocessing:
    every = np.arange(ROWS)
    return fit_preprocessing(problem, every[: ROWS // 2], spec, every)


def levels(problem: Problem, spec: PreprocessingSpec = SPEC) -> dict[str, list[float | None]]:
    return {d["name"]: d.get("levels") for d in fitted(problem, spec).document["columns"]}


def test_few_whole_values_are_a_category_beside_the_number() -> None:
    problem = made()
    found = fitted(problem)
    day = problem.table.frame["day"].to_numpy()
    x, c = found.encode({"day": np.array([*day[:50], 3.5, 40.0, np.nan])})
    assert found.document["inputs"]["numbers"] == 1
    assert found.document["inputs"]["categories"] == [32]
    assert c[:50, 0].tolist() == day[:50].tolist()  # days begin at 1, as codes do
    assert c[50:, 0].tolist() == [0, 0, 0]
    assert len(np.unique(x[:50, 0])) == len(np.unique(day[:50]))


@pytest.mark.parametrize(
    "column",
    [
        np.arange(ROWS) % 31 + 0.5,
        np.arange(ROWS) % 65,
        np.arange(ROWS) % 2,
        np.where(np.arange(ROWS) % 31 == 0, np.inf, 7.0),
        np.full(ROWS, np.nan),
        np.repeat(np.arange(4), ROWS // 4) * 1e-3,
    ],
    ids=["halves", "many", "two", "one and infinity", "missing", "small"],
)
def test_other_numbers_stay_numbers(column: np.ndarray) -> None:
    assert not levels(made(other=column.astype(np.float64))).get("other")


def test_too_few_rows_a_value_stay_a_number() -> None:
    assert levels(made())["day"]
    assert not levels(made(), PreprocessingSpec(level_rows=130))["day"]
    assert not levels(made(), PreprocessingSpec())["day"]


def test_values_that_training_rows_hardly_hold_are_others() -> None:
    rare = np.arange(ROWS) % 5
    rare[: ROWS // 2][rare[: ROWS // 2] == 4] = 0
    found = fitted(made(grade=rare.astype(np.float64)))
    described = next(d for d in found.document["columns"] if d["name"] == "grade")
    assert described["levels"] == [0.0, 1.0, 2.0, 3.0, None]
    assert described["unseen_rows"] == 0
    columns = {"day": np.ones(5), "grade": np.arange(5.0)}
    assert found.encode(columns)[1][:, 1].tolist() == [1, 2, 3, 4, 0]


def test_a_target_that_jumps_from_day_to_day_is_learned(tmp_path: Path) -> None:
    problem, losses = made(), {}
    blocks = Blocks(problem, make_splits(problem), tmp_path, 0)
    for name, spec in {"number": PreprocessingSpec(), "both": SPEC}.items():
        block = blocks.block(0, spec)
        recipe, _ = start_recipe(problem.task, len(block.train), blocks.inputs(block))
        recipe = replace(recipe, shape=replace(recipe.shape, **PERIODIC))  # bins can jump, too
        member = Member("m", 1, 0, block.train, block.validation)
        folders, out = (str(block.folder),), str(tmp_path / "out")
        request = TrainRequest(recipe, folders, (member,), 120, out, "rmse")
        losses[name] = train_stack(request, lambda _: None)[0].loss
    noise = 0.3**2 / np.var(problem.target())
    assert losses["both"] < 1.3 * noise
    assert losses["number"] > 2.0 * noise


def test_the_table_of_columns_is_read_alike_by_both_ways() -> None:
    problem = made(town=np.array(["Ulm", "Bonn", "Kiel", "Rom", "Oslo"])[np.arange(ROWS) % 5])
    found = fitted(problem, PreprocessingSpec(level_rows=100, one_hot_up_to=2))
    rows = columns_of(problem.table.frame, problem.schema.columns, np.arange(40))
    _, c = found.encode(rows)
    assert c.shape == (40, 2)
    assert c[:, 0].tolist() == problem.table.frame["day"].to_list()[:40]
    assert set(c[:, 1].tolist()) == {1, 2, 3, 4, 5}
