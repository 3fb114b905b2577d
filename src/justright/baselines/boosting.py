"""Gradient boosting on histograms (Friedman 2001; Ke et al. 2017), by scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from justright.baselines import trees
from justright.baselines.base import Answer, Exercise
from justright.baselines.trees import Grown, Setting, Table


class HistogramBoosting:
    """scikit-learn's HistGradientBoosting."""

    most_categories = 255  # its largest number of bins

    def grow(
        self,
        learn: Table,
        judge: Table | None,
        setting: Setting,
        rate: float,
        trees: int,
        seed: int,
    ) -> Grown:
        """Grow trees; the loss on ``judge`` is looked at after each."""
        kind = HistGradientBoostingClassifier if learn.classes else HistGradientBoostingRegressor
        options: dict[str, Any] = {
            "learning_rate": rate,
            "max_iter": trees,
            "max_leaf_nodes": setting.leaves,
            "min_samples_leaf": min(setting.least, max(len(learn.y) // 10, 1)),
            # Leaves of rare classes have tiny curvature: large steps diverge there (measured).
            "l2_regularization": 1.0 if learn.classes > 2 and rate > 0.15 else 0.0,
            "categorical_features": list(learn.categories) or None,
            "early_stopping": judge is not None,
            "scoring": "loss",
            "n_iter_no_change": patience(rate),
            "random_state": seed % 2**32,
        }
        model = kind(**options)
        if judge is None:
            model.fit(learn.design, learn.y, sample_weight=learn.w)
            return Grown(float("nan"), model.n_iter_, True, _predictor(model))
        model.fit(
            learn.design,
            learn.y,
            sample_weight=learn.w,
            X_val=judge.design,
            y_val=judge.y,
            sample_weight_val=judge.w,
        )
        losses = -np.asarray(model.validation_score_)
        stopped = model.n_iter_ < trees
        return Grown(float(losses.min()), int(losses.argmin()), stopped, _predictor(model))


def patience(rate: float) -> int:
    """Trees without improvement before growing ends: more of them when each does less."""
    return max(10, round(1.5 / rate))


def _predictor(model: HistGradientBoostingClassifier | HistGradientBoostingRegressor):
    if isinstance(model, HistGradientBoostingClassifier):
        return model.predict_proba
    return model.predict


def fit_predict(exercise: Exercise) -> Answer:
    """Boosting with early stopping, sizes of trees chosen on held-back rows."""
    return trees.fit_predict(exercise, HistogramBoosting())
