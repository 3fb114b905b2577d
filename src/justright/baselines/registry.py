"""The baselines, in order of cost; imports none of them."""

from __future__ import annotations

import importlib
import importlib.util
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
        needs: Package it cannot do without, beyond those that are always there.
        extra: Extra of this package that installs it.
    """

    name: str
    title: str
    function: str
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


BASELINES: tuple[Baseline, ...] = (
    Baseline("constant", "constant", "justright.baselines.constant:fit_predict"),
    Baseline("linear", "linear", "justright.baselines.linear:fit_predict"),
    Baseline("knn", "k-NN", "justright.baselines.neighbours:fit_predict"),
    Baseline("boosting", "boosting", "justright.baselines.boosting:fit_predict"),
    Baseline(
        "lightgbm",
        "LightGBM",
        "justright.baselines.boosting_lightgbm:fit_predict",
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
