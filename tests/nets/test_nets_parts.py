"""Initialisation, rate factors, masks and activations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from justright.nets.activations import ACTIVATIONS, activate
from justright.nets.initialise import initial_buffers, initial_tensors
from justright.nets.masks import BLOCK, ByteStream, kept_levels
from justright.nets.rates import rate_factors
from justright.recipe.network import Inputs, NetworkSpec, Shape, buffer_shapes, tensor_shapes


def make_spec(**changes) -> NetworkSpec:
    return NetworkSpec(Shape(**{"hidden": (300, 200), **changes}), Inputs(100, 0, (40,), 3))


def test_initial_tensors_have_the_shapes_of_the_recipe() -> None:
    for kind in ("none", "periodic", "piecewise"):
        spec = make_spec(numbers=kind, normaliser="batch", activation="prelu")
        tensors, buffers = initial_tensors(spec, 1), initial_buffers(spec)
        assert {n: t.shape for n, t in tensors.items()} == tensor_shapes(spec)
        assert {n: t.shape for n, t in buffers.items()} == buffer_shapes(spec)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", np.sqrt(2 / 300)),  # He
        ("selu", np.sqrt(1 / 300)),  # LeCun
        ("tanh", np.sqrt(2 / 500)),  # Glorot
    ],
)
def test_the_deviation_belongs_to_the_activation(name: str, expected: float) -> None:
    drawn = initial_tensors(make_spec(activation=name), 3)["layers.1.weight"]
    assert drawn.std() == pytest.approx(expected, rel=0.02)
    assert abs(drawn.mean()) < 0.02 * expected


def test_the_untrained_network_says_its_prior() -> None:
    tensors = initial_tensors(make_spec(), 3)
    assert not tensors["head.weight"].any()
    assert not tensors["head.bias"].any()


def test_a_tensor_draws_from_its_own_seed() -> None:
    plain, other = make_spec(), make_spec(scale_layer=False, numbers="periodic")
    assert np.array_equal(
        initial_tensors(plain, 5)["layers.1.weight"], initial_tensors(other, 5)["layers.1.weight"]
    )
    assert not np.array_equal(
        initial_tensors(plain, 5)["layers.1.weight"], initial_tensors(plain, 6)["layers.1.weight"]
    )


def test_standard_rates_are_one() -> None:
    assert set(rate_factors(make_spec(), "adamw", "standard").values()) == {1.0}


def test_width_rates_of_adam() -> None:
    factors = rate_factors(make_spec(normaliser="layer", numbers="periodic"), "adamw", "width")
    entry = 100 * 4 + 8
    assert factors["layers.0.weight"] == pytest.approx(entry**-0.5)
    assert factors["layers.1.weight"] == pytest.approx(300**-0.5 * (256 / 300) ** 0.5)
    assert factors["head.weight"] == pytest.approx(200**-0.5 * (256 / 200) ** 0.5)
    assert factors["scale"] == 6.0
    assert factors["head.bias"] == factors["numbers.weight"] == 0.1
    assert factors["categories.0.weight"] == 1.0


def test_members_start_apart_and_learn_at_their_own_rates() -> None:
    signs = make_spec(members=4)
    drawn = initial_tensors(signs, 3)["members.scale"]
    assert drawn.shape == (4, 108)
    assert set(np.unique(drawn)) == {-1.0, 1.0}
    assert abs(drawn.mean()) < 0.2
    embedded = make_spec(members=4, numbers="periodic")
    drawn = initial_tensors(embedded, 3)["members.scale"]
    columns = drawn[:, :400].reshape(4, 100, 4)
    assert (columns == columns[..., :1]).all()  # one factor for all that a column became
    assert (drawn[:, 400:] == drawn[:, 400:401]).all()
    assert columns[..., 0].std() == pytest.approx(1.0, rel=0.15)
    assert not initial_tensors(embedded, 3)["head.weight"].any()


def test_rates_of_members() -> None:
    one, many = make_spec(), make_spec(members=4)
    alone, adam = (rate_factors(spec, "adamw", "width") for spec in (one, many))
    assert adam == alone | {"members.scale": 0.1}
    alone, sgd = (rate_factors(spec, "sgd", "width") for spec in (one, many))
    assert sgd["head.weight"] == pytest.approx(4 * alone["head.weight"])
    assert sgd["head.bias"] == pytest.approx(4 * alone["head.bias"])
    assert sgd["layers.1.weight"] == alone["layers.1.weight"]


def test_width_rates_of_sgd_grow_with_the_fan_out_behind_the_inputs() -> None:
    narrow = rate_factors(make_spec(hidden=(64, 64)), "sgd", "width")
    wide = rate_factors(make_spec(hidden=(128, 128)), "sgd", "width")
    assert wide["layers.0.weight"] == pytest.approx(2 * narrow["layers.0.weight"])
    assert wide["layers.1.weight"] == narrow["layers.1.weight"] == 1.0
    assert wide["head.weight"] == pytest.approx(narrow["head.weight"] / 2)
    assert wide["layers.1.bias"] == pytest.approx(2 * narrow["layers.1.bias"])


@given(st.integers(0, 200), st.integers(1, 50))
def test_bytes_of_a_step_do_not_depend_on_the_way_there(step: int, size: int) -> None:
    walked = ByteStream(7, "dropout", size)
    for earlier in range(max(0, step - 2 * BLOCK), step):
        walked.at(earlier)
    assert np.array_equal(walked.at(step), ByteStream(7, "dropout", size).at(step))


def test_bytes_differ_between_steps_seeds_and_purposes() -> None:
    drawn = [
        ByteStream(seed, purpose, 64).at(step).tobytes()
        for seed in (1, 2)
        for purpose in ("dropout", "paths")
        for step in range(40)
    ]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("share", [0.05, 0.15, 0.5, 0.9])
def test_bytes_keep_the_share_asked_for(share: float) -> None:
    kept = np.mean([ByteStream(s, "dropout", 4096).at(s) < kept_levels(share) for s in range(50)])
    exact = kept_levels(share) / 256
    assert abs(exact - (1 - share)) <= 1 / 512
    assert kept == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / (50 * 4096)))


def test_bytes_are_independent_between_neighbours() -> None:
    drawn = np.concatenate([ByteStream(1, "dropout", 512).at(s) for s in range(64)]) / 255
    for lag in (1, 8, 512):
        assert abs(np.corrcoef(drawn[:-lag], drawn[lag:])[0, 1]) < 0.03


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_equal_those_of_torch(name: str) -> None:
    z = torch.linspace(-3, 3, 31, dtype=torch.float64).view(1, 1, -1)
    functional = torch.nn.functional
    if name == "prelu":
        slope = torch.full((1, 1, 31), 0.3, dtype=torch.float64)
        expected = functional.prelu(z, torch.tensor([0.3], dtype=torch.float64))
        assert torch.equal(activate("prelu", z.clone(), slope), expected)
        return
    if name == "rrelu":
        expected = functional.rrelu(z, 1 / 8, 1 / 3, training=False)
    else:
        expected = getattr(functional, name)(z)
    assert torch.allclose(activate(name, z.clone()), expected, rtol=0, atol=1e-15)
    if ACTIVATIONS[name].homogeneous:
        assert torch.allclose(activate(name, 2 * z), 2 * expected)
