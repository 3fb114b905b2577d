"""A study: one goal on one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StudyHead:
    """What identifies a study.

    Attributes:
        name: Name of its folder.
        data: Fingerprint of the data file's content.
        goal: Fingerprint of the target, task and options that change results.
        settings: Those options as a document, for people and for `report`.
        created: Unix time.
    """

    name: str
    data: str
    goal: str
    settings: Mapping[str, Any]
    created: float
