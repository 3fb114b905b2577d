"""The estimator for numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_array

from justright.data.target import MOST_SPREAD
from justright.estimators.base import TableEstimator


class JustRightRegressor(RegressorMixin, TableEstimator):
    """A neural network that predicts one number or several, for scikit-learn.

    Efforts, parameters and attributes are those of `JustRightClassifier`, classes aside.
    Predictions stay within the range of the targets of fit.

    Args:
        effort: "fixed": the start recipe, repeatable; "search": a study of `time` seconds.
        time: Hard limit of a search: seconds, or text such as "60s" or "5m".
        studies: Folder in which a search leaves its study; None = it leaves nothing.
        hidden: Width of each hidden layer; None = (128, 128).
        epochs: Length of the training; None = 64, and at least 250 steps.
        rate: Peak learning rate at width 256, from which that of other widths follows; None =
            0.07.
        dropout: Share of hidden units silenced during the first half; None = 0.15.
        members: Networks in one that share the body and whose predictions are averaged (TabM,
            Gorishniy et al. 2024); None = 4, or 1 where a layer is wider than 128; 1 = a plain
            network, which trains in half to two thirds of the time (measured).
        validation_fraction: Share of the rows held out to choose the best of eight evaluations;
            0 = none, and the last step is kept.
        random_state: Seed, generator, or None for another network each time.

    Attributes:
        model_: The network as a `justright.Model`; ``model_.save(folder)`` writes a model folder.
        recipe_: How it was trained.
        n_iter_: Steps of the training; of the final one after a search.
        n_outputs_: Number of targets.
        n_features_in_: Columns seen by fit.
        feature_names_in_: Their names [columns], if all are text.

    >>> X = np.linspace(0, 6, 200)[:, None]
    >>> model = JustRightRegressor(random_state=0).fit(X, np.sin(X[:, 0]))
    >>> model.score(X, np.sin(X[:, 0])) > 0.9
    True
    """

    def predict(self, X: Any) -> np.ndarray:
        """Values float64 [rows], or [rows, targets] if fit was given such a y.

        Args:
            X: Rows with the columns of fit, as an array or a frame.

        Raises:
            ValueError: If the rows cannot be used.
        """
        found = self._outputs(X)
        return found[:, 0] if self._flat else found

    def _targets(self, y: Any) -> tuple[np.ndarray, int]:
        numbers: Any = np.float64
        values = check_array(y, ensure_2d=False, dtype=numbers, input_name="y", estimator=self)
        self._flat = values.ndim == 1
        values = values.reshape(len(values), -1)
        spread = float(np.ptp(values / 2, axis=0).max())
        if spread >= MOST_SPREAD / 2:
            raise ValueError(
                f"y spans {2 * spread:.3g}, which cannot be squared in double precision: give it "
                "in another unit"
            )
        self.n_outputs_ = values.shape[1]
        return values, 0

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
