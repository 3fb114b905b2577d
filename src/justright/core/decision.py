"""Decisions: what was chosen, why, on whose word, and with which measured effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What stands behind a rule or threshold."""

    PUBLISHED = "published"
    MEASURED = "measured"
    ASSUMPTION = "assumption"


@dataclass(frozen=True)
class Decision:
    """One choice of the product.

    Attributes:
        stage: Stage of the study: "data", "split", "recipe", "rate", ...
        choice: What was chosen, in one sentence.
        reason: Why, with the numbers.
        source: Paper and year, a measurement, or "assumption".
        status: What kind of source that is.
        measured: The measured effect, if any: name to figure.
    """

    stage: str
    choice: str
    reason: str
    source: str
    status: Status
    measured: Mapping[str, Any] = field(default_factory=dict)
