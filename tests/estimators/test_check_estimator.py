"""scikit-learn's own checks, none of them expected to fail."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils import estimator_checks

from justright import JustRightClassifier, JustRightRegressor


@estimator_checks.parametrize_with_checks([JustRightClassifier(), JustRightRegressor()])
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("estimator", [JustRightClassifier(), JustRightRegressor()])
def test_names_of_columns_are_checked(estimator: Any) -> None:
    name = type(estimator).__name__
    estimator_checks.check_dataframe_column_names_consistency(name, estimator)
