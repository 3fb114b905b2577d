"""Facts of a study as documents, in the form that the views read."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from justright.baselines.registry import baseline_named
from justright.core.codec import fingerprint, to_document
from justright.data.problem import Problem
from justright.data.split import Splits
from justright.designer.work.rivals import Rival
from justright.designer.work.session import Arm, Champion
from justright.recipe.network import Inputs, NetworkSpec, parameter_count
from justright.statistics.metrics import metric_named


def table_fact(problem: Problem, source: str) -> dict[str, Any]:
    """What the table is and what is predicted."""
    metric = metric_named(problem.metric)
    return {
        "name": problem.table.name,
        "source": source,
        "rows": problem.table.rows,
        "columns": len(problem.schema.inputs),
        "target": list(problem.task.targets),
        "task": problem.task.kind.value,
        "reason": problem.task.reason,
        "classes": list(problem.task.classes),
        "metric": metric.name,
        "metric_title": metric.title,
        "greater_is_better": metric.greater_is_better,
        "fingerprint": problem.table.fingerprint,
    }


def schema_fact(problem: Problem) -> dict[str, Any]:
    """Every column with what was decided about it."""
    return {"columns": [to_document(column) for column in problem.schema.columns]}


def splits_fact(splits: Splits, train: int, validation: int) -> dict[str, Any]:
    """How the rows are divided."""
    return {
        "kind": splits.kind,
        "reason": splits.reason,
        "train": train,
        "validation": validation,
        "test": len(splits.test),
    }


def baselines_fact(rivals: Mapping[str, Rival]) -> list[dict[str, Any]]:
    """Each baseline on the validation rows of the screening blocks, averaged over them."""
    return [
        {
            "name": rival.name,
            "title": baseline_named(rival.name).title,
            "validation": rival.scores,
            "blocks": len(rival.trials),
            "seconds": rival.seconds,
            "notes": list(rival.notes),
            "state": rival.state.value,
            "reason": rival.reason,
        }
        for rival in rivals.values()
    ]


def champion_fact(champion: Champion, at_s: float) -> dict[str, Any]:
    """The champion and its validation scores, averaged over the screening blocks.

    A block whose targets do not bear a metric (a logarithm, below zero) has no score by it.
    """
    each = [trial.result["scores"] for trial in champion.trials]
    names = [name for name in each[0] if all(name in scores for scores in each)]
    means = {name: float(np.mean([scores[name] for scores in each])) for name in names}
    return {
        "subject": champion.arm.subject,
        "recipe": to_document(champion.arm.recipe),
        "steps": champion.arm.steps,
        "validation": means,
        "loss": champion.loss,
        "weights": champion.trials[0].result["weights"],
        "seconds": champion.trials[0].result["seconds"],
        "at_s": at_s,
    }


def network_fact(
    arm: Arm, inputs: Inputs, *, steps: int, epochs: float, size: int, networks: int = 1
) -> dict[str, Any]:
    """The network that is handed over, or the networks of an ensemble together."""
    spec = NetworkSpec(arm.recipe.shape, inputs)
    several = {"networks": networks} if networks > 1 else {}
    return several | {
        "subject": arm.subject,
        "shape": to_document(arm.recipe.shape),
        "parameters": networks * parameter_count(spec),
        "bytes": size,
        "steps": steps,
        "planned": arm.steps,
        "epochs": epochs,
        "recipe": to_document(arm.recipe),
        "recipe_fingerprint": fingerprint(arm.recipe),
    }


def versions_fact() -> dict[str, str]:
    """What the study was made with."""
    found = {"python": platform.python_version(), "machine": platform.platform()}
    for package in ("justright", "torch", "numpy", "polars", "scikit-learn", "lightgbm"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
