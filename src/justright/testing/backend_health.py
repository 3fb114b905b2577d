"""The contract of backends, and on top of it what they say of a training's health."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from justright.engine.contract import Candidate, Weights
from justright.recipe.network import ActivationName, Inputs, NetworkSpec, Shape, tensor_shapes
from justright.testing.backends import (
    ROWS,
    BackendContract,
    cut,
    doubles,
    make_rows,
    make_span,
    same,
)


class WatchedContract(BackendContract):
    """What every backend must pass: subclass this one."""

    def test_health_is_recorded_where_asked(self) -> None:
        stack = self.stack()
        trace = stack.advance(make_span(3, 10, health_every=5))
        assert set(trace.health) == {"gradient_norm", "update_ratio"}
        assert all(value.shape == (3, 2, 2) for value in trace.health.values())
        assert all((doubles(value) > 0).all() for value in trace.health.values())
        assert not stack.advance(make_span(3, 4)).health

    def test_health_is_of_the_same_steps_however_spans_are_cut(self) -> None:
        whole, parts = self.stack(), self.stack()
        span = make_span(3, 12, health_every=4, dropout=0.3, clip=0.5)
        expected = whole.advance(span).health
        found = [parts.advance(cut(span, a, b)).health for a, b in ((0, 3), (3, 9), (9, 12))]
        assert not found[0]
        for name, values in expected.items():
            pieces = np.concatenate([doubles(each[name]) for each in found if each], axis=1)
            assert np.allclose(pieces, values, rtol=1e-6)

    def test_watching_changes_no_number(self) -> None:
        program = self.program()
        leaky = replace(program.net.shape, activation="leaky_relu", normaliser="none")
        plain = replace(program, net=replace(program.net, shape=leaky))
        for each in (program, plain):
            span = make_span(3, 8, dropout=0.3)
            watched, other = self.stack(program=each), self.stack(program=each)
            watched.advance(replace(span, health_every=1))
            other.advance(span)
            same(watched.weights("b"), other.weights("b"), tolerance=0.0)

    def test_health_of_a_step_is_that_of_its_weights(self) -> None:
        """With plain descent the step is the rate times the gradient, before it is clipped."""
        program = replace(self.program(), optimiser="sgd", parametrisation="standard")
        rate, shrink, bound = 0.1, 0.2, 1e-3
        for clip in (np.inf, bound):
            stack = self.stack(program=program)
            start = {id: stack.weights(id).arrays for id in "abc"}
            trace = stack.advance(
                make_span(3, 1, health_every=1, rate=rate, shrink=shrink, beta1=0.0, clip=clip)
            )
            for row, id in enumerate("abc"):
                end = stack.weights(id).arrays
                moved = {
                    name: doubles(end[name])
                    - doubles(start[id][name]) * (1 - shrink * name.endswith(".weight"))
                    for name in tensor_shapes(program.net)
                }
                whole = np.sqrt(sum(np.square(each).sum() for each in moved.values())) / rate
                norm = float(trace.norm[row, 0])
                assert norm > bound
                assert np.isclose(whole, min(norm, clip), rtol=2e-3)  # ε of the clip
                for layer in (0, 1):
                    name = f"layers.{layer}.weight"
                    length = float(np.linalg.norm(moved[name]))
                    ratio = length / float(np.linalg.norm(doubles(start[id][name]))) / (1 - shrink)
                    gradient = length / rate * norm / whole
                    assert np.isclose(trace.health["update_ratio"][row, 0, layer], ratio)
                    assert np.isclose(trace.health["gradient_norm"][row, 0, layer], gradient)

    def test_the_norm_of_the_gradient_is_known_of_every_step(self) -> None:
        trace = self.stack().advance(make_span(3, 6))
        assert trace.norm.shape == (3, 6)
        assert (doubles(trace.norm) > 0).all()

    def test_layers_say_what_a_network_of_their_own_says(self) -> None:
        """One ReLU layer by hand: a silent unit, one that always says the same, others."""
        shape = Shape(hidden=(4,), activation="relu", scale_layer=False)
        net = NetworkSpec(shape, Inputs(3, 0, (), 1))
        program = replace(self.program(), net=net)
        data = make_rows(net, program.loss)
        weight = np.random.default_rng(0).normal(size=(3, 4))
        weight[:, 2] = 0.0
        start = Weights({"layers.0.weight": weight, "layers.0.bias": np.array([0, -50, 2, 0.0])})
        stack = self.backend().open(program, data, [Candidate("a", 1, start)])
        rows = np.arange(10, 60)
        h = np.maximum(doubles(data.x)[rows] @ weight + [0, -50, 2, 0], 0.0)
        found = stack.activations(rows)
        assert set(found) == {"activation_std", "activation_mean", "dead_share"}
        assert np.isclose(found["activation_std"][0, 0], h.std())
        assert np.isclose(found["activation_mean"][0, 0], h.mean() / h.std())
        assert found["dead_share"][0, 0] == 0.5

    def test_histograms_of_layers_count_what_they_say(self) -> None:
        shape = Shape(hidden=(4,), activation="relu", scale_layer=False)
        net = NetworkSpec(shape, Inputs(3, 0, (), 1))
        program = replace(self.program(), net=net)
        data = make_rows(net, program.loss)
        weights = [np.random.default_rng(seed).normal(size=(3, 4)) for seed in (0, 1)]
        bias = np.array([0, -50, 2, 0.0])
        starts = [Weights({"layers.0.weight": w, "layers.0.bias": bias}) for w in weights]
        silent = Weights({"layers.0.weight": weights[0], "layers.0.bias": bias - 100})
        chosen = [Candidate(n, 1, w) for n, w in zip("abc", [*starts, silent], strict=True)]
        stack = self.backend().open(program, data, chosen)
        rows = np.arange(10, 60)
        edges, counts = stack.distribution(rows)
        for place, weight in enumerate(weights):
            h = np.maximum(doubles(data.x)[rows] @ weight + bias, 0.0)
            own, own_edges = counts[place, 0], edges[place, 0]
            assert own.sum() == h.size
            assert np.isclose(own_edges[[0, -1]], [h.min(), h.max()]).all()
            expected = np.histogram(h, bins=len(own))[0]
            assert np.abs(own - expected).sum() <= 4  # values on an edge round either way
        assert counts[2, 0].max() == counts[2, 0].sum()
        assert edges[2, 0, 0] < 0 < edges[2, 0, -1]

    def test_flat_ends_of_an_activation_are_seen(self) -> None:
        edges: dict[ActivationName, float] = {"tanh": 0.97, "sigmoid": 0.45}
        for name, edge in edges.items():
            shape = Shape(hidden=(5,), activation=name, scale_layer=False)
            net = NetworkSpec(shape, Inputs(3, 0, (), 1))
            program = replace(self.program(), net=net)
            data = make_rows(net, program.loss)
            weight = 3.0 * np.random.default_rng(1).normal(size=(3, 5))
            start = Weights({"layers.0.weight": weight, "layers.0.bias": np.zeros(5)})
            stack = self.backend().open(program, data, [Candidate("a", 1, start)])
            z = doubles(data.x) @ weight
            far = np.abs(np.tanh(z)) if name == "tanh" else np.abs(1 / (1 + np.exp(-z)) - 0.5)
            found = stack.activations(np.arange(ROWS))["saturated_share"]
            assert np.isclose(found[0, 0], (far > edge).mean())
            assert 0.1 < found[0, 0] < 0.9
