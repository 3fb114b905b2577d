"""The Python interface: `fit`, `load`, `Study`."""

from __future__ import annotations

import json
import time as clock
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from justright.core.errors import ModelError
from justright.core.files import write_whole
from justright.core.interrupts import ended_by_signals
from justright.core.progress import Listener
from justright.data.options import DataOptions
from justright.designer.delivery.refit import Refit, refit_study
from justright.designer.fit import StudyInterrupted, fit_study
from justright.designer.request.folder import StudyFolder
from justright.designer.request.options import FitOptions, parse_time, read_metric, read_wishes
from justright.model.predictor import Model
from justright.report.write import write_report
from justright.store.opening import open_store
from justright.views.notebook import study_html
from justright.views.verdict import verdict_document, verdict_lines


class StudyStopped(KeyboardInterrupt):
    """Ctrl-C ended a study early; what was finished is saved and reported.

    Attributes:
        folder: The folder of the study.
    """

    def __init__(self, folder: StudyFolder) -> None:
        self.folder = folder
        super().__init__(_stop_line(folder))


class Study:
    """A finished study: its model, its verdict and its report.

    >>> study = fit(frame, target="price", time="5m")      # doctest: +SKIP
    >>> study.model.predict(frame)                         # doctest: +SKIP
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = StudyFolder(Path(folder))

    @property
    def name(self) -> str:
        """Name of the study."""
        return self._folder.root.name

    @property
    def model(self) -> Model:
        """The model that was chosen, ready to predict."""
        return Model.load(self._folder.model)

    @property
    def oof(self) -> pl.DataFrame:
        """Out-of-fold predictions: of each row by networks that did not learn from it.

        One row per row of the input: ``row``, its number from 0; what `Model.predict` returns,
        the mean over the trainings that held the row out, null where none did (test rows, too);
        and ``trainings``, how many they were.

        Raises:
            ModelError: If the study did not come to its end.
        """
        path = self._folder.out_of_fold
        if not path.exists():
            raise ModelError(
                f"the study {self.name!r} has no out-of-fold predictions: it did not end",
                hint="call fit again with the same arguments; it goes on from where it stopped",
            )
        return pl.read_parquet(path)

    def refit(self, data: Any, *, time: float | str | None = None) -> Refit:
        """Train the chosen recipe, at its size and length in epochs, on other data: no search.

        The new model lies beside the old one, in ``model-refit-1`` and so on. A fifth of the rows
        that the study did not learn from is held out of it; there the two are compared.

        Args:
            data: The rows to learn from, old or new, in any form that `fit` takes, with the
                columns that the model needs.
            time: Seconds, or text such as ``"5m"``; None = at most ten minutes.

        Raises:
            InputError: If the data cannot be used, or the study did not come to its end.
            JustRightError: If the training did not end in the time.
        """
        limit_s = parse_time(time)
        with open_store(self._folder.root.parent) as store:
            return refit_study(self._folder, store, data, limit_s)

    @property
    def report(self) -> Path:
        """Path of the offline report."""
        return self._folder.report

    @property
    def verdict(self) -> dict[str, Any]:
        """What ``verdict.json`` holds: scores with intervals, words, seconds, paths."""
        with open_store(self._folder.root.parent) as store:
            return verdict_document(store, self.name)

    def __str__(self) -> str:
        """The closing lines of the screen."""
        with open_store(self._folder.root.parent) as store:
            return "\n".join(verdict_lines(store, self.name))

    def __repr__(self) -> str:
        return f"Study({str(self._folder.root)!r})"

    def _repr_html_(self) -> str:
        with open_store(self._folder.root.parent) as store:
            return study_html(store, self.name)


def fit(
    data: Any,
    target: str | Sequence[str],
    *,
    time: float | str | None = None,
    task: str | None = None,
    kinds: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    weight: str | None = None,
    group: str | None = None,
    time_column: str | None = None,
    test: str | Path | None = None,
    metric: str | Callable[..., float] | None = None,
    metric_direction: str | None = None,
    seed: int = 0,
    studies: str | Path = "studies",
    name: str | None = None,
    workers: int | None = None,
    work: str | Path | None = None,
    max_params: int | None = None,
    max_memory: int | str | None = None,
    max_latency: float | str | None = None,
    prefer: str = "small",
    tolerance: float | None = None,
    only: str | None = None,
    ensemble: int = 1,
    examples: bool = True,
    listener: Listener | None = None,
) -> Study:
    """Design a network for a table, within a hard time limit.

    Args:
        data: Path of a CSV, TSV, Parquet, Arrow or JSON-lines file; or a polars or pandas frame, a
            NumPy array, or a mapping of columns.
        target: Column to predict, or several for multi-output regression.
        time: Seconds, or text such as ``"5m"``; None = at most ten minutes.
        task: "regression", "binary" or "multiclass", where the inferred one is wrong.
        kinds: Column to kind, where the inferred one is wrong.
        drop: Columns to leave out.
        weight: Column with a weight of each row.
        group: Column whose equal values stay together in every split.
        time_column: Column that orders the rows in time.
        test: File with the test rows; None = 20% of the rows.
        metric: Metric to decide on: a name, or a function of (truth, prediction) or (truth,
            prediction, weights) that returns a number, defined at the top of a module. Truth and
            prediction are arrays: of one number [rows], of several [rows, targets]; of classes
            their places in order [rows], and probabilities [rows, classes].
        metric_direction: "higher" or "lower": which values of such a function are better.
        seed: Root of all random numbers.
        studies: Folder of the studies.
        name: Name of the study; None = the file's name.
        workers: Worker processes; None = one per core.
        work: A ``work.json`` to repeat exactly.
        max_params: Most weights of the network.
        max_memory: Most memory for them: bytes, or text such as "200kB".
        max_latency: Most time in which the network answers for one row, on one core of this
            machine and without encoding: seconds, or text such as "500us".
        prefer: Of equally good sizes the lightest ("small"), or the best mean ("accuracy").
        tolerance: Difference of the deciding metric up to which nothing matters; at least 1% of
            the way from the constant to the best baseline.
        only: "size" ends with the size search; the test set stays closed.
        ensemble: Networks of different seeds that are handed over as one model, which answers
            with the mean of their predictions; 1 = one network.
        examples: Whether report and model card may show values of the data's cells.
        listener: Called with a `Snapshot` of the progress, several times a second.

    Raises:
        InputError: If something handed in cannot be used; nothing was changed.
    """
    options = FitOptions(
        data=DataOptions(
            target=(target,) if isinstance(target, str) else tuple(target),
            task=task,
            kinds=dict(kinds or {}),
            drop=tuple(drop),
            weight=weight,
            group=group,
            time_column=time_column,
            test=None if test is None else str(test),
            metric=read_metric(metric, metric_direction),
            seed=seed,
        ),
        limit_s=parse_time(time),
        studies=Path(studies).expanduser(),
        name=name,
        workers=workers,
        work=None if work is None else Path(work),
        examples=examples,
        size=read_wishes(max_params, max_memory, max_latency, prefer),
        tolerance=tolerance,
        only=only,
        ensemble=ensemble,
        command=f"justright.fit(..., target={target!r}, time={time!r}, seed={seed})",
    )
    return Study(design(data, options, started=clock.time(), listener=listener).root)


@ended_by_signals(("SIGINT",))  # the command line answers to more
def design(
    source: Any, options: FitOptions, *, started: float, listener: Listener | None = None
) -> StudyFolder:
    """Lead a study to its end and write what people read: the report and ``verdict.json``.

    Args:
        source: Path of a data file, or a frame.
        options: What the user asked.
        started: Unix time from which the limit counts.
        listener: Told about the progress.

    Raises:
        InputError: If something handed in cannot be used; nothing was changed.
        StudyStopped: On Ctrl-C, after what was finished has been saved and reported.
    """
    stopped = False
    try:
        folder = fit_study(source, options, started=started, listener=listener)
    except StudyInterrupted as stop:
        folder, stopped = stop.folder, True
    try:
        _write_results(folder, options, started)
    except KeyboardInterrupt:
        if stopped:  # a second Ctrl-C leaves at once
            raise
        _write_results(folder, options, started)
        stopped = True
    if stopped:
        raise StudyStopped(folder)
    return folder


def _stop_line(folder: StudyFolder) -> str:
    if not folder.model.exists():
        return "stopped before there was a network; the same command goes on from here"
    return (
        f"stopped; the best network so far is in {folder.model}, the report is {folder.report}; "
        "the same command goes on from here"
    )


def _write_results(folder: StudyFolder, options: FitOptions, started: float) -> None:
    """Write the report and ``verdict.json`` from the store."""
    with open_store(options.studies) as store:
        name = folder.root.name
        write_report(store, name, folder.report, examples=options.examples)
        used = (store.ledger.fact(name, "clock") or {}) | {"used_s": clock.time() - started}
        store.ledger.put(name, "clock", used)
        verdict = json.dumps(verdict_document(store, name), indent=2, allow_nan=False)
    write_whole(folder.verdict, verdict)


def load(folder: str | Path) -> Model:
    """Load a model folder.

    Args:
        folder: ``studies/NAME/model``, wherever it was copied to.

    Raises:
        ModelError: If it is missing, damaged or of a newer format.
    """
    return Model.load(folder)
