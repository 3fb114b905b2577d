"""The rules that read a rate off a range test, on curves whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.training.rate_race import lowest_point, verify, winner_of
from justright.training.rate_rules import (
    HIGHEST,
    LOWEST,
    MOST_ENTRANTS,
    NAMES,
    RACED_RULES,
    SAME,
    STEPS,
    STOP,
    Pick,
    RangeCurve,
    alike,
    entrants,
    longest_fall,
    picks,
    range_rates,
    read_curve,
)


def bowl(edge: float, seeds: int = 3, noise: float = 0.0) -> np.ndarray:
    """Losses of noisy gradient descent on a bowl of many curvatures while the rate grows.

    The steepest curvature is 2 / edge, so rates above the edge diverge.
    """
    rng = np.random.default_rng(0)
    steep = 2 / edge / np.geomspace(1, 1e4, 40)
    place = rng.normal(1.0, 0.1, (seeds, 40))
    found = np.empty((seeds, STEPS))
    for step, rate in enumerate(range_rates()):
        with np.errstate(over="ignore"):
            found[:, step] = 0.05 + (steep / steep[0] * place**2).sum(axis=1)
            place = place - rate * steep * (place + 0.01 * rng.normal(size=place.shape))
    return found * np.exp(noise * rng.normal(size=found.shape))


def rates_by_rule(losses: np.ndarray) -> dict[str, float | None]:
    return {pick.rule: pick.rate for pick in picks(read_curve(losses))}


@pytest.mark.parametrize("edge", [1e-3, 0.02, 0.4])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_edge_of_stability_of_a_bowl_is_found(edge: float, noise: float) -> None:
    curve = read_curve(bowl(edge, noise=noise))
    assert curve.diverged is not None
    # each rate is held for one step, so the loss explodes some steps above the edge, never below
    assert edge <= curve.diverged <= 10 * edge
    found = rates_by_rule(bowl(edge, noise=noise))
    assert found["divergence/2"] == pytest.approx(curve.diverged / 2)
    assert found["divergence/10"] == pytest.approx(curve.diverged / 10)
    assert found["valley"] is not None
    assert found["minimum/10"] is not None
    for rule in ("valley", "minimum/10"):  # rates that learn, and do not diverge
        assert edge / 1e3 < found[rule] < edge


def test_a_curve_that_never_diverges_has_no_share_of_divergence() -> None:
    fall = np.exp(-np.linspace(0, 3, STEPS))
    curve = read_curve(np.tile(fall, (3, 1)))
    assert curve.diverged is None
    found = {pick.rule: pick for pick in picks(curve)}
    assert found["divergence/2"].rate is None
    assert "nothing diverged up to 10" in found["divergence/2"].reason
    assert found["valley"].rate == pytest.approx(range_rates()[20 + (194 - 20) // 3 + 174 // 6])
    assert found["minimum/10"].rate == pytest.approx(range_rates()[194] / 10)


def test_a_curve_that_diverges_at_once_leaves_only_its_divergence() -> None:
    losses = np.full((3, 8), 1.0)
    losses[:, 4:] = np.inf
    curve = read_curve(losses)
    assert len(curve.losses) == 4
    assert curve.diverged == pytest.approx(range_rates()[4])
    found = {pick.rule: pick for pick in picks(curve)}
    assert found["valley"].rate is None
    assert found["minimum/10"].rate is None
    assert "points are left" in found["valley"].reason
    assert found["divergence/2"].rate == pytest.approx(range_rates()[4] / 2)


def test_the_first_step_can_already_fail() -> None:
    curve = read_curve(np.full((2, 3), np.nan))
    assert len(curve.losses) == 0
    assert curve.diverged == LOWEST
    assert [pick.rule for pick in picks(curve) if pick.rate] == ["divergence/2", "divergence/10"]


def test_a_loss_that_only_rises_has_no_valley_and_no_minimum() -> None:
    rising = np.linspace(1.0, 3.0, STEPS)
    found = {pick.rule: pick for pick in picks(read_curve(rising[None]))}
    assert found["valley"].rate is None
    assert found["minimum/10"].reason == "the loss never falls"


def test_one_seed_that_explodes_does_not_speak_for_three_until_it_is_gone() -> None:
    losses = np.ones((3, STEPS))
    losses[0, 100:] = 3.9  # alone it would never pass the bound of the mean of logarithms
    assert read_curve(losses).diverged is None
    losses[0, 150:] = np.nan
    assert read_curve(losses).diverged == pytest.approx(range_rates()[150])


def test_smoothing_is_corrected_for_its_start() -> None:
    curve = read_curve(np.full((2, 50), 0.7))
    assert np.allclose(curve.losses, 0.7)
    steps = np.array([[1.0, 0.0, 0.5]])
    weights = np.array([0.98**2, 0.98, 1.0])
    assert read_curve(steps).losses[2] == pytest.approx((weights * steps[0]).sum() / weights.sum())


def test_it_stops_at_the_bound_and_not_before() -> None:
    losses = np.ones((1, STEPS))
    losses[0, 120:] = 40.0
    curve = read_curve(losses)
    assert curve.losses[-1] > STOP * curve.losses.min()
    assert (curve.losses[:-1] <= STOP * curve.losses.min()).all()


@given(st.lists(st.floats(0, 10), min_size=1, max_size=40))
def test_the_longest_fall_is_a_fall_and_none_is_longer(values: list[float]) -> None:
    start, end = longest_fall(np.array(values))
    best = [1] * len(values)
    for i in range(len(values)):
        for j in range(i):
            if values[j] > values[i]:
                best[i] = max(best[i], best[j] + 1)
    assert best[end] == max(best)
    assert start == end if max(best) == 1 else values[start] > values[end]
    assert end - start + 1 >= max(best)


@given(
    st.lists(st.floats(1e-3, 1e3), min_size=0, max_size=STEPS),
    st.one_of(st.none(), st.floats(1e-6, 10)),
)
def test_every_rule_answers_any_curve(losses: list[float], diverged: float | None) -> None:
    rates = range_rates()[: len(losses)] if losses else range_rates()[:1]
    curve = RangeCurve(rates, np.array(losses or [1.0]), diverged)
    found = picks(curve)
    assert tuple(pick.rule for pick in found) == NAMES
    for pick in found:
        assert pick.reason
        assert pick.rate is None or LOWEST / 10 <= pick.rate <= HIGHEST


@given(
    st.floats(1e-3, 1.0),
    st.lists(st.one_of(st.none(), st.floats(1e-6, 10)), max_size=4),
)
def test_entrants_differ_and_stand_for_every_pick_that_is_raced(
    prior: float, proposed: list[float | None]
) -> None:
    listed = [Pick(name, rate, "") for name, rate in zip(NAMES, proposed, strict=False)]
    field = entrants(prior, listed)
    assert field[0].rate == prior
    for place, entrant in enumerate(field):
        assert not any(alike(entrant.rate, other.rate) for other in field[:place])
    spoken = {rule: entrant.rate for entrant in field for rule in entrant.rules}
    assert len(field) <= MOST_ENTRANTS
    around = {round(np.log10(entrant.rate / prior), 3) for entrant in field}
    assert around >= {-1.333, -0.667, 0.0, 0.667, 1.333}
    for pick in listed:
        wanted = pick.rate is not None and pick.rule in RACED_RULES
        assert (pick.rule in spoken) == wanted
        if wanted:
            assert alike(pick.rate, spoken[pick.rule])


def test_rates_within_a_factor_are_one_candidate() -> None:
    assert alike(1.0, SAME)
    assert not alike(1.0, SAME * 1.001)


def test_a_rate_that_diverged_once_loses_the_race() -> None:
    losses = np.array([[0.5, 0.5], [0.1, np.inf], [0.4, 0.45]])
    assert winner_of(losses) == 2


@given(
    centre=st.floats(-1.4, 1.4),
    curvature=st.floats(0.01, 2.0),
    order=st.permutations(range(5)),
)
def test_the_lowest_point_of_a_parabola_is_found_whatever_the_order(
    centre: float, curvature: float, order: list[int]
) -> None:
    logs = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])[order]
    losses = np.exp(curvature * (logs - centre) ** 2)[:, None]
    assert np.log(lowest_point(np.exp(logs).tolist(), losses)) == pytest.approx(centre, abs=1e-6)


@pytest.mark.parametrize(
    ("losses", "place"),
    [
        ([1.0, 2.0, 3.0], 0),  # the lowest rate of all won
        ([3.0, 2.0, 1.0], 2),
        ([np.inf, 1.0, 2.0], 1),  # a neighbour diverged
        ([1.0, 1.0, 1.0], 0),
        ([np.inf, np.inf, np.inf], 0),
    ],
)
def test_without_two_neighbours_the_winner_itself_is_the_lowest_point(
    losses: list[float], place: int
) -> None:
    rates = [0.01, 0.1, 1.0]
    assert lowest_point(rates, np.array(losses)[:, None]) == rates[place]


def test_three_equal_losses_leave_the_winner_where_it_is() -> None:
    """The prior comes first in a race, and lies in the middle: it wins a tie."""
    assert lowest_point([0.1, 0.01, 1.0], np.ones((3, 1))) == 0.1


def test_every_block_counts_alike_however_high_its_losses_are() -> None:
    """In the first block everything is a hundred times as high: it must not decide alone."""
    losses = np.array([[1000.0, 0.2], [1010.0, 0.1]])
    assert losses.mean(axis=1).argmin() == 0
    assert winner_of(losses) == 1


def test_a_winner_is_kept_unless_fresh_seeds_contradict_it() -> None:
    race = np.array([[0.40, 0.42], [0.50, 0.50]])
    good = verify(race, np.array([[0.41, 0.43], [0.50, 0.51]]))
    assert good.holds
    assert good.gain == pytest.approx(np.log([0.50 / 0.41, 0.51 / 0.43]).mean())
    bad = verify(race, np.array([[0.70, 0.71], [0.50, 0.50]]))
    assert not bad.holds
    close = verify(race, np.array([[0.50, 0.52], [0.50, 0.51]]))  # worse, but within the noise
    assert close.gain < 0
    assert close.holds


def test_where_the_prior_won_the_race_fresh_seeds_alone_say_how_noisy_they_are() -> None:
    fresh = np.array([[0.50, 0.54], [0.51, 0.51]])
    found = verify(np.zeros((2, 0)), fresh)
    gains = np.log([0.51 / 0.50, 0.51 / 0.54])
    assert found.noise == pytest.approx(np.std(gains, ddof=1) / np.sqrt(2))


def test_the_rate_beside_the_winner_is_not_taken_for_noise() -> None:
    """Winner and what came out beside it are two rates: between them there is a difference."""
    race = np.array([[0.4, 0.4], [0.5, 0.5]])
    worse = verify(race, np.array([[0.55, 0.55], [0.5, 0.5]]))
    assert worse.noise == pytest.approx(0.0)
    assert not worse.holds


def test_one_loud_block_does_not_decide_the_check() -> None:
    quiet, loud = [0.1, 0.2], [1010.0, 1000.0]
    losses = np.array([quiet, quiet, loud]).T
    assert losses.mean(axis=1).argmin() == 1
    assert verify(losses, losses).gain > 0


def test_divergence_on_fresh_seeds_decides() -> None:
    race = np.array([[0.4, 0.4], [0.5, 0.5]])
    assert not verify(race, np.array([[np.inf], [0.5]])).holds
    assert not verify(race, np.array([[np.inf], [np.inf]])).holds
    assert verify(race, np.array([[0.4], [np.inf]])).holds
