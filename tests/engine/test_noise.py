"""Dropout, alpha dropout, stochastic depth and drawn slopes, by their distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from justright.engine.contract import Program
from justright.engine.torch_stack.controls import read_controls
from justright.engine.torch_stack.noise import NoiseSource
from justright.nets.forward import Noise
from justright.nets.masks import kept_levels
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec

K, BATCH, STEPS = 2, 256, 40


def make_noise(shape: Shape, **controls: float) -> list[Noise]:
    program = Program(NetworkSpec(shape, Inputs(3, 0, (), 1)), LossSpec("mse"), "adamw", BATCH)
    source = NoiseSource(program, (1, 2), torch.float64)
    arrays = {name: np.full((K, STEPS), value) for name, value in controls.items()}
    source.begin(read_controls(arrays, K, STEPS), np.array([0, 7]))
    return [source.at(step) for step in range(STEPS)]


def test_no_noise_where_no_control_asks() -> None:
    noise = make_noise(Shape(hidden=(8,)))[0]
    assert noise == Noise()


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_dropout_silences_its_share_and_keeps_the_mean(share: float) -> None:
    masks = make_noise(Shape(hidden=(16, 8)), dropout=share)
    kept = torch.stack([noise.keep[0] for noise in masks if noise.keep is not None])
    assert kept.shape == (STEPS, K, BATCH, 16)
    exact = kept_levels(share) / 256
    assert set(kept.unique().tolist()) == {0.0, 1 / exact}
    assert float(kept.mean()) == pytest.approx(1.0, abs=0.02)
    assert not torch.equal(kept[0, 0], kept[0, 1])


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    """Klambauer et al. 2017, section "new dropout technique"."""
    masks = make_noise(Shape(hidden=(32,), activation="selu", dropout="alpha"), dropout=0.2)
    values = []
    generator = torch.Generator().manual_seed(0)
    for noise in masks:
        assert noise.keep is not None
        assert noise.shift is not None
        h = torch.randn(noise.keep[0].shape, generator=generator, dtype=torch.float64)
        values.append(torch.addcmul(noise.shift[0], h, noise.keep[0]))
    dropped = torch.stack(values)
    assert float(dropped.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(dropped.var()) == pytest.approx(1.0, abs=0.01)


def test_the_activation_brings_its_kind_of_dropout() -> None:
    def is_alpha(**changes) -> bool:
        shape = Shape(hidden=(32, 32), **changes)
        return make_noise(shape, dropout=0.2)[0].shift is not None

    assert is_alpha(activation="selu")
    assert not is_alpha(activation="selu", dropout="plain")
    assert not is_alpha(activation="mish")
    assert is_alpha(activation="mish", dropout="alpha")
    for breaks_it in ({"normaliser": "layer"}, {"normaliser": "batch"}, {"body": "residual"}):
        assert not is_alpha(activation="selu", **breaks_it)


def test_stochastic_depth_grows_with_the_block_and_keeps_the_mean() -> None:
    shape = Shape(body="residual", hidden=(4, 4))
    masks = make_noise(shape, stochastic_depth=0.5)
    for block, share in enumerate((0.25, 0.5)):
        factors = torch.stack([n.paths[block] for n in masks if n.paths is not None])
        assert factors.shape == (STEPS, K, BATCH, 1)
        assert float((factors == 0).double().mean()) == pytest.approx(share, abs=0.02)
        assert float(factors.mean()) == pytest.approx(1.0, abs=0.03)


def test_a_plain_perceptron_has_no_blocks_to_skip() -> None:
    assert make_noise(Shape(hidden=(4,)), stochastic_depth=0.5)[0].paths is None


def test_drawn_slopes_are_uniform_around_the_one_of_evaluation() -> None:
    slopes = make_noise(Shape(hidden=(16,), activation="rrelu"))
    drawn = torch.stack([noise.slopes[0] for noise in slopes if noise.slopes is not None])
    assert 1 / 8 <= float(drawn.min()) < 0.13
    assert 0.33 < float(drawn.max()) <= 1 / 3
    assert float(drawn.mean()) == pytest.approx((1 / 8 + 1 / 3) / 2, abs=1e-3)
