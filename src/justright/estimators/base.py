"""What the classifier and the regressor share: parameters, reading, training, predicting."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from justright.core.errors import InputError
from justright.estimators.fixed import Trained, Wishes, train_fixed
from justright.estimators.framing import frame_problem, is_frame, read_rows, target_names
from justright.estimators.search import search

EFFORTS = ("fixed", "search")


class TableEstimator(BaseEstimator, ABC):
    """Common part of `JustRightClassifier` and `JustRightRegressor`, which say what it takes."""

    def __init__(
        self,
        effort: str = "fixed",
        *,
        time: float | str | None = "60s",
        studies: str | Path | None = None,
        hidden: Sequence[int] | None = None,
        epochs: float | None = None,
        rate: float | None = None,
        dropout: float | None = None,
        members: int | None = None,
        validation_fraction: float = 0.15,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.effort = effort
        self.time = time
        self.studies = studies
        self.hidden = hidden
        self.epochs = epochs
        self.rate = rate
        self.dropout = dropout
        self.members = members
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Train a network.

        Args:
            X: Array of numbers [rows, columns], or a pandas, polars or pyarrow frame whose
                columns may also hold text, categories, booleans and dates; values may be missing.
            y: Targets [rows]; for regression also [rows, targets].

        Raises:
            ValueError: If a parameter, the rows or the targets cannot be used.
        """
        wishes = self._wishes()
        rows = self._read(X, y, fitting=True)
        targets, classes = self._targets(y)
        check_consistent_length(X, targets)
        with _value_errors():
            frame = read_rows(rows)
            names = target_names(y, frame.columns, targets.shape[1])
            seed = int(check_random_state(self.random_state).randint(2**31))
            problem = frame_problem(frame, targets, names, classes, seed)
            if self.effort == "search":
                found = search(problem, self.time, self.studies, seed)
            else:
                found = train_fixed(problem, wishes, seed)
        if found.reason:
            warnings.warn(
                f"training ended early, {found.reason}: the best network until then is kept",
                ConvergenceWarning,
                stacklevel=2,
            )
        self._names = tuple(frame.columns)
        self._keep(found)
        return self

    @abstractmethod
    def _targets(self, y: Any) -> tuple[np.ndarray, int]:
        """Targets [rows, targets], or codes [rows, 1] and the number of classes."""

    def _keep(self, found: Trained) -> None:
        self.model_ = found.model
        self.recipe_ = found.model.recipe
        self.n_iter_ = found.steps

    def _outputs(self, X: Any) -> np.ndarray:
        """Values [rows, targets], or probabilities [rows, classes]."""
        check_is_fitted(self)
        rows = self._read(X, "no_validation", fitting=False)
        with _value_errors():
            return self.model_.arrays(read_rows(rows, self._names))

    def _read(self, X: Any, y: Any, *, fitting: bool) -> Any:
        """Rows as scikit-learn checks them; a frame keeps its columns as they are."""
        unread: Any = y if y is None else "no_validation"
        least = 2 if fitting else 1
        if is_frame(X):
            rows = validate_data(self, X, unread, reset=fitting, skip_check_array=True)
            if len(rows) < least:
                raise ValueError(
                    f"Found array with {len(rows)} sample(s) (shape={tuple(X.shape)}) while a "
                    f"minimum of {least} is required by {type(self).__name__}."
                )
            return rows
        return validate_data(
            self,
            X,
            unread,
            reset=fitting,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=least,
        )

    def _wishes(self) -> Wishes:
        """The parameters, checked.

        Raises:
            ValueError: If one makes no sense.
        """
        if self.effort not in EFFORTS:
            raise ValueError(f"effort={self.effort!r}: use one of {', '.join(EFFORTS)}")
        hidden = self.hidden
        if hidden is not None:
            sizes = isinstance(hidden, Sequence | np.ndarray) and not isinstance(hidden, str)
            if not sizes or not len(hidden) or not all(_whole(width) for width in hidden):
                raise ValueError(f"hidden={hidden!r}: name the width of each layer, as (64, 64)")
            hidden = tuple(map(int, hidden))
        if self.epochs is not None:
            _check_between("epochs", self.epochs, 0, inf)
        if self.rate is not None:
            _check_between("rate", self.rate, 0, inf)
        if self.dropout is not None:
            _check_between("dropout", self.dropout, 0, 1, low_too=True)
        _check_between("validation_fraction", self.validation_fraction, 0, 1, low_too=True)
        if self.members is not None and not _whole(self.members):
            raise ValueError(f"members={self.members!r}: give a whole number, 1 for one network")
        named = ("hidden", "epochs", "rate", "dropout", "members")
        wishes = Wishes(
            hidden, self.epochs, self.rate, self.dropout, self.members, self.validation_fraction
        )
        own = [name for name in named if getattr(self, name) is not None]
        if self.effort == "search" and own:
            raise ValueError(
                f"{own[0]}={getattr(self, own[0])!r} with effort='search': the study decides "
                "that; leave it out, or use effort='fixed'"
            )
        return wishes

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")  # n_features_in_ is there before a fit that fails

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags


def labels_as_text(classes: np.ndarray) -> tuple[list[str], str]:
    """Class labels as text, and how a model writes them back.

    >>> labels_as_text(np.array([0, 1])), labels_as_text(np.array(["a", "b"]))
    ((['0', '1'], 'integer'), (['a', 'b'], 'text'))
    """
    if classes.dtype.kind == "b":
        return [str(bool(label)).lower() for label in classes], "boolean"
    if classes.dtype.kind in "iuf" and bool((classes == np.round(classes)).all()):
        return [str(int(label)) for label in classes], "integer"
    return [str(label) for label in classes.tolist()], "text"


def _whole(value: Any) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and bool(value > 0)


def _check_between(
    name: str, value: Any, low: float, high: float, *, low_too: bool = False
) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    inside = number and (low < float(value) < high or (low_too and value == low))
    if not inside:
        least = f"at least {low}" if low_too else f"above {low}"
        most = f" and below {high}" if high < inf else ""
        raise ValueError(f"{name}={value!r}: give a number {least}{most}")


@contextmanager
def _value_errors() -> Iterator[None]:
    """What this package refuses is a ValueError to scikit-learn."""
    try:
        yield
    except InputError as error:
        raise ValueError(str(error)) from error
