"""The baselines, in order of cost, and what each is expected to cost; imports none of them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from justright.baselines.base import FitPredict
from justright.core.errors import MissingExtraError, OptionError


@dataclass(frozen=True)
class Baseline:
    """A method that is not deep.

    Attributes:
        name: Short name.
        title: For people.
        function: "module:name" of its `FitPredict`; imported only where it runs, because
            scikit-learn takes seconds.
        cost: (training rows, columns, outputs) -> seconds, 90% quantile, for a fit and the
            prediction of a quarter as many rows, on one core.
        needs: Package it cannot do without, beyond those that are always there.
        extra: Extra of this package that installs it.
    """

    name: str
    title: str
    function: str
    cost: Callable[[int, int, int], float]
    needs: str = ""
    extra: str = ""

    def load(self) -> FitPredict:
        """Import the method.

        Raises:
            MissingExtraError: If its package is not installed.
        """
        if not self.installed:
            raise MissingExtraError(
                f"baseline {self.name!r} needs the package {self.needs}",
                hint=f"pip install 'justright[{self.extra}]'",
            )
        module, _, name = self.function.partition(":")
        return getattr(importlib.import_module(module), name)

    @property
    def installed(self) -> bool:
        """Whether it can run here."""
        return not self.needs or importlib.util.find_spec(self.needs) is not None


# Seconds below: fitted by eye to CPU time on one core of a 2-core x86 server (Nov 2026), tables of
# 350 × 10 to 277,000 × 14, scikit-learn 1.9, then rounded up. All methods also keep to the budget
# they are given, so a cost may be cut to it.


def _constant_s(rows: int, columns: int, outputs: int) -> float:
    return 0.05 + 5e-9 * rows * (columns + outputs)  # reading


def _linear_s(rows: int, columns: int, outputs: int) -> float:
    # Logistic regression; ridge regression is far cheaper.
    return (
        0.2 + 1.3e-6 * min(rows * columns * outputs, 1.5e7) + _constant_s(rows, columns, outputs)
    )


def _neighbours_s(rows: int, columns: int, outputs: int) -> float:
    pairs = min(rows * rows / 4, 3e8)
    return 0.2 + 5e-10 * pairs * (10 + columns) + _constant_s(rows, columns, outputs)


def _boosting_s(rows: int, columns: int, outputs: int) -> float:
    # 300 trees to find their number and as many to learn from all rows.
    return 0.3 + 600 * outputs * (0.003 + 1e-8 * rows * columns)


BASELINES: tuple[Baseline, ...] = (
    Baseline("constant", "constant", "justright.baselines.constant:fit_predict", _constant_s),
    Baseline("linear", "linear", "justright.baselines.linear:fit_predict", _linear_s),
    Baseline("knn", "k-NN", "justright.baselines.neighbours:fit_predict", _neighbours_s),
    Baseline("boosting", "boosting", "justright.baselines.boosting:fit_predict", _boosting_s),
    Baseline(
        "lightgbm",
        "LightGBM",
        "justright.baselines.boosting_lightgbm:fit_predict",
        _boosting_s,
        needs="lightgbm",
        extra="boost",
    ),
)
"""All baselines, in the order in which they are run and shown."""


def baseline_names() -> tuple[str, ...]:
    """Names of the baselines that can run here, in order."""
    return tuple(baseline.name for baseline in BASELINES if baseline.installed)


def baseline_named(name: str) -> Baseline:
    """The baseline of that name.

    Raises:
        OptionError: If there is none.

    >>> baseline_named("knn").title
    'k-NN'
    """
    for baseline in BASELINES:
        if baseline.name == name:
            return baseline
    known = ", ".join(baseline.name for baseline in BASELINES)
    raise OptionError(f"no baseline {name!r}", hint=f"use one of {known}")


def predict_cost(name: str, rows: int, columns: int, outputs: int) -> float:
    """Seconds that a baseline is expected to take at most (90% quantile) on one core.

    Args:
        name: Name of the baseline.
        rows: Training rows.
        columns: Encoded columns.
        outputs: Target columns, or classes if more than two, else 1.
    """
    return baseline_named(name).cost(rows, columns, outputs)
