"""The size search within a real study: limits hold, only the size can be asked for."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from justright.api import Study
from justright.store.opening import STORE_FILE, open_store
from justright.testing.commands import justright


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(560, 4))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * rng.normal(size=560)
    path = tmp_path_factory.mktemp("size") / "t.csv"
    pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "d": x[:, 3], "y": y}).write_csv(path)
    return path


def test_only_the_size_within_a_limit(table):
    folder = table.parent
    done = justright(
        "fit", table, "-t", "y", "--time", "60s", "--only", "size",
        "--max-params", "700", "--name", "size", "--json", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["test"] is None or not verdict["test"].get("openings")
    assert verdict["size"]["chosen"]
    assert "chosen" in verdict["size"]["sentence"]
    assert verdict["rate"]["prior"] > 0
    written = json.loads((folder / "studies/size/verdict.json").read_text())
    assert written["size"] == verdict["size"]
    closing = str(Study(folder / "studies" / "size")).splitlines()
    labels = [line.split()[0] for line in closing]
    assert {"Size", "Rate"} <= set(labels), closing
    lines = justright("explain", "size", "--size", cwd=folder).stdout
    assert "chosen" in lines
    with open_store(folder / "studies" / STORE_FILE) as store:
        rows = (store.ledger.fact("size", "size") or {})["rows"]
    assert rows
    assert max(row["weights"] for row in rows) <= 700


def test_a_limit_that_nothing_meets_is_one_line(table):
    done = justright(
        "fit", table, "-t", "y", "--time", "20s", "--max-params", "5", "--name", "no",
        cwd=table.parent,
    )  # fmt: skip
    assert done.returncode == 2
    assert "at most 5 weights" in done.stderr
    assert "Traceback" not in done.stderr
