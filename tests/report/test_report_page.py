"""The report: one file, safe, offline, quick."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from justright.core.errors import InputError
from justright.core.study import StudyHead
from justright.report.html import report_html
from justright.report.write import write_report
from justright.store.holder import this_process
from justright.store.memory import MemoryStore
from justright.testing.examples import BANK, EXAMPLES, HOUSES, World, write_example

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "<!--<script>",
    "' onmouseover='alert(3)",
    "%{customdata}<a href='javascript:alert(4)'>x</a>",
    "\u2028alert(5)",
    "&lt;svg onload=alert(6)&gt;",
)


class Page(HTMLParser):
    """Collects elements, attributes and the text of scripts."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.content = ""
        self._kind: str | None = None
        self._script = False
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "script":
            self._script, self._kind = True, dict(attrs).get("type")
            self.scripts.append((self._kind, ""))
        if tag == "meta" and dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.content = dict(attrs).get("content") or ""

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script:
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)


def report(world: World, **options: bool) -> str:
    store = MemoryStore()
    write_example(store, world)
    return report_html(store, world.name, **options)


@pytest.mark.parametrize("text", HOSTILE)
def test_user_text_never_becomes_markup(text: str) -> None:
    columns = tuple((f"{name}{text}", kind) for name, kind in HOUSES.columns)
    for plain, task in ((HOUSES, {}), (BANK, {"classes": (text, f"2{text}")})):
        bad = replace(plain, targets=(text,), columns=columns, metric=(*plain.metric,), **task)
        good = replace(bad, targets=("t",), columns=HOUSES.columns, classes=plain.classes)
        hostile, harmless = Page(report(bad)), Page(report(good))
        assert hostile.tags == harmless.tags
        names = {name for name, _ in hostile.attributes}
        assert names == {name for name, _ in harmless.attributes}
        assert not [name for name in names if name.startswith("on")]


def test_figures_are_json_and_labels_are_disarmed() -> None:
    page = Page(report(replace(BANK, classes=(HOSTILE[4], "b"))))
    figures = [json.loads(text) for kind, text in page.scripts if kind == "application/json"]
    assert len(figures) >= 7
    labels = [t for f in figures for t in f["layout"]["xaxis"].get("ticktext", ())]
    assert any("&lt;a" in label for label in labels)
    assert not [label for label in labels if "<" in label]


@pytest.mark.parametrize("world", EXAMPLES, ids=lambda world: world.name)
def test_nothing_is_fetched_and_only_these_scripts_may_run(world: World) -> None:
    page = Page(report(world))
    assert "default-src 'none'" in page.content
    assert "unsafe-eval" not in page.content
    code = [text for kind, text in page.scripts if kind is None]
    assert len(code) == 2
    for text in code:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in page.content
    assert not {"link", "iframe", "img", "object", "embed", "base"} & set(page.tags)
    assert not [value for name, value in page.attributes if name == "src"]
    links = [value or "" for name, value in page.attributes if name == "href"]
    assert links
    assert all(link.startswith("#") for link in links)


def test_every_link_of_the_contents_has_its_section() -> None:
    page = Page(report(HOUSES))
    ids = {value for name, value in page.attributes if name == "id"}
    links = {(value or "")[1:] for name, value in page.attributes if name == "href"}
    assert links == ids


def test_the_verdict_comes_first() -> None:
    markup = report(HOUSES)
    assert "<h1>The network beats boosting</h1>" in markup
    assert markup.index("<h1>") < markup.index("<h2>")
    assert '<body class="beats">' in markup


def test_it_names_the_cards_that_are_missing_and_why() -> None:
    assert "Not shown: Confusion (the target is a number)" in report(HOUSES)


def test_rows_of_the_data_stay_out_on_request() -> None:
    assert len(report(HOUSES, examples=False)) < len(report(HOUSES)) - 20_000


def test_a_study_that_only_began_has_a_report_without_figures() -> None:
    store = MemoryStore()
    store.studies.open(StudyHead("new", "d", "g", {}, 0.0), this_process())
    page = Page(report_html(store, "new"))
    assert "script-src 'none'" in page.content
    assert page.scripts == []


def test_it_is_built_within_a_second(tmp_path: Path) -> None:
    store = MemoryStore()
    write_example(store)
    started = time.perf_counter()
    written = write_report(store, "houses", tmp_path / "deep" / "report.html")
    assert time.perf_counter() - started < 1.0
    assert written.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in written.parent.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    store = MemoryStore()
    write_example(store)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write the report"):
        write_report(store, "houses", tmp_path / "file" / "report.html")


def test_long_tables_beside_a_figure_are_folded() -> None:
    assert re.search(r"<details><summary>All \d+ rows</summary>", report(HOUSES))
