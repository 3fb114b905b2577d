"""Test rows whose inputs also stand in the rows that are learned from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from justright.core.finding import Finding, Severity
from justright.data.audit.view import View

MENTIONED, ALARMING = 0.001, 0.01
"""Share of test rows with a twin from which it is said, and from which it is a warning.
Assumptions."""

COARSE = 0.5
"""Where less than this share of all rows is distinct, inputs are coarse and twins are natural: a
note only. Assumption."""


def find_duplicates(view: View) -> Iterator[Finding]:
    """Report how many test rows have an exact twin, by their inputs, outside the test."""
    names = [column.name for column in view.inputs]
    hashes = view.problem.table.frame.select(names).hash_rows(seed=0)
    marks = hashes.to_numpy()
    distinct = hashes.n_unique() / max(len(marks), 1)
    if distinct == 1.0:
        return
    test = pl.Series(marks[view.splits.test])
    twins = int(test.is_in(pl.Series(marks[view.splits.rest]).unique().implode()).sum())
    share = twins / max(test.len(), 1)
    if share < MENTIONED:
        return
    coarse = distinct < COARSE
    worse = share >= ALARMING and not coarse
    text = (
        f"{twins:,} of {test.len():,} test rows ({share:.1%}) have the very inputs of a row "
        f"outside the test; {distinct:.1%} of all rows are distinct"
    )
    if coarse:
        text += ", so the inputs are coarse and such twins are natural"
    yield Finding(
        "duplicates",
        Severity.WARNING if worse else Severity.NOTE,
        text,
        "kept; if rows repeat the same thing, remove copies or name what belongs together with "
        "--group",
        (),
        {"test_share": share, "distinct_share": float(np.round(distinct, 6))},
    )
