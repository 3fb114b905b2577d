"""The contract of every rule of the catalogue, whatever file it stands in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from justright.core.task import Task, TaskKind
from justright.engine.contract import Candidate, Program, Span
from justright.ideas.registry import RULES, propose_moves
from justright.ideas.rule import Leads, Move, Rule, Situation
from justright.ideas.stage import ORDER, Stage
from justright.recipe.network import Inputs, NetworkSpec
from justright.recipe.recipe import LossSpec, Recipe, RegularisationSpec
from justright.testing.backends import BATCH, ROWS, make_rows
from justright.training.controls import Course
from justright.training.run import open_stack
from justright.training.start import start_recipe

KINDS = {
    TaskKind.REGRESSION: Task(TaskKind.REGRESSION, ("y",)),
    TaskKind.BINARY: Task(TaskKind.BINARY, ("y",), ("no", "yes")),
    TaskKind.MULTICLASS: Task(TaskKind.MULTICLASS, ("y",), ("a", "b", "c")),
}
STEPS = 3


def situation(task: Task, numbers: int = 4, **changes: object) -> Situation:
    """A champion at the start recipe on a table of 2,000 rows."""
    inputs = Inputs(numbers, 2, (3,), task.outputs)
    recipe, _ = start_recipe(task, 2_000, inputs)
    metric = "balanced_accuracy" if task.is_classification else "rmse"
    made = Situation(recipe, task, metric, inputs, 2_000, loss=0.5, best_at=0.9, outliers=0.02)
    made = replace(made, skewness=0.0 if task.is_classification else 2.0)
    return replace(made, **changes)  # type: ignore[arg-type]


def situations() -> Iterator[Situation]:
    """Start recipes, with and without leads, and what one idea makes of them."""
    for task, numbers in product(KINDS.values(), (0, 4, 100)):
        yield situation(task, numbers)
    for task in KINDS.values():
        start = situation(task, leads=Leads(rate=0.5, size=(16,)))
        yield start
        for move in propose_moves(start):
            yield replace(start, recipe=move.recipe)


ALL = tuple(situations())


def test_there_is_something_for_every_stage_but_none_without_a_stage() -> None:
    assert {rule.stage for rule in RULES} == set(ORDER)
    assert [rule.stage for rule in RULES] == sorted(
        (rule.stage for rule in RULES), key=ORDER.index
    )
    assert max(Counter(rule.slot for rule in RULES).values()) == 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slot)
class TestEveryRule:
    """What must hold of a rule wherever it applies."""

    def test_it_applies_somewhere_and_says_where_it_comes_from(self, rule: Rule) -> None:
        assert rule.source
        assert any(propose_moves(each, (rule,)) for each in ALL)

    def test_its_ideas_change_something_and_predict_it(self, rule: Rule) -> None:
        for each in ALL:
            moves = propose_moves(each, (rule,))
            titles = [move.idea.title for move in moves]
            assert len(set(titles)) == len(titles)
            for move in moves:
                assert move.recipe != each.recipe
                prediction = move.idea.prediction
                assert 0 < prediction.helps < 1
                assert prediction.gain == tuple(sorted(prediction.gain))
                assert prediction.gain[1] > 0
                assert prediction.complexity >= 0
                assert move.idea.stage == rule.stage
                assert move.length > 0

    def test_gains_do_not_turn_where_greater_is_better(self, rule: Rule) -> None:
        for each in ALL[:10]:
            turned = replace(each, loss=-each.loss)
            for one, other in zip(
                propose_moves(each, (rule,)), propose_moves(turned, (rule,)), strict=True
            ):
                assert one.idea.prediction == other.idea.prediction

    def test_what_it_leads_to_can_be_trained(self, rule: Rule) -> None:
        tried: set[Recipe] = set()
        for each in ALL:
            for move in propose_moves(each, (rule,)):
                if each.inputs.numbers <= 4 and move.recipe not in tried and len(tried) < 8:
                    tried.add(move.recipe)
                    losses = train(move, each)
                    assert np.isfinite(losses).all(), move.idea.title


def train(move: Move, at: Situation) -> np.ndarray:
    """Losses of some steps with the real engine and the recipe's own controls."""
    recipe = move.recipe
    net = NetworkSpec(recipe.shape, at.inputs)
    program = Program(net, recipe.loss, recipe.optimiser.rule, BATCH)
    stack = open_stack(program, make_rows(net, recipe.loss), [Candidate("a", 0)])
    controls = Course(recipe, STEPS, 2.0).controls(0, STEPS)
    order = np.random.default_rng(0).integers(0, ROWS, (1, STEPS, BATCH), dtype=np.int32)
    trace = stack.advance(Span(order, {name: v[None] for name, v in controls.items()}))
    return np.asarray(trace.loss)


def proposed(slot: str, at: Situation) -> list[Move]:
    return [move for move in propose_moves(at) if move.idea.slot == slot]


def test_smoothing_is_for_accuracy_only() -> None:
    classes = situation(KINDS[TaskKind.BINARY])
    assert proposed("smoothing", classes)
    assert not proposed("smoothing", replace(classes, metric="log_loss"))
    assert not proposed("smoothing", situation(KINDS[TaskKind.REGRESSION]))


