"""Metrics of the user: a Python function that is known by the name under which it is imported.

Workers are other processes, and a study goes on in another one: so what travels is the name,
``package.module:function:higher``, which says the direction, too.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from justright.core.errors import OptionError

DIRECTIONS = ("higher", "lower")
"""Which scores are better."""

_HINT = "write a function of (truth, prediction) or (truth, prediction, weights) in a module"

Function = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]


def is_custom(name: str) -> bool:
    """Whether a metric is one of the user's.

    >>> is_custom("rmse"), is_custom("mine:profit:higher")
    (False, True)
    """
    return ":" in name


def custom_name(metric: Any, direction: str | None) -> str:
    """The name by which a metric of the user's is known everywhere.

    Args:
        metric: ``"package.module:function"``, or the function itself.
        direction: ``"higher"`` or ``"lower"``: which scores are better.

    Raises:
        OptionError: If the direction is missing, or another process could not import it.

    >>> custom_name("math:fsum", "higher")
    'math:fsum:higher'
    """
    path = metric if isinstance(metric, str) else _path_of(metric)
    if direction not in DIRECTIONS:
        said = "no direction" if direction is None else f"the direction {direction!r}"
        raise OptionError(
            f"the metric {path} has {said}",
            hint="say whether higher or lower is better (--metric-direction higher)",
        )
    if path.count(":") != 1 or not all(path.split(":")):
        raise OptionError(f"cannot read the metric {path!r}", hint="write package.module:function")
    _imported(path)
    return f"{path}:{direction}"


def function_named(name: str) -> tuple[Function, str, bool]:
    """The function behind a name, its title, and whether greater is better.

    Raises:
        OptionError: If it cannot be imported.
    """
    path, _, direction = name.rpartition(":")
    if ":" not in path or direction not in DIRECTIONS:
        raise OptionError(f"no metric {name!r}", hint="write package.module:function")
    title = path.partition(":")[2].rpartition(".")[2].replace("_", " ").strip() or path
    return _called(path), title, direction == "higher"


@cache
def _called(path: str) -> Function:
    found = _imported(path)
    weighted = takes_weights(found)

    def function(y: np.ndarray, prediction: np.ndarray, weights: np.ndarray | None) -> float:
        single = y.ndim == 2 and y.shape[1] == 1
        given = [y[:, 0], prediction.reshape(-1)] if single else [y, prediction]
        if weights is not None and not weighted:
            raise OptionError(
                f"the metric {path} takes no weights, but the rows have some",
                hint="give it a third parameter, weights",
            )
        return _number(path, found, [*given, weights] if weighted else given)

    return function


def _number(path: str, function: Callable[..., Any], given: list[Any]) -> float:
    try:
        value = function(*given)
    except Exception as error:  # whatever it raises, it is the user's, and told in one line
        raise OptionError(
            f"the metric {path} failed on {len(given[0]):,} rows: {type(error).__name__}: {error}",
            hint=_HINT,
        ) from error
    if isinstance(value, bool | np.bool_) or not np.isscalar(value):
        found = None
    else:
        found = value if isinstance(value, int | float | np.integer | np.floating) else None
    if found is None:
        raise OptionError(
            f"the metric {path} returned {type(value).__name__}, not a number", hint=_HINT
        )
    return float(found)


def takes_weights(function: Callable[..., Any]) -> bool:
    """Whether a function has a third parameter for the weights of rows.

    >>> takes_weights(lambda truth, prediction: 0.0), takes_weights(lambda t, p, weights: 0.0)
    (False, True)
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins have none
        return False
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [each.name for each in parameters if each.kind in plain][2:3] == ["weights"]


def _path_of(metric: Any) -> str:
    module, name = getattr(metric, "__module__", None), getattr(metric, "__qualname__", None)
    if not callable(metric) or not isinstance(module, str) or not isinstance(name, str):
        raise OptionError(f"the metric {metric!r} is no function", hint=_HINT)
    if module == "__main__" or "<" in name:
        raise OptionError(
            f"the metric {name} cannot be imported by worker processes",
            hint="define it at the top of a module file and import it from there",
        )
    return f"{module}:{name}"


def _imported(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # a module may raise anything while it is imported
        raise OptionError(
            f"cannot import the metric {path} ({type(error).__name__}: {error})",
            hint="give package.module:function, from a folder where Python finds the module",
        ) from error
    if not callable(found):
        raise OptionError(f"the metric {path} is no function", hint=_HINT)
    return found
