"""Card: the table, its columns, its splits, and what is wrong with it."""

from __future__ import annotations

from collections import Counter

from justright.core.finding import Finding, Severity
from justright.views.card import Card, NotApplicable
from justright.views.numbers import capital, count
from justright.views.reader import Reader
from justright.views.table import Column, Table
from justright.views.verdict import data_sentence

ROWS = 200
"""Columns listed in the table of the card."""


def findings(reader: Reader) -> Card | NotApplicable:
    """What the audit found, worst first, each with what was done about it."""
    sentence = data_sentence(reader)
    if not sentence:
        return NotApplicable("the table was not read yet")
    found = reader.findings
    if not found:
        return Card("Data", f"{sentence}; the audit found nothing.", notes=_split_notes(reader))
    counts = Counter(str(finding.severity) for finding in found)
    kinds = ", ".join(
        count(number, kind) if kind != "critical" else f"{number} critical"
        for kind, number in counts.items()
    )
    critical = frozenset(i for i, f in enumerate(found) if f.severity is Severity.CRITICAL)
    columns = (Column("Severity"), Column("Finding"), Column("Columns"), Column("What was done"))
    return Card(
        title="Data and findings",
        claim=f"{sentence}; the audit found {kinds}.",
        table=Table(columns, tuple(_finding_row(finding) for finding in found), critical),
        notes=_split_notes(reader),
    )


def columns(reader: Reader) -> Card | NotApplicable:
    """Every column's kind with its reason, and whether the network sees it."""
    entries = reader.fact("schema").get("columns") or ()
    if not entries:
        return NotApplicable("the columns were not looked at yet")
    used = sum(1 for entry in entries if entry.get("used"))
    kinds = Counter(str(entry.get("kind")) for entry in entries if entry.get("used"))
    listed = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    rows = tuple(
        (
            str(entry.get("name")),
            str(entry.get("kind")),
            "yes" if entry.get("used") else f"no: {entry.get('unused_because') or 'not usable'}",
            reader.shown(str(entry.get("reason") or "")),
        )
        for entry in entries[:ROWS]
    )
    more = len(entries) - len(rows)
    return Card(
        title="Columns",
        claim=f"The network sees {used} of {count(len(entries), 'column')}: {listed}.",
        table=Table((Column("Column"), Column("Kind"), Column("Used"), Column("Why")), rows),
        notes=(f"{count(more, 'further column')} not listed.",) if more else (),
    )


def _finding_row(finding: Finding) -> tuple[str, ...]:
    names = ", ".join(finding.columns[:5])
    if len(finding.columns) > 5:
        names += f" and {len(finding.columns) - 5} more"
    return (str(finding.severity), finding.message, names, finding.action)


def _split_notes(reader: Reader) -> tuple[str, ...]:
    splits = reader.fact("splits")
    if not splits:
        return ()
    sizes = ", ".join(
        f"{count(splits[part])} {part}"
        for part in ("train", "validation", "test")
        if splits.get(part) is not None
    )
    reason = str(splits.get("reason") or "").rstrip(".")
    return (f"Split {splits.get('kind')}: {sizes}." + (f" {capital(reason)}." if reason else ""),)
