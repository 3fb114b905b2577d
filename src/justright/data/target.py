"""What is to be predicted: regression or classes, inferred from the target columns or said."""

from __future__ import annotations

import polars as pl

from justright.core.errors import DataError, OptionError
from justright.core.task import Task, TaskKind
from justright.data.arrays import labels_of
from justright.data.kinds import TRUE_WORDS, boolean_words
from justright.data.numerals import number_style, parse_numbers
from justright.data.options import TASK_WORDS, DataOptions, check_options
from justright.data.table import Table

MOST_INTEGER_CLASSES = 20
"""Whole numbers with more distinct values than this are amounts. Published for input columns:
fastai's `cont_cat_split` (max_card=20); an assumption for targets."""

LEAST_ROWS_PER_CLASS = 5
"""... and so are whole numbers that repeat less than this on average. Assumption."""

MOST_WORDS = 0.1
"""A share of words among amounts up to which they are taken for mistakes. Assumption."""

LEAST_SPREAD, MOST_SPREAD = 1e-100, 1e100
"""Range that a numeric target may span: squares and their sums stay far from the limits of double
precision (1e-308 to 1e308). Assumption."""

MOST_CLASSES = 1_000
"""More classes are refused. Published: AutoGluon's limit for a multi-class target."""


def infer_task(table: Table, options: DataOptions) -> Task:
    """Decide between regression and classes, and name the classes.

    Rows whose target is missing do not count.

    Raises:
        OptionError: If an option names an unknown column, or a task that does not fit the target.
        DataError: If the target is constant, missing, text that never repeats, or several labels.
    """
    check_options(options, table.columns)
    wish = None if options.task is None else TASK_WORDS[options.task]
    if len(options.target) == 1:
        return _single(table, options.target[0], wish)
    return _several(table, options, wish)


def _single(table: Table, name: str, wish: str | None) -> Task:
    values = _present(table.frame[name])
    numbers = numeric_target(values)
    found = values if numbers is None else numbers
    if numbers is None and wish in (None, "regression") and values.dtype == pl.String:
        _check_mixed(name, values)
    distinct = found.n_unique()
    if distinct == 1:
        raise DataError(
            f"the target {name!r} is always {labels_of(found)[0]!r}",
            hint="there is nothing to predict",
        )
    if wish == "regression" or (wish is None and numbers is not None and distinct > 2):
        if numbers is None:
            raise OptionError(
                f"--task regression: the target {name!r} holds text such as {values[0]!r}",
                hint="leave --task out, or name a target of numbers",
            )
        reason = _regression_reason(numbers, distinct) if wish is None else "said by --task"
        if reason:
            _check_finite(numbers)
            return Task(TaskKind.REGRESSION, (name,), reason=reason)
    return _classes(name, found, wish)


def numeric_target(values: pl.Series) -> pl.Series | None:
    """The target as numbers if it holds numbers, also as text; None for everything else."""
    if values.dtype.is_numeric():
        return values
    if values.dtype != pl.String:
        return None
    style, share = number_style(values.unique(maintain_order=True).head(10_000))
    if share < 1.0:
        return None
    numbers = parse_numbers(values, style)
    return None if numbers.null_count() else numbers


def _check_mixed(name: str, values: pl.Series) -> None:
    """Refuse amounts with a few words among them: as classes they would make no sense."""
    style, _ = number_style(values.unique(maintain_order=True).head(10_000))
    numbers = parse_numbers(values, style)
    strange = values.filter(numbers.is_null())
    amounts = numbers.drop_nulls()
    few = 0 < strange.len() <= MOST_WORDS * values.len()
    if few and _regression_reason(amounts, amounts.n_unique()):
        raise DataError(
            f"the target {name!r} holds numbers, but {strange[0]!r} or other text in "
            f"{strange.len():,} of {values.len():,} rows",
            hint="correct those values or make them empty; say --task classification if each is "
            "a class",
        )


def _present(values: pl.Series) -> pl.Series:
    present = values.drop_nulls()
    if present.len() == 0:
        raise DataError(
            f"the target {values.name!r} is missing in all {values.len():,} rows",
            hint="name another column with --target",
        )
    if not (values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.String)):
        if values.dtype in (pl.Categorical, pl.Enum):
            return present.cast(pl.String)
        raise DataError(
            f"the target {values.name!r} holds {values.dtype}",
            hint="a target holds numbers or classes; turn dates into numbers first",
        )
    return present


def _regression_reason(numbers: pl.Series, distinct: int) -> str:
    """Why a target of more than two numbers is an amount; empty if its values are classes."""
    rows = numbers.len()
    finite = numbers.cast(pl.Float64)
    if not bool((finite % 1 == 0).all()):
        return f"{distinct:,} distinct numbers, not all whole"
    if distinct > MOST_INTEGER_CLASSES:
        return f"whole numbers with {distinct:,} distinct values, more than {MOST_INTEGER_CLASSES}"
    if rows < LEAST_ROWS_PER_CLASS * distinct:
        return (
            f"whole numbers with {distinct:,} distinct values in {rows:,} rows, "
            f"fewer than {LEAST_ROWS_PER_CLASS} rows each"
        )
    return ""


