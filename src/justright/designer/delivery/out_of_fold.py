"""Predictions of rows by networks that did not learn from them, gathered without training more.

Every finished training of the recipe that is handed over, at its full length, has predicted the
validation rows of its block: the screening folds, those of confirmations, and the repetitions of
small tables. Folds cover every row that is not a test row; random validation sets, windows of time
and one hold-out leave rows that nobody ever held out.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from justright.core.codec import fingerprint, to_document
from justright.core.files import write_whole
from justright.core.trial import Trial, TrialState
from justright.data.split import REPORTED
from justright.deploy.network import Preprocessing
from justright.designer.delivery.repeats import Repeated
from justright.designer.improvement.confirm import SET_ASIDE
from justright.designer.improvement.improve import MOST_ROUNDS
from justright.designer.work.jobs import EncodedBlock
from justright.designer.work.session import Champion, Session
from justright.statistics.temperature import scaled

BLOCKS = (MOST_ROUNDS + 2) * SET_ASIDE
"""Blocks that a study can have trained on: the size search, each round, the whole gain; of a large
table those of the whole gain follow elsewhere."""


@dataclass(frozen=True)
class OutOfFold:
    """Predictions of rows that were held out; n of them, each at least once.

    Attributes:
        rows: Rows of the problem's table, int64 [n], rising.
        mean: Mean prediction over the trainings that held a row out: values [n, T] or
            probabilities [n, classes].
        single: Prediction of one of them, the one that flatters least: what is handed over is
            one network, and a mean of several is less far off.
        trainings: How many they were, int64 [n].
        repeated: Rows whose single prediction is of a training that nothing was chosen by.
    """

    rows: np.ndarray
    mean: np.ndarray
    single: np.ndarray
    trainings: np.ndarray
    repeated: int


@dataclass(frozen=True)
class Held:
    """A training, and the rows of the table that it held out.

    Attributes:
        trial: The training.
        rows: int64 [m].
        rank: 0 for a repetition, 1 for a block that confirmed or measured, 2 for screening.
    """

    trial: Trial
    rows: np.ndarray
    rank: int


def gather(session: Session, champion: Champion, repeated: Repeated | str) -> OutOfFold:
    """Gather what trainings of the champion's recipe said of rows that they held out.

    Args:
        session: The study at work.
        champion: Whose recipe is handed over.
        repeated: Its trainings on fresh repetitions, of which none has chosen anything; or why
            there are none.
    """
    known = sorted(_held(session, champion, repeated), key=lambda held: held.rank)
    predictions = [session.predictions(held.trial) for held in known]
    count = session.blocks.problem.table.rows
    trainings = np.zeros(count, dtype=np.int64)
    total = np.zeros((count, predictions[0].shape[1]))
    single = np.empty_like(total)
    clean = np.zeros(count, dtype=bool)
    for held, prediction in zip(known, predictions, strict=True):
        new = trainings[held.rows] == 0
        single[held.rows[new]] = prediction[new]
        clean[held.rows[new]] = held.rank == 0
        total[held.rows] += prediction
        trainings[held.rows] += 1
    rows = np.flatnonzero(trainings)
    mean = total[rows] / trainings[rows, None]
    return OutOfFold(rows, mean, single[rows], trainings[rows], int(clean.sum()))


def _held(session: Session, champion: Champion, repeated: Repeated | str) -> Iterator[Held]:
    rest = session.blocks.splits.rest
    spec = champion.arm.recipe.preprocessing
    if not isinstance(repeated, str):
        for trial, block in zip(repeated.network, repeated.blocks, strict=True):
            yield Held(trial, rest[block.validation], 0)
    screening = {trial.spec.id for trial in champion.trials}
    first = [session.blocks.planned(number, spec) for number in session.blocks.first]
    for trial, block in zip(champion.trials, first, strict=True):
        yield Held(trial, rest[block.validation], 2)
    others = [t for t in alike(session, champion) if t.spec.id not in screening]
    blocks = _blocks_of(session, champion, {trial.spec.partition for trial in others})
    for trial in sorted(others, key=lambda t: (t.spec.partition, t.spec.seed, t.spec.id)):
        block = blocks.get(trial.spec.partition)
        if block is not None:
            yield Held(trial, rest[block.validation], 1)


def alike(session: Session, champion: Champion) -> Iterable[Trial]:
    """Finished trainings of the champion's very recipe and length, whatever they were for."""
    wanted = fingerprint(to_document(champion.arm.recipe))
    for trial in session.store.trials.list(session.name):
        spec = trial.spec
        if (
            trial.state is TrialState.DONE
            and spec.kind == "network"
            and spec.steps == champion.arm.steps
            and trial.result.get("predictions")
            and fingerprint(dict(spec.recipe)) == wanted
        ):
            yield trial


def _blocks_of(
    session: Session, champion: Champion, partitions: set[str]
) -> Mapping[str, EncodedBlock]:
    """The blocks with these partitions, as far as a study can have met them."""
    found: dict[str, EncodedBlock] = {}
    large = (0, *range(REPORTED, REPORTED + SET_ASIDE))
    for number in large if session.blocks.fixed_holdout else range(BLOCKS):
        if found.keys() >= partitions:
            break
        block = session.blocks.planned(number, champion.arm.recipe.preprocessing)
        found.setdefault(block.partition, block)
    return found


def write_predictions(
    session: Session, found: OutOfFold, document: Mapping[str, Any], temperature: float
) -> None:
    """Write ``oof.parquet``: a row per row of the input, null where nobody held it out.

    Args:
        session: The study at work.
        found: The predictions.
        document: ``preprocessing.json``, which says how labels are written.
        temperature: By which probabilities are scaled, as those of the model are.
    """
    content = io.BytesIO()
    frame_of(session, found, document, temperature).write_parquet(content)
    write_whole(session.folder.out_of_fold, content.getvalue())


def frame_of(
    session: Session, found: OutOfFold, document: Mapping[str, Any], temperature: float
) -> pl.DataFrame:
    """The same as a frame: ``row``, what a model's `predict` returns, and ``trainings``."""
    table, task = session.blocks.problem.table, session.blocks.problem.task
    places = table.origin[found.rows]
    own = places >= 0  # rows of the user's test file are of another file
    values = found.mean
    if task.is_classification:
        values = scaled(values, temperature)
        labels = Preprocessing(document, {}).labels(values[own])
        columns = {task.targets[0]: pl.Series(labels)}
        columns |= {f"p({c})": pl.Series(values[own, k]) for k, c in enumerate(task.classes)}
    else:
        columns = {name: pl.Series(values[own, k]) for k, name in enumerate(task.targets)}
    row, times = (_free(name, columns) for name in ("row", "trainings"))
    known = pl.DataFrame({row: places[own], **columns, times: found.trainings[own]})
    every = pl.DataFrame({row: np.arange(table.source_rows)})
    return every.join(known, on=row, how="left", maintain_order="left").with_columns(
        pl.col(times).fill_null(0)
    )


def _free(name: str, taken: Iterable[str]) -> str:
    """A name that no target has."""
    while name in set(taken):
        name += "_"
    return name
