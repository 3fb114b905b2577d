"""Card: what the locked test set said."""

from __future__ import annotations

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.metrics import columns_of, title_of
from justright.views.numbers import duration, significant
from justright.views.outcome import Method, Outcome, metric_title, outcome
from justright.views.reader import Reader
from justright.views.table import Column, Table


def verdict(reader: Reader) -> Card | NotApplicable:
    """The verdict, every method's score with its interval, and what the network beats."""
    result = outcome(reader)
    if result is None:
        return _without_test(reader)
    return Card(
        title=result.headline,
        claim=result.sentence,
        figure=_figure(result),
        table=_table(result),
        notes=_notes(reader, result),
    )


def _without_test(reader: Reader) -> Card | NotApplicable:
    champion = reader.fact("champion")
    metric = reader.fact("table").get("metric")
    score = (champion.get("validation") or {}).get(metric)
    if score is None:
        return NotApplicable("nothing was trained yet")
    return Card(
        title="No verdict yet",
        claim=(
            f"The best network so far has {metric_title(reader)} {significant(score)} on "
            "validation rows; the locked test set was not opened, so nothing is claimed."
        ),
    )


def _colour(method: Method) -> str:
    return figures.NETWORK if method.network else figures.BASELINE


def _figure(result: Outcome) -> figures.Figure | None:
    scored = [method for method in result.methods if method.score is not None]
    if len(scored) < 2:
        return None
    better = "greater" if result.greater else "less"
    return figures.intervals(
        [method.title for method in scored],
        [method.score for method in scored if method.score is not None],
        [
            None if method.low is None or method.high is None else (method.low, method.high)
            for method in scored
        ],
        [_colour(method) for method in scored],
        title=f"{result.title} on the test set, {better} is better",
        texts=[f"{method.title}: {method.text}" for method in scored],
    )


def _table(result: Outcome) -> Table:
    against = {comparison.against: comparison for comparison in result.comparisons}
    others = columns_of((m.scores for m in result.methods), first=result.metric)[1:5]
    rows = []
    for method in result.methods:
        comparison = against.get(method.name)
        rows.append(
            (
                method.title,
                method.text,
                f"{comparison.word} it {comparison.short}" if comparison else "",
                *(significant(method.scores.get(name)) for name in others),
                duration(method.seconds),
            )
        )
    columns = (
        Column("Method"),
        Column(result.title, numeric=True),
        Column("The network (difference, 95%)"),
        *(Column(title_of(name), numeric=True) for name in others),
        Column("Training", numeric=True),
    )
    strong = frozenset(i for i, method in enumerate(result.methods) if method.network)
    return Table(columns, tuple(rows), strong)


def _notes(reader: Reader, result: Outcome) -> tuple[str, ...]:
    notes = ["Intervals are 95%; differences are paired, row by row, on the same test rows."]
    test = reader.fact("test")
    validation, drop = test.get("validation_score"), test.get("drop")
    if validation is not None and drop is not None:
        notes.append(
            f"Validation had promised {result.title} {significant(validation)}; the difference "
            f"between validation and test is {significant(drop, 2)}."
        )
    truncated = reader.fact("clock").get("truncated") or ()
    if truncated:
        notes.append(f"The time limit cut: {', '.join(str(item) for item in truncated)}.")
    return tuple(notes)
