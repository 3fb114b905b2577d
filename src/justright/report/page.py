"""The page: cards to markup, with its style, its scripts and what they may do."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from plotly.offline import get_plotlyjs

from justright.report.facts import Fact
from justright.views.card import Card
from justright.views.document import finite_document
from justright.views.markup import table_html, text
from justright.views.registry import Section
from justright.views.table import Table

OPEN_ROWS = 12
"""Rows of a table shown unfolded (assumption: what a reader takes in without scrolling)."""


def page(
    study: str,
    parts: Sequence[Section],
    *,
    subtitle: str = "",
    facts: Sequence[Fact] = (),
    word: str = "",
    written: float = 0.0,
) -> str:
    """Sections as one page; the first card that exists is the headline.

    Args:
        study: Name of the study.
        parts: The sections, in order.
        subtitle: What the study is about.
        facts: Key figures under the headline.
        word: The verdict word, which colours the headline.
        written: Unix time to name in the footer.
    """
    shown = [part for part in parts if part.card is not None]
    scripts = (get_plotlyjs(), _asset("page.js"))
    drawn = any(part.card is not None and part.card.figure is not None for part in shown)
    head = _header(study, shown[0].card if shown else None, subtitle, facts)
    body = "\n".join(_section(part, first=index == 0) for index, part in enumerate(shown))
    code = "\n".join(f"<script>{script}</script>" for script in scripts) if drawn else ""
    mood = {"beats": "beats", "loses to": "loses", "ties with": "ties"}.get(word, "")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(scripts if drawn else ())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="justright">
<title>{text(study)} · justright</title>
<style>{_asset("page.css")}</style>
</head>
<body class="{mood}">
<div class="page">
{head}
<div class="body">
{_contents(shown)}
<main>
{body}
</main>
</div>
{_footer(parts, written)}
</div>
{code}
</body>
</html>
"""


@cache
def _asset(name: str) -> str:
    return files("justright.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _policy(scripts: Sequence[str]) -> str:
    """Only these very scripts may run, and nothing may be fetched or sent."""
    allowed = " ".join(_hash(script) for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _header(study: str, first: Card | None, subtitle: str, facts: Sequence[Fact]) -> str:
    title = first.title if first else "Nothing to report yet"
    claim = first.claim if first else "The study has not come to a result."
    about = " · ".join(part for part in (study, subtitle) if part)
    key = "".join(
        f"<div><dt>{text(fact.name)}</dt><dd>{text(fact.value)}"
        f"{f'<small>{text(fact.detail)}</small>' if fact.detail else ''}</dd></div>"
        for fact in facts
    )
    return (
        f'<header><p class="of">{text(about)}</p><h1>{text(title)}</h1>'
        f'<p class="lead">{text(claim)}</p>{f"<dl class=key>{key}</dl>" if key else ""}</header>'
    )


def _contents(shown: Sequence[Section]) -> str:
    items = "".join(
        f'<li><a href="#{text(part.name)}">{text(part.title)}</a></li>' for part in shown
    )
    return f'<nav aria-label="Contents"><ol>{items}</ol></nav>'


def _section(part: Section, *, first: bool) -> str:
    card = part.card
    assert card is not None  # only sections with a card are shown
    pieces = [f'<section id="{text(part.name)}">']
    if first:  # its title and claim are the headline of the page
        pieces.append("<h2>Every method on the same rows</h2>" if card.table else "")
    else:
        pieces.append(f'<h2>{text(card.title)}</h2><p class="claim">{text(card.claim)}</p>')
    if card.code:
        pieces.append(f"<pre>{text(card.code)}</pre>")
    if card.figure is not None:
        pieces.append(_figure(card.figure))
    if card.table is not None:
        pieces.append(_table(card.table, folded=card.figure is not None))
    if card.notes:
        notes = "".join(f"<li>{text(note)}</li>" for note in card.notes)
        pieces.append(f'<ul class="notes">{notes}</ul>')
    pieces.append("</section>")
    return "\n".join(piece for piece in pieces if piece)


def _figure(figure: Mapping[str, Any]) -> str:
    document = json.dumps(finite_document(figure), ensure_ascii=False, separators=(",", ":"))
    # "<" is written as an escape, so that no text in a figure can end the script element.
    safe = (
        document.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    )
    return (
        '<div class="figure"><div class="plot"></div>'
        f'<script type="application/json">{safe}</script></div>'
    )


def _table(table: Table, *, folded: bool) -> str:
    markup = f'<div class="scroll" tabindex="0">{table_html(table)}</div>'
    if len(table.rows) <= OPEN_ROWS or not folded:
        return markup
    return f"<details><summary>All {len(table.rows):,} rows</summary>{markup}</details>"


def _footer(parts: Sequence[Section], written: float) -> str:
    missing = [f"{part.title} ({part.reason})" for part in parts if part.card is None]
    lines = []
    if missing:
        lines.append(f"Not shown: {'; '.join(missing)}.")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(written)) if written else ""
    lines.append(
        f"Written by justright{f' on {when}' if when else ''}. This page is one file; it loads "
        "nothing and sends nothing."
    )
    return f"<footer>{''.join(f'<p>{text(line)}</p>' for line in lines)}</footer>"
