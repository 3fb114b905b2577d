"""What a size search says in the end, on planted profiles whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from math import log2

import numpy as np
import pytest
from size_worlds import PROFILES, World, goal, search, studied, weigh

from justright.sizing.evidence import Curve, Evidence
from justright.sizing.goal import Ask
from justright.sizing.report import JUDGED, report_of
from justright.sizing.search import next_ask, next_asks
from justright.sizing.shapes import Limits, name_of


@pytest.mark.parametrize("profile", PROFILES)
def test_the_choice_is_nearly_as_good_as_the_best_shape(profile):
    regrets = []
    for seed in range(12):
        world = World(profile, seed)
        evidence, report = studied(profile, seed)
        affordable = [s for s in evidence.sizes if evidence.known(s, (0,), 1.0)]
        best = min(map(world.truth, affordable))
        regrets.append((world.truth(report.chosen) - best) / goal().delta)
    assert np.mean(np.array(regrets) <= 1.0) >= 0.9


def test_on_a_flat_profile_the_choice_is_light():
    wanted = goal()
    chosen = [report_of(search(World("flat", s), wanted)[0], wanted).chosen for s in range(12)]
    assert np.median([weigh(hidden) for hidden in chosen]) <= weigh((64, 64))


def test_small_sizes_are_said_to_be_too_small_where_they_are():
    below = []
    for seed in range(8):
        world = World("too small below", seed)
        _, report = studied("too small below", seed)
        judged = [row for row in report.rows if row.word == "worse"]
        assert all(world.truth(row.hidden) > 0.5 for row in judged)
        below.append(report.below is not None)
    assert np.mean(below) >= 0.5


def test_a_small_budget_says_what_was_not_tested():
    wanted = goal(budget=25.0)
    report = report_of(search(World("sloped", 0), wanted)[0], wanted)
    assert "not tested above" in report.sentence
    assert report.untested is not None


def test_a_size_that_diverges_is_passed_over():
    wanted, world, evidence = goal(), World("flat", 0), Evidence()
    while (ask := next_ask(evidence, wanted)) is not None:
        if ask.hidden == (64, 64):
            evidence.failed[ask.hidden] = "diverged at step 7"
        else:
            evidence.add(world.answer(ask))
    report = report_of(evidence, wanted)
    assert report.chosen != (64, 64)
    assert "2×64" not in report.sentence


def test_nothing_is_claimed_without_a_full_run():
    evidence = Evidence()
    evidence.add(World("flat", 0).answer(Ask((16,), (0, 1, 2), 1 / 3, "ladder")))
    assert report_of(evidence, goal()) is None


def test_one_full_size_is_no_comparison():
    wanted, evidence, world = goal(), Evidence(), World("flat", 0)
    for hidden, share in (((16,), 1 / 3), ((32,), 1.0)):
        evidence.add(world.answer(Ask(hidden, (0, 1, 2), share, "ladder")))
    report = report_of(evidence, wanted)
    assert report.sentence.startswith("only 1×32 was trained in full")
    assert "apart" not in report.sentence
    alone = replace(wanted, limits=Limits(only=frozenset({(32,)})))
    assert all(ask.stage != "confirm" for ask in next_asks(evidence, alone))


def test_a_limit_that_costs_accuracy_is_said_to():
    for profile, said in (("sloped", True), ("flat", False)):
        wanted = goal(limits=Limits(weights=6_000), budget=150.0)
        report = report_of(search(World(profile, 0), wanted)[0], wanted)
        assert report.limited == said
        assert ("costs accuracy" in report.sentence) == said
    assert not studied("sloped", 0)[1].limited


@pytest.mark.parametrize("budget", [15.0, 25.0, 40.0])
def test_the_time_that_a_larger_size_would_take_is_enough_for_it(budget):
    world = World("sloped", 0)
    report = report_of(search(world, goal(budget=budget))[0], goal(budget=budget))
    assert report.wanted > budget
    more = goal(budget=report.wanted)
    again = report_of(search(world, more)[0], more)
    judged = {row.hidden: row for row in again.rows if row.word in JUDGED}
    assert judged[report.untested].share == 1.0


class SlowWorld(World):
    """Small sizes learn more slowly, and all come out equal."""

    def curve(self, hidden, block):
        found = super().curve(hidden, block)
        late = 0.05 * (14 - log2(weigh(hidden)))
        losses = [loss + late * (1 - s) for loss, s in zip(found.loss, found.share, strict=True)]
        return Curve(found.share, tuple(losses))


@pytest.mark.parametrize("world", [SlowWorld("flat", 0), World("flat", 1, noise=0.02)])
def test_a_limit_costs_nothing_where_sizes_are_equal_in_the_end(world):
    wanted = goal(limits=Limits(weights=6_000), budget=150.0)
    found = []
    for seed in range(12):
        world.seed = seed
        found.append(report_of(search(world, wanted)[0], wanted))
    assert not any(report.limited for report in found)
    assert not any("not tested" in report.sentence for report in found if report.capped)
    assert any(report.capped for report in found)


def known(losses, train=None):
    """All of these sizes trained in full on six blocks."""
    evidence = Evidence()
    for hidden, loss in losses.items():
        for block in range(6):
            end = loss + 0.03 * np.sin(block) + 0.0005 * np.cos(97 * loss + 13 * block)
            fit = () if train is None else (train(hidden),) * 3
            curve = Curve((1 / 9, 1 / 3, 1.0), (end + 0.1, end + 0.05, end), fit)
            evidence.add({(hidden, block): curve})
    return evidence


def test_what_is_learned_by_heart_is_worse_than_what_it_is_compared_with():
    losses = {(16,): 0.512, (64,): 0.5119, (256,): 0.5, (512, 512): 0.508}
    report = report_of(known(losses, lambda hidden: 1 / log2(weigh(hidden))), goal())
    assert report.by_heart
    best, last = (next(r for r in report.rows if r.hidden == h) for h in ((256,), (512, 512)))
    assert (best.difference, best.train > last.train, last.low > 0.0) == (0.0, True, True)


def test_losses_of_all_sizes_in_full_compare_like_their_differences():
    """Some were trained on three blocks, some on six, which differ in how hard they are."""
    for seed in range(10):
        wanted = goal(budget=150.0)
        report = report_of(search(World("bowl", seed), wanted)[0], wanted)
        judged = [row for row in report.rows if np.isfinite(row.difference)]
        assert len({row.blocks for row in judged}) == 2
        base = judged[0].loss - judged[0].difference
        assert all(row.loss - row.difference == pytest.approx(base) for row in judged)


def test_a_size_that_ran_out_of_memory_is_not_called_too_large():
    wanted = goal(budget=3_000.0)
    world, evidence = World("flat", 0), Evidence()
    while (ask := next_ask(evidence, wanted)) is not None:
        if weigh(ask.hidden) > 60_000:
            evidence.failed[ask.hidden] = "out of memory"
        else:
            evidence.add(world.answer(ask))
    report = report_of(evidence, wanted)
    failed = [row for row in report.rows if row.word == "failed"]
    assert failed
    assert {row.reason for row in failed} == {"out of memory"}
    assert "too large" not in report.sentence


def test_a_promising_size_that_time_ran_out_for_was_not_given_up():
    words = {}
    for budget in (20.0, 30.0, 40.0, 1e4):
        wanted = goal(budget)
        report = report_of(search(World("bowl", 0), wanted)[0], wanted)
        words[budget] = {row.word for row in report.rows}
    assert "no time" in words[20.0] | words[30.0] | words[40.0]
    assert "no time" not in words[1e4]
    assert "given up" in words[1e4]


def test_on_one_set_of_validation_rows_new_seeds_are_not_fresh_blocks():
    """Rows that favour a size favour it on the new seeds too: all pairs have to be judged."""
    losses = {(16,): 0.5, (64,): 0.501, (256,): 0.502}
    wanted = goal()
    found = [report_of(known(losses), wanted, rows) for rows in (None, lambda one, other: 1e-9)]
    widths = [max(row.high - row.low for row in report.rows) for report in found]
    assert widths[1] > widths[0]


def test_the_largest_size_compared_is_not_called_just_right_while_larger_ones_are_unknown():
    said = set()
    for seed in range(12):
        for budget in (20.0, 40.0):
            wanted = goal(budget)
            report = report_of(search(World("sloped", seed), wanted)[0], wanted)
            full = [row.hidden for row in report.rows if row.word in JUDGED]
            if report.chosen == full[-1]:
                assert "not tested above" in report.sentence
                assert f"just right {name_of(report.chosen)}" not in report.sentence
                said.add(report.below is not None)
    assert said


def test_few_rows_call_nothing_too_large():
    few = goal(budget=150.0, rows=400)
    found = [report_of(search(World("bowl", seed), few)[0], few) for seed in range(6)]
    assert "too large above" not in {report.upper for report in found}
    assert "too large above" in {studied("bowl", seed)[1].upper for seed in range(6)}


@pytest.mark.parametrize("profile", ["bowl", "flat"])
def test_a_heavy_size_that_knows_training_rows_by_heart_is_pointed_out(profile):
    """Training losses fall with the weights in both worlds."""
    wanted, world, evidence = goal(budget=150.0), World(profile, 0), Evidence()
    while (ask := next_ask(evidence, wanted)) is not None:
        answer = world.answer(ask)
        train = 1.0 / log2(weigh(ask.hidden))
        evidence.add({k: replace(c, train=(train,) * len(c.share)) for k, c in answer.items()})
    assert report_of(evidence, wanted).by_heart == (profile == "bowl")
