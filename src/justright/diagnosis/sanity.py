"""Are the checks of `training.sanity` passed: from their figures to verdicts and findings.

The ideas of the checks are published (Karpathy 2019, A Recipe for Training Neural Networks; CS231n
notes), the limits are assumptions where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Any

from justright.core.decision import Status
from justright.core.finding import Finding, Severity

Figures = Mapping[str, Any]

KARPATHY = "Karpathy 2019"

INITIAL_GOOD, INITIAL_BAD = 0.10, 0.25
"""Share by which the loss of an untrained network may lie beside that of the prior without notice,
and from which on something is wrong (CS231n notes, Karpathy 2019; the shares: assumption)."""

CERTAIN = 1e-6
"""Where the prior has so low a loss every target is the same, but for rounding."""

APART = 1e-4
"""An output may move by this share of the spread of outputs, for sums of 32-bit numbers are
rounded differently in another place (assumption; measured on 13 tables: 0)."""

HEART_GOOD, HEART_BAD = 0.01, 0.10
"""Share of the initial loss that is left of rows known by heart, and from which on something is
wrong (idea: Karpathy 2019; the shares: assumption; measured on 13 tables: reached
within 50 steps)."""

INPUTS_SE = 2.0
"""So many standard errors own inputs have to be better than those of other rows (assumption: the
usual two; measured on 13 tables: 3.4 to 102, at most 1.9 where targets are shuffled)."""


class Word(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    UNCLEAR = "cannot tell"
    MISSING = "not checked"


@dataclass(frozen=True)
class Known:
    """What is known of the study beside the checks; None = not known.

    Attributes:
        baseline_learns: Whether a baseline is better than the constant.
        network_learns: Whether the champion is.
    """

    baseline_learns: bool | None = None
    network_learns: bool | None = None


@dataclass(frozen=True)
class Check:
    """One check with its figure, what was expected, and what became of it.

    Attributes:
        name: As in `training.sanity`.
        title: For people.
        figure: What was measured, in words with its numbers; empty where nothing was.
        expected: What is healthy.
        word: Passed, or not.
        source: Where the check comes from.
        status: What stands behind its limits.
        action: What to do; empty if there is nothing to be done.
        numbers: The measured figures by name.
    """

    name: str
    title: str
    figure: str
    expected: str
    word: Word
    source: str
    status: Status = Status.ASSUMPTION
    action: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


def judge(figures: Figures, known: Known | None = None) -> tuple[Check, ...]:
    """Every check in its order; one without figures is "not checked".

    Args:
        figures: What `training.sanity.check_sanity` returned.
        known: What is known beside it.

    >>> [str(check.word) for check in judge({"initial": {"loss": 1.4, "prior": 1.0}})][:2]
    ['failed', 'not checked']
    """
    return tuple(
        _missing(name, figures) or rule(figures[name], known or Known())
        for name, rule in RULES.items()
    )


def findings_of(checks: tuple[Check, ...]) -> tuple[Finding, ...]:
    """A finding for each check that was not passed: critical if it failed."""
    severity = {Word.FAILED: Severity.CRITICAL, Word.WARNING: Severity.WARNING}
    return tuple(
        Finding(
            f"sanity: {check.title}",
            severity[check.word],
            f"sanity check “{check.title}”: {check.figure}; expected: {check.expected}",
            check.action,
            numbers=check.numbers,
        )
        for check in checks
        if check.word in severity
    )


def _missing(name: str, figures: Figures) -> Check | None:
    """A check that was not reached, or had nothing to look at."""
    found = figures.get(name)
    title, expected, source = TEXTS[name]
    if found is None:
        return Check(name, title, "the time was up", expected, Word.MISSING, source)
    if any(found.get(key, ...) is None for key in NEEDED[name]):
        figure = str(found.get("reason") or "a figure is not finite")
        word = Word.FAILED if "diverged" in figure else Word.MISSING
        action = DIVERGED if word is Word.FAILED else ""
        return Check(name, title, figure, expected, word, source, action=action)
    return None


def _initial(found: Figures, known: Known) -> Check:  # noqa: ARG001
    loss, prior = float(found["loss"]), float(found["prior"])
    numbers = {"loss": loss, "prior": prior}
    if prior <= CERTAIN:
        return _check("initial", "every target is the same", Word.UNCLEAR, "", numbers)
    off = abs(loss / prior - 1.0)
    word = Word.PASSED if off <= INITIAL_GOOD else Word.WARNING
    word = Word.FAILED if off > INITIAL_BAD else word
    action = (
        "look at the bias of the head, which has to start at the class shares or at the mean, and "
        "at the scale of the target"
    )
    figure = f"{loss:.4g}, prior {prior:.4g}"
    return _check("initial", figure, word, action, numbers)


def _repeatable(found: Figures, known: Known) -> Check:  # noqa: ARG001
    same = bool(found["same"])
    figure = f"{'the same' if same else 'other'} numbers after {found['steps']} steps"
    action = "look for random numbers that are not drawn from the seed, or for other threads"
    word = Word.PASSED if same else Word.FAILED
    return _check("repeatable", figure, word, action, {"same": float(same)})


def _gradients(found: Figures, known: Known) -> Check:  # noqa: ARG001
    without, tensors = list(found["without"]), int(found["tensors"])
    figure = f"{len(without)} of {tensors} tensors without, {100 * found['share']:.2g}% of weights"
    if without:
        more = f" and {len(without) - 3} more" if len(without) > 3 else ""
        figure += f": {', '.join(without[:3])}{more}"
    action = (
        "look for units that are never active (a bias far below zero), for constant inputs, and "
        "for a rate of zero"
    )
    numbers = {"without": float(len(without)), "share": float(found["share"])}
    word = Word.FAILED if without else Word.PASSED
    return _check("gradients", figure, word, action, numbers)


def _apart(found: Figures, known: Known) -> Check:  # noqa: ARG001
    moved = float(found["moved"])
    figure = f"moves by {moved:.2g} of the spread of outputs"
    action = "look for means or variances over the rows of a batch, or reshapes that mix rows"
    word = Word.PASSED if moved <= APART else Word.FAILED
    return _check("apart", figure, word, action, {"moved": moved})


def _heart(found: Figures, known: Known) -> Check:  # noqa: ARG001
    share, right = float(found["share"]), found.get("accuracy")
    figure = f"{100 * share:.2g}% of the initial loss after {found['steps']} steps"
    numbers = {"share": share, "steps": float(found["steps"])}
    if right is not None:
        figure += f", {100 * right:.3g}% right"
        numbers["accuracy"] = float(right)
    word = Word.PASSED if share <= HEART_GOOD else Word.WARNING
    word = Word.FAILED if share > HEART_BAD else word
    action = "look at the rate, the loss, and whether the gradient reaches every layer"
    return _check("heart", figure, word, action, numbers)


def _inputs(found: Figures, known: Known) -> Check:
    """Equal losses mean that inputs are not used; what that means depends on the others.

    Where no baseline learns either, the inputs may say nothing; where the champion does learn,
    the short runs are too short to see it.
    """
    gain, se = float(found["gain"]), float(found["se"])
    own, other = float(found["own"]), float(found["shuffled"])
    figure = f"{own:.4g}, with shuffled inputs {other:.4g} (difference {gain:.2g} ± {2 * se:.2g})"
    numbers = {"own": own, "shuffled": other, "gain": gain, "se": se}
    if gain > INPUTS_SE * se:
        return _check("inputs", figure, Word.PASSED, "", numbers)
    if known.network_learns:
        figure += "; the champion learns, so these runs were too short to show it"
        return _check("inputs", figure, Word.UNCLEAR, "", numbers)
    if known.baseline_learns is False:
        action = (
            "no baseline is better than the constant either: look for columns that have to do "
            "with the target, and at whether rows and targets belong together"
        )
        return _check("inputs", figure, Word.WARNING, action, numbers)
    action = (
        "look at whether rows and targets belong together, and whether the inputs are constant"
    )
    return _check("inputs", figure, Word.FAILED, action, numbers)


def _check(name: str, figure: str, word: Word, action: str, numbers: Mapping[str, float]) -> Check:
    title, expected, source = TEXTS[name]
    action = "" if word in (Word.PASSED, Word.UNCLEAR) else action
    finite = {key: value for key, value in numbers.items() if isfinite(value)}
    return Check(name, title, figure, expected, word, source, action=action, numbers=finite)


RULES: Mapping[str, Callable[[Figures, Known], Check]] = {
    "initial": _initial,
    "repeatable": _repeatable,
    "gradients": _gradients,
    "apart": _apart,
    "heart": _heart,
    "inputs": _inputs,
}

NEEDED: Mapping[str, tuple[str, ...]] = {
    "initial": ("loss", "prior"),
    "repeatable": (),
    "gradients": (),
    "apart": ("moved",),
    "heart": ("share",),
    "inputs": ("own", "shuffled", "gain", "se"),
}
"""Figures without which a check has nothing to say."""

TEXTS: Mapping[str, tuple[str, str, str]] = {
    "initial": (
        "initial loss",
        f"that of the prior, within {INITIAL_GOOD:.0%}",
        f"CS231n notes; {KARPATHY}",
    ),
    "repeatable": ("repeatable", "bit for bit the same from the same seed", KARPATHY),
    "gradients": (
        "gradients",
        "one for every tensor in 8 batches",
        "CS231n notes; dead units: Lu et al. 2019",
    ),
    "apart": ("rows apart", f"at most {APART:g}, in evaluation mode", KARPATHY),
    "heart": (
        "one batch by heart",
        f"at most {HEART_GOOD:.0%} in 500 steps without regularisation",
        KARPATHY,
    ),
    "inputs": (
        "inputs matter",
        f"a lower loss than with shuffled inputs, by {INPUTS_SE:g} standard errors",
        KARPATHY,
    ),
}
"""Title, what is healthy, and source of each check."""

DIVERGED = "lower the rate: the training diverged within the first steps"
