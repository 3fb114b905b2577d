"""Values survive the trip through JSON, and equal values have equal fingerprints."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.core.codec import dumps, fingerprint, from_document, to_document
from justright.core.seeds import child_seed
from justright.core.trial import TrialSpec
from justright.recipe.network import Inputs, NetworkSpec, Shape, parameter_count, tensor_shapes
from justright.recipe.patch import Patch
from justright.recipe.recipe import OptimiserSpec, Recipe


def test_a_recipe_survives_json() -> None:
    optimiser = OptimiserSpec(decay_epochs=3.0)
    recipe = Recipe(shape=Shape(hidden=(7, 9)), optimiser=optimiser, batch=64)
    assert from_document(Recipe, json.loads(dumps(recipe))) == recipe


def test_unknown_keys_are_named() -> None:
    document = to_document(Recipe()) | {"colour": "red"}
    with pytest.raises(ValueError, match="colour"):
        from_document(Recipe, document)


@given(st.dictionaries(st.text(), st.integers() | st.floats(allow_nan=False) | st.text()))
def test_the_fingerprint_does_not_depend_on_the_order(values: dict[str, object]) -> None:
    turned = dict(reversed(values.items()))
    assert fingerprint(values) == fingerprint(turned)


def test_numpy_scalars_become_plain() -> None:
    assert to_document({"a": np.float32(0.5), "b": np.int64(3)}) == {"a": 0.5, "b": 3}


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        to_document(object())


@given(st.integers(), st.text())
def test_child_seeds_are_stable_and_63_bits(seed: int, name: str) -> None:
    assert child_seed(seed, name) == child_seed(seed, name)
    assert 0 <= child_seed(seed, name) < 2**63


def test_a_trial_is_known_by_what_determines_it_not_by_its_names() -> None:
    spec = TrialSpec("network", "start", "champion", {"rate": 1.0}, "p0", 1, 100)
    other = TrialSpec("network", "another name", "noise", {"rate": 1.0}, "p0", 1, 100)
    longer = TrialSpec("network", "start", "champion", {"rate": 1.0}, "p0", 1, 101)
    assert spec.id == other.id != longer.id


def test_a_patch_changes_one_path_and_refuses_unknown_ones() -> None:
    assert Patch("p", {"shape.hidden": [3]}).apply(Recipe()).shape.hidden == (3,)
    with pytest.raises(ValueError, match=r"shape\.colour"):
        Patch("p", {"shape.colour": 1}).apply(Recipe())


def test_the_count_of_weights_is_the_sum_of_the_layout() -> None:
    spec = NetworkSpec(Shape(hidden=(5, 4), scale_layer=True), Inputs(3, 2, (7,), 2))
    inputs = 3 + 2 + 8
    expected = 7 * 8 + inputs + (inputs * 5 + 5) + (5 * 4 + 4) + (4 * 2 + 2)
    assert parameter_count(spec) == expected
    assert next(iter(tensor_shapes(spec))) == "categories.0.weight"
