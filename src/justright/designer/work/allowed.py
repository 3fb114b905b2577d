"""Which networks the user's wishes allow: asked by everything that chooses a shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from justright.core.codec import fingerprint
from justright.core.errors import JustRightError, OptionError
from justright.core.finding import Finding, Severity
from justright.designer.request.limits import weight_of, with_hidden
from justright.designer.request.options import latency_text
from justright.designer.work.session import FOREVER, Session
from justright.executors.base import Call
from justright.recipe.network import Inputs, NetworkSpec
from justright.recipe.recipe import Recipe
from justright.sizing.shapes import SHAPES, Limits, name_of
from justright.training.start import PERIODIC, PIECEWISE

NANO = 1e-9
"""Latencies are granted in whole nanoseconds."""


class Allowed:
    """Which networks the wishes allow; how fast one answers is measured once and then granted.

    The networks of an ensemble count together.

    Args:
        session: The study at work.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wishes = session.options.size
        self._networks = session.options.ensemble

    def among(self, recipes: Sequence[Recipe], inputs: Inputs) -> tuple[Recipe, ...]:
        """Those recipes whose networks are light and fast enough, in their order."""
        light = [r for r in recipes if self._light(r, inputs)]
        limit = self._wishes.latency_s
        if limit is None:
            return tuple(light)
        taken = self._latencies([NetworkSpec(r.shape, inputs) for r in light])
        most = limit / self._networks
        return tuple(r for r, seconds in zip(light, taken, strict=True) if 0 < seconds <= most)

    def start(self, recipe: Recipe, inputs: Inputs) -> Recipe:
        """The recipe itself, or with the heaviest lighter body that is allowed.

        Where no body is, numbers enter as cosines, which have fewer weights than bins, or as they
        are.

        Raises:
            OptionError: If not even the lightest body is allowed for these inputs.
        """
        if self.among([recipe], inputs):
            return recipe
        others: list[Recipe] = []
        for each in _lighter_entries(recipe):
            others = [with_hidden(each, hidden) for hidden in SHAPES]
            if allowed := self.among(others, inputs):
                return max(allowed, key=lambda each: weight_of(each, inputs))
        least = min(others, key=lambda each: weight_of(each, inputs))
        weights, name = self._networks * weight_of(least, inputs), name_of(least.shape.hidden)
        if not self._light(least, inputs):
            raise OptionError(
                f"no network for this table has at most {self._wishes.weights:,} weights",
                hint=f"the lightest, {name}, has {weights:,}: give --max-params {weights} or more",
            )
        seconds = self._networks * self._latencies([NetworkSpec(least.shape, inputs)])[0]
        asked = latency_text(self._wishes.latency_s or 0.0)
        raise OptionError(
            f"no network for this table answers within {asked}",
            hint=f"the lightest, {name}, takes {latency_text(seconds)} here: give "
            f"--max-latency {latency_text(2 * seconds)}",
        )

    def limits(self, recipe: Recipe, inputs: Inputs) -> Limits:
        """The wishes as the size search takes them, for networks that are otherwise like this."""
        weights = self._wishes.weights
        weights = None if weights is None else weights // self._networks
        if self._wishes.latency_s is None:
            return Limits(weights=weights)
        bodies = [with_hidden(recipe, hidden) for hidden in SHAPES]
        quick = frozenset(each.shape.hidden for each in self.among(bodies, inputs))
        return Limits(weights=weights, only=quick)

    def seconds(self, recipe: Recipe, inputs: Inputs) -> float:
        """Seconds in which a recipe's network answers for one row; 0 if that is unknown."""
        try:
            (seconds,) = self._latencies([NetworkSpec(recipe.shape, inputs)])
        except JustRightError:
            return 0.0
        return seconds

    def _light(self, recipe: Recipe, inputs: Inputs) -> bool:
        most = self._wishes.weights
        return most is None or self._networks * weight_of(recipe, inputs) <= most

    def _latencies(self, specs: Sequence[NetworkSpec]) -> list[float]:
        """Seconds of each; 0 where a repetition does not know it."""
        plan, crew = self._session.plan, self._session.crew
        keys = [_key(spec) for spec in specs]
        new = [spec for key, spec in zip(keys, specs, strict=True) if key not in plan.granted]
        found: dict[str, float] = {}
        if new and not plan.repeat:
            call = Call("justright.model.latency:measure", {"specs": new})
            answer = crew.ask(call, "how fast networks answer", FOREVER)
            if answer is None:
                raise JustRightError("how fast networks answer could not be measured")
            found = {_key(spec): seconds for spec, seconds in zip(new, answer, strict=True)}
        return [NANO * plan.grant(key, lambda key=key: ceil(found[key] / NANO)) for key in keys]


def _lighter_entries(recipe: Recipe) -> tuple[Recipe, ...]:
    """The recipe, and the same with embeddings of numbers of ever fewer weights."""
    entries: list[Mapping[str, Any]] = [{}, PERIODIC, {"numbers": "none"}]
    known = [each["numbers"] for each in (PIECEWISE, PERIODIC)]
    place = known.index(recipe.shape.numbers) if recipe.shape.numbers in known else len(known)
    lighter = entries[:1] + entries[place + 1 :]
    return tuple(replace(recipe, shape=replace(recipe.shape, **each)) for each in lighter)


def found_slow(limit_s: float | None, answered_s: float) -> Finding | None:
    """What is to be looked at if the network that is handed over answers later than is allowed.

    Args:
        limit_s: The user's limit, which was kept when networks were chosen; None = none.
        answered_s: Seconds in which it answered now.
    """
    if limit_s is None or answered_s <= limit_s:
        return None
    asked, now = latency_text(limit_s), latency_text(answered_s)
    return Finding(
        "slower than allowed",
        Severity.WARNING,
        f"the network answered for one row in {now} after its training, not within {asked} as "
        "when it was chosen",
        f"measure it where it will run, or give --max-latency {latency_text(limit_s / 2)}",
        numbers={"limit_s": limit_s, "answered_s": answered_s},
    )


def _key(spec: NetworkSpec) -> str:
    return f"latency {name_of(spec.shape.hidden)} {fingerprint(spec)[:8]}"
