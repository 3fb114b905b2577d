"""In which state a training is: from stored curves alone, so also for runs from elsewhere.

The states are those of one decision: repair it, train longer, make it larger, fight overfitting,
or leave it (Karpathy 2019; Goodfellow et al. 2016, chapter 11). All limits are differences of
losses, beyond the noise and beyond what matters, so that a constant which is added to every loss
(noise in the target that nobody can predict) changes no state. A gap between training and
validation loss alone is not overfitting: 91% of tuned networks for tables have one and are still
the best there is (measured on published tables of results). A loss may rise within a cycle of the
rate, so a rise counts at the end only, where cycles end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite

from justright.diagnosis.curves import Curves, Effect, Facts, Yardstick, read_runs
from justright.statistics.overfitting import SURE_SE

NOTHING, LITTLE = 0.02, 0.5
"""A network that on validation rows has not come the first share of the way from the constant to
the best baseline, and on its training rows not the second, has learned nothing. Measured on 28
tables (benchmarks/states.py), the second chosen on thirteen: without learning 0.00, and up to 0.28
on the training rows, whose constant is another one (0.33 on the fifteen others); start recipes
0.98 at least on theirs."""


class State(StrEnum):
    """What a training suffers from, or does not."""

    BROKEN = "broken"
    UNDERFITTING = "underfitting"
    COMPUTE_BOUND = "compute-bound"
    ABLE = "able to overfit"
    OVERFITTING = "overfitting"
    JUST_RIGHT = "just right"
    NOISE_LIMITED = "noise-limited"
    UNKNOWN = "cannot tell"


ACTIONS: Mapping[State, str] = {
    State.BROKEN: "repair it before anything is tuned: the sanity checks say where to look",
    State.UNDERFITTING: "try a larger network, then better inputs (embeddings, further columns)",
    State.COMPUTE_BOUND: "train longer",
    State.ABLE: "it is large and trained long enough: try regularisers, then smaller sizes",
    State.OVERFITTING: "more rows, augmentation, another architecture, regularisers, a smaller "
    "network, in this order",
    State.JUST_RIGHT: "leave it",
    State.NOISE_LIMITED: "what is left is noise: better columns help, a better network does not",
    State.UNKNOWN: "measure twice the size, twice the length, and a regulariser on further blocks",
}
"""What to do in each state (order against overfitting: Howard & Gugger 2020, chapter 15)."""


@dataclass(frozen=True)
class Diagnosis:
    """The state of a training.

    Attributes:
        state: The word.
        reason: Why, in one sentence with the numbers.
        numbers: The figures behind it by name.
        action: What to do.
    """

    state: State
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    action: str = ""


def diagnose(runs: Sequence[Curves], yard: Yardstick) -> Diagnosis:
    """The state of a training, judged on one or several runs of it.

    Args:
        runs: One run for each block; their order does not matter.
        yard: What their losses are compared with.

    Returns:
        "cannot tell" where curves are too short, not finite, or show no state.

    >>> falls = Curves((1, 2, 4, 8), (0.9, 0.7, 0.5, 0.3), (0.9, 0.7, 0.5, 0.35))
    >>> diagnose([falls], Yardstick(1.0, 0.2, delta=0.01, noise=0.005)).state.value
    'compute-bound'
    """
    read = read_runs(runs)
    if isinstance(read, str):
        return _said(State.UNKNOWN, read, {})
    if not isfinite(yard.constant):
        return _said(State.UNKNOWN, "the loss of the constant is not known", {})
    facts = Facts(read, yard)
    if facts.se is None:
        reason = "one run does not show its noise, which none is known of"
        return _said(State.UNKNOWN, reason, facts.numbers)
    rules = (
        _broken,
        _noise_limited,
        _overfitting,
        _compute_bound,
        _underfitting,
        _able,
    )
    for rule in rules:
        if found := rule(facts, yard):
            return _said(*found, facts.numbers)
    return _said(State.UNKNOWN, _unclear(facts, yard), facts.numbers)


Found = tuple[State, str] | None


def _broken(facts: Facts, yard: Yardstick) -> Found:
    """A baseline beats the constant, and the network does not, nor does it know its own rows."""
    nothing, little = (yard.constant - share * facts.reach for share in (NOTHING, LITTLE))
    if not facts.reach > facts.beyond or facts.end < nothing or facts.train < little:
        return None
    told = f"a baseline comes from {yard.constant:.4g} (constant) to {yard.baseline:.4g}"
    if facts.read.train.mean(axis=0).min() < little:
        return State.BROKEN, (
            f"{told}, and the training diverged: its training loss was lower before, and ends at "
            f"{facts.train:.4g}"
        )
    return State.BROKEN, (
        f"{told}; the network ends at "
        f"{facts.end:.4g}, and on its training rows at {facts.train:.4g}"
    )


def _noise_limited(facts: Facts, yard: Yardstick) -> Found:
    """Nobody is better than the constant, or the network as good as is known to be possible.

    Within one standard error (as in the rule of Breiman et al. 1984) or what matters: that a gain
    is not beyond its noise does not say that there is none.
    """
    tolerance = max(yard.delta, facts.se or 0.0)
    lowest = min(facts.best, yard.baseline) if isfinite(yard.baseline) else facts.best
    if yard.floor is not None and facts.best <= yard.floor + tolerance:
        return State.NOISE_LIMITED, (
            f"the validation loss {facts.best:.4g} is what is known to be left at least "
            f"({yard.floor:.4g}) within {tolerance:.2g}"
        )
    if isfinite(yard.baseline) and lowest >= yard.constant - tolerance:
        return State.NOISE_LIMITED, (
            f"neither a baseline ({yard.baseline:.4g}) nor the network ({facts.best:.4g}) is "
            f"better than the constant ({yard.constant:.4g}) by more than {tolerance:.2g}"
        )
    return None


def _overfitting(facts: Facts, yard: Yardstick) -> Found:
    """A gap beyond the noise, and a rise at the end or a regulariser that helps."""
    gap, se = facts.gap
    if not gap > SURE_SE * se:
        return None
    between = f"training loss {facts.train:.4g}, validation loss {facts.end:.4g}"
    if facts.sure(facts.rise):
        return State.OVERFITTING, (
            f"{between}, which is {facts.rise[0]:.2g} above its best, {facts.best:.4g}"
        )
    if _helps(yard.regulariser, yard):
        assert yard.regulariser is not None
        gain = yard.regulariser.gain
        return State.OVERFITTING, f"{between}, and a regulariser lowers it by {gain:.2g}"
    return None


def _compute_bound(facts: Facts, yard: Yardstick) -> Found:
    """The validation loss still falls at the end of most runs."""
    if _helps(yard.longer, yard):
        assert yard.longer is not None
        return State.COMPUTE_BOUND, f"twice the length lowers the loss by {yard.longer.gain:.2g}"
    fall, se = facts.fall
    falls = facts.late and fall > SURE_SE * se and facts.next > yard.delta
    if not falls or (yard.longer is not None and yard.longer.high <= yard.delta):
        return None
    at = facts.read.shares[facts.top]
    return State.COMPUTE_BOUND, (
        f"the best evaluation lies at {at:.0%} of the length, and its last doubling took "
        f"{fall:.2g} from the validation loss ({facts.end:.4g})"
    )


def _underfitting(facts: Facts, yard: Yardstick) -> Found:
    """A larger network is better, or a baseline predicts unseen rows better than it knows its own.

    The second holds also where nothing but curves is known.
    """
    gap, se = facts.gap
    if gap <= SURE_SE * se and _helps(yard.larger, yard):
        assert yard.larger is not None
        return State.UNDERFITTING, f"twice the size lowers the loss by {yard.larger.gain:.2g}"
    above = facts.train - yard.baseline
    if above > facts.beyond:
        return State.UNDERFITTING, (
            f"its training loss {facts.train:.4g} is above what the best baseline has on rows "
            f"that it has not seen, {yard.baseline:.4g}, and does not fall any more"
        )
    return None


def _able(facts: Facts, yard: Yardstick) -> Found:
    """It learns rows by heart; just right if nothing that was measured makes it better."""
    itself = facts.able()
    if not (itself or yard.able):
        return None
    effects = (yard.larger, yard.longer, yard.regulariser)
    if all(effect is not None and effect.high <= yard.delta for effect in effects):
        return State.JUST_RIGHT, (
            "it is able to overfit, and neither twice the size, nor twice the length, nor a "
            f"regulariser gains more than {yard.delta:.2g}"
        )
    if not itself:
        return None
    lowest = min(facts.best, yard.baseline) if isfinite(yard.baseline) else facts.best
    settled = "its own validation loss has stopped falling, without a rise that matters"
    if facts.next <= yard.delta:
        settled = f"twice the length would bring {facts.next:.2g} more: less than matters"
    return State.ABLE, (
        f"its training loss {facts.train:.4g} lies below the best validation loss {lowest:.4g}, "
        f"and {settled}"
    )


def _unclear(facts: Facts, yard: Yardstick) -> str:
    """What the curves do say where they show no state."""
    against = f"constant {yard.constant:.4g}"
    if isfinite(yard.baseline):
        against += f", best baseline {yard.baseline:.4g}"
    return (
        f"it learns (validation loss {facts.end:.4g}, training loss {facts.train:.4g}; "
        f"{against}), and curves alone show no fault beyond the noise"
    )


def _helps(effect: Effect | None, yard: Yardstick) -> bool:
    """Whether a change was shown to gain, and more than what matters."""
    return effect is not None and effect.low > 0.0 and effect.gain > yard.delta


def _said(state: State, reason: str, numbers: Mapping[str, float]) -> Diagnosis:
    return Diagnosis(state, reason, dict(numbers), ACTIONS[state])
