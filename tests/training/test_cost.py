"""Costs: fitted to measured steps, predicted without torch."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.core.codec import from_document
from justright.recipe.network import Inputs, Shape
from justright.recipe.recipe import LossSpec, Recipe
from justright.training.calibrate import SHAPES, measure
from justright.training.cost import (
    USUAL,
    CostModel,
    Measured,
    alone_from,
    fit_cost,
    step_s,
)

INPUTS = Inputs(20, 5, (30,), 3)


def recipe_of(hidden):
    """A recipe of some shape."""
    return Recipe(shape=Shape(hidden=hidden))


def points_of(model):
    """What a machine with these costs would measure."""
    found = []
    for hidden, members in SHAPES:
        recipe = recipe_of(hidden)
        found.append(Measured(recipe, members, step_s(model, recipe, INPUTS, members)))
    return found


@given(factor=st.floats(0.2, 20), operation=st.floats(0.5, 2), product=st.floats(0.5, 2))
def test_the_fit_finds_a_machine_again(factor, operation, product):
    machine = CostModel(
        USUAL.operation_s * factor * operation,
        USUAL.product_s * factor * product,
        USUAL.near_s * factor,
        USUAL.far_s * factor,
    )
    fitted = fit_cost(points_of(machine), INPUTS)
    for hidden in ((64,), (128, 128), (256, 256), (512, 512)):
        expected = step_s(machine, recipe_of(hidden), INPUTS)
        found = step_s(fitted, recipe_of(hidden), INPUTS)
        assert found == pytest.approx(expected, rel=0.25)


def test_one_point_moves_all_figures():
    machine = CostModel(*(10 * value for value in astuple(USUAL)))
    fitted = fit_cost(points_of(machine)[:1], INPUTS)
    assert fitted.product_s > 5 * USUAL.product_s


def test_costs_grow_with_the_work():
    def seconds(hidden=(64, 64), batch=256, members=1):
        recipe = replace(recipe_of(hidden), batch=batch)
        return step_s(USUAL, recipe, INPUTS, members)

    assert seconds() < seconds(hidden=(128, 128)) < seconds(hidden=(256, 256, 256))
    assert seconds(members=4) < 4 * seconds()  # narrow members share the overhead
    wide = (1024, 1024)
    assert seconds(hidden=wide, members=4) == pytest.approx(4 * seconds(hidden=wide))


def test_networks_train_alone_where_this_machine_gains_nothing_by_stacking():
    def width(batch=128, **slower):
        model = replace(USUAL, **{name: 10 * getattr(USUAL, name) for name in slower})
        return alone_from(model, replace(recipe_of((32,)), batch=batch), INPUTS)

    assert width(batch=1024) < width() < width(operation_s=True)  # calls are what stacks share
    assert width(product_s=True) < width()


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_measuring_gives_a_model_of_this_machine(loss):
    recipe = replace(recipe_of((32,)), loss=LossSpec(loss), batch=64)
    told = []
    answer = measure(recipe, INPUTS, 0.6, told.append)
    model = from_document(CostModel, answer["model"])
    assert len(told) == len(answer["points"]) == len(SHAPES)
    for point in answer["points"]:
        shape = replace(recipe, shape=replace(recipe.shape, hidden=tuple(point["hidden"])))
        predicted = step_s(model, shape, INPUTS, point["members"])
        assert 0.2 < predicted / point["step_s"] < 5  # timings of a machine that others use too


def test_the_planning_side_needs_no_torch():
    modules = "schedules, controls, order, budget, request, cost, start"
    code = (
        f"import sys; from justright.training import {modules}; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
