"""Scales of numbers and components of texts."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from justright.data.scaling import quantile_edges, robust_scale
from justright.data.text import BUCKETS, learn_components
from justright.deploy.network import Preprocessing, term_weights, text_components

columns = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 30), st.just(1)), elements=st.floats(allow_nan=True)
)


@given(columns)
def test_any_column_has_a_finite_scale(values):
    centre, factor = robust_scale(values)
    assert np.isfinite(centre).all()
    assert np.isfinite(factor).all()
    assert (factor >= 0).all()
    document = {"columns": [], "centre": centre, "factor": factor, "clip": 3.0}
    scaled = Preprocessing(document, {}).scaled(values)
    assert np.isfinite(scaled).all()
    assert (np.abs(scaled) <= 3.0).all()


def test_fallbacks_of_the_scale():
    mostly_same = np.array([[0.0]] * 9 + [[4.0]])
    _, factor = robust_scale(mostly_same)
    assert factor[0] == 2 / 4
    _, factor = robust_scale(np.ones((5, 1)))
    assert factor[0] == 0
    centre, factor = robust_scale(np.full((5, 1), np.nan))
    assert centre[0] == factor[0] == 0


def test_a_rare_value_in_many_rows_still_counts():
    values = np.zeros((400_000, 1))
    values[123_457] = 1.0
    assert robust_scale(values)[1][0] == 2.0
    assert quantile_edges(values)[0, -1] == 1.0


def test_components_tell_topics_apart():
    generator = np.random.default_rng(0)
    topics = [("cat", "dog", "horse", "bird"), ("bond", "stock", "rate", "bank")]
    labels = generator.integers(0, 2, 300)
    texts = [" ".join(generator.choice(topics[k], 5)) for k in labels]
    idf, weight = learn_components(texts[:200], 4)
    found = text_components(texts, idf, weight)
    middles = [found[:200][labels[:200] == k].mean(axis=0) for k in (0, 1)]
    near = np.stack([((found[200:] - m) ** 2).sum(axis=1) for m in middles]).argmin(axis=0)
    assert (near == labels[200:]).mean() > 0.99


def test_components_are_the_main_singular_vectors():
    generator = np.random.default_rng(1)
    texts = [" ".join(generator.choice(["ape", "bee", "cow", "doe", "elk"], 4)) for _ in range(80)]
    idf, weight = learn_components(texts, 3)
    matrix = term_weights(texts, idf)
    _, size, directions = np.linalg.svd(matrix, full_matrices=False)
    np.testing.assert_allclose(weight.T @ weight, np.eye(3), atol=1e-4)
    kept = np.linalg.norm(matrix @ weight) ** 2
    assert kept > 0.999 * (size[:3] ** 2).sum()
    np.testing.assert_allclose(np.abs(directions[0] @ weight[:, 0]), 1, atol=1e-3)


def test_few_texts_leave_components_empty():
    idf, weight = learn_components(["only one"], 5)
    assert weight.shape == (BUCKETS, 5)
    assert (weight[:, 1:] == 0).all()
    assert np.linalg.norm(text_components(["only one"], idf, weight)) > 0.9
    _, weight = learn_components([], 5)
    assert (weight == 0).all()


def test_the_same_texts_give_the_same_components():
    texts = [f"text number {k} of {k % 7}" for k in range(60)]
    first, second = learn_components(texts, 8), learn_components(texts, 8)
    np.testing.assert_array_equal(first[1], second[1])


def test_the_matrix_of_texts_is_held_once():
    texts = [f"text number {k} of many" for k in range(3_000)]
    tracemalloc.start()
    learn_components(texts, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.6 * 4 * BUCKETS * len(texts)
