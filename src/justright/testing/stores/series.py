"""What every store must do with curves and histograms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from justright.core.errors import Fenced, StoreError
from justright.core.trial import TrialState
from justright.store.base import AbstractStore
from justright.store.records import Histogram
from justright.testing.stores.case import ELSEWHERE, FLOATS, StoreCase, log_now, opened, started


class CurvesContract(StoreCase):
    """Curves: every bit, every point once, newest attempt first."""

    def test_points_keep_every_bit(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        steps = [0, 1, 7, 2**40, 2**62 - 1]
        values = np.array(FLOATS)
        for step, value in zip(steps, FLOATS, strict=False):
            store.curves.log(attempt, trial, "a", step, value)
        store.curves.extend(attempt, trial, "b", range(len(FLOATS)), values)
        store.curves.flush()
        s, v = store.curves.read("houses", trial, "a")
        assert (s.dtype, v.dtype) == (np.int64, np.float64)
        assert s.tolist() == steps
        assert v.tobytes() == values[: len(steps)].tobytes()
        assert store.curves.read("houses", trial, "b")[1].tobytes() == values.tobytes()
        assert store.curves.names("houses", trial) == ("a", "b")

    def test_a_curve_nobody_logged_is_empty(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        store.curves.extend(attempt, trial, "loss", [], [])
        store.curves.flush()
        s, v = store.curves.read("houses", trial, "loss")
        assert (s.size, v.size) == (0, 0)
        assert store.curves.names("houses", trial) == ()
        assert store.curves.summaries("houses") == {}

    @pytest.mark.parametrize("flush", [False, True])
    def test_points_logged_twice_are_there_once(self, store: AbstractStore, flush: bool) -> None:
        opened(store)
        attempt, trial = started(store)
        for _ in range(2):
            store.curves.extend(attempt, trial, "loss", [0, 5, 9], [1.0, 2.0, 3.0])
            if flush:
                store.curves.flush()
        store.curves.log(attempt, trial, "loss", 5, 99.0)
        store.curves.flush()
        s, v = store.curves.read("houses", trial, "loss")
        assert (s.tolist(), v.tolist()) == ([0, 5, 9], [1.0, 2.0, 3.0])

    @pytest.mark.parametrize("piece", [1, 100, 1023, 1024, 1025])
    def test_long_curves_in_pieces_of_any_length(self, store: AbstractStore, piece: int) -> None:
        opened(store)
        attempt, trial = started(store)
        n = 3 * piece if piece > 1 else 40
        values = np.random.default_rng(0).normal(size=n)
        for start in range(0, n, piece):
            end = start + piece
            store.curves.extend(attempt, trial, "x", range(start, end), values[start:end])
            store.curves.flush()
        s, v = store.curves.read("houses", trial, "x")
        assert s.tolist() == list(range(n))
        assert v.tobytes() == values.tobytes()
        summary = store.curves.summaries("houses")[trial, "x"]
        assert (summary.first, summary.last_step, summary.points) == (0, n - 1, n)
        assert (summary.low, summary.high) == (values.min(), values.max())
        assert summary.mean == pytest.approx(values.mean())
        assert summary.last == values[-1]

    def test_summaries_leave_out_what_is_not_finite(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        huge = 1.7e308
        store.curves.extend(attempt, trial, "x", range(4), [huge, huge, math.inf, math.nan])
        store.curves.extend(attempt, trial, "nan", range(1), [math.nan])
        store.curves.flush()
        x = store.curves.summaries("houses", trial)[trial, "x"]
        assert (x.low, x.high, x.mean, x.points) == (huge, huge, huge, 4)
        assert math.isnan(x.last)
        nan = store.curves.summaries("houses", trial)[trial, "nan"]
        assert all(math.isnan(v) for v in (nan.low, nan.high, nan.mean, nan.last))
        assert store.curves.summaries("houses", "none") == {}

    def test_the_newest_attempt_counts_from_its_first_step_on(self, store: AbstractStore) -> None:
        opened(store)
        first, trial = started(store)
        store.curves.extend(first, trial, "loss", [1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0])
        store.curves.flush()
        store.trials.abandon(first)
        second = store.trials.start("houses", [trial], ELSEWHERE)
        store.curves.extend(second, trial, "loss", [3, 5], [30.0, 50.0])
        store.curves.flush()
        s, v = store.curves.read("houses", trial, "loss")
        assert (s.tolist(), v.tolist()) == ([1, 2, 3, 5], [1.0, 2.0, 30.0, 50.0])
        assert store.curves.summaries("houses")[trial, "loss"].points == 2

    def test_a_finished_trial_has_its_whole_curve(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        store.curves.log(attempt, trial, "loss", 3, 1.5)
        store.trials.finish(attempt, trial, TrialState.DONE, {})
        assert store.curves.read("houses", trial, "loss")[0].tolist() == [3]

    def test_points_of_an_ended_attempt_are_refused_and_others_kept(
        self, store: AbstractStore
    ) -> None:
        opened(store)
        dead, trial = started(store, 0)
        alive, other = started(store, 1)
        store.trials.abandon(dead)
        store.curves.log(alive, other, "loss", 0, 1.0)
        with pytest.raises(Fenced):
            log_now(store, dead, trial, 0)
        store.curves.log(alive, other, "loss", 1, 2.0)
        store.curves.flush()
        assert store.curves.read("houses", other, "loss")[1].tolist() == [1.0, 2.0]
        assert store.curves.names("houses", trial) == ()

    def test_odd_points_are_refused_at_once(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        for step, value in ((-1, 1.0), (2**62, 1.0), (0.5, 1.0), (0, "much"), (0, None)):
            with pytest.raises(StoreError):
                store.curves.log(attempt, trial, "loss", step, value)  # type: ignore[arg-type]
        with pytest.raises(StoreError):
            store.curves.extend(attempt, trial, "loss", [1, 2], [1.0])
        with pytest.raises(StoreError):
            store.curves.log(attempt, trial, "lo\ud800ss", 0, 1.0)
        store.curves.log(attempt, trial, "loss", np.int32(4), np.float32(0.5))  # type: ignore[arg-type]
        store.curves.flush()
        assert store.curves.read("houses", trial, "loss")[0].tolist() == [4]


class HistogramsContract(StoreCase):
    """Histograms: as curves, with edges and counts instead of a value."""

    def test_histograms_come_back(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        rng = np.random.default_rng(0)
        made = []
        for step in range(0, 700, 7):  # more than one chunk, and the number of bins changes
            bins = 8 if step < 350 else 5
            edges = np.sort(rng.normal(size=bins + 1))
            made.append(Histogram(step, edges, rng.integers(0, 2**60, bins)))
        made[0].edges[-1] = math.inf
        for histogram in made:
            store.histograms.log(attempt, trial, "weights", histogram)
        store.curves.flush()
        store.histograms.log(attempt, trial, "weights", made[3])  # once more
        store.curves.flush()
        found = store.histograms.read("houses", trial, "weights")
        assert [h.step for h in found] == [h.step for h in made]
        for a, b in zip(found, made, strict=True):
            assert a.edges.tobytes() == b.edges.tobytes()
            assert a.counts.tolist() == b.counts.tolist()
        assert store.histograms.names("houses", trial) == ("weights",)
        assert store.curves.names("houses", trial) == ()

    def test_the_newest_attempt_counts(self, store: AbstractStore) -> None:
        opened(store)
        first, trial = started(store)
        edges = np.array([0.0, 1.0])
        for step in (1, 2, 3):
            store.histograms.log(first, trial, "w", Histogram(step, edges, np.array([step])))
        store.curves.flush()
        store.trials.abandon(first)
        second = store.trials.start("houses", [trial], ELSEWHERE)
        store.histograms.log(second, trial, "w", Histogram(2, edges, np.array([20])))
        store.curves.flush()
        found = store.histograms.read("houses", trial, "w")
        assert [(h.step, int(h.counts[0])) for h in found] == [(1, 1), (2, 20)]

    def test_edges_must_fit_the_counts(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        with pytest.raises(StoreError, match="one edge more"):
            store.histograms.log(
                attempt, trial, "w", Histogram(0, np.array([0.0, 1.0]), np.array([1, 2]))
            )
