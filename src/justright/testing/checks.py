"""What every audit check must do, as a test class to inherit from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
import polars as pl
import pytest

from justright.core.finding import Finding
from justright.data.audit.registry import CHECKS, Check
from justright.data.audit.view import View
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import make_splits


def clean_frame(rows: int = 1_000, *, classes: int = 0, seed: int = 0) -> pl.DataFrame:
    """A table without any fault: two numbers, a category and a flag that predict the target `y`.

    Args:
        rows: Number of rows.
        classes: 0 for an amount, else the number of even classes.
        seed: Of the random numbers.
    """
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=rows), rng.normal(size=rows)
    kind = rng.integers(0, 4, rows)
    signal = a + 0.5 * b + 0.3 * kind + rng.normal(size=rows)
    y: np.ndarray = signal
    if classes:
        place = np.argsort(np.argsort(signal)) * classes // rows
        y = np.array([f"class {k}" for k in range(classes)])[place]
    colours = np.array(["red", "green", "blue", "grey"])[kind]
    flag = rng.random(rows) < 0.4
    return pl.DataFrame({"a": a, "b": b, "colour": colours, "flag": flag, "y": y})


def view_of(frame: pl.DataFrame, test_rows: np.ndarray | None = None, **options: object) -> View:
    """A frame with target `y` as the checks see it.

    Args:
        frame: The table.
        test_rows: Row numbers of a given test, or None.
        options: Of `DataOptions`.
    """
    problem = make_problem(read_table(frame), DataOptions(**({"target": ("y",)} | options)))  # type: ignore[arg-type]
    return View(problem, make_splits(problem, test_rows))


class CheckContract(ABC):
    """Inherit, name the check and plant its fault.

    Attributes:
        name: Of the check in `CHECKS`.
        columns: That the finding must name; none for faults of whole rows.
    """

    name: str
    columns: tuple[str, ...] = ()

    @abstractmethod
    def planted(self) -> View:
        """A table with the fault."""

    def clean(self) -> tuple[View, ...]:
        """Tables without it: by default amounts and classes."""
        return view_of(clean_frame()), view_of(clean_frame(classes=3))

    @pytest.fixture
    def check(self) -> Check:
        """The check under test."""
        return next(check for check in CHECKS if check.name == self.name)

    def test_finds_the_planted_fault(self, check: Check) -> None:
        """The fault is found, with columns, figures and what was done."""
        found = list(check.find(self.planted()))
        assert found
        named = {column for finding in found for column in finding.columns}
        assert set(self.columns) <= named
        for finding in found:
            _check_finding(finding)

    def test_is_silent_on_clean_tables(self, check: Check) -> None:
        """No fault, no finding."""
        assert [finding for view in self.clean() for finding in check.find(view)] == []

    def test_says_the_same_twice(self, check: Check) -> None:
        """A check is a function of the data."""
        assert list(check.find(self.planted())) == list(check.find(self.planted()))

    def test_survives_a_tiny_table(self, check: Check) -> None:
        """Twelve rows are too few to say much, and no reason to fail."""
        for classes in (0, 2):
            for finding in check.find(view_of(clean_frame(12, classes=classes))):
                _check_finding(finding)


def _check_finding(finding: Finding) -> None:
    assert finding.code
    assert any(sign.isdigit() for sign in finding.message), "a message says how much"
    assert finding.action
    assert all(math.isfinite(number) for number in finding.numbers.values())
