"""Fitting one method on one table in processes of its own, within a limit, resumably."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ablation
from before_after import predicted
from field_cases import Case, write_case
from field_envs import python_of
from justright.statistics.metrics import metric_named

STARTUP_S = 30.0
"""Seconds beyond the cap that a process has for its imports and for reading the table."""

LATE_S = 10.0
"""A fit that took longer than its cap by more than this did not finish."""

PREDICT_S = 300.0
"""Seconds for predicting and saving."""

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")

_OURS = """
import json, sys, time
import polars as pl
from justright.api import load
model, rows = load(sys.argv[1]), pl.read_parquet(sys.argv[2])
model.predict(rows.head(1))  # imports PyTorch
began = time.perf_counter()
found = model.predict(rows)
seconds = time.perf_counter() - began
found.write_parquet(sys.argv[3])
print(json.dumps({"predict_s": seconds}))
"""

START = "start recipe"
"""Name of a study of 60 s without searches."""


@dataclass(frozen=True)
class Peer:
    """Another method.

    Attributes:
        name: Of its script, ``peers/fit_NAME.py``.
        family: Whose environment it runs in.
        group: ``"boosting"``, ``"network"``, ``"many networks in one"`` or ``"ensemble"``.
    """

    name: str
    family: str
    group: str


PEERS: Mapping[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("histgb", "boosting", "boosting"),
        Peer("lightgbm", "boosting", "boosting"),
        Peer("sklearn_mlp", "boosting", "network"),
        Peer("realmlp", "pytabkit", "network"),
        Peer("fastai", "fastai", "network"),
        Peer("tabm", "pytabkit", "many networks in one"),
        Peer("autogluon", "autogluon", "ensemble"),
    )
}
"""In the order in which they run: cheap ones first."""


@dataclass(frozen=True)
class Limits:
    """What a method may use.

    Attributes:
        cap_s: Seconds of a peer's fit.
        seed: Of the method.
        threads: Most threads (workers, for this package).
    """

    cap_s: float
    seed: int
    threads: int


def environment(threads: int, work: Path, path: str = "") -> dict[str, str]:
    """Variables of a method's process; its temporary files go with its folder."""
    found = os.environ | dict.fromkeys(_THREADS, str(threads)) | {"PYTHONPATH": path}
    found["TMPDIR"] = str(work)
    found.pop("VIRTUAL_ENV", None)
    return found


def result_of(out: Path, table: str, method: str) -> dict[str, Any] | None:
    """What is known of a method on a table, or None."""
    path = out / table / f"{method}.json"
    return json.loads(path.read_text()) if path.exists() else None


def fit_peer(peer: Peer, case: Case, envs: Path, out: Path, limits: Limits) -> dict[str, Any]:
    """Fit a peer, keep its predictions of the test rows, and return its figures."""
    cases, work = out / "cases" / case.name, out / "work" / case.name / peer.name
    if not (cases / "about.json").exists():
        write_case(case, cases)
    python = python_of(envs, peer.family)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    script = Path(__file__).parent / "peers" / f"fit_{peer.name}.py"
    words = [
        str(python), str(script), str(cases), str(work), "--cap", str(limits.cap_s),
        "--seed", str(limits.seed), "--threads", str(limits.threads),
    ]  # fmt: skip
    ends = {work / "fitted.json": limits.cap_s + STARTUP_S, work / "figures.json": PREDICT_S}
    found = guarded(words, environment(limits.threads, work), work, ends)
    if (work / "fitted.json").exists():
        found |= json.loads((work / "fitted.json").read_text())
    if found["state"] == "done":
        found |= json.loads((work / "figures.json").read_text())
        prediction = np.load(work / "prediction.npy")
        found |= accepted(prediction, case, found["fit_s"] - limits.cap_s)
        _keep(out, case, peer.name, prediction)
    for each in work.iterdir():  # models and temporary files
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)
    return _written(out, case, peer.name, found, limits)


def accepted(prediction: np.ndarray, case: Case, late_s: float) -> dict[str, Any]:
    """State of a fit that came to an end: whether its predictions can be scored, and in time."""
    task, rows = case.problem.task, len(case.splits.test)
    wanted = (rows, len(task.classes) if task.is_classification else len(task.targets))
    if prediction.shape != wanted or not np.isfinite(prediction).all():
        return {"state": "failed", "error": f"predictions {prediction.shape}, wanted {wanted}"}
    if late_s > LATE_S:
        return {"state": "did not finish", "error": f"{late_s:.0f} s over the cap"}
    return {"state": "done"}


