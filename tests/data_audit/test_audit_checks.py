"""Each check finds its planted fault and is silent on clean tables."""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from justright.core.finding import Severity
from justright.data.audit import CHECKS, audit, registry
from justright.data.audit.registry import Check
from justright.data.audit.single import binned, explained, separation
from justright.data.audit.view import View, listed
from justright.testing.checks import CheckContract, clean_frame, view_of

RNG = np.random.default_rng(0)


def _find(name: str, view: View):
    return list(next(check for check in CHECKS if check.name == name).find(view))


def _days(rows: int) -> list[date]:
    return [date(2020, 1, 1) + timedelta(days=k) for k in range(rows)]


class TestLeakage(CheckContract):
    name, columns = "leakage", ("copy",)

    def planted(self) -> View:
        return view_of(clean_frame().with_columns(copy=pl.col("y") * 2.5 - 7))


class TestLeakageOfClasses(CheckContract):
    name, columns = "leakage", ("code",)

    def planted(self) -> View:
        frame = clean_frame(classes=3)
        return view_of(
            frame.with_columns(code=pl.col("y").replace({"class 1": "x", "class 2": "z"}))
        )


class TestMissingByClass(CheckContract):
    name, columns = "missing-by-class", ("closed",)

    def planted(self) -> View:
        amount = pl.Series(np.random.default_rng(1).gamma(2.0, 1.0, 1_000))
        closed = pl.when(pl.col("y") == "class 1").then(amount)
        return view_of(clean_frame(classes=3).with_columns(closed=closed))

    def clean(self) -> tuple[View, ...]:
        some = pl.when(pl.Series(np.random.default_rng(1).random(1_000) < 0.5)).then(pl.col("a"))
        return (view_of(clean_frame(classes=3).with_columns(some=some)), *super().clean())


class TestDuplicates(CheckContract):
    name = "duplicates"

    def planted(self) -> View:
        frame = clean_frame()
        return view_of(pl.concat([frame, frame.head(100)]))


