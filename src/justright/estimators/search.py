"""The searching effort: a whole study, of which the model is kept."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from justright.api import fit
from justright.data.problem import Problem
from justright.estimators.fixed import Trained
from justright.estimators.framing import kinds_said
from justright.model.held import HeldModel


def search(
    problem: Problem, time: float | str | None, studies: str | Path | None, seed: int
) -> Trained:
    """Lead a study of the problem to its end.

    Args:
        problem: Rows and targets.
        time: Hard limit, as `justright.fit` takes it.
        studies: Folder in which the study is kept, named after the rows; None = a temporary one.
        seed: Root of all randomness.

    Raises:
        InputError: If the rows cannot be used.
        StudyStopped: On Ctrl-C.
    """
    if studies is None:
        with TemporaryDirectory(prefix="justright-") as place:
            return _search(problem, time, Path(place), seed)
    return _search(problem, time, Path(studies), seed)


def _search(problem: Problem, time: float | str | None, studies: Path, seed: int) -> Trained:
    study = fit(
        problem.table.frame,
        problem.task.targets,
        time=time,
        task="classification" if problem.task.is_classification else "regression",
        kinds=kinds_said(problem),
        seed=seed,
        studies=studies,
        name=f"estimator-{problem.table.fingerprint}-{seed}",
    )
    steps = int(study.verdict["network"]["steps"])
    return Trained(HeldModel.of(study.model.folder), steps, steps)
