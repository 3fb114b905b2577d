"""How fast networks answer, measured with random weights before any of them is trained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.model.latency import measure
from justright.recipe.network import Inputs, NetworkSpec, Shape

INPUTS = Inputs(numbers=5, indicators=3, categories=(20,), outputs=3)


def test_larger_networks_take_longer() -> None:
    shapes = [Shape(hidden=hidden) for hidden in ((16,), (1024,) * 5)]
    quick, slow = measure([NetworkSpec(shape, INPUTS) for shape in shapes], lambda _: None)
    assert 0.0 < 2 * quick < slow < 1.0


@pytest.mark.parametrize("numbers", ["none", "periodic", "piecewise"])
@pytest.mark.parametrize("normaliser", ["none", "layer", "batch"])
def test_every_kind_of_network_can_be_timed(numbers: str, normaliser: str) -> None:
    shape = Shape(hidden=(16, 16), numbers=numbers, normaliser=normaliser)  # type: ignore[arg-type]
    shapes = [shape, replace(shape, body="residual")]
    found = measure([NetworkSpec(shape, INPUTS) for shape in shapes], lambda _: None)
    assert all(0.0 < seconds < 0.1 for seconds in found)
