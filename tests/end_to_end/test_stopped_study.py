"""Studies that are stopped, held, starved of disk space, or whose reader leaves."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.cli.main import main
from justright.store.opening import open_store
from justright.testing.commands import justright

LIMIT = "25s"

GRANTED = {
    "start recipe steps": 60,
    "noise start recipe": 2,
    "round 1": 1,
    "round 1/length/screen 3 × longer": 1,
    "round 1/length/confirm": 5,
    "final 0": 60,
    "final 1": 60,
}
"""Work for every stage but the search for rate and size; a busy machine does the same."""

COMMAND = [sys.executable, "-m", "justright.cli.main"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 300))
    path = tmp_path_factory.mktemp("table") / "good.csv"
    pl.DataFrame({"a": a, "b": b, "y": a * b + 0.1 * rng.normal(size=300)}).write_csv(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(good, tmp_path / "good.csv")
    return tmp_path


class Running:
    """A `fit` in a process group of its own, whose standard error can be waited for."""

    def __init__(self, folder: Path, *words: str) -> None:
        with (folder / "closing lines").open("w") as closing:
            self.process = subprocess.Popen(
                [*COMMAND, "fit", "good.csv", "-t", "y", "-v", *words],
                cwd=folder,
                stdout=closing,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        self.lines: list[str] = []
        self._heard = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._heard:
                self.lines.append(line.rstrip())
                self._heard.notify_all()

    def wait_for(self, text: str) -> None:
        with self._heard:
            found = self._heard.wait_for(lambda: any(text in x for x in self.lines), timeout=60)
        assert found, (text, self.lines)

    def end(self) -> tuple[int, str]:
        """Exit code and last line."""
        code = self.process.wait(60)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        assert not any("Traceback" in line for line in self.lines), self.lines
        return code, self.lines[-1] if self.lines else ""


@contextlib.contextmanager
def running(folder: Path, *words: str) -> Iterator[Running]:
    run = Running(folder, *(words or ("--time", LIMIT)))
    try:
        yield run
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait()


def descendants(ancestor: int) -> list[int]:
    """Processes whose command line says that they are workers of this process, or of its heirs."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    found = [ancestor]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def alive(pids: list[int]) -> list[int]:
    def state(pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "gone"

    return [pid for pid in pids if state(pid) not in ("gone", "Z")]


def finish(folder: Path, *words: str) -> dict[str, object]:
    words = words or ("--time", LIMIT)
    done = justright("fit", "good.csv", "-t", "y", "--json", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def planned(folder: Path, granted: dict[str, int] = GRANTED) -> tuple[str, ...]:
    """Words for a study that follows a plan; the limit says how long boosting may look."""
    (folder / "plan.json").write_text(json.dumps({"version": 1, "granted": granted}))
    return ("--work", "plan.json", "--time", "10s")


def finish_soon(folder: Path) -> dict[str, object]:
    """As little as makes a whole study."""
    return finish(folder, *planned(folder, {"start recipe steps": 60, "final 0": 60}))


def done_trials(folder: Path) -> dict[str, object]:
    with open_store(folder / "studies") as store:
        return {t.spec.id: t.result for t in store.trials.list("good") if t.state == "done"}


def test_ctrl_c_before_the_first_network_says_one_line(folder: Path) -> None:
    with running(folder) as run:
        run.wait_for("calibration: running")
        os.killpg(run.process.pid, signal.SIGINT)
        code, line = run.end()
    assert code == 130
    assert line.startswith("justright: stopped before there was a network")
    assert (folder / "closing lines").read_text() == ""
    assert not (folder / "studies/good/model").exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("best so far", signal.SIGINT),
        ("3/6 improving", signal.SIGTERM),
        ("6/6 report", signal.SIGINT),
    ],
)
def test_stopping_keeps_the_network_and_a_later_fit_goes_on(
    moment: str, number: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = folder / "studies" / "good"
    # what comes last is reached sooner by a plan; what others find taken must not end meanwhile
    words = {"3/6 improving": ("--time", "40s"), "6/6 report": planned(folder)}.get(moment, ())
    with running(folder, *words) as run:
        run.wait_for(moment)
        workers = descendants(run.process.pid)
        if number == signal.SIGTERM:
            # While it runs, nobody else gets the study.
            assert main(["fit", "good.csv", "-t", "y", "--time", "10s"]) == 2
            assert f"being worked on by process {run.process.pid}" in capsys.readouterr().err
            run.process.send_signal(number)
        else:
            os.killpg(run.process.pid, number)
        code, line = run.end()
    assert code == 130
    assert line.startswith("justright: stopped; the best network so far is in studies/good/model")
    said = (folder / "closing lines").read_text().splitlines()
    assert {"Data", "Size", "Report"} <= {line.split()[0] for line in said}, said
    deadline = time.time() + 5
    while alive(workers) and time.time() < deadline:
        time.sleep(0.05)
    assert alive(workers) == []
    assert (study / "report.html").stat().st_size > 1000
    assert json.loads((study / "verdict.json").read_text())["study"] == "good"
    assert not (study / "cache").exists()
    assert main(["predict", str(study / "model"), "good.csv", "--out", "p.csv"]) == 0
    if number == signal.SIGTERM:
        before = done_trials(folder)
        assert finish(folder)["test"] is not None
        after = done_trials(folder)
        assert before
        assert {key: after[key] for key in before} == before


@pytest.fixture(scope="module")
def finished(good: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    shutil.copy(good, folder / "good.csv")
    # Standard files closed, as under some schedulers: nothing may end up in the store instead.
    words = " ".join(planned(folder))
    command = f'exec "$0" -m justright.cli.main fit good.csv -t y {words} <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", command, sys.executable], cwd=folder).returncode == 0
    return folder


def test_closed_standard_files_do_not_matter(finished: Path) -> None:
    assert json.loads((finished / "studies/good/verdict.json").read_text())["test"]


def test_a_finished_study_trains_nothing_twice(finished: Path) -> None:
    before = done_trials(finished)
    with open_store(finished / "studies") as store:
        stages = {trial.spec.stage for trial in store.trials.list("good")}
    assert stages >= {"baselines", "champion", "round 1/length/screen", "final"}, "not all of it"
    finish(finished, "--time", "15s")  # it has its network: nothing needs longer
    after = done_trials(finished)
    assert len(before) > 5
    assert {key: after[key] for key in before} == before


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_stopping_a_study_that_goes_on_keeps_the_tested_network(
    finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    model, verdict = (tmp_path / "studies/good" / x for x in ("model", "verdict.json"))
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    tested = json.loads(verdict.read_text())["network"]
    with running(tmp_path, "--time", "60s") as run:
        run.wait_for("3/6 improving")
        os.killpg(run.process.pid, signal.SIGINT)
        code, _ = run.end()
    assert code == 130
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before
    assert json.loads(verdict.read_text())["network"] == tested


def test_a_study_whose_files_were_removed_says_so(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(tmp_path / "studies" / "good")
    assert main(["fit", "good.csv", "-t", "y", "--time", "20s"]) == 2
    said = capsys.readouterr().err
    assert "justright studies --remove good" in said.splitlines()[-1]
    assert main(["studies", "--remove", "good"]) == 0
    assert capsys.readouterr().out == "removed good\n"
    assert main(["studies"]) == 0
    assert capsys.readouterr().out == "no studies in studies\n"


def test_other_data_or_goals_under_the_same_name_change_nothing(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished)
    study = finished / "studies" / "good"
    before = {path: path.stat().st_mtime_ns for path in study.rglob("*")}
    for extra in (["--metric", "mae"], ["--seed", "7"], ["--drop", "b"]):
        assert main(["fit", "good.csv", "-t", "y", *extra]) == 2
        assert "choose another name with --name" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in study.rglob("*")} == before


def test_a_reader_that_leaves_early_costs_nothing(finished: Path) -> None:
    for command in ("studies", "--help", "evaluate studies/good/model good.csv"):
        run = subprocess.Popen(
            [*COMMAND, *command.split()],
            cwd=finished,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""
        run.stderr.close()
        assert run.wait(60) == 1


@pytest.mark.parametrize("limit", [2_000, 300_000])
def test_a_full_disk_is_said_and_can_be_mended(limit: int, folder: Path) -> None:
    limited = (
        "import resource, runpy, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "sys.argv[:] = ['justright', 'fit', 'good.csv', '-t', 'y', '--time', '20s', '-q']\n"
        "runpy.run_module('justright.cli.main', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "the disk is full" in done.stderr
    if limit == 300_000:
        assert finish_soon(folder)["test"] is not None


def test_extreme_values_do_not_stop_a_study(folder: Path) -> None:
    frame = pl.read_csv(folder / "good.csv")
    a, y = frame["a"].to_numpy().copy(), frame["y"].to_numpy().copy()
    a[::37], a[1::41], y[::29] = 1e300, -1e308, 1e60
    frame.with_columns(a=a, y=y).write_csv(folder / "good.csv")
    verdict = finish_soon(folder)
    assert verdict["test"] is not None


def test_the_main_process_never_imports_the_heavy_packages(folder: Path) -> None:
    code = (
        "import sys\n"
        "from justright.cli.main import main\n"
        "main(sys.argv[1:])\n"
        "print([name for name in ('torch', 'sklearn', 'lightgbm') if name in sys.modules])\n"
    )
    for arguments in (["--help"], ["fit", "good.csv", "-t", "q"], ["fit", "--help"], ["studies"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == "[]", arguments


def test_help_is_there_at_once(folder: Path) -> None:
    """Processor time, as the machine may be busy; of three runs the best."""
    code = (
        "import sys, time\n"
        "from justright.cli.main import main\n"
        "main(['--help'])\n"
        "print(time.process_time())\n"
    )
    times = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
        )
        times.append(float(done.stdout.splitlines()[-1]))
    assert min(times) < 0.7
