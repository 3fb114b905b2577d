"""The closing lines and the document for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from justright.core.study import StudyHead
from justright.store.base import AbstractStore
from justright.store.holder import this_process
from justright.store.memory import MemoryStore
from justright.testing.examples import BANK, EXAMPLES, FLOWERS, HOUSES, World, write_example
from justright.views import document
from justright.views.outcome import Comparison
from justright.views.verdict import verdict_document, verdict_lines


def example(world: World = HOUSES, *, tested: bool = True) -> AbstractStore:
    store = MemoryStore()
    write_example(store, world, tested=tested)
    return store


def line(lines: list[str], label: str) -> str:
    return next(text for text in lines if text.startswith(label))


def test_the_lines_say_what_a_person_can_act_on() -> None:
    lines = verdict_lines(example(), "houses")
    assert line(lines, "Data") == (
        "Data      20,433 rows × 12 columns → price (regression, RMSE)   3 findings, worst first"
    )
    assert line(lines, "Baselines") == (
        "Baselines constant 1.154 · linear 0.672 · k-NN 0.598 · boosting 0.437"
    )
    assert line(lines, "Noise") == (
        "Noise     0.006 between seeds: differences under 0.008 are ties"
    )
    assert line(lines, "Network") == (
        "Network   0.411 ± 0.006 on the locked test set: beats boosting by 0.026 "
        "(95% interval 0.014 to 0.038)"
    )
    assert line(lines, "Next").startswith("Next      dropout 0.15 (")
    assert lines[-1] == "Report    studies/houses/report.html"


def test_the_gravest_finding_stands_first_with_its_action() -> None:
    findings = [text for text in verdict_lines(example(), "houses") if "! " in text]
    assert "country alone predicts price" in findings[0]
    assert "left out" in findings[0]
    assert len(findings) == 2  # a note is for the report


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (BANK, "ties with boosting (difference −0.001, 95% interval −0.013 to 0.012)"),
        (FLOWERS, "loses to boosting by 0.020 (95% interval 0.004 to 0.036)"),
    ],
)
def test_ties_and_defeats_are_said_as_plainly(world: World, said: str) -> None:
    assert said in line(verdict_lines(example(world), world.name), "Network")


def test_a_greater_is_better_metric_is_ordered_the_other_way() -> None:
    world = replace(
        BANK,
        name="auc",
        metric=("auc", "AUC", True),
        scores={"constant": 0.36, "linear": 0.24, "boosting": 0.2, "network": 0.21},
    )
    assert "AUC" in line(verdict_lines(example(world), "auc"), "Data")
    made = verdict_document(example(world), "auc")
    scores = [baseline["score"] for baseline in made["baselines"] if baseline["score"] is not None]
    assert scores == sorted(scores, reverse=True)


def test_a_closed_test_set_claims_nothing() -> None:
    store = example(tested=False)
    lines = verdict_lines(store, "houses")
    assert "stays closed" in line(lines, "Network")
    assert line(lines, "Baselines").endswith("(validation)")
    made = verdict_document(store, "houses")
    assert made["finished"] is False
    assert made["verdict"] == {"word": "", "against": "", "sentence": ""}
    assert made["network"]["score"] is None
    assert made["network"]["validation"]["rmse"] > 0


def test_a_study_that_only_began_has_no_lines_and_a_whole_document() -> None:
    store = MemoryStore()
    store.studies.open(StudyHead("new", "d", "g", {}, 0.0), this_process())
    assert verdict_lines(store, "new") == []
    assert set(verdict_document(store, "new")) == set(verdict_document(example(), "houses"))


@pytest.mark.parametrize("world", EXAMPLES, ids=lambda world: world.name)
def test_the_document_is_strict_json_with_every_documented_key(world: World) -> None:
    made = verdict_document(example(world), world.name)
    again = json.loads(json.dumps(made, allow_nan=False))
    assert again == made
    described = {
        name.strip().strip("`")
        for row in (document.__doc__ or "").splitlines()
        if row.startswith("``")
        for name in row[:24].split(",")
    }
    assert described == set(made)
    assert (made["schema"], made["version"]) == ("justright/verdict", 1)
    assert made["verdict"]["word"] == world.word
    assert made["network"]["low"] < made["network"]["score"] < made["network"]["high"]
    assert {b["name"] for b in made["baselines"]} == {
        "constant",
        "linear",
        "knn",
        "boosting",
        "lightgbm",
    }
    assert sum(stage["seconds"] for stage in made["stages"]) > 0


def test_numbers_json_cannot_say_become_null() -> None:
    store = example()
    champion = {**store.ledger.fact("houses", "champion"), "validation": {"rmse": float("nan")}}
    store.ledger.put("houses", "champion", champion)
    made = verdict_document(store, "houses")
    json.dumps(made, allow_nan=False)
    assert made["network"]["validation"]["rmse"] is None


def test_what_the_clock_cut_is_said_in_words_and_once() -> None:
    store = example()
    cut = ["noise start recipe", "rate", "round 1/shape/screen 3×256", "round 1/length/confirm"]
    cut += [
        "round 2",
        "round 2/shape/third 3×256",
        "round 2/shape/screen 3×256",
        "size core-seconds",
        "start recipe stop",
    ]
    store.ledger.put("houses", "clock", {"limit_s": 60.0, "truncated": cut})
    assert line(verdict_lines(store, "houses"), "Clock") == (
        "Clock     the time limit cut: noise between seeds, race of learning rates, 3×256 "
        "and 1 more"
    )


def test_reading_changes_nothing(tmp_path: Path) -> None:
    store = example()
    before = json.dumps(store.ledger.facts("houses"), sort_keys=True, default=str)
    verdict_lines(store, "houses")
    assert json.dumps(store.ledger.facts("houses"), sort_keys=True, default=str) == before


def test_a_comparison_without_an_interval_says_so() -> None:
    """The rows of a single group cannot tell how sure their mean is."""
    alone = Comparison("linear", "linear", "ties with", 0.5, -inf, inf)
    assert alone.text == "difference 0.500, no interval"
    assert alone.short == "(0.500; no interval)"


def test_how_many_networks_are_averaged_is_said() -> None:
    store = example()
    network = dict(store.ledger.fact("houses", "network") or {})
    assert verdict_document(store, "houses")["network"]["networks"] == 1
    store.ledger.put("houses", "network", {**network, "networks": 4})
    assert verdict_document(store, "houses")["network"]["networks"] == 4
    store.ledger.put("houses", "network", {})
    assert verdict_document(store, "houses")["network"]["networks"] is None