def test_sampling_is_for_metrics_in_which_classes_count_alike() -> None:
    classes = replace(situation(KINDS[TaskKind.MULTICLASS]), metric="balanced_accuracy")
    (move,) = proposed("sampling", classes)
    assert move.recipe.sampling == "balanced"
    assert not proposed("sampling", replace(classes, metric="accuracy"))


def test_huber_is_for_values_with_outliers() -> None:
    values = situation(KINDS[TaskKind.REGRESSION])
    (move,) = proposed("loss", values)
    assert move.recipe.loss == LossSpec("huber", delta=1.0)
    assert not proposed("loss", replace(values, outliers=0.003))
    assert not proposed("loss", situation(KINDS[TaskKind.MULTICLASS]))


def test_the_root_is_for_skewed_values_that_are_never_negative() -> None:
    values = situation(KINDS[TaskKind.REGRESSION])
    (move,) = proposed("target", values)
    assert move.recipe.preprocessing.target == "sqrt"
    (back,) = proposed("target", replace(values, recipe=move.recipe, lowest=-1.0))
    assert back.recipe == values.recipe
    assert not proposed("target", replace(values, lowest=-1e-9))
    assert not proposed("target", replace(values, skewness=0.9))
    assert not proposed("target", situation(KINDS[TaskKind.BINARY], skewness=2.0))


def test_depth_is_skipped_only_where_there_are_blocks() -> None:
    plain = situation(KINDS[TaskKind.REGRESSION])
    assert not proposed("stochastic depth", plain)
    (blocks,) = proposed("body", plain)
    assert proposed("stochastic depth", replace(plain, recipe=blocks.recipe))


def test_selu_goes_with_neither_normaliser_nor_blocks() -> None:
    for each in ALL:
        for move in propose_moves(each):
            if move.idea.slot in ("normaliser", "activation"):
                shape = move.recipe.shape
                itself = shape.normaliser == "none" and shape.body == "mlp"
                assert shape.activation != "selu" or itself or each.recipe.shape.body != "mlp"


def test_members_share_a_narrow_body() -> None:
    plain = situation(KINDS[TaskKind.REGRESSION])
    (move,) = proposed("members", plain)
    assert move.recipe.shape == replace(plain.recipe.shape, members=4)
    wide = replace(plain.recipe, shape=replace(plain.recipe.shape, hidden=(512, 64)))
    (narrowed,) = proposed("members", replace(plain, recipe=wide))
    assert narrowed.recipe.shape.hidden == (128, 64)
    assert narrowed.idea.prediction.helps < move.idea.prediction.helps


def test_a_network_with_members_may_have_more() -> None:
    plain = situation(KINDS[TaskKind.REGRESSION])
    (few,) = proposed("members", plain)
    (more,) = proposed("members", replace(plain, recipe=few.recipe))
    assert more.recipe.shape == replace(plain.recipe.shape, members=8)
    assert not proposed("members", replace(plain, recipe=more.recipe))


def test_a_batch_is_changed_at_equal_epochs() -> None:
    at = situation(KINDS[TaskKind.REGRESSION])
    for move in proposed("batch", at):
        assert move.recipe.batch * move.length == pytest.approx(at.recipe.batch)


def test_a_rule_needs_no_more_than_to_be_handed_in() -> None:
    (rule,) = (rule for rule in RULES if rule.slot == "body")
    mine = Rule("mine", Stage.DATA, "assumption", rule.propose)
    (move,) = propose_moves(situation(KINDS[TaskKind.BINARY]), (mine,))
    assert (move.idea.slot, move.idea.stage) == ("mine", "data")


def test_the_last_layer_is_no_place_of_its_own_where_there_is_one() -> None:
    plain = situation(KINDS[TaskKind.REGRESSION])
    (move,) = proposed("dropout layers", plain)
    assert move.recipe.regularisation == RegularisationSpec(dropout=0.15, dropout_layers=1)
    (back,) = proposed("dropout layers", replace(plain, recipe=move.recipe))
    assert back.recipe == plain.recipe
    none = replace(plain, recipe=replace(plain.recipe, regularisation=RegularisationSpec()))
    (first,) = proposed("dropout layers", none)
    assert first.recipe.regularisation == RegularisationSpec(dropout=0.15, dropout_layers=1)
    shallow = replace(plain.recipe, shape=replace(plain.recipe.shape, hidden=(64,)))
    assert not proposed("dropout layers", replace(plain, recipe=shallow))
    bare = RegularisationSpec(dropout_layers=1)
    assert not proposed(
        "dropout layers", replace(plain, recipe=replace(plain.recipe, regularisation=bare))
    )


def test_inputs_are_silenced_only_where_there_are_several_and_shaken_only_where_numbers() -> None:
    task = KINDS[TaskKind.REGRESSION]
    plain = situation(task)
    for slot, field in (("input dropout", "input_dropout"), ("input noise", "input_noise")):
        (move,) = proposed(slot, plain)
        assert getattr(move.recipe.regularisation, field) > 0
        (back,) = proposed(slot, replace(plain, recipe=move.recipe))
        assert back.recipe == plain.recipe
    assert not proposed("input dropout", replace(plain, inputs=Inputs(2, 0, (3,), 1)))
    assert not proposed("input noise", replace(plain, inputs=Inputs(0, 5, (3,), 1)))
