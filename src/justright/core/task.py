"""What is to be predicted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TaskKind(StrEnum):
    """The kinds of prediction."""

    REGRESSION = "regression"
    MULTI_REGRESSION = "multi-output regression"
    BINARY = "binary classification"
    MULTICLASS = "multi-class classification"


@dataclass(frozen=True)
class Task:
    """One or more target columns and how to read them.

    Attributes:
        kind: Regression or classification, and of which kind.
        targets: Names of the target columns; one unless the kind is multi-output regression.
        classes: Class labels as text, in the order of the network's outputs; empty for
            regression. For two classes the second is the positive one.
        label_type: How predicted labels are written back: "text", "integer" or "boolean".
        reason: Why this kind was chosen.
    """

    kind: TaskKind
    targets: tuple[str, ...]
    classes: tuple[str, ...] = ()
    label_type: str = "text"
    reason: str = ""

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class."""
        return self.kind in (TaskKind.BINARY, TaskKind.MULTICLASS)

    @property
    def outputs(self) -> int:
        """How many numbers the network gives for a row: one logit for two classes."""
        if self.kind is TaskKind.BINARY:
            return 1
        return len(self.classes) if self.is_classification else len(self.targets)
