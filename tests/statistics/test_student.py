"""Student's t equals SciPy's."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from justright.statistics.student import t_cdf, t_quantile


@given(st.floats(-50, 50), st.floats(0.5, 500))
def test_distribution_equals_scipy(t: float, df: float) -> None:
    assert t_cdf(t, df) == pytest.approx(float(stats.t.cdf(t, df)), abs=1e-12)


@pytest.mark.parametrize("df", [1, 2, 2.7, 7, 11, 200, math.inf])
@pytest.mark.parametrize("p", [0.0025, 0.1, 0.5, 0.9, 0.975, 0.9975])
def test_quantile_equals_scipy(p: float, df: float) -> None:
    expected = float(stats.norm.ppf(p) if math.isinf(df) else stats.t.ppf(p, df))
    assert t_quantile(p, df) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("p", "df"), [(0.0, 3), (1.0, 3), (0.5, 0), (math.nan, 3)])
def test_nonsense_is_refused(p: float, df: float) -> None:
    with pytest.raises(ValueError, match="t quantile"):
        t_quantile(p, df)
