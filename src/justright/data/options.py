"""What the user may say about a table."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from justright.core.column import ColumnKind
from justright.core.errors import OptionError

TASK_WORDS: Mapping[str, str] = {
    "regression": "regression",
    "binary": "binary",
    "multiclass": "multiclass",
    "multi-class": "multiclass",
    "classification": "classification",
}
"""What ``--task`` accepts, and what each word means."""


@dataclass(frozen=True)
class DataOptions:
    """The user's word about a table; whatever is left out is inferred.

    Attributes:
        target: Columns to predict; more than one only for regression.
        task: ``"regression"``, ``"binary"``, ``"multiclass"`` or ``"classification"``.
        kinds: Column to kind ("number", "category", "boolean", "datetime", "text", "identifier",
            "constant"), overriding the inferred one.
        drop: Columns that are not to be used.
        weight: Column with a weight of each row (>= 0).
        group: Column whose equal values must stay together in every split.
        time_column: Column that orders the rows in time.
        test: Path of a file with the test rows.
        metric: Name of the metric that decides; one of the user's is
            ``package.module:function:higher`` or ``...:lower``.
        seed: Root of all randomness.
    """

    target: tuple[str, ...]
    task: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    weight: str | None = None
    group: str | None = None
    time_column: str | None = None
    test: str | None = None
    metric: str | None = None
    seed: int = 0

    @property
    def reserved(self) -> tuple[str, ...]:
        """Columns that are never inputs: targets, the weight and the group."""
        extra = tuple(name for name in (self.weight, self.group) if name is not None)
        return (*self.target, *extra)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Hint that names the nearest of the known words, or all of a few.

    >>> did_you_mean("prise", ["price", "area"])
    "did you mean 'price'?"
    """
    words = [str(word) for word in known]
    lower = {word.lower(): word for word in reversed(words)}
    near = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.5)
    if near:
        return f"did you mean {lower[near[0]]!r}?"
    shown = ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")
    return f"there are: {shown}" if words else ""


def check_options(options: DataOptions, columns: tuple[str, ...]) -> None:
    """Check the options against each other and against the columns of a table.

    Raises:
        OptionError: If a column or a word is unknown, or two options contradict each other.
    """
    _check_columns(options, columns)
    _check_words(options)
    _check_together(options)


def _check_columns(options: DataOptions, columns: tuple[str, ...]) -> None:
    if not options.target:
        raise OptionError(
            "no target column was named", hint="say --target COLUMN: the column to predict"
        )
    asked = [("--target", name) for name in options.target]
    asked += [("--drop", name) for name in options.drop]
    asked += [("--kind", name) for name in options.kinds]
    single = {
        "--weight": options.weight,
        "--group": options.group,
        "--time-column": options.time_column,
    }
    asked += [(flag, name) for flag, name in single.items() if name is not None]
    known = set(columns)
    for flag, name in asked:
        if name not in known:
            raise OptionError(
                f"{flag} {name}: the table has no column {name!r}",
                hint=did_you_mean(name, columns),
            )


def _check_words(options: DataOptions) -> None:
    kinds = [kind.value for kind in ColumnKind]
    for column, kind in options.kinds.items():
        if kind not in kinds:
            raise OptionError(
                f"--kind {column}={kind}: there is no kind {kind!r}",
                hint=did_you_mean(kind, kinds) + f" (kinds: {', '.join(kinds)})",
            )
    if options.task is not None and options.task not in TASK_WORDS:
        raise OptionError(
            f"--task {options.task}: there is no such task",
            hint=f"use one of {', '.join(TASK_WORDS)}, or leave it out",
        )


def _check_together(options: DataOptions) -> None:
    if len(set(options.target)) < len(options.target):
        raise OptionError(f"--target names a column twice: {', '.join(options.target)}")
    for flag, name in (
        ("--weight", options.weight),
        ("--group", options.group),
        ("--time-column", options.time_column),
    ):
        if name is not None and name in options.target:
            raise OptionError(f"{flag} {name}: that column is the target", hint="name another")
    for name in options.drop:
        if name in options.target:
            raise OptionError(
                f"--drop {name}: that column is the target", hint="drop it or predict it, not both"
            )
    if options.weight is not None and options.weight == options.group:
        raise OptionError(f"--weight and --group name the same column {options.weight!r}")
    for name in options.kinds:
        if name in options.target:
            raise OptionError(
                f"--kind {name}: that column is the target",
                hint="say what is to be predicted with --task",
            )
