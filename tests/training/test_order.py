"""Orders: shuffled epochs without gaps, readable from any step."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from justright.training.order import MOST_REPEATS, Order, balanced


@given(
    rows=st.integers(1, 70),
    batch=st.integers(1, 40),
    start=st.integers(0, 50),
    count=st.integers(1, 30),
)
def test_random_access_equals_the_whole_stream(rows, batch, start, count):
    numbers = np.arange(rows) * 3
    whole = Order(5, numbers).take(0, start + count, batch)
    part = Order(5, numbers).take(start, count, batch)
    assert part.dtype == np.int32
    np.testing.assert_array_equal(part, whole[start:])


@given(rows=st.integers(1, 70), batch=st.integers(1, 40), epochs=st.integers(1, 5))
def test_each_epoch_holds_each_row_once(rows, batch, epochs):
    steps = -(-epochs * rows // batch)
    stream = Order(0, np.arange(rows)).take(0, steps, batch).ravel()
    for epoch in range(epochs):
        seen = stream[epoch * rows : (epoch + 1) * rows]
        np.testing.assert_array_equal(np.sort(seen), np.arange(rows))


def test_epochs_and_seeds_differ():
    first = Order(0, np.arange(1000)).take(0, 2, 1000)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], Order(1, np.arange(1000)).take(0, 1, 1000)[0])


def test_a_million_rows_are_fast():
    order = Order(0, np.arange(1_000_000))
    begin = time.process_time()
    for start in range(0, 900, 30):
        order.take(start, 30, 1024)
    assert time.process_time() - begin < 0.5  # about 0.02 s; a shuffle per span would be 0.5


@given(st.lists(st.integers(0, 3), min_size=1, max_size=80))
def test_balanced_rows_hold_every_row_and_classes_about_as_often(classes):
    codes, rows = np.array(classes), np.arange(len(classes)) * 3
    found = balanced(rows, codes)
    assert set(found.tolist()) == set(rows.tolist())
    counts = np.bincount(codes[found // 3])
    counts = counts[counts > 0]
    assert counts.max() <= 2 * counts.min()


def test_a_class_of_one_row_is_not_repeated_without_end():
    codes = np.array([0] * 1000 + [1])
    assert np.bincount(codes[balanced(np.arange(1001), codes)])[1] == MOST_REPEATS
