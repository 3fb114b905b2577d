from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from justright.baselines.registry import baseline_names
from justright.baselines.run import fit_baseline
from justright.core.codec import dumps
from justright.core.errors import DataError
from justright.core.task import Task, TaskKind
from justright.data.encoded import EncodedMeta
from justright.executors.base import Call, Failed, Finished
from justright.executors.processes import ProcessExecutor
from justright.recipe.network import Inputs
from justright.testing.executors import ending

ROWS = 300


def write(folder: Path, task: Task, y: np.ndarray, weights: np.ndarray | None = None) -> None:
    """An encoded folder: y follows the first column of x; targets lie around 50, scale 10."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    signal = y[:, 0] if y.ndim == 2 else y
    x = np.stack([signal + 0.1 * rng.normal(size=len(y)), rng.normal(size=len(y))], axis=1)
    np.save(folder / "x.npy", x.astype(np.float32))
    np.save(folder / "c.npy", np.zeros((len(y), 0), np.int32))
    np.save(folder / "y.npy", y)
    if weights is not None:
        np.save(folder / "w.npy", weights)
    ones = () if task.is_classification else (1.0,) * y.shape[1]
    meta = EncodedMeta(
        inputs=Inputs(2, 0, (), task.outputs),
        task=task,
        y_mean=tuple(50.0 * one for one in ones),
        y_scale=tuple(10.0 * one for one in ones),
        y_low=tuple(40.0 * one for one in ones),
        y_high=tuple(60.0 * one for one in ones),
        prior=(),
        rows=len(y),
        preprocessing="",
    )
    (folder / "meta.json").write_text(dumps(meta), encoding="utf-8")


def regression(folder: Path, **options: Any) -> None:
    y = np.random.default_rng(1).normal(size=(ROWS, 2)).astype(np.float32)
    y[:, 1] = -y[:, 0]
    write(folder, Task(TaskKind.MULTI_REGRESSION, ("a", "b")), y, **options)


def arguments(folder: Path, out: Path, name: str = "linear", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "folder": str(folder),
        "train": np.arange(200),
        "evaluate_folder": str(folder),
        "evaluate": np.arange(200, ROWS),
        "seed": 0,
        "budget_s": 2.0,
        "out": str(out),
    } | changes


@pytest.mark.parametrize("name", baseline_names())
def test_scores_are_those_of_the_saved_predictions(name: str, tmp_path: Path) -> None:
    regression(tmp_path / "rows")
    seen: list[Any] = []
    result = fit_baseline(
        **arguments(tmp_path / "rows", tmp_path / "new" / "p.npy", name), report=seen.append
    )
    prediction = np.load(result["predictions"])
    assert prediction.shape == (100, 2)
    assert prediction.min() >= 40  # as users get them: within the training range
    assert prediction.max() <= 60
    y = 50.0 + 10.0 * np.load(tmp_path / "rows" / "y.npy")[200:].astype(np.float64)
    rmse = np.sqrt(np.square(y - prediction).mean(axis=0)).mean()
    assert result["scores"]["rmse"] == pytest.approx(rmse, rel=1e-9)
    assert result["loss"] == pytest.approx(np.square((y - prediction) / 10).mean(), rel=1e-9)
    assert all("text" in payload for payload in seen)
    assert json.loads(json.dumps(result)) == result


def test_learns_from_one_folder_and_is_judged_on_another(tmp_path: Path) -> None:
    regression(tmp_path / "rest")
    regression(tmp_path / "test", weights=np.ones(ROWS, np.float32))
    changes = {"evaluate_folder": str(tmp_path / "test"), "train": np.arange(ROWS)}
    given = arguments(tmp_path / "rest", tmp_path / "p.npy", **changes)
    result = fit_baseline(**given, report=lambda _: None)
    assert result["scores"]["r2"] > 0.6
    assert len(np.load(result["predictions"])) == 100


def test_weights_enter_the_scores(tmp_path: Path) -> None:
    weights = np.ones(ROWS, np.float32)
    weights[200:250] = 1e-6
    regression(tmp_path / "a")
    regression(tmp_path / "b", weights=weights)
    a, b = (
        fit_baseline(
            **arguments(tmp_path / name, tmp_path / f"{name}.npy", "constant"),
            report=lambda _: None,
        )
        for name in ("a", "b")
    )
    assert a["scores"]["rmse"] != pytest.approx(b["scores"]["rmse"], rel=1e-3)


def test_runs_in_a_worker(tmp_path: Path) -> None:
    y = np.random.default_rng(0).integers(0, 2, ROWS)
    write(tmp_path / "rows", Task(TaskKind.BINARY, ("y",), ("no", "yes")), y)
    given = arguments(tmp_path / "rows", tmp_path / "p.npy", "boosting")
    with ProcessExecutor(1) as executor:
        end = ending(
            executor, executor.submit(Call("justright.baselines.run:fit_baseline", given))
        )
    assert isinstance(end, Finished)
    assert end.value["scores"]["auc"] > 0.95


def test_no_finite_target_is_an_error_with_a_reason(tmp_path: Path) -> None:
    y = np.full((ROWS, 1), np.nan, np.float32)
    write(tmp_path / "rows", Task(TaskKind.REGRESSION, ("y",)), y)
    given = arguments(tmp_path / "rows", tmp_path / "p.npy")
    with pytest.raises(DataError, match="finite target"):
        fit_baseline(**given, report=lambda _: None)
    with ProcessExecutor(1) as executor:
        end = ending(
            executor, executor.submit(Call("justright.baselines.run:fit_baseline", given))
        )
    assert isinstance(end, Failed)
    assert "finite target" in end.message