def fit_ours(name: str, case: Case, checkout: Path, out: Path, limits: Limits) -> dict[str, Any]:
    """Run a study of this package, and check that it was judged on the same test rows.

    The method's name is `START`, which leaves the searches out, or tells the limit.

    Raises:
        RuntimeError: If its own test score is not that of its predictions of our test rows.
    """
    work = out / "work" / case.name / name.replace(" ", "-")
    command = ["-m", "justright.cli.main"]
    if name == START:
        command = [str(Path(ablation.__file__)), "--so", "added", ablation.QUICK]
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    targets = [word for target in case.targets for word in ("--target", target)]
    words = [
        sys.executable, *command, "fit", str(case.path), *targets, "--quiet",
        "--time", f"{limits.cap_s:.0f}s", "--workers", str(limits.threads),
        "--seed", str(case.seed), "--name", case.name, "--studies", str(work / "studies"),
    ]  # fmt: skip
    variables = environment(limits.threads, work, str(checkout / "src"))
    study = work / "studies" / case.name
    ends = {study / "verdict.json": limits.cap_s + STARTUP_S, study / "never": STARTUP_S}
    found = guarded(words, variables, work, ends)
    if found["state"] == "done":
        rows, answers = work / "rows.parquet", work / "answers.parquet"
        case.problem.table.frame[case.splits.test].write_parquet(rows)
        model = study / "model"
        said = subprocess.run(
            [sys.executable, "-c", _OURS, str(model), str(rows), str(answers)],
            env=variables, capture_output=True, text=True, check=True,
        )  # fmt: skip
        verdict = json.loads((study / "verdict.json").read_text())
        prediction = predicted(case.problem, answers, np.arange(len(case.splits.test)))
        check_same_rows(case, prediction, verdict)
        found |= json.loads(said.stdout) | {
            "fit_s": found["seconds"],
            "usable_after_s": verdict["network"]["usable_after_s"],
            "shape": verdict["network"]["shape"],
            "comparisons": verdict["comparisons"],
            "bytes": sum(each.stat().st_size for each in model.iterdir()),
        }
        _keep(out, case, name, prediction)
    return _written(out, case, name, found, limits)


def check_same_rows(case: Case, prediction: np.ndarray, verdict: Mapping[str, Any]) -> None:
    """Refuse a study that was scored on other rows, or by another metric, than the peers.

    Raises:
        RuntimeError: If it was.
    """
    metric, sample = metric_named(case.problem.metric), case.sample()
    own, said = metric(sample.y, prediction, sample.weights), verdict["test"]["score"]
    if verdict["metric"]["name"] != metric.name or abs(own - said) > 1e-3 * abs(own) + 1e-9:
        raise RuntimeError(
            f"{case.name}: {metric.name} {own:.6g} on these test rows, but the study says"
            f" {verdict['metric']['name']} {said:.6g}"
        )


def guarded(
    words: list[str], variables: dict[str, str], work: Path, ends: Mapping[Path, float]
) -> dict[str, Any]:
    """Run a command; kill it with all its children where it is late.

    Args:
        words: The command.
        variables: Its environment.
        work: Folder for what it prints.
        ends: Files that it writes one after the other, each with the seconds it has for it.

    Returns:
        ``state`` ("done", "did not finish" or "failed"), ``error``, wall ``seconds`` and
        ``all_processor_s`` of it and its children.
    """
    used, began = _children_s(), time.monotonic()
    stages = list(ends.items())
    late = False
    with (work / "printed.txt").open("w") as printed:
        process = subprocess.Popen(
            words, env=variables, cwd=work, stdout=printed, stderr=printed, process_group=0
        )
        try:
            since = began
            while process.poll() is None and not late:
                time.sleep(0.05)
                while stages and stages[0][0].exists():
                    stages.pop(0)
                    since = time.monotonic()
                late = bool(stages) and time.monotonic() - since > stages[0][1]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    found = {"seconds": time.monotonic() - began, "all_processor_s": _children_s() - used}
    if late:
        return found | {"state": "did not finish", "error": "killed"}
    if process.returncode:
        lines = (work / "printed.txt").read_text(errors="replace").strip().splitlines()
        return found | {"state": "failed", "error": " / ".join(lines[-2:])[-500:]}
    return found | {"state": "done", "error": ""}


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _keep(out: Path, case: Case, method: str, prediction: np.ndarray) -> None:
    path = out / case.name / f"{method}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, prediction=prediction, rows=case.splits.test)


def _written(
    out: Path, case: Case, method: str, found: dict[str, Any], limits: Limits
) -> dict[str, Any]:
    found |= {"table": case.name, "method": method, "cap_s": limits.cap_s}
    found |= {"seed": limits.seed, "threads": limits.threads}
    path = out / case.name / f"{method}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(found, indent=2)
    )  # after the predictions: it says that all is there
    return found
