"""Gradient boosting by LightGBM (Ke et al. 2017), where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np

from justright.baselines import trees
from justright.baselines.base import Answer, Exercise
from justright.baselines.boosting import patience
from justright.baselines.trees import Grown, Setting, Table


class LightGBM:
    """The library LightGBM."""

    most_categories = 100_000

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
        parameters, present = _parameters(learn, setting, rate, seed)
        data = _dataset(learn, present)
        if judge is None:
            booster = lightgbm.train(parameters, data, trees)
            return Grown(float("nan"), trees, True, _predictor(booster, len(present)))
        booster = lightgbm.train(
            parameters,
            data,
            trees,
            valid_sets=[_dataset(judge, present, data)],
            valid_names=["judge"],
            callbacks=[lightgbm.early_stopping(patience(rate), verbose=False)],
        )
        best = booster.best_iteration or booster.current_iteration()
        [loss] = booster.best_score["judge"].values()
        stopped = booster.current_iteration() < trees
        return Grown(float(loss), best, stopped, _predictor(booster, len(present)))


def _parameters(
    learn: Table, setting: Setting, rate: float, seed: int
) -> tuple[dict[str, Any], np.ndarray]:
    """Settings, and the classes in the training rows (empty for regression)."""
    present = np.unique(learn.y) if learn.classes else np.zeros(0, dtype=np.int64)
    parameters: dict[str, Any] = {
        "objective": "regression",
        "learning_rate": rate,
        "num_leaves": setting.leaves,
        "min_data_in_leaf": min(setting.least, max(len(learn.y) // 10, 1)),
        # Rows and columns are sampled for each tree, as its authors and most users do.
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "feature_fraction": 0.8,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": seed % 2**31,
        "verbosity": -1,
    }
    if len(present) == 2:
        parameters["objective"] = "binary"
    elif len(present):
        parameters |= {"objective": "multiclass", "num_class": len(present)}
    return parameters, present


def _dataset(table: Table, present: np.ndarray, like: Any = None) -> Any:
    y = np.searchsorted(present, table.y) if len(present) else table.y
    return lightgbm.Dataset(
        table.design,
        label=y,
        weight=table.w,
        categorical_feature=list(table.categories),
        reference=like,
        params={"verbosity": -1},
        free_raw_data=False,
    )


def _predictor(booster: Any, classes: int) -> Callable[[np.ndarray], np.ndarray]:
    def predict(design: np.ndarray) -> np.ndarray:
        values = np.asarray(booster.predict(design))
        return np.stack([1.0 - values, values], axis=1) if classes == 2 else values

    return predict


def fit_predict(exercise: Exercise) -> Answer:
    """Boosting with early stopping, sizes of trees chosen on held-back rows."""
    return trees.fit_predict(exercise, LightGBM())
