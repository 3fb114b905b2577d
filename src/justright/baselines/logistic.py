"""Logistic regression with an L2 penalty, chosen on an inner split along a short path."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from justright.baselines.base import Answer, Exercise, complete, inner_split, loss, subsample
from justright.baselines.features import finite, one_hot

_LARGEST_CATEGORY = 20_000  # sparse indicators cost what they hold, so many are affordable
# Inverse penalties on the sum of losses, from strong to weak (each starts from the one before).
# Below 0.003 little but the prior is left, above 100 nothing is held back. Assumption.
_PATH = (0.003, 0.03, 0.3, 3.0, 30.0)
_CHOICE_ROWS = 20_000  # rows that the penalty is chosen on (assumption)
_OPERATIONS = 1.5e7  # cap on rows × entries a row × outputs: about 12 s on one core (measured)
_SLICE = 20  # iterations between looks at the clock
_ITERATIONS = 200  # most iterations of a fit; L-BFGS on scaled inputs converges in 20 to 100
_CHOICE_SHARE = 0.4  # share of the time for choosing the penalty (assumption)


@dataclass
class _Fit:
    """A model that can be trained on, slice by slice."""

    model: LogisticRegression
    converged: bool = False
    iterations: int = 0

    def train(
        self,
        design: np.ndarray | sparse.csr_matrix,
        y: np.ndarray,
        w: np.ndarray | None,
        end: float,
        most: int = _ITERATIONS,
    ) -> None:
        """Iterate until convergence, the cap ``most``, or the time ``end``; at least one slice."""
        self.converged, self.iterations = False, 0
        while not self.converged and self.iterations < most:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # slices end before it
                self.model.fit(design, y, sample_weight=w)
            self.iterations += _SLICE
            self.converged = int(np.max(self.model.n_iter_)) < _SLICE
            if time.monotonic() > end:
                return


def fit_predict(exercise: Exercise) -> Answer:
    """Choose the penalty, fit all rows with it, predict probabilities."""
    present = np.unique(exercise.train.y)
    if len(present) == 1:
        ones = np.ones((len(exercise.x), 1))
        return Answer(complete(exercise, ones, present), ("only one class in the training rows",))
    full = len(exercise.train)
    entries = exercise.train.x.shape[1] + len(exercise.categories)
    outputs = 1 if len(present) == 2 else len(present)
    exercise = subsample(exercise, max(int(_OPERATIONS / max(entries, 1) / outputs), 2000))
    place, most = exercise.choice or (_choose(exercise), _ITERATIONS)
    inverse = _PATH[place]
    design = _design(exercise.train.x, exercise.train.c, exercise.categories)
    fit = _Fit(_model(inverse))
    end = float("inf") if exercise.choice else exercise.deadline
    fit.train(design, exercise.train.y, exercise.train.w, end, most)
    test = _design(exercise.x, exercise.c, exercise.categories)
    chances = fit.model.predict_proba(test) if len(exercise.x) else np.zeros((0, len(present)))
    notes = [f"penalty 1/C with C = {inverse:g}"]
    if len(exercise.train) < full:
        notes.append(f"fitted on {len(exercise.train):,} of {full:,} rows")
    if not fit.converged:
        notes.append(f"ended after {fit.iterations} iterations, before it converged")
    in_time = fit.converged or fit.iterations >= _ITERATIONS
    answer = complete(exercise, chances, present)
    return Answer(answer, tuple(notes), not in_time, (place, fit.iterations))


def _choose(exercise: Exercise) -> int:
    """Place in `_PATH` of the inverse penalty that is best on rows that were held back."""
    end = time.monotonic() + _CHOICE_SHARE * exercise.left_s
    small = subsample(exercise, _CHOICE_ROWS)
    learn, judge = inner_split(small, 0.25, _CHOICE_ROWS // 4)
    if len(judge) == 0:
        return _PATH.index(0.3)
    train, test = small.train.take(learn), small.train.take(judge)
    present = np.unique(train.y)
    design = _design(train.x, train.c, small.categories)
    held_back = _design(test.x, test.c, small.categories)
    fit, losses = _Fit(_model(_PATH[0])), []
    for inverse in _PATH:
        fit.model.set_params(C=inverse)
        fit.train(design, train.y, train.w, end)
        chances = complete(small, fit.model.predict_proba(held_back), present)
        losses.append(loss(small, judge, chances))
        worse_twice = len(losses) > 2 and losses[-1] > losses[-2] > losses[-3]
        if worse_twice or time.monotonic() > end:
            break
    return int(np.argmin(losses))


def _model(inverse: float) -> LogisticRegression:
    return LogisticRegression(C=inverse, max_iter=_SLICE, warm_start=True)


def _design(
    x: np.ndarray, c: np.ndarray, categories: tuple[int, ...]
) -> np.ndarray | sparse.csr_matrix:
    """Dense [n, F] without categories, else sparse [n, F + indicators]; float64."""
    numbers = finite(x).astype(np.float64)
    indicators = one_hot(c, categories, _LARGEST_CATEGORY)
    if all(size > _LARGEST_CATEGORY for size in categories):
        return numbers
    return sparse.csr_matrix(sparse.hstack([sparse.csr_matrix(numbers), indicators]))