def _check_finite(numbers: pl.Series) -> None:
    """Refuse infinite targets, and those whose squares are infinite or zero as doubles."""
    endless = int(numbers.cast(pl.Float64).is_infinite().sum())
    if endless:
        raise DataError(
            f"the target {numbers.name!r} is infinite in {endless:,} of {numbers.len():,} rows",
            hint="leave those rows out or make their target empty",
        )
    low, high = (float(value) for value in numbers.cast(pl.Float64).sort()[[0, -1]])
    if not LEAST_SPREAD < high - low < MOST_SPREAD:
        raise DataError(
            f"the target {numbers.name!r} goes from {low:.3g} to {high:.3g}, which cannot be "
            "squared in double precision",
            hint="correct extreme values, or give it in another unit",
        )


def _classes(name: str, values: pl.Series, wish: str | None) -> Task:
    labels = labels_of(values)
    rows, distinct = labels.len(), labels.n_unique()
    if values.dtype.is_numeric():
        _check_finite(values)
    _check_repeats(name, labels, distinct)
    if wish == "binary" and distinct != 2:
        raise OptionError(
            f"--task binary: the target {name!r} has {distinct:,} classes",
            hint="leave --task out, or name a target of two classes",
        )
    ordered = _ordered(values, labels)
    label_type = "text"
    if values.dtype == pl.Boolean:
        label_type = "boolean"
    elif values.dtype.is_numeric() and all(_is_whole(label) for label in ordered):
        label_type = "integer"
    kind = TaskKind.BINARY if distinct == 2 else TaskKind.MULTICLASS
    if wish is not None:
        reason = f"said by --task; {distinct:,} classes in {rows:,} rows"
    elif distinct == 2:
        reason = f"two distinct values, {ordered[0]!r} and (positive) {ordered[1]!r}"
    elif label_type == "integer":
        reason = (
            f"{distinct} distinct whole numbers, at most {MOST_INTEGER_CLASSES}, are read as "
            "classes; say --task regression if they are amounts"
        )
    else:
        reason = f"text with {distinct:,} distinct values"
    return Task(kind, (name,), ordered, label_type, reason)


def _check_repeats(name: str, labels: pl.Series, distinct: int) -> None:
    rows = labels.len()
    if distinct == rows:
        raise DataError(
            f"every one of the {rows:,} values of the target {name!r} is different",
            hint="such a column names rows; name another with --target",
        )
    if 2 * distinct > rows:
        raise DataError(
            f"the target {name!r} has {distinct:,} classes in {rows:,} rows",
            hint="two rows per class are the least; join rare classes or name another target",
        )
    if distinct > MOST_CLASSES:
        raise DataError(
            f"the target {name!r} has {distinct:,} classes, more than {MOST_CLASSES:,}",
            hint="join rare classes, or name another target",
        )


def _ordered(values: pl.Series, labels: pl.Series) -> tuple[str, ...]:
    """Classes in the order of numbers or of the alphabet.

    The second of two is the positive one: yes of yes and no, else the rarer (the event that is
    looked for nearly always is; assumption).
    """
    found = labels.unique().to_list()
    if values.dtype.is_numeric():
        return tuple(sorted(found, key=float))
    if len(found) == 2 and boolean_words(found):
        return tuple(sorted(found, key=lambda label: label.strip().lower() in TRUE_WORDS))
    if len(found) == 2:
        counts = {label: int((labels == label).sum()) for label in found}
        return tuple(sorted(found, key=lambda label: (-counts[label], label)))
    return tuple(sorted(found))


def _is_whole(label: str) -> bool:
    return label.lstrip("-").isdigit()


def _several(table: Table, options: DataOptions, wish: str | None) -> Task:
    names = options.target
    if wish not in (None, "regression"):
        raise OptionError(
            f"--task {options.task}: {len(names)} targets ({', '.join(names[:4])}) were named",
            hint="classes are predicted one target at a time; name one --target",
        )
    columns = [_present(table.frame[name]) for name in names]
    numbers = [numeric_target(values) for values in columns]
    if wish is None and all(_is_label(values) for values in columns):
        raise DataError(
            f"the {len(names)} targets {', '.join(names[:4])} hold only two values each: that is "
            "multi-label classification, which is not supported",
            hint="run once for each target",
        )
    for name, values, found in zip(names, columns, numbers, strict=True):
        if found is None:
            raise DataError(
                f"the target {name!r} holds text such as {str(values[0])!r}, and several targets "
                "can only be numbers",
                hint="run once for each target",
            )
        if found.n_unique() == 1:
            raise DataError(
                f"the target {name!r} is always {values[0]!r}", hint="leave it out of --target"
            )
        _check_finite(found)
    reason = f"{len(names)} targets of numbers"
    return Task(TaskKind.MULTI_REGRESSION, names, reason=reason)


def _is_label(values: pl.Series) -> bool:
    return values.n_unique() <= 2
