"""How often ideas are accepted in planted rounds: screened on one block, then confirmed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from justright.core.idea import Verdict
from justright.statistics.compare import BETTER, CANNOT_TELL, compare, plan_looks


@dataclass(frozen=True)
class IdeaWorld:
    """Ideas as studies meet them; gains are in standard deviations of one paired difference.

    Attributes:
        helping: Share of ideas that help.
        gain: Mean of their gains, which are exponential; half of the others have none, half harm.
        harm: Mean of the harm, exponential, too.
        rho: Correlation of the differences of blocks.
    """

    helping: float = 0.2
    gain: float = 1.5
    harm: float = 0.3
    rho: float = 0.2


def idea_rates(world: IdeaWorld, hope: float, ideas: int, seed: int = 0) -> dict[str, float]:
    """Share of ideas that are accepted.

    Args:
        world: What the ideas are like.
        hope: Gain in screening from which an idea is confirmed, in the same unit.
        ideas: How many.
        seed: Of the draws.

    Returns:
        Of those that help, "taken"; of the others, "false"; the "false share" of all that were
        accepted; and the "blocks" of an idea on average, the one of screening left out.
    """
    rng = np.random.default_rng(seed)
    helps = rng.random(ideas) < world.helping
    harm = world.harm * rng.exponential(size=ideas) * (rng.random(ideas) < 0.5)
    gain = np.where(helps, world.gain * rng.exponential(size=ideas), -harm)
    promising = gain + rng.normal(size=ideas) > hope
    words, blocks = np.zeros(ideas, bool), np.zeros(ideas)
    for place in np.flatnonzero(promising):
        common = np.sqrt(world.rho) * rng.normal()
        own = np.sqrt(1 - world.rho) * rng.normal(size=12)
        verdict = _confirm(gain[place] + common + own, world.rho / (1 - world.rho))
        words[place], blocks[place] = verdict.word == BETTER, verdict.blocks
    return {
        "taken": float(words[helps].mean()),
        "false": float(words[~helps].mean()),
        "false share": float((words & ~helps).sum() / max(words.sum(), 1)),
        "blocks": float(blocks.mean()),
    }


def _confirm(gains: np.ndarray, overlap: float) -> Verdict:
    verdict = compare("", [], overlap=overlap, delta=0.0)
    for count, level in plan_looks(len(gains)):
        pairs = [(-gain, 0.0) for gain in gains[:count]]
        verdict = compare("", pairs, overlap=overlap, delta=0.0, alpha=level)
        if verdict.word != CANNOT_TELL:
            break
    return verdict
