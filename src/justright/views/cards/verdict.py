"""Card: what the locked test set said, or repeated cross-validation of a small table."""

from __future__ import annotations

from math import isfinite

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.important import important
from justright.views.metrics import columns_of, title_of
from justright.views.numbers import capital, count, duration, significant
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
    where = f"in {result.folds}" if result.repetitions else "on the test set"
    return figures.intervals(
        [method.title for method in scored],
        [method.score for method in scored if method.score is not None],
        [
            None if method.low is None or method.high is None else (method.low, method.high)
            for method in scored
        ],
        [_colour(method) for method in scored],
        title=f"{result.title} {where}, {better} is better",
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
    notes = [f"Look at: {each.text}." for each in important(reader)]
    notes += _repeated_notes(result) or [
        "Intervals are 95%; differences are paired, row by row, on the same test rows."
    ]
    if result.reason:
        notes.append(
            f"So few test rows can show little; there is no repeated cross-validation: "
            f"{result.reason}."
        )
    test = reader.fact("test")
    validation, drop = test.get("validation_score"), test.get("drop")
    if validation is not None and drop is not None and not result.repetitions:
        notes.append(
            f"Validation had promised {result.title} {significant(validation)}; the difference "
            f"between validation and test is {significant(drop, 2)}."
        )
        if result.optimism is not None and isfinite(result.optimism):
            notes.append(
                f"Choosing among {count(result.tried, 'network')} flattered the validation score "
                f"by {significant(max(result.optimism, 0.0), 2)} (bootstrap over its rows; "
                "Tsamardinos, Greasidou & Borboudakis 2018); the test score is free of it."
            )
    untested = [f"{e.get('title')} ({e.get('reason')})" for e in test.get("untested") or ()]
    if untested and not result.repetitions:
        notes.append(
            f"Without predictions of the test rows: {', '.join(untested)}. If the best baseline "
            "is among them, the verdict compares with it on the validation rows, which also "
            "chose the network."
        )
    if truncated := reader.cut():
        notes.append(f"The time limit cut: {', '.join(truncated)}.")
    return tuple(notes)


def _repeated_notes(result: Outcome) -> list[str]:
    """What the headline of a small table rests on."""
    if not result.repetitions:
        return []
    notes = [
        f"{capital(result.folds)} that no decision has seen: the final recipe and every baseline "
        "were trained on each. Intervals are 95%, of means over folds, corrected for the rows "
        "that folds share (Nadeau & Bengio 2003); differences are paired, fold by fold."
    ]
    if result.optimism is not None:
        taken = f"{significant(result.taken_off, 2)} was" if result.taken_off else "nothing was"
        notes.append(
            "Choosing among what was trained in full flatters a score; bootstrap bias-corrected "
            f"cross-validation puts that at {significant(result.optimism, 2)}, and {taken} taken "
            "off (Tsamardinos, Greasidou & Borboudakis 2018)."
        )
    sanity = result.sanity
    if sanity is not None and sanity.network is not None:
        notes.append(
            f"The locked test set has {count(sanity.rows, 'row')}, too few to decide; as a sanity "
            f"check, the network reaches {sanity.network.text} there."
        )
    return notes
