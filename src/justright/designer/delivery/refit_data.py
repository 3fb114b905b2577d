"""What a study leaves to whoever trains its recipe again, and the rows to train it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from justright.core.codec import from_document
from justright.core.column import Schema
from justright.core.errors import DataError, ModelError
from justright.core.seeds import child_seed
from justright.core.task import Task
from justright.data.draws import last_rows, sample_groups, sample_rows
from justright.data.ingest import read_table
from justright.data.marks import row_marks
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem
from justright.data.split import TEST_MOST, TEST_SHARE
from justright.data.table import Table
from justright.deploy.network import read_json
from justright.designer.request.folder import StudyFolder
from justright.model.columns import check_columns, read_columns
from justright.model.folder import check_model
from justright.recipe.recipe import Recipe
from justright.statistics.intervals import Sample
from justright.store.base import AbstractStore

FEWEST_NEW = 20
"""Rows that the study did not learn from, below which nothing is compared (assumption: a fifth of
fewer says nothing)."""


@dataclass(frozen=True)
class Known:
    """What is known of a study that ended.

    Attributes:
        name: Of the study.
        recipe: What was chosen.
        subject: What the recipe is called.
        steps_a_row: Steps of its schedule, and steps taken, over the rows it learned from.
        task: What is predicted.
        document: ``preprocessing.json`` of its model.
        options: What the user said of its table.
        learned: Marks of the rows that it learned from, rising.
        delta: Smallest difference that matters.
        versions: Package to version.
        networks: Seeds of the recipe that the model averages.
    """

    name: str
    recipe: Recipe
    subject: str
    steps_a_row: tuple[float, float]
    task: Task
    document: Mapping[str, Any]
    options: DataOptions
    learned: np.ndarray
    delta: float
    versions: Mapping[str, str]
    networks: int = 1

    @property
    def temperature(self) -> float:
        """What the model's logits are divided by."""
        return float(self.document["target"].get("temperature", 1.0))


@dataclass(frozen=True)
class NewRows:
    """Other rows of a study's task, and which of them are held out.

    Attributes:
        problem: The rows, framed as the study's were.
        train: Rows to learn from, int64 [n], rising.
        held: Rows that neither model learns from, int64 [m], rising.
    """

    problem: Problem
    train: np.ndarray
    held: np.ndarray

    @property
    def sample(self) -> Sample:
        """The rows held out, with what their statistics need."""
        problem, held = self.problem, self.held
        ties = (problem.weights(), problem.groups(), problem.times())
        return Sample(problem.target()[held], *(None if t is None else t[held] for t in ties))


def known_of(folder: StudyFolder, store: AbstractStore) -> Known:
    """Read what a study left.

    Raises:
        ModelError: If it did not come to its end.
    """
    name, ledger = folder.root.name, store.ledger
    head, network = store.studies.head(name), ledger.fact(name, "network")
    if head is None or network is None or not folder.learned.exists():
        raise ModelError(
            f"the study {name!r} did not come to its end",
            hint="call fit again with the same arguments; it goes on from where it stopped",
        )
    check_model(folder.model)
    steps = int(network["steps"])
    planned = int(network.get("planned", steps))
    document = read_json(folder.model / "preprocessing.json")
    settings = {field.name: head.settings[field.name] for field in fields(DataOptions)}
    measured = (decision.measured for decision in ledger.decisions(name))
    deltas = [each["delta"] for each in measured if "delta" in each]
    return Known(
        name=name,
        recipe=from_document(Recipe, network["recipe"]),
        subject=str(network["subject"]),
        networks=int(network.get("networks", 1)),
        steps_a_row=(planned / network["rows"], steps / network["rows"]),
        task=from_document(Task, read_json(folder.model / "recipe.json")["task"]),
        document=document,
        options=from_document(DataOptions, settings),
        learned=np.load(folder.learned),
        delta=float(deltas[-1]) if deltas else 0.0,
        versions=ledger.fact(name, "versions") or {},
    )


def read_new_rows(known: Known, data: Any) -> NewRows:
    """Frame other rows as the study's were, and hold a fifth of the unknown ones out.

    Raises:
        InputError: If the data cannot be used, or hold too few rows that the study did not learn
            from.
    """
    problem = _framed(known, read_table(data))
    columns = read_columns(problem.table.frame, known.document)
    marks = row_marks(columns, problem.target())
    unknown = ~np.isin(marks, known.learned)
    if unknown.sum() < FEWEST_NEW:
        raise DataError(
            f"{int(unknown.sum()):,} of {problem.table.rows:,} rows are unknown to the study "
            f"{known.name!r}",
            hint=f"at least {FEWEST_NEW} are needed to compare the models",
        )
    drawn = _drawn(problem, np.flatnonzero(unknown))
    held = np.isin(marks, marks[drawn])  # copies of a row that is held out are held out, too
    return NewRows(problem, np.flatnonzero(~held), np.flatnonzero(held))


def _framed(known: Known, table: Table) -> Problem:
    """The problem as the study had it: the same columns, kinds, task and metric."""
    check_columns(list(table.columns), known.document)
    kinds = {str(d["name"]): str(d["kind"]) for d in known.document["columns"]}
    task = "classification" if known.task.is_classification else "regression"
    options = replace(
        known.options,
        kinds=kinds,
        test=None,
        task=task if len(known.task.targets) == 1 else None,
        drop=tuple(name for name in known.options.drop if name in table.columns),
    )
    problem = make_problem(table, options)
    columns = tuple(replace(c, used=c.name in kinds) for c in problem.schema.columns)
    return replace(problem, task=known.task, schema=Schema(columns))


def _drawn(problem: Problem, rows: np.ndarray) -> np.ndarray:
    """A fifth of some rows: the last in time, whole groups, or at random."""
    wanted = min(max(round(TEST_SHARE * len(rows)), 1), TEST_MOST)
    rng = np.random.default_rng(child_seed(problem.options.seed, "refit"))
    times, groups = problem.times(), problem.groups()
    if times is not None:
        return rows[last_rows(times[rows], wanted)]
    classes = problem.target()[rows] if problem.task.is_classification else None
    if groups is not None:
        whole = rows[~np.isin(groups[rows], np.delete(groups, rows))]  # no row of it is known
        if not len(whole):
            raise DataError(
                f"no value of {problem.options.group!r} is unknown to the study",
                hint="the models are compared on new groups",
            )
        some = None if classes is None else problem.target()[whole]
        return whole[sample_groups(groups[whole], some, wanted, rng)]
    return sample_rows(rows, classes, wanted, rng)
