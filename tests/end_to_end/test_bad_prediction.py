"""Using a model wrongly: one clear line, exit code 2, and nothing lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.cli.main import main
from justright.core.codec import from_document
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import make_problem
from justright.model.card import CardFacts
from justright.model.folder import write_model
from justright.recipe.network import Inputs, NetworkSpec, Shape, buffer_shapes, tensor_shapes
from justright.recipe.recipe import PreprocessingSpec, Recipe

ROWS = 60


def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, ROWS)).round(3)
    return pl.DataFrame({"a": a, "b": b, "c": ["x", "y", "z"] * (ROWS // 3), "y": a + b})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights."""
    problem = make_problem(read_table(table()), DataOptions(target=("y",)))
    every = np.arange(ROWS)
    fitted = fit_preprocessing(problem, every, PreprocessingSpec(), every)
    spec = NetworkSpec(Shape(hidden=(4,)), from_document(Inputs, fitted.document["inputs"]))
    rng = np.random.default_rng(1)
    tensors = tensor_shapes(spec) | buffer_shapes(spec)
    return write_model(
        tmp_path_factory.mktemp("made") / "model",
        recipe=Recipe(),
        spec=spec,
        preprocessing=fitted,
        weights={n: rng.normal(size=s).astype(np.float32) for n, s in tensors.items()},
        task=problem.task,
        facts=CardFacts("made", ROWS),
    )


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with the model and a table."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made, tmp_path / "model")
    table().write_csv(tmp_path / "good.csv")
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a refusal, which must not write anything."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    code = main(list(arguments))
    said = capsys.readouterr()
    assert code == 2, said.err
    assert said.out == ""
    assert len(said.err.splitlines()) == 1, said.err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    return said.err


def predict_refused(
    capsys: pytest.CaptureFixture[str], data: str = "good.csv", out: str = "out.csv"
) -> str:
    return refused(capsys, "predict", "model", data, "--out", out)


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("weights.safetensors", b"junk", "was changed"),
        ("preprocessing.json", b"{}", "was changed"),
        ("network.py", b"import os", "was changed"),
        ("recipe.json", None, "is missing"),
        ("manifest.json", None, "no model folder"),
        ("manifest.json", b"{", "cannot be read"),
        ("manifest.json", b'{"format": 99, "files": {}}', "pip install -U justright"),
    ],
)
def test_a_damaged_model(
    command: str,
    name: str,
    content: bytes | None,
    word: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = folder / "model" / name
    path.unlink() if content is None else path.write_bytes(content)
    arguments = ["model", "good.csv"] + (["--out", "out.csv"] if command == "predict" else [])
    assert word in refused(capsys, command, *arguments)


@pytest.mark.parametrize("model", ["nowhere", "good.csv", ".", ""])
def test_no_model_at_all(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "studies/NAME/model" in refused(capsys, "evaluate", model, "good.csv")


DATA = {
    "empty": (b"", "is empty"),
    "header only": (b"a,b,c,y\n", "no rows"),
    "junk": (bytes(range(256)) * 9, "binary data"),
    "column missing": (b"a,c,y\n1,x,2\n", "lack the column 'b'"),
    "misspelt": (b"a,bb,c,y\n1,2,x,3\n", "did you mean 'bb'?"),
    "short row": (b"a,b,c,y\n1,2,x,3\n1,2\n", "line 3 has 2 fields"),
    "latin 1": ("a,b,c,y\n1,2,ä,3\n".encode("latin-1"), "iconv"),
}


@pytest.mark.parametrize("fault", DATA)
def test_data_that_cannot_be_predicted(
    fault: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, word = DATA[fault]
    (folder / "t.csv").write_bytes(content)
    assert word in predict_refused(capsys, "t.csv")
    assert word in refused(capsys, "evaluate", "model", "t.csv")


def test_paths_that_are_no_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean good.csv?" in predict_refused(capsys, "god.csv")
    assert "is a folder" in predict_refused(capsys, "model")


def test_targets_that_cannot_be_scored(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table().drop("y").write_csv(folder / "none.csv")
    table().with_columns(y=pl.lit("abc")).write_csv(folder / "text.csv")
    table().with_columns(y=pl.lit(None, dtype=pl.Float64)).write_csv(folder / "empty.csv")
    assert "no target column 'y'" in refused(capsys, "evaluate", "model", "none.csv")
    assert "not a number in 60" in refused(capsys, "evaluate", "model", "text.csv")
    assert "no row has a target" in refused(capsys, "evaluate", "model", "empty.csv")


OUT = {
    "out.xyz": "unknown suffix '.xyz'",
    "out": "unknown suffix ''",
    "out.csv.gz": "unknown suffix '.gz'",
    "nowhere/out.csv": "the folder nowhere does not exist",
    "good.csv/out.csv": "good.csv does not exist",
    "good.csv": "which would be lost",
    "/proc/out.csv": "cannot be written",
}


@pytest.mark.parametrize("out", OUT)
def test_places_that_cannot_be_written(
    out: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert OUT[out] in predict_refused(capsys, out=out)


def predicted(folder: Path, frame: pl.DataFrame, name: str = "t.csv") -> np.ndarray:
    path = folder / name
    frame.write_csv(path) if name.endswith("csv") else frame.write_parquet(path)
    assert main(["predict", "model", name, "--out", "out.csv"]) == 0
    return pl.read_csv(folder / "out.csv")["y"].to_numpy()


def test_order_extra_columns_and_types_do_not_matter(
    folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    plain = table()
    expected = predicted(folder, plain)
    assert np.array_equal(predicted(folder, plain.select("c", "b", "a")), expected)
    assert "ignored" not in caplog.text
    assert np.array_equal(predicted(folder, plain.with_columns(q=1)), expected)
    assert "ignored: q" in caplog.text
    text = plain.with_columns(pl.col("a", "b").cast(pl.String), pl.col("c").cast(pl.Categorical))
    assert np.array_equal(predicted(folder, text, "t.parquet"), expected)


def test_strange_values_are_predicted_and_said(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strange = table().with_columns(a=pl.lit("many"), c=pl.lit("never seen"))
    found = predicted(folder, strange)
    assert np.isfinite(found).all()
    assert "'a' should hold numbers" in caplog.text
    assert "'many'" in caplog.text
    huge = table().with_columns(a=pl.lit(1e308), b=pl.lit(float("-inf")))
    assert np.isfinite(predicted(folder, huge)).all()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("out", ["out.csv", "out.jsonl"])
def test_a_full_disk_leaves_no_half_of_a_file(out: str, folder: Path) -> None:
    pl.concat([table()] * 200).write_csv(folder / "many.csv")
    (folder / out).write_text("yesterday's")
    limited = (
        "import resource, runpy, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        f"sys.argv[:] = ['justright', 'predict', 'model', 'many.csv', '--out', {out!r}]\n"
        "runpy.run_module('justright.cli.main', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "cannot be written" in done.stderr
    assert (folder / out).read_text() == "yesterday's"
    assert not list(folder.glob(".*"))


def test_evaluate_prints_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "model", "good.csv", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) >= {"rmse", "mae", "r2"}
