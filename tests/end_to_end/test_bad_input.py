"""Bad input: one clear line, exit code 2, and nothing left behind."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.cli.main import main
from justright.store.opening import open_store

ROWS = 120


def table(**columns: object) -> pl.DataFrame:
    """Two numbers, a category and y, with further or other columns."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, ROWS)).round(3)
    plain = {"a": a, "b": b, "c": rng.choice(["x", "y", "z"], ROWS).tolist(), "y": a + b}
    return pl.DataFrame({**plain, **columns})


GOOD = table().write_csv()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with one good table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.csv").write_text(GOOD)
    return tmp_path


def files(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a refusal."""
    code = main(list(arguments))
    said = capsys.readouterr()
    assert code == 2, said.err
    assert said.out == ""
    assert "internal error" not in said.err
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert lines[0].startswith("justright: ")
    return lines[0]


def fit_refused(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> str:
    before = files(folder)
    line = refused(capsys, "fit", *arguments)
    assert files(folder) == before
    return line


FILES: dict[str, tuple[str, bytes, str]] = {
    "empty": ("t.csv", b"", "is empty"),
    "blank lines": ("t.csv", b"\n\n \n", "is empty"),
    "header only": ("t.csv", b"a,b,y\n", "no rows"),
    "header without line end": ("t.csv", b"a,b,y", "no rows"),
    "one row": ("t.csv", b"a,b,y\n1,2,3\n", "one row"),
    "nine rows": ("t.csv", b"a,b,y\n" + b"1,2,3\n4,5,6\n7,8,9\n" * 3, "9 rows"),
    "binary junk": ("t.csv", bytes(range(256)) * 20, "binary data"),
    "picture": ("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(200), "binary data"),
    "broken parquet": ("t.parquet", b"PAR1" + bytes(range(200)), "cannot be read"),
    "broken arrow": ("t.arrow", b"ARROW1" + bytes(range(200)), "cannot be read"),
    "cut gzip": ("t.csv.gz", gzip.compress(GOOD.encode())[:300], "damaged"),
    "workbook": ("t.xlsx", b"PK\x03\x04" + bytes(99), "Excel"),
    "slashes between fields": ("t.csv", GOOD.replace(",", "/").encode(), "no column 'y'"),
    "colons between fields": ("t.csv", GOOD.replace(",", ":").encode(), "':'"),
    "short row": ("t.csv", f"{GOOD}1,2\n".encode(), "line 122 has 2 fields"),
    "long row": ("t.csv", f"{GOOD}1,2,3,4,5\n".encode(), "line 122 has 5 fields"),
    "short row with quotes": ("t.csv", f'{GOOD}"1",2\n'.encode(), "line 122 has 2 fields"),
    "same name twice": ("t.csv", GOOD.replace("a,b", "a,a", 1).encode(), "appears 2 times"),
    "empty name": ("t.csv", GOOD.replace("a,b", "a,", 1).encode(), "has no name"),
    "latin 1": ("t.csv", GOOD.replace("x", "ä").encode("latin-1"), "iconv"),
    "utf 16": ("t.csv", GOOD.encode("utf-16"), "UTF-16"),
    "nul": ("t.csv", GOOD.replace("x", "\0").encode(), "binary data"),
    "json array": ("t.json", b'[{"a": 1}]', "one JSON array"),
    "broken json line": ("t.jsonl", b'{"a": 1, "y": 2}\n{"a":\n', "line 2"),
    "nested json": (
        "t.jsonl",
        "\n".join(json.dumps({"a": {"b": i}, "y": i}) for i in range(40)).encode(),
        "--drop a",
    ),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_file_that_is_no_table(
    fault: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, word = FILES[fault]
    (folder / name).write_bytes(content)
    assert word in fit_refused(capsys, folder, name, "-t", "y")


PATHS = {
    "": "is a folder",
    "gone.csv": "there is no file gone.csv",
    "god.csv": "did you mean good.csv?",
    "nowhere/t.csv": "nowhere does not exist",
    "good.csv/t.csv": "good.csv",
    ".": "is a folder: name a file in it, such as good.csv",
    "/dev/null": "not a regular file",
    "a\0b": "null byte",
    "a" * 3000: "too long",
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: repr(path[:20]))
def test_a_path_that_is_no_file(
    path: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PATHS[path] in fit_refused(capsys, folder, path, "-t", "y")


def numbers_with(word: str) -> list[str]:
    return [word, *(str(value) for value in table()["y"].to_list()[1:])]


TARGETS: dict[str, tuple[object, str]] = {
    "constant": ([1.5] * ROWS, "always '1.5'"),
    "one word": (["k"] * ROWS, "always 'k'"),
    "missing": ([None] * ROWS, "missing in all 120 rows"),
    "called NA": (["NA"] * ROWS, "missing in all 120 rows"),
    "nearly missing": ([1.0, 2.0, 3.0, *[None] * (ROWS - 3)], "3 rows"),
    "all different": ([f"id{i}" for i in range(ROWS)], "is different"),
    "fewer rows than classes": ([f"id{i % 80}" for i in range(ROWS)], "80 classes in 120 rows"),
    "infinite": ([float("inf"), *range(ROWS - 1)], "infinite in 1 of 120 rows"),
    "minus infinity in words": (numbers_with("-Infinity"), "infinite in 1 of 120 rows"),
    "a word among numbers": (numbers_with("abc"), "'abc'"),
}


@pytest.mark.parametrize("fault", TARGETS)
def test_a_target_that_cannot_be_learned(
    fault: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values, word = TARGETS[fault]
    table(y=values).write_csv(folder / "t.csv")
    assert word in fit_refused(capsys, folder, "t.csv", "-t", "y")


INPUTS: dict[str, tuple[pl.DataFrame, str]] = {
    "target alone": (table().select("y"), "no column is left"),
    "constants": (table(k=1).select("k", "y"), "k (constant)"),
    "all missing": (
        table(k=pl.Series([None] * ROWS, dtype=pl.String)).select("k", "y"),
        "k (constant)",
    ),
    "identifiers": (table(k=[f"u{i}" for i in range(ROWS)]).select("k", "y"), "k (identifier)"),
}


@pytest.mark.parametrize("fault", INPUTS)
def test_inputs_that_say_nothing(
    fault: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, word = INPUTS[fault]
    frame.write_csv(folder / "t.csv")
    assert word in fit_refused(capsys, folder, "t.csv", "-t", "y")


OPTIONS = {
    "-t z": "there are: a, b, c, y",
    "-t y -t y": "twice",
    "-t y -t c": "several targets can only be numbers",
    "-t a,y": "no column 'a,y'",
    "--target=": "no column ''",
    "": "Missing option '--target'",
    "-t y --time 1s": "at least 10s",
    "-t y --time 0": "too short",
    "-t y --time=-5": "cannot read the time limit '-5'",
    "-t y --time soon": "write 90s, 5m or 1h",
    "-t y --time 1e9": "cannot read the time limit",
    "-t y --time nan": "cannot read the time limit",
    "-t y --time=": "cannot read the time limit",
    "-t y --frobnicate": "No such option: --frobnicate",
    "--taget y": "--target",
    "-t y --seed x": "--seed",
    "-t y --workers 0": "at least 1",
    "-t y --workers=-1": "at least 1",
    "-t y --workers two": "--workers",
    "-t y --task regresion": "no such task",
    "-t y --task multi-label": "no such task",
    "-t c --task regression": "holds text",
    "-t c --task binary": "has 3 classes",
    "-t y --kind a=numbr": "did you mean 'number'?",
    "-t y --kind a": "COLUMN=KIND",
    "-t y --kind q=number": "no column 'q'",
    "-t y --kind y=number": "that column is the target",
    "-t y --kind c=number": "no value reads as one",
    "-t y --kind c=datetime": "no value reads as one",
    "-t y --metric rsme": "use one of rmse",
    "-t y --metric auc": "not a metric for regression",
    "-t c --metric rmse": "use one of log_loss",
    "-t y --metric rmsle": "negative values",
    "-t y --drop q": "no column 'q'",
    "-t y --drop y": "that column is the target",
    "-t y --drop a --drop b --drop c": "no column is left",
    "-t y --weight a": "negative",
    "-t y --weight c": "no numbers",
    "-t y --weight q": "no column 'q'",
    "-t y --weight y": "that column is the target",
    "-t y --group q": "no column 'q'",
    "-t y --time-column c": "neither dates nor numbers",
    "-t y --time-column q": "no column 'q'",
    "-t y --test nope.csv": "there is no file nope.csv",
    "-t y --test without-a.csv": "no column 'a'",
    "-t y --test without-y.csv": "no column 'y'",
    "-t y --test header.csv": "no rows",
    "-t y --test no-target.csv": "test set of 0 rows",
    "-t y --work nope.json": "cannot read the work plan",
    "-t y --work good.csv": "not JSON",
    "-t y --work list.json": "not a work plan",
    "-t y --work newer.json": "not a work plan of version",
    "-t y --work negative.json": "not whole numbers",
    "-t y --work .": "cannot read the work plan",
    "-t y --name a/b": "cannot be the name of a study",
    "-t y --name ..": "cannot be the name of a study",
    "-t y --name=": "cannot be the name of a study",
    "-t y --name con?": "cannot be the name of a study",
    "-t y --name justright.db": "cannot be the name of a study",
    "-t y --studies good.csv": "good.csv",
    "-t y --studies good.csv/below": "good.csv/below",
    "-t y --studies /dev/null": "/dev/null",
    "-t y --studies /proc/justright": "/proc/justright",
}


@pytest.mark.parametrize("options", OPTIONS)
def test_options_that_make_no_sense(
    options: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table().drop("a").write_csv(folder / "without-a.csv")
    table().drop("y").write_csv(folder / "without-y.csv")
    table(y=[None] * ROWS).write_csv(folder / "no-target.csv")
    (folder / "header.csv").write_text("a,b,c,y\n")
    (folder / "list.json").write_text("[]")
    (folder / "newer.json").write_text('{"version": 99, "granted": {}}')
    (folder / "negative.json").write_text('{"version": 1, "granted": {"a": -1}}')
    assert OPTIONS[options] in fit_refused(capsys, folder, "good.csv", *options.split())


COLUMNS: dict[str, tuple[object, str, str]] = {
    "weights of zero": ([0] * ROWS, "--weight", "all weights are 0"),
    "one group": (["k"] * ROWS, "--group", "1 groups"),
    "two groups": (["k", "l"] * (ROWS // 2), "--group", "2 groups"),
    "one time": ([1] * ROWS, "--time-column", "same time"),
    "holes in time": ([None, *range(ROWS - 1)], "--time-column", "1 of 120 rows have no time"),
}


@pytest.mark.parametrize("fault", COLUMNS)
def test_special_columns_that_cannot_be_used(
    fault: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values, flag, word = COLUMNS[fault]
    table(s=values).write_csv(folder / "t.csv")
    assert word in fit_refused(capsys, folder, "t.csv", "-t", "y", flag, "s")


def test_multi_label_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(p=[0, 1] * (ROWS // 2), q=[1, 0] * (ROWS // 2)).write_csv(folder / "t.csv")
    assert "multi-label" in fit_refused(capsys, folder, "t.csv", "-t", "p", "-t", "q")
    table().with_columns(y=[[1, 2]] * ROWS).write_parquet(folder / "t.parquet")
    assert "holds List" in fit_refused(capsys, folder, "t.parquet", "-t", "y")


def test_the_nearest_column_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table().rename({"y": "Price"}).write_csv(folder / "t.csv")
    assert "did you mean 'Price'?" in fit_refused(capsys, folder, "t.csv", "-t", "prise")


def store_of(folder: Path, version: str) -> None:
    with open_store(folder):
        pass
    connection = sqlite3.connect(folder / "justright.db")
    connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (version,))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("command", ["fit", "studies", "report"])
@pytest.mark.parametrize("fault", ["junk", "junk with a header", "newer", "foreign", "edited"])
def test_a_store_that_cannot_be_used(
    fault: str, command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studies = folder / "s"
    studies.mkdir()
    path = studies / "justright.db"
    if fault.startswith("junk"):
        path.write_bytes((b"SQLite format 3\0" if "header" in fault else b"") + os.urandom(5000))
    elif fault == "foreign":
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE things (a)")
        connection.close()
    else:
        store_of(studies, "99" if fault == "newer" else "banana")
    content = path.read_bytes()
    arguments = {"fit": ["good.csv", "-t", "y"], "studies": [], "report": ["x"]}[command]
    line = refused(capsys, command, *arguments, "--studies", str(studies))
    assert "justright.db" in line
    assert path.read_bytes() == content
    assert not (studies / "good").exists()


def test_files_of_others_are_never_mixed_with_a_study(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "good").mkdir()
    (folder / "good" / "thesis.tex").write_text("years of work")
    line = refused(capsys, "fit", "good.csv", "-t", "y", "--studies", ".")
    assert "thesis.tex" in line
    assert sorted(path.name for path in (folder / "good").iterdir()) == ["thesis.tex"]
    with open_store(folder) as store:
        assert store.studies.heads() == ()


def test_unknown_studies_and_commands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no folder 'studies'" in refused(capsys, "studies")
    assert "no folder 'studies'" in refused(capsys, "report", "x")
    (folder / "studies").mkdir()
    assert "no study 'x'" in refused(capsys, "report", "x")
    assert "no study 'x'" in refused(capsys, "studies", "--remove", "x")
    assert main(["studies"]) == 0
    assert capsys.readouterr().out == "no studies in studies\n"
    assert list((folder / "studies").iterdir()) == []
    assert "did you mean 'fit'?" in refused(capsys, "fti").lower()
    assert "--frob" in refused(capsys, "--frob")
    assert "Missing argument" in refused(capsys, "fit")


@pytest.mark.parametrize("command", ["fit", "predict", "evaluate", "report", "studies", "doctor"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    said = capsys.readouterr()
    assert f"justright {command}" in said.out
    assert said.err == ""
    assert main([]) == 2
    assert command in capsys.readouterr().out
