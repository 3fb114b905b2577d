"""From a source to a problem: its table, the user's test rows, the rows that the time bears."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from justright.core.codec import fingerprint
from justright.core.errors import DataError
from justright.core.finding import Finding, Severity
from justright.core.seeds import child_seed
from justright.data.ingest import read_table
from justright.data.problem import Problem, make_problem
from justright.data.split import TEST_MOST
from justright.data.table import Table
from justright.designer.request.options import FitOptions, time_text
from justright.designer.request.own_metric import check_metric

ROWS = "rows"
"""Key of the work plan under which the number of rows stands."""

CELLS_PER_S = 2.5e6
"""Values encoded per second on one core (measured: 1,000,000 × 50 in 18.5 s, fitting included)."""

ENCODING_SHARE = 0.08
"""Share of the limit that encoding may take, once to learn, once for the final training, once for
the test rows; baselines and audit grow with it (assumption)."""

PASSES = 2.2

FEWEST = 20_000
"""Tables of fewer rows are never thinned out; one encoding of them takes well under a second."""

TEST_CELLS, TEST_FEWEST = CELLS_PER_S, 4_000
"""Values of a test file that are used: a second of encoding, and this many rows in any case, which
is what the split of the smallest table that may be thinned out gives (assumption). At most as many
rows are used as in a test set of our own. The time limit has no say, so that a study that goes on,
or is repeated, is tested on the same rows."""


def read_problem(
    source: Any, options: FitOptions, rows: int | None
) -> tuple[Problem, np.ndarray | None, int]:
    """Read and frame a table.

    Args:
        source: Path of a data file, or a frame.
        options: What the user asked.
        rows: Rows to use, where a work plan says so; None = as many as the time limit bears.

    Returns:
        The problem, the places of the user's own test rows (at its end; None without a test
        file), and how many rows the table was thinned out to.

    Raises:
        InputError: If nothing can be learned from it.
    """
    table = read_table(source, name=options.name)
    wanted = _affordable(table, options.limit_s) if rows is None else rows
    whole = table.rows
    if wanted < whole:
        drawn = _drawn(table.rows, wanted, child_seed(options.data.seed, "thin out"))
        table = table.taken(drawn)  # its fingerprint stays that of the whole table
    if options.data.test is None:
        problem, test_rows = make_problem(table, options.data), None
    else:
        problem, test_rows = _with_test(table, read_table(options.data.test), options)
    check_metric(problem)
    if wanted < whole:
        problem = replace(problem, findings=(*problem.findings, _finding(table, whole, wanted)))
    return problem, test_rows, wanted


def _affordable(table: Table, limit_s: float) -> int:
    cells = ENCODING_SHARE * limit_s * CELLS_PER_S / PASSES
    return min(max(int(cells / max(len(table.columns), 1)), FEWEST), table.rows)


def _drawn(whole: int, rows: int, seed: int) -> np.ndarray:
    """Some rows at random, in their order."""
    return np.sort(np.random.default_rng(seed).choice(whole, rows, replace=False))


def _finding(table: Table, whole: int, used: int) -> Finding:
    """What it says does not depend on the limit, so that a study that goes on says it once.

    Such a study keeps its rows whatever its new limit: only another study can use all.
    """
    needed = whole * len(table.columns) * PASSES / (ENCODING_SHARE * CELLS_PER_S)
    return Finding(
        "thinned-out",
        Severity.WARNING,
        f"the table has {whole:,} rows, more than the time limit can take",
        f"{used:,} were drawn at random; --time {time_text(needed)} under another --name would "
        "use all",
        (),
        {"rows": float(whole), "used": float(used)},
    )


def _with_test(table: Table, test: Table, options: FitOptions) -> tuple[Problem, np.ndarray]:
    """The problem with the rows of the user's own test file at its end, and their places."""
    missing = [name for name in table.columns if name not in test.columns]
    if missing:
        raise DataError(
            f"the test file has no column {missing[0]!r}",
            hint="it needs the columns of the training file, the target too",
        )
    frames = [table.frame, test.frame]
    whole, most = frames[1].height, _most_tested(len(table.columns))
    if most < whole:
        seed = child_seed(options.data.seed, "thin out the test")
        frames[1] = frames[1][_drawn(whole, most, seed)]
    try:
        both = pl.concat([frames[0], frames[1].select(frames[0].columns)], how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        raise DataError(
            "the columns of the test file are of other types than those of the training file "
            f"({str(error).splitlines()[0]})",
            hint="write both files the same way",
        ) from error
    joined = replace(
        table,
        frame=both,
        fingerprint=fingerprint([table.fingerprint, test.fingerprint]),
        places=np.append(table.origin, np.full(frames[1].height, -1)),
        whole=table.source_rows,
    )
    problem = make_problem(joined, options.data)
    if most < whole:
        problem = replace(problem, findings=(*problem.findings, _test_finding(whole, most)))
    # rows without a target were left out of both: the test's others are the last that there are
    tested, rows = frames[1].drop_nulls(options.data.target).height, problem.table.rows
    return problem, np.arange(rows - tested, rows)


def _most_tested(columns: int) -> int:
    """Rows of a test file that are used.

    >>> _most_tested(13), _most_tested(200), _most_tested(5_000)
    (50000, 12500, 4000)
    """
    return min(max(int(TEST_CELLS / columns), TEST_FEWEST), TEST_MOST)


def _test_finding(whole: int, used: int) -> Finding:
    return Finding(
        "test-thinned-out",
        Severity.NOTE,
        f"the test file has {whole:,} rows, more than the test needs",
        f"{used:,} were drawn at random; justright predict takes them all",
        (),
        {"rows": float(whole), "used": float(used)},
    )
