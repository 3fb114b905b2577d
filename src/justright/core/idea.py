"""Ideas, their frozen predictions, and the verdicts on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Prediction:
    """What an idea was expected to bring, frozen before its first run.

    Attributes:
        helps: Probability that it helps.
        gain: 10%, 50% and 90% quantiles of the gain if it helps, in units of the metric.
        seconds: Expected cost in core-seconds.
        complexity: Levels of complexity it adds (0 = none).
        said: The probability before outcomes of earlier studies corrected it; None = the same.
    """

    helps: float
    gain: tuple[float, float, float]
    seconds: float
    complexity: int = 0
    said: float | None = None


@dataclass(frozen=True)
class Idea:
    """A named change to the recipe that competes for a slot.

    Attributes:
        title: What it is, for people: "rate × 3".
        slot: What it competes with: "rate", "shape", "length".
        patch: The change as a document: dotted path to new value.
        prediction: Frozen when the plan is written, even if the idea is cut.
        source: Where the idea comes from.
        author: Who wrote it: "catalogue", or a person's name.
        stage: Stage of the study in which it is tried.
    """

    title: str
    slot: str
    patch: Mapping[str, Any]
    prediction: Prediction
    source: str
    author: str
    stage: str = ""


@dataclass(frozen=True)
class Verdict:
    """The end of an idea, or of any comparison.

    Attributes:
        subject: What was compared, for people.
        word: "better", "not better", "cannot tell", or "not run".
        difference: Mean gain, in units of the metric; positive is better.
        low: Lower end of the 95% interval.
        high: Upper end.
        blocks: Number of paired blocks behind it.
        evidence: Further numbers.
    """

    subject: str
    word: str
    difference: float
    low: float
    high: float
    blocks: int
    evidence: Mapping[str, Any] = field(default_factory=dict)


PART = "part of the length"
"""Names, in the evidence of a verdict, the share of their length at which both were trained."""


def length_of(evidence: Mapping[str, Any]) -> str:
    """At which part of their length two trainings were compared; "" if at all of it.

    >>> length_of({PART: 1 / 3}), length_of({PART: 1.0}), length_of({})
    ('1/3 of the length', '', '')
    """
    share = float(evidence.get(PART) or 1.0)
    return "" if share >= 1.0 else f"1/{round(1.0 / share)} of the length"


OWN = "own "
"""So begin the rounds in which the start recipe gets what it asks for: these are not ideas."""


def is_own(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of the fact "rounds" is no idea, but the start recipe in full.

    >>> is_own({"round": "own length"}), is_own({"round": "round 1/members"})
    (True, False)
    """
    return str(entry.get("round")).startswith(OWN)
