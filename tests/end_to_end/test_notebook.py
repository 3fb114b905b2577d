"""A notebook with a real kernel: a cell fits a network, and an interrupted cell keeps one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import nbclient
import nbformat
import pytest

pytestmark = [
    # Deprecations of the notebook's own packages are not ours to mend.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.skipif(os.name != "posix", reason="kernels are interrupted by a signal"),
]

PREPARE = """
import asyncio, json, pathlib
import numpy as np, polars as pl
import justright
assert asyncio.get_running_loop().is_running()
a, b, noise = np.random.default_rng(0).normal(size=(3, 2600))
frame = pl.DataFrame({"a": a, "b": b, "y": a + 3 * noise})
plan = {"version": 1, "granted": {"start recipe steps": 60, "final 0": 60}}
_ = pathlib.Path("plan.json").write_text(json.dumps(plan))
"""
FIT = 'justright.fit(frame, target="y", time=12, work="plan.json", name="first")'
LONG = 'justright.fit(frame, target="y", time=60, name="second")'
AFTER = """
model = justright.load("studies/second/model")
print(model.predict(frame.head(3)).height, "rows predicted")
"""


async def run_cells(folder: Path) -> list[dict]:
    """Run the cells; the long one is interrupted as soon as it has a network."""
    cells = [nbformat.v4.new_code_cell(source) for source in (PREPARE, FIT, LONG, AFTER)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        notebook, timeout=110, kernel_name="python3", allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip

    async def interrupt() -> None:
        while not (folder / "studies/second/model/recipe.json").exists():
            await asyncio.sleep(0.1)
        await client.km.interrupt_kernel()

    async with client.async_setup_kernel():
        for place, cell in enumerate(cells):
            stop = asyncio.create_task(interrupt()) if cell.source == LONG else None
            await client.async_execute_cell(cell, place)
            if stop:
                stop.cancel()
    return cells


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    return asyncio.run(run_cells(tmp_path_factory.mktemp("notebook")))


def shown(cell: dict) -> str:
    return "".join(output.get("text", "") for output in cell["outputs"])


def test_a_cell_inside_the_running_loop_shows_the_study(cells: list[dict]) -> None:
    assert not cells[0]["outputs"], cells[0]["outputs"]
    results = [o for o in cells[1]["outputs"] if o["output_type"] == "execute_result"]
    assert results, cells[1]["outputs"]
    html = results[0]["data"]["text/html"]
    assert "rmse" in html.lower()
    assert "first" in html


def test_an_interrupted_cell_leaves_a_model_that_predicts(cells: list[dict]) -> None:
    errors = [o["ename"] for o in cells[2]["outputs"] if o["output_type"] == "error"]
    assert errors == ["StudyStopped"], cells[2]["outputs"]
    assert "3 rows predicted" in shown(cells[3]), cells[3]["outputs"]
