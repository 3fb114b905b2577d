"""The estimator for classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, column_or_1d

from justright.estimators.base import TableEstimator, labels_as_text
from justright.estimators.fixed import Trained


class JustRightClassifier(ClassifierMixin, TableEstimator):
    """A neural network that predicts classes, for scikit-learn.

    With ``effort="fixed"`` the start recipe of a study (RealMLP, Holzmüller et al. 2024) is
    trained in this process, in a number of steps that follows from the rows: the same rows and
    `random_state` give the same network. With ``effort="search"`` a study designs the network,
    within `time` seconds and in worker processes; it locks 20% of the rows away for its test.

    Args:
        effort: "fixed", or "search".
        time: Hard limit of a search: seconds, or text such as "60s" or "5m".
        studies: Folder in which a search leaves its study; None = it leaves nothing.
        hidden: Width of each hidden layer; None = (128, 128).
        epochs: Length of the training; None = 64, and at least 250 steps.
        rate: Peak learning rate at width 256, from which that of other widths follows; None =
            0.04 (for numbers 0.07).
        dropout: Share of hidden units silenced during the first half; None = 0.15.
        members: Networks in one that share the body and whose predictions are averaged (TabM,
            Gorishniy et al. 2024); None = 4, or 1 where a layer is wider than 128; 1 = a plain
            network, which trains in half to two thirds of the time (measured).
        validation_fraction: Share of the rows that a fixed effort holds out: all steps are taken,
            and of eight evaluations on these rows the best one is kept. 0 = every row is learned
            from and the last step is kept, which overfits small noisy tables.
        random_state: Seed, generator, or None for another network each time.

    Attributes:
        classes_: Labels [classes], sorted.
        model_: The network as a `justright.Model`; ``model_.save(folder)`` writes a model folder.
        recipe_: How it was trained.
        n_iter_: Steps of the training; of the final one after a search.
        n_features_in_: Columns seen by fit.
        feature_names_in_: Their names [columns], if all are text.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = JustRightClassifier(random_state=0).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2]) > 0.9
    True
    >>> model.predict_proba(X[:5]).shape
    (5, 3)
    """

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row [rows].

        Args:
            X: Rows with the columns of fit, as an array or a frame.

        Raises:
            ValueError: If the rows cannot be used.
        """
        found = self._outputs(X)
        return self.classes_[found.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class, float64 [rows, classes], in the order of ``classes_``.

        Args:
            X: Rows with the columns of fit, as an array or a frame.

        Raises:
            ValueError: If the rows cannot be used.
        """
        return self._outputs(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithm of `predict_proba`."""
        return np.log(self.predict_proba(X))

    def _targets(self, y: Any) -> tuple[np.ndarray, int]:
        labels = column_or_1d(y, warn=True)
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            only = labels_as_text(self.classes_)[0][0]
            raise ValueError(f"y holds one class, {only!r}: there is nothing to predict")
        return codes.astype(np.int64)[:, None], len(self.classes_)

    def _keep(self, found: Trained) -> None:
        super()._keep(found)
        self.model_ = found.model.relabelled(*labels_as_text(self.classes_))
