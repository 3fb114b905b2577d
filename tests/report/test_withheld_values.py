"""What a report says of a table without the values of its cells."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from justright.core.withheld import without_values
from justright.data.audit.registry import audit
from justright.data.ingest import read_table
from justright.data.kinds import judge
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import make_splits
from justright.report.html import report_html
from justright.store.memory import MemoryStore
from justright.testing.examples import HOUSES, write_example

ROWS = 400
SECRETS = ('Zoë\'s) "71" in all', "8,675,309", "8675309", "2071-03-04", "1.98765e+09")


def table() -> pl.DataFrame:
    """Every kind of column whose reason quotes a cell; the secret is always the first or last."""
    rng = np.random.default_rng(0)
    amounts = [f"{9_000_000 + i:,}" for i in range(ROWS)]
    days = pl.date_range(pl.date(2071, 3, 4), pl.date(2090, 1, 1), "1d", eager=True)
    target = rng.normal(size=ROWS)
    target[7] = 1987654321.0
    return pl.DataFrame(
        {
            "amount": ["8,675,309", *amounts[1:]],
            "few words": ['Zoë\'s) "71" in all', *(str(i) for i in range(1, ROWS))],
            "date": days.head(ROWS).cast(pl.String),
            "constant": ['Zoë\'s) "71" in all'] * ROWS,
            "constant number": [8675309] * ROWS,
            "constant date": pl.Series([days[0]] * ROWS),
            "number": np.append(rng.normal(size=ROWS - 1), 8675309.0),
            "whole": [8675309, *range(ROWS - 1)],
            "y": target,
        }
    )


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    """Every reason and every finding about the table."""
    problem = make_problem(read_table(table()), DataOptions(target=("y",)))
    found = audit(problem, make_splits(problem))
    return [column.reason for column in problem.schema.columns] + [f.message for f in found]


def test_every_secret_is_quoted_where_examples_are_allowed(sentences: list[str]) -> None:
    for secret in SECRETS:
        assert any(
            secret in said.replace("\\", "") or f"{secret:.6}" in said for said in sentences
        )


def test_no_value_of_a_cell_stays(sentences: list[str]) -> None:
    for said in map(without_values, sentences):
        plain = said.replace("\\", "").replace(",", "")
        for secret in ("Zoë", 'in all"', "8675309", "8.67531e+06", "2071", "1.98765e+09"):
            assert secret not in plain, said


def test_what_quotes_nothing_stays_as_it_is() -> None:
    for values in ([True, False] * 20, ["a", "b", "c"] * 20, [0, 1] * 20):
        reason = judge(pl.Series("x", values)).reason
        assert without_values(reason) == reason


def test_the_report_says_none_of_them(sentences: list[str]) -> None:
    store = MemoryStore()
    write_example(store, HOUSES)
    columns = [{"name": f"c{i}", "kind": "x", "reason": r} for i, r in enumerate(sentences)]
    problem = make_problem(read_table(table()), DataOptions(target=("y",)))
    store.ledger.put("houses", "schema", {"columns": columns})
    store.ledger.put("houses", "next", [{"title": "look", "why": said} for said in sentences])
    store.ledger.find("houses", audit(problem, make_splits(problem)))
    assert "Zoë" in report_html(store, "houses")
    assert "Zoë" not in report_html(store, "houses", examples=False)
