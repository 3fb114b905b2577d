"""justright designs neural networks that are just right in size, with the evidence.

>>> import justright
>>> justright.__version__.count(".")
2
"""

from __future__ import annotations

import importlib

from justright.core.errors import InputError, JustRightError

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` alone takes 15 ms to import, and the command line starts here
    from typing import Any

    from justright.api import Study, fit, load
    from justright.designer.delivery.refit import Refit
    from justright.diagnosis.curves import Curves, Effect, Yardstick
    from justright.diagnosis.states import Diagnosis, State, diagnose
    from justright.estimators.classifier import JustRightClassifier
    from justright.estimators.regressor import JustRightRegressor
    from justright.model.predictor import Model

__version__ = "0.1.0"
__all__ = [
    "Curves",
    "Diagnosis",
    "Effect",
    "InputError",
    "JustRightClassifier",
    "JustRightError",
    "JustRightRegressor",
    "Model",
    "Refit",
    "State",
    "Study",
    "Yardstick",
    "diagnose",
    "fit",
    "load",
]

_LATER = {
    "fit": "justright.api",
    "load": "justright.api",
    "Study": "justright.api",
    "Refit": "justright.designer.delivery.refit",
    "diagnose": "justright.diagnosis.states",
    "Diagnosis": "justright.diagnosis.states",
    "State": "justright.diagnosis.states",
    "Curves": "justright.diagnosis.curves",
    "Effect": "justright.diagnosis.curves",
    "Yardstick": "justright.diagnosis.curves",
    "Model": "justright.model.predictor",
    "JustRightClassifier": "justright.estimators.classifier",
    "JustRightRegressor": "justright.estimators.regressor",
}


def __getattr__(name: str) -> Any:
    """Import the heavy names when they are first used, so that workers and `--help` start fast."""
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module 'justright' has no attribute {name!r}")
