"""scikit-learn's own checks, none of them expected to fail."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils import estimator_checks

from justright import JustRightClassifier, JustRightRegressor

SHORT = [JustRightClassifier(epochs=12), JustRightRegressor(epochs=12)]
"""A fifth of the steps: two hundred fits, of which most ask for nothing that takes learning."""


@estimator_checks.parametrize_with_checks(SHORT)
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_defaults_learn() -> None:
    """The checks that ask for a score."""
    estimator_checks.check_classifiers_train("JustRightClassifier", JustRightClassifier())
    estimator_checks.check_regressors_train("JustRightRegressor", JustRightRegressor())


@pytest.mark.parametrize("estimator", SHORT)
def test_names_of_columns_are_checked(estimator: Any) -> None:
    name = type(estimator).__name__
    estimator_checks.check_dataframe_column_names_consistency(name, estimator)
