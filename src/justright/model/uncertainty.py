"""What a model folder holds for probabilities and intervals that people can rely on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

import numpy as np
import polars as pl

from justright.core.errors import ModelError, OptionError
from justright.deploy.network import Preprocessing
from justright.statistics.conformal import Errors

RANKS, ERRORS = "preprocessing/held_out/ranks", "preprocessing/held_out/errors"
"""Names of the tensors that `deploy.network.Preprocessing.interval` reads."""


def with_uncertainty(
    preprocessing: Preprocessing, temperature: float, errors: Errors
) -> Preprocessing:
    """A preprocessing that scales probabilities, and knows the errors of rows held out.

    Args:
        preprocessing: As it was fitted.
        temperature: What logits are divided by; folders without one have 1.
        errors: Of what is predicted so.
    """
    target = {**preprocessing.document["target"]}
    if target["classes"]:
        target["temperature"] = temperature
    arrays = {RANKS: errors.ranks, ERRORS: errors.values}
    return Preprocessing(
        {**preprocessing.document, "target": target}, {**preprocessing.arrays, **arrays}
    )


def check_level(level: float, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse a level that a model cannot keep.

    Args:
        level: Share of new targets that are to be inside.
        arrays: The model's.

    Raises:
        OptionError: If it is no share, or so many rows held out cannot say.
        ModelError: If the model knows no rows held out.
    """
    if not 0.0 < level < 1.0:
        raise OptionError(
            f"an interval of {level:g}", hint="give a share between 0 and 1, such as 0.9"
        )
    if RANKS not in arrays:
        raise ModelError(
            "the model knows no errors of rows held out, so it gives no intervals",
            hint="only a study that came to its end leaves them: fit again, or go on with it",
        )
    if not can_say(level, arrays):
        rows = int(arrays[RANKS][-1]) - 1
        most = floor(1e4 * rows / (rows + 1)) / 1e4
        raise OptionError(
            f"an interval of {level:g} from {rows:,} rows held out",
            hint=f"so few are enough for {most:g} at most",
        )


def can_say(level: float, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether enough rows were held out for a level: n / (n + 1) is the highest.

    >>> can_say(0.9, {RANKS: np.arange(1, 11)}), can_say(0.95, {RANKS: np.arange(1, 11)})
    (True, False)
    """
    return ceil(int(arrays[RANKS][-1]) * level - 1e-9) < int(arrays[RANKS][-1])


def interval_columns(
    preprocessing: Any, targets: Sequence[str], found: np.ndarray, level: float
) -> list[pl.Series]:
    """The columns that an interval adds: ``TARGET_low`` and ``TARGET_high``, or ``TARGET_set``.

    Args:
        preprocessing: Of the model's own file.
        targets: Names of the targets.
        found: Values [rows, targets] or probabilities [rows, classes].
        level: Share of new targets that are to be inside.

    Raises:
        ModelError: If a target has the name of such a column.
    """
    inside = preprocessing.interval(found, level)
    if inside.dtype == bool:
        labels = pl.Series(preprocessing.labels(np.eye(found.shape[1])))
        names = labels.to_numpy()
        sets = [names[row].tolist() for row in inside]
        return [pl.Series(f"{targets[0]}_set", sets, pl.List(labels.dtype))]
    columns = [
        pl.Series(f"{name}_{end}", inside[side, :, place])
        for place, name in enumerate(targets)
        for side, end in enumerate(("low", "high"))
    ]
    if twice := [column.name for column in columns if column.name in targets]:
        raise ModelError(
            f"the target {twice[0]!r} has the name of an interval's end",
            hint="fit with another name",
        )
    return columns


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame for a format without lists: sets become texts such as ``a|b``.

    >>> flat(pl.DataFrame({"y_set": [["a", "b"], ["a"]]}))["y_set"].to_list()
    ['a|b', 'a']
    """
    return frame.with_columns(pl.col(pl.List).cast(pl.List(pl.String)).list.join("|"))
