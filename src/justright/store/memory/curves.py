"""Curves and histograms in memory: nothing is buffered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np

from justright.core.trial import Attempt
from justright.store import rules
from justright.store.base import AbstractCurves, AbstractHistograms
from justright.store.memory.state import State
from justright.store.records import CurveSummary, Histogram


@final
class MemoryCurves(AbstractCurves):
    """Curves as pairs of lists."""

    def __init__(self, state: State) -> None:
        self._state = state

    def log(self, attempt: Attempt, trial_id: str, name: str, step: int, value: float) -> None:
        self.extend(attempt, trial_id, name, [step], [value])

    def extend(
        self,
        attempt: Attempt,
        trial_id: str,
        name: str,
        steps: Sequence[int] | np.ndarray,
        values: Sequence[float] | np.ndarray,
    ) -> None:
        new_steps, new_values = rules.check_points(steps, values)
        rules.check_name("curve", name)
        with self._state.lock:
            row = self._state.writable(attempt, trial_id)
            if not new_steps.size:
                return
            s, v = row.curves.setdefault((attempt.id, trial_id, name), ([], []))
            for step, value in zip(new_steps.tolist(), new_values.tolist(), strict=True):
                if not s or step > s[-1]:
                    s.append(step)
                    v.append(value)

    def flush(self) -> None:
        """Nothing waits: `extend` wrote already."""

    def read(self, study: str, trial_id: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        with self._state.lock:
            row = self._state.study(study)
            keys = [(a, trial_id, name) for a in row.curve_attempts(trial_id)]
            found = [row.curves[key] for key in keys if key in row.curves]
            return rules.splice([(np.array(s, np.int64), np.array(v)) for s, v in found])

    def names(self, study: str, trial_id: str) -> tuple[str, ...]:
        with self._state.lock:
            keys = self._state.study(study).curves
            return tuple(sorted({name for _, trial, name in keys if trial == trial_id}))

    def summaries(
        self, study: str, trial_id: str | None = None
    ) -> Mapping[tuple[str, str], CurveSummary]:
        newest: dict[tuple[str, str], CurveSummary] = {}
        with self._state.lock:
            row = self._state.study(study)
            order = {attempt: k for k, attempt in enumerate(row.attempts)}
            for key in sorted(row.curves, key=lambda key: order[key[0]]):
                s, v = row.curves[key]
                if trial_id in (None, key[1]):
                    newest[key[1:]] = rules.summary_of(np.array(s, np.int64), np.array(v))
        return newest


@final
class MemoryHistograms(AbstractHistograms):
    """Histograms as lists."""

    def __init__(self, state: State) -> None:
        self._state = state

    def log(self, attempt: Attempt, trial_id: str, name: str, histogram: Histogram) -> None:
        histogram = rules.check_histogram(histogram)
        rules.check_name("histogram", name)
        with self._state.lock:
            row = self._state.writable(attempt, trial_id)
            series = row.histograms.setdefault((attempt.id, trial_id, name), [])
            if not series or histogram.step > series[-1].step:
                series.append(histogram)

    def read(self, study: str, trial_id: str, name: str) -> tuple[Histogram, ...]:
        with self._state.lock:
            row = self._state.study(study)
            kept: list[Histogram] = []
            for attempt in row.curve_attempts(trial_id):
                series = row.histograms.get((attempt, trial_id, name), [])
                if series:
                    kept = [h for h in kept if h.step < series[0].step] + series
            return tuple(Histogram(h.step, h.edges.copy(), h.counts.copy()) for h in kept)

    def names(self, study: str, trial_id: str) -> tuple[str, ...]:
        with self._state.lock:
            keys = self._state.study(study).histograms
            return tuple(sorted({name for _, trial, name in keys if trial == trial_id}))
