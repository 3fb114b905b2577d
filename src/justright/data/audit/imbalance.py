"""Classes that are small, or too small to be learned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from justright.core.finding import Finding, Severity
from justright.data.audit.view import View, listed

SMALL = 0.2
"""A class is small below this share of an even one: 10% of two classes. Assumption."""

TINY = 0.02
"""... and a warning below this: 1% of two classes. Assumption."""

LEARNABLE = 10
"""Rows that a class needs outside the test. Assumption: two in each of five folds."""


def find_imbalance(view: View) -> Iterator[Finding]:
    """Report uneven classes, and classes with too few rows to be learned or judged."""
    if not view.problem.task.is_classification:
        return
    classes = view.problem.task.classes
    y = view.problem.target()[view.splits.rest]
    counts = np.bincount(y, minlength=len(classes))
    shares = counts / len(y)
    smallest = int(np.argmin(shares))
    even = 1.0 / len(classes)
    if shares[smallest] < SMALL * even:
        largest = int(np.argmax(shares))
        yield Finding(
            "imbalance",
            Severity.WARNING if shares[smallest] < TINY * even else Severity.NOTE,
            f"the smallest class {classes[smallest]!r} has {shares[smallest]:.1%} of the rows "
            f"outside the test, the largest {classes[largest]!r} {shares[largest]:.1%}",
            "splits keep the shares; judge by log-loss, AUC or balanced accuracy, not accuracy",
            view.problem.task.targets,
            {"smallest": float(shares[smallest]), "largest": float(shares[largest])},
        )
    rare = [f"{classes[k]} ({counts[k]})" for k in np.argsort(counts) if counts[k] < LEARNABLE]
    if rare:
        yield Finding(
            "rare-classes",
            Severity.WARNING,
            f"{len(rare)} of {len(classes)} classes have fewer than {LEARNABLE} rows outside the "
            f"test: {listed(rare)}",
            "kept; they can hardly be learned: collect more rows or join them with others",
            view.problem.task.targets,
            {"classes": float(len(rare))},
        )
