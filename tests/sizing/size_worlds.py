"""Planted profiles whose truth is known, and searches on them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import log2

import numpy as np

from justright.sizing.evidence import Curve, Evidence
from justright.sizing.goal import Goal
from justright.sizing.report import report_of
from justright.sizing.search import next_ask
from justright.sizing.shapes import Limits

POINTS = (1 / 27, 1 / 9, 1 / 3, 1.0)


def weigh(hidden):
    sizes = (10, *hidden, 1)
    return sum(a * b + b for a, b in pairwise(sizes))


def cost(hidden):
    return 1.0 + weigh(hidden) / 20_000


PROFILES = {
    "flat": lambda w: 0.0,
    "sloped": lambda w: 0.02 * max(0.0, 18 - log2(w)),
    "bowl": lambda w: 0.01 * (log2(w) - 13) ** 2,
    "too small below": lambda w: 0.05 * max(0.0, 12 - log2(w)),
}


class World:
    """Simulated trainings: a profile over weights, block effects, noise of a cell in a block."""

    def __init__(self, profile, seed, noise=0.005, base=0.5):
        self.profile, self.seed, self.noise, self.base = PROFILES[profile], seed, noise, base

    def truth(self, hidden):
        return self.base + self.profile(weigh(hidden))

    def curve(self, hidden, block):
        name = "-".join(map(str, hidden))
        digest = [ord(letter) for letter in name]
        rng = np.random.default_rng([self.seed, block, *digest])
        effect = 0.03 * np.random.default_rng([self.seed, block]).normal()
        final = self.truth(hidden) + effect + self.noise * rng.normal()
        return Curve(POINTS, tuple(final + 0.1 * (share**-0.4 - 1) for share in POINTS))

    def answer(self, ask):
        found = {}
        for block in ask.blocks:
            curve = self.curve(ask.hidden, block)
            kept = [place for place, share in enumerate(POINTS) if share <= ask.share * 1.01]
            found[ask.hidden, block] = Curve(curve.share[: len(kept)], curve.loss[: len(kept)])
        return found


def goal(budget=60.0, limits=None, rows=1_000):
    return Goal(
        selection=(0, 1, 2),
        confirmation=(3, 4, 5),
        overlap=0.25,
        delta=0.02,
        limits=limits or Limits(),
        weigh=weigh,
        cost=cost,
        budget=budget,
        rows=rows,
        outputs=1,
    )


def search(world, wanted, evidence=None):
    evidence = evidence or Evidence()
    asks = []
    while (ask := next_ask(evidence, wanted)) is not None:
        asks.append(ask)
        evidence.add(world.answer(ask))
        assert len(asks) < 500
    return evidence, asks


@cache
def studied(profile, seed):
    """Evidence and report of a search that several tests look at; nobody may change it."""
    wanted = goal(budget=150.0)
    evidence, _ = search(World(profile, seed), wanted)
    return evidence, report_of(evidence, wanted)
