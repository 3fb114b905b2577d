"""What the size search asks for, on planted profiles whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from math import log2

import pytest
from size_worlds import PROFILES, World, goal, search, weigh

from justright.sizing.evidence import SHARES, Evidence
from justright.sizing.report import report_of
from justright.sizing.search import next_asks, shapes, worthwhile
from justright.sizing.shapes import Limits, name_of


@pytest.mark.parametrize("budget", [5.0, 20.0, 60.0, 300.0])
def test_the_budget_is_never_exceeded(budget):
    wanted = goal(budget)
    evidence, asks = search(World("bowl", 1), wanted)
    assert wanted.spent(evidence) <= budget
    assert asks


def test_limits_are_honoured_exactly():
    wanted = goal(limits=Limits(weights=3_000))
    _, asks = search(World("sloped", 0), wanted)
    assert max(weigh(ask.hidden) for ask in asks) <= 3_000


def test_an_interrupted_search_goes_on_as_if_it_had_not_been():
    wanted, world = goal(), World("bowl", 3)
    _, whole = search(world, wanted)
    for cut in (1, 3, len(whole) // 2):
        evidence = Evidence()
        for ask in whole[:cut]:
            evidence.add(world.answer(ask))
        _, rest = search(world, wanted, evidence)
        assert whole[:cut] + rest == whole


def test_every_run_is_continued_from_third_to_third():
    _, asks = search(World("bowl", 0), goal())
    reached = {}
    for ask in asks:
        for block in ask.blocks:
            assert ask.share > reached.get((ask.hidden, block), 0.0)
            reached[ask.hidden, block] = ask.share
    assert {ask.share for ask in asks} <= set(SHARES)


def test_confirmation_uses_blocks_that_chose_nothing():
    wanted = goal()
    _, asks = search(World("bowl", 0), wanted)
    for ask in asks:
        fresh = set(ask.blocks) <= set(wanted.confirmation)
        assert fresh == (ask.stage == "confirm")


def test_asks_of_one_batch_do_not_wait_for_each_other():
    batch = next_asks(Evidence(), goal())
    assert [name_of(ask.hidden) for ask in batch] == ["1×16", "1×64", "1×256"]
    assert all(ask == replace(batch[0], hidden=ask.hidden) for ask in batch)
    assert next_asks(Evidence(), goal(budget=0.0)) == ()


def test_a_search_that_cannot_reach_an_answer_is_not_worth_beginning():
    assert worthwhile(goal(budget=60.0))
    assert not worthwhile(goal(budget=5.0))
    wanted = goal(budget=60.0)
    assert report_of(search(World("flat", 0), wanted)[0], wanted) is not None


@pytest.mark.parametrize("profile", PROFILES)
def test_a_budget_that_is_worth_beginning_with_compares_two_full_sizes(profile):
    """However little is left: rungs and confirmation wait until two sizes can be compared."""
    least = next(budget for budget in range(1, 100) if worthwhile(goal(float(budget))))
    for budget in (1.0 * least, 1.1 * least, 1.3 * least, 1.6 * least):
        wanted = goal(budget)
        evidence, _ = search(World(profile, 0), wanted)
        full = [each for each in evidence.sizes if evidence.known(each, wanted.selection, 1.0)]
        assert len(full) >= 2
        assert wanted.spent(evidence) <= budget


def test_only_differences_of_losses_count():
    """Accuracy turned is -0.9 and more, log-loss of separable classes is 0 and more."""
    wanted = goal(budget=150.0)
    _, asks = search(World("bowl", 3), wanted)
    assert any(ask.stage == "shape" for ask in asks)
    for base in (0.0, -0.9, -1e-3):
        assert search(World("bowl", 3, base=base), wanted)[1] == asks


def test_a_search_for_which_every_difference_matters_comes_to_its_end():
    """Delta is 0 where no baseline is better than the constant."""
    for profile, noise in (("flat", 0.005), ("bowl", 0.005), ("flat", 0.0)):
        wanted = replace(goal(budget=150.0), delta=0.0)
        evidence, asks = search(World(profile, 0, noise), wanted)
        report = report_of(evidence, wanted)
        assert {"ladder", "length"} <= {ask.stage for ask in asks}
        assert report.chosen in evidence.sizes
        assert len(report.rows) > 2


def test_where_every_difference_matters_noise_is_no_reason_to_try_all_shapes():
    wanted = replace(goal(budget=1e5), delta=0.0)
    _, asks = search(World("flat", 0), wanted)
    tried = {ask.hidden for ask in asks if ask.stage == "shape"}
    assert len(tried) < len(shapes(wanted)) / 2


def second_descent(w):
    """Worse from 600 weights to 20,000, better than ever beyond 60,000."""
    rise = 0.1 * max(0.0, log2(w) - 9)
    return rise if w < 20_000 else -0.2


def test_a_turned_ladder_is_guarded_against_a_second_descent(monkeypatch):
    """With 1,000 rows it has not turned before 4,000 weights, with 10,000 not before 40,000."""
    monkeypatch.setitem(PROFILES, "second descent", second_descent)
    heaviest = {}
    for rows in (1_000, 10_000):
        wanted = goal(budget=150.0, rows=rows)
        _, asks = search(World("second descent", 0), wanted)
        heaviest[rows] = max(weigh(ask.hidden) for ask in asks if ask.stage == "ladder")
    assert heaviest[1_000] < 20_000
    assert heaviest[10_000] >= 40_000
    wanted = goal(budget=20.0, rows=10_000)  # only where it can be afforded
    evidence, _ = search(World("second descent", 0), wanted)
    assert wanted.spent(evidence) <= 20.0


def test_one_size_alone_is_never_confirmed():
    for profile in PROFILES:
        for budget in range(10, 80, 2):
            _, asks = search(World(profile, 0), goal(float(budget)))
            assert sum(ask.stage == "confirm" for ask in asks) != 1
