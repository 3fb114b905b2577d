"""What to train next, to find the sizes that are just right: a pure function of what is known.

Four stages, each resting on the evidence of the one before: climb the ladder at a third of the
length; give the promising rungs their full length; try other shapes where they may be better, or
as good and lighter; confirm the choice and its rivals on fresh blocks. No stage keeps a state of
its own: a search can be interrupted anywhere, resumed from stored curves, and replayed on a grid
of finished trainings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from math import inf, log2, sqrt

import numpy as np

from justright.sizing.evidence import FULL, NINTH, THIRD, Evidence
from justright.sizing.goal import Ask, Goal
from justright.sizing.shapes import SHAPES, Hidden, ladder
from justright.sizing.surface import guesses, score_of
from justright.statistics.noise import pool
from justright.statistics.student import t_quantile

CONFIRM_SHARE = 0.4
"""Share of the budget kept for fresh blocks (assumption; half as much as choosing may take)."""

RUNG_SHARES = (0.5, 0.25)
"""What the first rung that is asked for alone, and any later one, may take of what is left for
choosing. Measured by replay on six tables: with halves throughout fewer sizes get their full
length (2.6 instead of 4.2) and the plateau covers the best in 73% instead of 90%; with quarters
throughout small budgets stop too low."""

SURE = 0.90
"""One-sided level at which a size counts as worse, or as not worse, while sizes are chosen.
Nothing is claimed at it: claims are made on fresh blocks (`statistics.plateau`)."""

DEAR = 1.0
"""Twice the price of a full run counts like so many delta (measured by replay on five tables: from
0.5 to 2 what is chosen is about as good as where the best come first, and lighter)."""

LEAST_WORTH = 0.1
"""A shape is tried if it is expected to bring this share of delta (assumption)."""

LIGHTER, LEAST_SAVING = 0.5, 1.5
"""As good and this much lighter is worth so much of delta (assumption)."""


@dataclass(frozen=True)
class Gap:
    """How much worse than the best a size is on the same blocks.

    Attributes:
        mean: Mean difference of the loss; 0 for the best itself.
        low, high: One-sided limits at `SURE`.
    """

    mean: float
    low: float
    high: float


def next_ask(evidence: Evidence, goal: Goal) -> Ask | None:
    """The next trainings, or None when nothing useful is affordable any more."""
    return next(iter(next_asks(evidence, goal)), None)


FIRST_RUNGS = 3
"""Rungs that are trained before any of them is judged: they are cheap, and fill all workers."""


COMPARED = 2
"""Sizes that must have their full length before anything can be said."""

SPARE = 2.0
"""A budget below so many times the least for an answer is better spent on shorter runs, where more
sizes are seen. Measured by replay on seven tables, with runs of a third of the length: for 2, 3, 5
and 10% of the seconds of the exhaustive grid it then chooses 0.44, 0.50, 0.53 and 0.34 delta ahead
of that grid, instead of 0.22, 0.05, 0.42 and 0.34; from a third to a ninth: assumption."""

SIDE_BY_SIDE = 2
"""Other trainings at once: more would be asked for without knowing what the first ones showed."""


def next_asks(evidence: Evidence, goal: Goal) -> tuple[Ask, ...]:
    """The next trainings, to be run side by side: together they are affordable."""
    for stage in (_climb, _lengthen, _shape, _confirm):
        batch: list[Ask] = []
        seconds, keep = 0.0, 0.0 if stage is _confirm else _kept(evidence, goal)
        for ask in stage(evidence, goal):
            seconds += goal.price(ask, evidence)
            if not goal.affordable(evidence, seconds, keep):
                break
            batch.append(ask)
        if batch:
            return tuple(batch)
    return ()


def _full(evidence: Evidence, goal: Goal) -> list[Hidden]:
    """Sizes that were trained in full on the blocks that choose."""
    known = [each for each in evidence.sizes if evidence.known(each, goal.selection, FULL)]
    return [each for each in known if each not in evidence.failed]


def _kept(evidence: Evidence, goal: Goal) -> float:
    """Share of the budget that is kept for confirming: none before there are two to compare.

    Two sizes compared on the blocks that chose say more than one that is confirmed.
    """
    return CONFIRM_SHARE if len(_full(evidence, goal)) >= COMPARED else 0.0


def worthwhile(goal: Goal) -> bool:
    """Whether the budget reaches for an answer.

    Less than that chose worse than not to search (measured by replay: LOG.md, 2026-11-21).
    """
    return least(goal) <= goal.budget


def least(goal: Goal) -> float:
    """Worker-seconds that an answer takes: the first rungs, and two of them in full."""
    rungs = ladder(goal.limits, goal.weigh)[:FIRST_RUNGS]
    if not rungs:
        return inf
    blocks, dearest = len(goal.selection), max(map(goal.cost, rungs))
    first = THIRD * blocks * sum(map(goal.cost, rungs))
    full = (FULL - THIRD) * blocks * COMPARED * dearest
    return first + full


def budget_for(evidence: Evidence, hidden: Hidden, goal: Goal) -> float:
    """Worker-seconds of a search that would also train a further rung in full, and confirm it."""
    spent, both = goal.spent(evidence), (goal.selection, goal.confirmation)
    third = goal.price(Ask(hidden, goal.selection, THIRD, "ladder"), evidence)
    full, fresh = (goal.price(Ask(hidden, blocks, FULL, "length"), evidence) for blocks in both)
    choosing = max(spent + third / RUNG_SHARES[-1], spent + full) / (1.0 - CONFIRM_SHARE)
    return max(choosing, spent + full + fresh)


def offer(goals: Sequence[Goal], budgets: Sequence[float]) -> Goal:
    """The longest runs, and the smallest budget for them, that reach for an answer.

    Args:
        goals: The same search, with shorter runs from goal to goal.
        budgets: Worker-seconds that it may have, from what is usual to what is the most.

    Returns:
        One of the goals with its budget; the last one where nothing reaches.
    """
    for place, goal in enumerate(goals, 1):
        for budget in budgets:
            if (SPARE if place < len(goals) else 1.0) * least(goal) <= budget:
                return replace(goal, budget=budget)
    return replace(goals[-1], budget=budgets[-1])


def gaps(
    evidence: Evidence, sizes: Iterable[Hidden], blocks: tuple[int, ...], share: float, goal: Goal
) -> dict[Hidden, Gap]:
    """Differences to the best of some sizes, with limits from the variance of all of them."""
    known = [each for each in sizes if evidence.known(each, blocks, share)]
    known = [each for each in known if each not in evidence.failed]
    known = [each for each in known if np.isfinite(evidence.mean(each, blocks, share))]
    if not known:
        return {}
    losses = evidence.losses(known, blocks, share)
    means = losses.mean(axis=1)
    best = int(np.argmin(means))
    pooled = pool(losses)
    reach = 0.0
    if pooled is not None:
        se = np.sqrt(pooled.variance * (1 / len(blocks) + goal.overlap))
        reach = float(t_quantile(SURE, pooled.df) * se)
    return {
        each: Gap(float(mean), 0.0, 0.0)
        if place == best
        else Gap(float(mean), float(mean) - reach, float(mean) + reach)
        for place, (each, mean) in enumerate(zip(known, means - means[best], strict=True))
    }


def chosen(evidence: Evidence, blocks: tuple[int, ...], goal: Goal) -> Hidden | None:
    """The lightest size that is not worse than the best by what matters, as far as one can see.

    A size counts if its difference is surely below delta, or else if half of delta is above its
    mean difference.
    """
    found = gaps(evidence, evidence.sizes, blocks, FULL, goal)
    good = [
        each
        for each, gap in found.items()
        if gap.high <= goal.delta or gap.mean <= 0.5 * goal.delta
    ]
    return min(good, key=goal.weigh, default=None)


def _climb(evidence: Evidence, goal: Goal) -> list[Ask]:
    """The next rungs at a third of the length, unless the ladder has clearly turned."""
    rungs = ladder(goal.limits, goal.weigh)
    tested = [each for each in rungs if evidence.known(each, goal.selection, THIRD)]
    turned = _turned(evidence, tested, goal)
    if len(tested) == len(rungs) or (turned and goal.weigh(tested[-1]) >= goal.beyond):
        return []
    waiting = [each for each in rungs if each not in tested]
    waiting = waiting[: max(FIRST_RUNGS - len(tested), 1)]
    left = (1.0 - CONFIRM_SHARE) * goal.budget - goal.spent(evidence)
    most = RUNG_SHARES[len(tested) > FIRST_RUNGS] * left if tested else left
    most = min(most, goal.budget - goal.spent(evidence) - _comparison(evidence, goal))
    asks = [Ask(each, goal.selection, THIRD, "ladder") for each in waiting]
    return list(takewhile(lambda ask: goal.price(ask, evidence) <= most, asks))


def _comparison(evidence: Evidence, goal: Goal) -> float:
    """Worker-seconds that the first full runs will take of the rungs known so far."""
    wanted = COMPARED - len(_full(evidence, goal))
    return sum(goal.price(ask, evidence) for ask in _waiting(evidence, goal)[: max(wanted, 0)])


def _turned(evidence: Evidence, tested: list[Hidden], goal: Goal) -> bool:
    """Whether the last two rungs are both surely worse than the best by more than delta.

    Two, because a single bad rung may be the peak of a double descent (Nakkiran et al. 2020),
    which is narrower than the sixteenfold weights between them.
    """
    found = gaps(evidence, tested, goal.selection, THIRD, goal)
    last = tested[-2:]
    return len(tested) > 3 and all(
        each not in found or found[each].low > goal.delta for each in last
    )


def promising(evidence: Evidence, hidden: Hidden, goal: Goal) -> bool:
    """Whether a size may still come within delta of the best at its full length.

    From a third of the length to the whole, a loss that falls like a power of the steps falls at
    most as far as from a ninth to a third. Of what has no third yet everything may be hoped, and
    so of what was not looked at after a ninth (of runs that are a ninth themselves).
    """
    blocks = goal.selection
    before, now = (evidence.mean(hidden, blocks, share) for share in (NINTH, THIRD))
    if np.isnan(before) or np.isnan(now):
        return True
    hoped = now - max(before - now, 0.0)
    reached = [
        evidence.mean(each, blocks, FULL if evidence.known(each, blocks, FULL) else THIRD)
        for each in evidence.sizes
        if each not in evidence.failed and evidence.known(each, blocks, THIRD)
    ]
    return hoped <= min(reached) + goal.delta


def _lengthen(evidence: Evidence, goal: Goal) -> list[Ask]:
    """Full length for the most promising of the sizes that have a third of it."""
    missing = COMPARED - len(_full(evidence, goal))
    together = missing if missing > 0 else SIDE_BY_SIDE
    return _within(_waiting(evidence, goal), evidence, goal)[:together]


def _waiting(evidence: Evidence, goal: Goal) -> list[Ask]:
    """Full runs of all promising sizes, the most urgent first, then of some to compare with."""
    waiting = [
        each
        for each in evidence.sizes
        if each not in evidence.failed
        and evidence.known(each, goal.selection, THIRD)
        and not evidence.known(each, goal.selection, FULL)
    ]
    hopeful = {each for each in waiting if promising(evidence, each, goal)}
    unit = max(goal.delta, 1e-12)

    def urgency(each: Hidden) -> tuple[bool, float]:
        loss = evidence.mean(each, goal.selection, THIRD)
        return each not in hopeful, loss / unit + DEAR * log2(goal.cost(each))

    least = max(COMPARED - len(_full(evidence, goal)), len(hopeful))
    ordered = sorted(waiting, key=urgency)[:least]
    return [Ask(each, goal.selection, FULL, "length") for each in ordered]


def _within(asks: list[Ask], evidence: Evidence, goal: Goal) -> list[Ask]:
    """The asks that are affordable one by one, with the time for confirming kept."""
    keep = _kept(evidence, goal)
    return [ask for ask in asks if goal.affordable(evidence, goal.price(ask, evidence), keep)]


def _shape(evidence: Evidence, goal: Goal) -> list[Ask]:
    """The untried shapes that are worth most for their price, by a guess from those tried."""
    best = _best(evidence, goal)
    untried = [each for each in shapes(goal) if not evidence.known(each, goal.selection, THIRD)]
    if best is None or not untried:
        return []
    worth = _worth(evidence, best, untried, goal)
    ordered = sorted(worth, key=lambda each: -worth[each] / goal.cost(each))
    asks = [
        Ask(each, goal.selection, THIRD, "shape") for each in ordered if worth[each] >= LEAST_WORTH
    ]
    return _within(asks, evidence, goal)[:SIDE_BY_SIDE]


def shapes(goal: Goal) -> tuple[Hidden, ...]:
    """All shapes that may be tried."""
    return tuple(each for each in SHAPES if goal.limits.allow(each, goal.weigh))


def _best(evidence: Evidence, goal: Goal) -> Hidden | None:
    """The size with the lowest loss at its full length."""
    found = gaps(evidence, evidence.sizes, goal.selection, FULL, goal)
    return min(found, key=lambda each: found[each].mean, default=None)


def _worth(
    evidence: Evidence, best: Hidden, untried: list[Hidden], goal: Goal
) -> dict[Hidden, float]:
    """What trying a shape is expected to bring, in units of delta.

    Either it is better than the best, or it is as good and lighter than the choice so far. Guesses
    are made at a third of the length, where everything was tried.
    """
    known = [each for each in evidence.sizes if evidence.known(each, goal.selection, THIRD)]
    known = [each for each in known if each not in evidence.failed]
    losses = evidence.losses(known, goal.selection, THIRD)
    pooled = pool(losses)
    variance = 0.0 if pooled is None else 0.5 * pooled.variance / len(goal.selection)
    sd = float(np.sqrt(variance))
    # Nothing smaller than its own noise can matter, whatever delta says: it is 0 where no
    # baseline is better than the constant.
    unit = max(goal.delta, sqrt(2.0) * sd) or 1.0
    means = losses.mean(axis=1)
    found = [score_of(float(mean), sd, unit) for mean in means - means[known.index(best)]]
    seen = [(each, *own) for each, own in zip(known, found, strict=True)]
    choice = chosen(evidence, goal.selection, goal)
    lightest = goal.weigh(choice) if choice is not None else 0
    return {
        each: (
            guess.improvement(0.0)
            + LIGHTER * guess.below(1.0) * (LEAST_SAVING * goal.weigh(each) <= lightest)
        )
        for each, guess in zip(untried, guesses(seen, untried), strict=True)
    }


def rivals(evidence: Evidence, goal: Goal) -> tuple[Hidden, ...]:
    """Sizes to be confirmed, most important first: choice, best, next lighter, heaviest."""
    found = gaps(evidence, evidence.sizes, goal.selection, FULL, goal)
    choice = chosen(evidence, goal.selection, goal)
    if choice is None:
        return ()
    ordered = sorted(found, key=goal.weigh)
    lighter = [each for each in ordered if goal.weigh(each) < goal.weigh(choice)]
    best = min(found, key=lambda each: found[each].mean)
    wanted = [choice, best, *lighter[-1:], *ordered[-1:]]
    return tuple(dict.fromkeys(wanted))


def _confirm(evidence: Evidence, goal: Goal) -> list[Ask]:
    """The rivals on fresh blocks, if there is time for two: one is compared with nothing."""
    asks = [Ask(each, goal.confirmation, FULL, "confirm") for each in rivals(evidence, goal)]
    prices = [goal.price(ask, evidence) for ask in asks]
    both = [
        [asks[0], other]
        for other, price in zip(asks[1:], prices[1:], strict=True)
        if goal.affordable(evidence, prices[0] + price, 0.0)
    ]
    ordered = [*both[0], *asks] if both else []
    return [
        ask
        for ask in dict.fromkeys(ordered)
        if not evidence.known(ask.hidden, ask.blocks, ask.share)
    ]
