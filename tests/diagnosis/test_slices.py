"""Weak slices: planted ones are found, and tables without any stay silent."""

from __future__ import annotations

import numpy as np
import pytest

from justright.data.arrays import ColumnArray
from justright.deploy.network import Coded
from justright.diagnosis.parts import parts_of
from justright.diagnosis.slices import LEAST, Slices, find_slices

TABLES = 120
"""Null tables a case; at 5% in truth, more than 12 are seen in 1 of 100 runs."""


def columns_of(rng: np.random.Generator, rows: int) -> dict[str, ColumnArray]:
    number = rng.normal(size=rows)
    number[rng.random(rows) < 0.2] = np.nan
    return {
        "town": Coded(rng.integers(0, 4, rows).astype(np.int32), ["Bonn", "Jena", "Kiel", "Ulm"]),
        "age": number,
        "size": rng.normal(size=rows),
        "rare": Coded((rng.random(rows) < 0.1).astype(np.int32), ["false", "true"]),
    }


def losses_of(rng: np.random.Generator, rows: int, kind: str) -> np.ndarray:
    z = rng.normal(size=rows)
    return {"squares": z**2, "heavy": np.exp(1.5 * z), "mistakes": (z > 1.0) * 1.0}[kind]


def weak(found: Slices) -> list[str]:
    return [each.label for each in found.slices if each.weak]


@pytest.mark.parametrize("kind", ["squares", "heavy", "mistakes"])
def test_without_weak_slices_few_tables_seem_to_have_one(kind: str) -> None:
    alarms = 0
    for seed in range(TABLES):
        rng = np.random.default_rng(seed)
        columns, losses = columns_of(rng, 300), losses_of(rng, 300, kind)
        found = find_slices(columns, losses, telling=["town", "age"], seed=seed)
        assert found.looked > 10
        alarms += bool(weak(found))
    assert alarms <= 0.05 * TABLES + 6


def test_groups_that_err_together_are_no_weak_slices() -> None:
    """Columns and losses are those of groups: dealt out row by row, nearly every table alarms."""
    alarms, naive = 0, 0
    for seed in range(TABLES):
        rng = np.random.default_rng(seed)
        group = np.repeat(np.arange(60), 8)
        town = Coded(rng.integers(0, 4, 60).astype(np.int32)[group], list("abcd"))
        losses = np.exp(rng.normal(size=60))[group] + 0.3 * rng.random(480)
        found = find_slices({"town": town}, losses, groups=group, seed=seed)
        assert found.looked >= 2  # towns of a few groups are left out
        alarms += bool(weak(found))
        naive += bool(weak(find_slices({"town": town}, losses, seed=seed)))
    assert alarms <= 0.05 * TABLES + 6
    assert naive > 0.2 * TABLES


def test_a_planted_value_is_found_first() -> None:
    rng = np.random.default_rng(0)
    columns = columns_of(rng, 1000)
    town = columns["town"]
    assert isinstance(town, Coded)
    losses = rng.normal(size=1000) ** 2 * np.where(town.codes == 1, 3.0, 1.0)
    found = find_slices(columns, losses)
    first = found.slices[0]
    assert (first.label, first.columns, first.weak) == ("town = Jena", ("town",), True)
    assert first.low < first.difference < first.high
    assert weak(found) == ["town = Jena"]


def test_what_two_columns_do_only_together_is_found_as_a_pair() -> None:
    rng = np.random.default_rng(1)
    columns = columns_of(rng, 2000)
    town, size = columns["town"], columns["size"]
    assert isinstance(town, Coded)
    assert isinstance(size, np.ndarray)
    both = (town.codes == 2) & (size > np.quantile(size, 0.8))
    losses = rng.normal(size=2000) ** 2 * np.where(both, 6.0, 1.0)
    found = find_slices(columns, losses, telling=["town", "size"])
    pair = max((each for each in found.slices if each.weak), key=lambda each: each.difference)
    assert pair.columns == ("town", "size")
    assert (pair.inside == both).all()


def test_missing_values_are_a_slice() -> None:
    rng = np.random.default_rng(2)
    columns = columns_of(rng, 800)
    age = columns["age"]
    assert isinstance(age, np.ndarray)
    losses = rng.normal(size=800) ** 2 + 2.0 * np.isnan(age)
    assert weak(find_slices(columns, losses)) == ["age missing"]


def test_numbers_of_a_slice_are_those_of_plain_arithmetic() -> None:
    rng = np.random.default_rng(3)
    columns, weights = columns_of(rng, 500), rng.random(500) + 0.5
    losses = losses_of(rng, 500, "heavy") * 1e6  # single precision must not be seen
    for each in find_slices(columns, losses, weights=weights).slices:
        own, rest = (
            np.average(losses[rows], weights=weights[rows]) for rows in (each.inside, ~each.inside)
        )
        assert np.isclose(each.loss, own)
        assert np.isclose(each.rest, rest)
        assert np.isclose(each.weight, (own - rest) * weights[each.inside].sum() / weights.sum())
        assert LEAST <= each.rows == each.inside.sum() <= 500 - LEAST
        assert each.low < each.difference < each.high


def test_nearly_the_same_rows_are_said_once() -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=1000)
    losses = rng.normal(size=1000) ** 2 * np.where(a > np.quantile(a, 0.8), 4.0, 1.0)
    found = find_slices({"a": a, "copy": a + 1e-6 * rng.normal(size=1000)}, losses)
    assert len(weak(found)) == 1


def test_a_table_without_slices_says_nothing() -> None:
    rng = np.random.default_rng(5)
    assert find_slices(columns_of(rng, 40), rng.random(40)).slices == ()
    assert find_slices(columns_of(rng, 400), np.ones(400)).slices == ()


def test_parts_cover_every_row_with_a_value_once() -> None:
    rng = np.random.default_rng(6)
    for name, parts in parts_of(columns_of(rng, 300)).items():
        own = [part for part in parts if "missing" not in part.label]
        covered = np.sum([part.inside for part in own], axis=0)
        known = [part for part in parts if part.label == f"{name} not missing"]
        expected = known[0].inside if known else np.ones(300, bool)
        assert (covered == expected).all(), name
        assert not any(char.isdigit() for part in own for char in part.plain)