def _persons(rows: int = 1_000, each: int = 5) -> pl.Series:
    """Numbers of persons with so many rows each, in no order of the file."""
    return pl.Series(np.random.default_rng(3).permutation(np.arange(rows) // each + 1_000))


def _own_level(person: pl.Series) -> pl.Series:
    """A level of each person that its number does not tell."""
    levels = np.random.default_rng(4).normal(size=100_000)
    return pl.Series(levels[person.to_numpy()])


class TestGroups(CheckContract):
    name, columns = "groups", ("person",)

    def planted(self) -> View:
        person = _persons()
        return view_of(
            clean_frame().with_columns(person=person, y=pl.col("y") + 4 * _own_level(person))
        )

    def clean(self) -> tuple[View, ...]:
        frame, person = clean_frame(), _persons()
        level = pl.col("y") + 4 * _own_level(person)
        named = "model " + person.cast(pl.String)
        return (
            view_of(frame.with_columns(person=person)),  # numbers that say nothing
            view_of(frame.with_columns(age=person, y=pl.col("y") + (person - 1_100) / 20)),
            view_of(frame.with_columns(model=named, y=level)),  # what it says may be what counts
            view_of(  # the split has kept them whole
                frame.with_columns(day=person, y=level).sort("day"),
                np.arange(800, 1_000),
            ),
            *super().clean(),
        )


class TestGroupsOfClasses(CheckContract):
    name, columns = "groups", ("person",)

    def planted(self) -> View:
        person = _persons()
        ill = (_own_level(person) > 0) | pl.Series(np.random.default_rng(5).random(1_000) < 0.05)
        y = pl.when(ill).then(pl.lit("ill")).otherwise(pl.lit("well"))
        return view_of(clean_frame().with_columns(person=person, y=y))

    def test_says_nothing_once_it_is_named(self) -> None:
        view = self.planted()
        named = view_of(view.problem.table.frame, group="person")
        assert _find(self.name, view)
        assert not _find(self.name, named)


class TestGroupsByName(CheckContract):
    """Few persons of many rows each become a category, by the column's name."""

    name, columns = "groups", ("person_id",)

    def planted(self) -> View:
        person = _persons(each=10)
        level = pl.col("y") + 4 * _own_level(person)
        return view_of(clean_frame().with_columns(person_id="p" + person.cast(pl.String), y=level))

    def clean(self) -> tuple[View, ...]:
        person = _persons(each=10)
        level = pl.col("y") + 4 * _own_level(person)
        named = "p" + person.cast(pl.String)
        return (
            view_of(clean_frame().with_columns(person_id=named)),  # it says nothing
            view_of(clean_frame().with_columns(model=named, y=level)),  # what it says may count
        )


class TestGroupsOfALargeTable(CheckContract):
    name, columns = "groups", ("person",)

    def planted(self) -> View:
        person = _persons(100_000)
        return view_of(
            clean_frame(100_000).with_columns(
                person=person, y=pl.col("y") + 4 * _own_level(person)
            )
        )

    def clean(self) -> tuple[View, ...]:
        person = _persons(100_000)
        far = pl.col("y") + (person - 1_000) / 2_000
        return (view_of(clean_frame(100_000).with_columns(age=person, y=far)),)


class TestDrift(CheckContract):
    name, columns = "drift", ("a", "colour")

    def planted(self) -> View:
        moved = pl.int_range(pl.len()) >= 800
        frame = clean_frame().with_columns(
            a=pl.col("a") + moved.cast(pl.Float64) * 2,
            colour=pl.when(moved).then(pl.lit("violet")).otherwise(pl.col("colour")),
        )
        return view_of(frame, np.arange(800, 1_000))

    def clean(self) -> tuple[View, ...]:
        timed = clean_frame().with_columns(t=pl.int_range(pl.len()))
        return (
            view_of(clean_frame(), np.arange(800, 1_000)),
            view_of(timed, time_column="t"),
            *super().clean(),
        )


class TestDriftOfColumnsWithNamesOfOurs(CheckContract):
    name, columns = "drift", ("n", "m", "label", "count")

    def planted(self) -> View:
        moved = pl.int_range(pl.len()) >= 800
        violet = pl.when(moved).then(pl.lit("violet")).otherwise(pl.col("colour"))
        return view_of(
            clean_frame().with_columns(violet.alias(name) for name in self.columns),
            np.arange(800, 1_000),
        )


class TestUnusedTime(CheckContract):
    name, columns = "unused-time", ("day",)

    def planted(self) -> View:
        return view_of(clean_frame().with_columns(day=pl.Series(_days(1_000))))

    def clean(self) -> tuple[View, ...]:
        dated = clean_frame().with_columns(day=pl.Series(_days(1_000)))
        return (view_of(dated, time_column="day"), *super().clean())


class TestImbalance(CheckContract):
    name, columns = "imbalance", ("y",)

    def planted(self) -> View:
        rare = (
            pl.when(pl.int_range(pl.len()) % 20 == 0).then(pl.lit("ill")).otherwise(pl.lit("well"))
        )
        return view_of(clean_frame().with_columns(y=rare))

    def clean(self) -> tuple[View, ...]:
        return (view_of(clean_frame(2_000, classes=26)), *super().clean())


class TestOutliers(CheckContract):
    name, columns = "target-outliers", ("y",)

    def planted(self) -> View:
        wild = pl.when(pl.int_range(pl.len()) % 100 == 0).then(500.0).otherwise(pl.col("y"))
        return view_of(clean_frame().with_columns(y=wild))

    def clean(self) -> tuple[View, ...]:  # skewed is not wild
        return (view_of(clean_frame().with_columns(y=(pl.col("y") * 1.2).exp())), *super().clean())


class TestInfinities(CheckContract):
    name, columns = "infinities", ("a",)

    def planted(self) -> View:
        endless = pl.when(pl.int_range(pl.len()) < 7).then(float("inf")).otherwise(pl.col("a"))
        return view_of(clean_frame().with_columns(a=endless))


class TestMissing(CheckContract):
    name, columns = "missing", ("a", "colour")

    def planted(self) -> View:
        gone = pl.int_range(pl.len()) % 3 == 0
        return view_of(
            clean_frame().with_columns(
                a=pl.when(~gone).then(pl.col("a")), colour=pl.when(gone).then(pl.col("colour"))
            )
        )


class TestManyValues(CheckContract):
    name, columns = "many-values", ("plate",)

    def planted(self) -> View:
        plates = pl.Series([f"N{k % 300}" for k in range(1_000)])
        return view_of(clean_frame().with_columns(plate=plates))


class TestIdentifiers(CheckContract):
    name, columns = "identifiers", ("row_id",)

    def planted(self) -> View:
        return view_of(clean_frame().with_columns(row_id=pl.int_range(pl.len())))


class TestConstants(CheckContract):
    name, columns = "constants", ("always",)

    def planted(self) -> View:
        return view_of(clean_frame().with_columns(always=pl.lit(3)))


class TestText(CheckContract):
    name, columns = "text", ("note",)

    def planted(self) -> View:
        notes = [f"customer number {k} said {k * k} words" for k in range(1_000)]
        return view_of(clean_frame().with_columns(note=pl.Series(notes)))


@pytest.mark.parametrize(
    "leak",
    [pl.col("y"), pl.col("y").exp(), -pl.col("y"), pl.col("y").round(3).cast(pl.Float32)],
    ids=["equal", "monotone", "negative", "rounded"],
)
def test_leaks_in_disguise_are_found(leak: pl.Expr) -> None:
    (found,) = _find("leakage", view_of(clean_frame().with_columns(leak=leak)))
    assert found.severity is Severity.CRITICAL
    assert found.columns == ("leak",)


def test_a_function_without_order_is_found() -> None:
    frame = clean_frame(5_000).with_columns(leak=pl.int_range(pl.len()) * 7 % 5_000 / 500)
    frame = frame.with_columns(y=(pl.col("leak") - 5).abs())
    (found,) = _find("leakage", view_of(frame))
    assert "R²" in found.message


def test_strong_honest_columns_are_no_leak() -> None:
    frame = clean_frame(4_000)
    noise = np.random.default_rng(2).normal(size=4_000)
    strong = frame.with_columns(strong=pl.col("y") + 0.2 * pl.Series(noise))
    assert _find("leakage", view_of(strong)) == []
    memory = frame.with_columns(plate=pl.Series([f"N{k % 1500}" for k in range(4_000)]))
    assert _find("leakage", view_of(memory)) == []


def test_dates_that_move_the_target_are_worse_than_others() -> None:
    frame = clean_frame().with_columns(day=pl.Series(_days(1_000)))
    assert _find("unused-time", view_of(frame))[0].severity is Severity.NOTE
    moving = frame.with_columns(y=pl.col("y") + pl.int_range(pl.len()) / 300)
    assert _find("unused-time", view_of(moving))[0].severity is Severity.WARNING


def test_coarse_inputs_repeat_naturally() -> None:
    frame = clean_frame().select("colour", "flag", "y")
    (found,) = _find("duplicates", view_of(frame))
    assert found.severity is Severity.NOTE
    assert "natural" in found.message


def test_rare_classes_are_named() -> None:
    labels = ["a"] * 500 + ["b"] * 490 + ["odd"] * 10
    found = _find("imbalance", view_of(clean_frame().with_columns(y=pl.Series(labels))))
    assert [finding.code for finding in found] == ["imbalance", "rare-classes"]
    assert "odd (8)" in found[1].message


def test_missing_classes_in_reverse_are_found() -> None:
    amount = pl.Series(np.random.default_rng(1).gamma(2.0, 1.0, 1_000))
    only = pl.when(pl.col("y") != "class 1").then(amount)
    (found,) = _find("missing-by-class", view_of(clean_frame(classes=3).with_columns(only=only)))
    assert found.numbers["within"] == 1.0


def test_the_whole_audit_is_silent_on_a_clean_table_and_orders_the_rest() -> None:
    clean = view_of(clean_frame())
    assert audit(clean.problem, clean.splits) == ()
    bad = clean_frame().with_columns(copy=pl.col("y"), always=pl.lit(1))
    bad = bad.with_columns(y=pl.when(pl.int_range(pl.len()) > 4).then(pl.col("y")))
    view = view_of(bad)
    found = audit(view.problem, view.splits)
    assert found[0].code == "leakage"
    order = list(Severity)
    assert [order.index(f.severity) for f in found] == sorted(
        order.index(f.severity) for f in found
    )
    assert {"missing-target", "constants"} <= {finding.code for finding in found}


def test_a_failing_check_is_recorded_and_stops_no_other(monkeypatch) -> None:
    def broken(view: View):
        raise ZeroDivisionError("no rows")

    monkeypatch.setattr(registry, "CHECKS", (Check("broken", broken), *CHECKS))
    view = view_of(clean_frame().with_columns(always=pl.lit(1)))
    codes = [finding.code for finding in audit(view.problem, view.splits)]
    assert codes == ["check-failed", "constants"]


def test_check_names_are_unique_and_every_check_has_a_contract() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    tested = {cls.name for cls in CheckContract.__subclasses__()}
    assert tested == set(names)


def test_the_locked_test_has_no_targets_in_view() -> None:
    view = view_of(clean_frame())
    assert "y" not in view.test.columns
    assert view.rest.height == len(view.splits.rest)


def test_one_column_scores() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=4_000)
    fit = np.arange(4_000) % 2 == 0
    y = (x + rng.normal(size=4_000) > 0).astype(int)
    area = separation(binned(x, fit), y, fit, 2)
    from_all = np.mean(x[y == 1][:, None] > x[y == 0][None, :])
    assert area == pytest.approx(from_all, abs=0.03)
    assert explained(binned(x, fit), x + rng.normal(size=4_000), fit) == pytest.approx(
        0.5, abs=0.05
    )
    assert abs(explained(binned(rng.normal(size=4_000), fit), x, fit)) < 0.1
    holes = np.where(x > 0, np.nan, x)
    assert separation(binned(holes, fit), (x > 0).astype(int), fit, 2) == 1.0
    codes = np.array([-1, 0, 2, -1])
    assert binned(codes, np.ones(4, dtype=bool)).tolist() == [3, 0, 2, 3]
    assert np.isnan(separation(np.zeros(4, dtype=int), np.zeros(4, dtype=int), fit[:4], 2))


def test_names_are_shortened() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(k) for k in range(9)]) == "0, 1, 2, 3, 4 and 4 more"


def test_a_large_table_is_audited_in_seconds() -> None:
    rows = 300_000
    frame = clean_frame(rows, classes=2).with_columns(
        **{f"n{k}": pl.Series(RNG.normal(size=rows)) for k in range(8)}
    )
    view = view_of(frame)
    start = time.process_time()
    assert audit(view.problem, view.splits) == ()
    assert time.process_time() - start < 6.0  # 0.4 s where written; threads count double
