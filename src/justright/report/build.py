"""A study to the text of its report."""

from __future__ import annotations

import time

from justright.report.facts import key_facts
from justright.report.page import page
from justright.store.base import AbstractStore
from justright.views.reader import Reader
from justright.views.registry import sections
from justright.views.verdict import data_sentence


def report_html(store: AbstractStore, study: str, *, examples: bool = True) -> str:
    """The report of a study as one offline page.

    Args:
        store: Where the study is kept.
        study: Its name.
        examples: Whether cells of the user's table may be shown.
    """
    reader = Reader(store, study, examples=examples)
    return page(
        study,
        sections(store, study, examples=examples),
        subtitle=data_sentence(reader),
        facts=key_facts(reader),
        word=str(reader.fact("test").get("word") or ""),
        written=time.time(),
    )
