"""Card: rows whose target the others contradict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.views.card import Card, NotApplicable
from justright.views.numbers import capital, count, significant
from justright.views.reader import Reader
from justright.views.table import Column, Table


def suspicious_labels(reader: Reader) -> Card | NotApplicable:
    """How many targets look wrong, and the rows to check first."""
    fact = reader.fact("labels")
    if not fact:
        return NotApplicable("no targets were held against what trainings expect")
    if "contradicted" not in fact:
        return NotApplicable(str(fact.get("why")))
    listed: Sequence[Mapping[str, Any]] = list(fact.get("list") or ())
    if not listed and fact.get("word") == "small":
        return NotApplicable("no target is contradicted by the trainings that did not see it")
    classes = bool(reader.fact("table").get("classes"))
    allowed = reader.examples and all("target" in entry for entry in listed)
    return Card(
        title="Suspicious labels" if classes else "Suspicious targets",
        claim=_claim(fact, classes),
        table=_table(reader, fact, listed, classes) if listed and allowed else _plain(listed),
        notes=_notes(classes, allowed),
    )


def _claim(fact: Mapping[str, Any], classes: bool) -> str:
    what = "label" if classes else "target"
    rate = f"{fact['rate']:.1%} (95% interval {fact['low']:.1%} to {fact['high']:.1%})"
    number = count(fact["contradicted"], what)
    agree = f"{count(fact['trainings'], 'training')} contradict {number} of {fact['rows']:,}"
    if fact["word"] == "material":
        return f"About {rate} of the {what}s look wrong: {agree}."
    if fact["word"] == "small":
        return f"Hardly a {what} is wrong: {rate}; {agree}."
    return f"{capital(agree)}, but how many are wrong cannot be told: {fact['why']}."


def _table(
    reader: Reader, fact: Mapping[str, Any], listed: Sequence[Mapping[str, Any]], classes: bool
) -> Table | None:
    names = [str(name) for name in fact.get("columns") or ()][:4]
    targets = [str(target) for target in reader.fact("table").get("target") or ()]
    heads = [Column("Row", numeric=True)]
    heads += [] if len(targets) < 2 else [Column("Target")]
    heads += [Column("In the table"), Column("Expected"), Column("Strength", numeric=True)]
    rows = []
    for entry in listed:
        output = int(entry["output"])
        own = entry["target"] if classes else significant(entry["target"][output])
        instead = entry["instead"] if classes else significant(entry["instead"])
        cells = [count(entry["row"])] + ([targets[output]] if len(targets) > 1 else [])
        cells += [str(own), str(instead), f"{entry['strength']:.2f}"]
        rows.append((*cells, *(str(value) for value in entry["values"][: len(names)])))
    return Table((*heads, *(Column(name) for name in names)), tuple(rows))


def _plain(listed: Sequence[Mapping[str, Any]]) -> Table | None:
    """Row numbers alone, for reports that show no values."""
    if not listed:
        return None
    rows = tuple((count(e["row"]), f"{e['strength']:.2f}") for e in listed)
    return Table((Column("Row", numeric=True), Column("Strength", numeric=True)), rows)


def _notes(classes: bool, allowed: bool) -> tuple[str, ...]:
    if classes:
        notes = [
            "Confident learning (Northcutt, Jiang & Chuang 2021): another class is as likely as "
            "it usually is where it is right, and every training says so. Strength: by how much "
            "it is more likely than the label.",
            "The rate is that of contradicted labels among the fifth of the rows that the "
            "trainings are surest of, as long as it stays flat from there to the surest half: "
            "where classes overlap, contradicted labels are mostly right.",
        ]
    else:
        notes = [
            "Beyond three quartile ranges of the residuals of rows with a like prediction (Tukey "
            "1977), on the same side in every training. Strength: in quartile ranges. Wrong "
            "targets within them cannot be seen, so that the rate is a lower one.",
        ]
    notes.append(
        "Only rows that were held out are looked at; of the others nothing is said, also where "
        "none of them is listed."
    )
    numbers = "Rows are numbered from 0 as in the file"
    notes.append(f"{numbers}." if allowed else f"{numbers}; values are kept out of this report.")
    return tuple(notes)
