"""What an audit or a diagnosis saw, with its numbers and what was done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

COST = "cost"
"""Among a finding's numbers: the share of the loss on unseen rows that it stands for, 0 to 1."""


class Severity(StrEnum):
    """How bad a finding is; the order of the members is worst first."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One observation about the data or a training.

    Attributes:
        code: Stable short name, such as ``"leakage"``.
        severity: How bad it is.
        message: What was seen, in one sentence, with the numbers.
        action: What was done about it, or what the user should do.
        columns: The columns concerned, if any.
        numbers: The measured figures by name.
    """

    code: str
    severity: Severity
    message: str
    action: str
    columns: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


def worst_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Order findings by severity; equal ones keep their order."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))
