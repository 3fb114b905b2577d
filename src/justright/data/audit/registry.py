"""The checks in their order, and the one function that runs them all.

Adding one: a file in this folder with a function of `View`, a line in `CHECKS`, and a class in
tests/data_audit that inherits `testing.checks.CheckContract`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from justright.core.finding import Finding, Severity, worst_first
from justright.data.audit.cardinality import find_many_values
from justright.data.audit.constants import find_constants
from justright.data.audit.dates import find_unused_time
from justright.data.audit.drift import find_drift
from justright.data.audit.duplicates import find_duplicates
from justright.data.audit.groups import find_groups
from justright.data.audit.identifiers import find_identifiers
from justright.data.audit.imbalance import find_imbalance
from justright.data.audit.infinities import find_infinities
from justright.data.audit.leakage import find_leakage
from justright.data.audit.missing import find_missing
from justright.data.audit.missing_by_class import find_missing_by_class
from justright.data.audit.outliers import find_outliers
from justright.data.audit.text import find_text
from justright.data.audit.view import View
from justright.data.problem import Problem
from justright.data.split import Splits


class Check(NamedTuple):
    """A named function from a view of the data to findings."""

    name: str
    find: Callable[[View], Iterable[Finding]]


CHECKS: tuple[Check, ...] = (
    Check("leakage", find_leakage),
    Check("missing-by-class", find_missing_by_class),
    Check("duplicates", find_duplicates),
    Check("groups", find_groups),
    Check("drift", find_drift),
    Check("unused-time", find_unused_time),
    Check("imbalance", find_imbalance),
    Check("target-outliers", find_outliers),
    Check("infinities", find_infinities),
    Check("missing", find_missing),
    Check("many-values", find_many_values),
    Check("identifiers", find_identifiers),
    Check("constants", find_constants),
    Check("text", find_text),
)
"""In the order in which findings of equal severity are shown."""


def audit(problem: Problem, splits: Splits) -> tuple[Finding, ...]:
    """Run every check; a check that fails is itself a finding and stops no other.

    Args:
        problem: What is to be learned.
        splits: The locked test and the rest; of test rows only the inputs are looked at.

    Returns:
        All findings, those of framing the table included, worst first.
    """
    view = View(problem, splits)
    found = list(problem.findings)
    for check in CHECKS:
        try:
            found += check.find(view)
        except Exception as error:  # any fault of a check, whatever it is, must not end the study
            found.append(
                Finding(
                    "check-failed",
                    Severity.NOTE,
                    f"the check {check.name!r} could not be made: {type(error).__name__}: {error}",
                    "the study goes on without it",
                )
            )
    return worst_first(tuple(found))
