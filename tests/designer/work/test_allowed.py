"""Limits of weights, memory and latency are honoured exactly, and latencies measured once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from justright.core.errors import OptionError
from justright.designer.request.limits import SizeWishes, weight_of, with_hidden
from justright.designer.request.options import latency_text, parse_latency
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.allowed import Allowed, found_slow
from justright.designer.work.session import Session
from justright.recipe.network import Inputs
from justright.recipe.recipe import Recipe
from justright.sizing.shapes import SHAPES
from justright.training.start import PIECEWISE

NewSession = Callable[..., Session]

INPUTS = Inputs(numbers=4, indicators=0, categories=(), outputs=1)
BODIES = [with_hidden(Recipe(), hidden) for hidden in SHAPES]
GRANTED = 1_000_000
"""Nanoseconds: one millisecond."""


def planned(session: Session, amounts: Callable[[Recipe], int]) -> WorkPlan:
    """A plan that knows how fast each body is, so that nothing is measured."""
    Allowed(session).among(BODIES, INPUTS)
    plan = session.plan
    keys = [key for key in plan.granted if key.startswith("latency ")]
    assert len(keys) == len(BODIES)
    named = dict(zip(keys, BODIES, strict=True))
    return WorkPlan(granted={key: amounts(body) for key, body in named.items()}, repeat=True)


def test_without_wishes_everything_is_allowed_and_nothing_is_measured(
    new_session: NewSession,
) -> None:
    session = new_session()
    assert Allowed(session).among(BODIES, INPUTS) == tuple(BODIES)
    assert not session.plan.granted


@pytest.mark.parametrize("wish", [{"params": 5_000}, {"memory": 20_000}])
def test_weights_are_honoured_exactly(new_session: NewSession, wish: dict[str, int]) -> None:
    allowed = Allowed(new_session(**wish))
    found = allowed.among(BODIES, INPUTS)
    assert found == tuple(body for body in BODIES if weight_of(body, INPUTS) <= 5_000)
    heavy = with_hidden(Recipe(), (512, 512))
    start = allowed.start(heavy, INPUTS)
    assert weight_of(start, INPUTS) == max(weight_of(body, INPUTS) for body in found)
    assert allowed.limits(heavy, INPUTS).weights == 5_000


def test_latencies_are_measured_once_and_honoured_exactly(new_session: NewSession) -> None:
    limit = 1e-3
    session = new_session(latency_s=limit)
    plan = planned(session, lambda body: GRANTED * len(body.shape.hidden) // 2)
    session.plan = plan
    before = dict(plan.granted)
    allowed = Allowed(session)
    found = allowed.among(BODIES, INPUTS)
    assert found == tuple(body for body in BODIES if len(body.shape.hidden) <= 2)
    only = allowed.limits(Recipe(), INPUTS).only
    assert only == {body.shape.hidden for body in found}
    start = allowed.start(with_hidden(Recipe(), (32,) * 6), INPUTS)
    assert start.shape.hidden == (1024, 1024)
    assert plan.granted == before


def test_what_was_measured_is_not_measured_again(new_session: NewSession) -> None:
    session = new_session(latency_s=1.0)
    Allowed(session).among(BODIES[:2], INPUTS)
    first = dict(session.plan.granted)
    Allowed(session).among(BODIES[:3], INPUTS)
    assert {key: session.plan.granted[key] for key in first} == first
    assert len(session.plan.granted) == 3


def test_a_limit_that_no_network_meets_is_refused_with_one_that_can_be_met(
    new_session: NewSession,
) -> None:
    with pytest.raises(OptionError, match="answers within 1us") as caught:
        Allowed(new_session(latency_s=1e-6)).start(Recipe(), INPUTS)
    assert "give --max-latency" in str(caught.value)
    wished = parse_latency(str(caught.value).rpartition("--max-latency ")[2].strip(") "))
    assert wished is not None
    Allowed(new_session("again", latency_s=10 * wished)).start(Recipe(), INPUTS)


def test_a_weight_that_no_network_has_is_refused_with_the_least(new_session: NewSession) -> None:
    with pytest.raises(OptionError, match="at most 5 weights") as refusal:
        Allowed(new_session(params=5)).start(Recipe(), INPUTS)
    least = min(weight_of(body, INPUTS) for body in BODIES)
    assert f"--max-params {least}" in str(refusal.value)


def test_a_repetition_that_knows_no_latency_allows_nothing(new_session: NewSession) -> None:
    session = new_session(plan=WorkPlan(repeat=True), latency_s=1.0)
    assert Allowed(session).among(BODIES[:1], INPUTS) == ()


def test_a_network_that_answers_later_than_allowed_in_the_end_is_pointed_out() -> None:
    assert found_slow(None, 1.0) is None
    assert found_slow(0.002, 0.002) is None
    found = found_slow(0.002, 0.0031)
    assert found is not None
    assert "3.1ms" in found.message
    assert "2ms" in found.message
    assert "--max-latency 1ms" in found.action


@pytest.mark.parametrize("seconds", [8e-5, 9.991e-4, 0.002, 0.0123])
def test_latencies_are_written_as_they_are_read(seconds: float) -> None:
    read = parse_latency(latency_text(seconds))
    assert read is not None
    assert seconds <= read <= 1.1 * seconds


@pytest.mark.parametrize("text", ["soon", "2 parsecs", "-1ms", "0", "0ms"])
def test_a_latency_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="latency"):
        replace(SizeWishes(), latency_s=parse_latency(text))


@pytest.mark.parametrize(
    ("most", "numbers"), [(100_000, "piecewise"), (1_500, "periodic"), (400, "none")]
)
def test_where_no_body_is_light_enough_numbers_enter_with_fewer_weights(
    new_session: NewSession, most: int, numbers: str
) -> None:
    bins = Recipe(shape=replace(Recipe().shape, hidden=(128, 128), **PIECEWISE))
    start = Allowed(new_session(params=most)).start(bins, INPUTS)
    assert start.shape.numbers == numbers
    assert weight_of(start, INPUTS) <= most
