"""The verdict as a document for programs: ``verdict.json`` and ``--json``.

Schema ``justright/verdict``, version 1. Keys are only ever added within a version; a number that
is not known is null, never missing; a number that is not finite is null.

========================  =====================================================================
``schema``, ``version``   ``"justright/verdict"``, 1
``study``                 name of the study
``finished``              whether the locked test set was opened
``data``                  table, rows, columns, target, task, classes, fingerprint
``findings``              list of code, severity, message, action, columns, worst first
``important``             the few that matter most, whoever saw them: list of code, severity,
                          message, action, cost (share of the loss on unseen rows, null if unknown)
``metric``                name, title, greater_is_better
``verdict``               word ("beats", "ties with", "loses to", ""), against, sentence
``network``               score, low, high, scores, validation, drop, shape, parameters, bytes,
                          ms_per_row (to encode and predict it in a batch of 1,000, on one core),
                          ms_to_answer (of the network, for one row by itself),
                          steps, seconds, networks (averaged; 1 without --ensemble),
                          recipe_fingerprint, usable_after_s
``baselines``             list of name, title, score, low, high, scores, validation, seconds,
                          state, reason
``comparisons``           list of against, title, word, difference, low, high; positive = network
                          better, on the rows of the headline
``headline``              what the verdict and the scores rest on: source ("locked test", or
                          "repeated cross-validation, r × 5 folds" below 500 rows), reason (why a
                          small table has the locked test), repetitions, blocks, rows, apparent,
                          optimism, taken_off, tried
``test``                  rows, openings, score, low, high, word, against: the locked test set,
                          also where it is not the headline
``slices``                looked (slices compared), rows, loss (what is averaged), mean, list of
                          name, columns, rows, share, loss, rest, difference, low, high (for all
                          together), loss_share, weak, score, rest_score: what adds most, first
``importance``            metric, rows, reason (why there is none), columns: list of column, loss
                          (by how much worse when it is shuffled), low, high, repeats, matters
``labels``                word ("material", "small", "cannot tell"), why, rows, contradicted, rate,
                          low, high, trainings, list of row (its number), strength
``forecast``              what twice as many rows would bring: word, why, gain, low, high (90%),
                          beta, rows, blocks, delta
``more_time``             what a longer study would get done: time (to give), tested (ideas),
                          expected (gain of these together, at most), core_seconds, untested (a
                          size) and size_time, ideas: list of title, slot, helps, expected,
                          core_seconds, fits, until (the gain in hand from which on it is not
                          worth its price); all foretold, nothing measured
``foresight``             own and all (studies of the store), null before an outcome: outcomes,
                          studies, helped, brier, constant, better, low, high, gains, inside
``calibration``           temperature (what logits are divided by), kept, rows (held out of
                          training), log_loss and error (expected calibration error): before and
                          after, on rows that did not fit it; null where the target is a number
``reliability``           of the probabilities on the test rows: rows, brier and gain (of the
                          temperature, in log-loss): estimate, low, high; error (expected
                          calibration error), perfect and most (its mean and 95% quantile for a
                          perfect forecaster), log_loss: without and with the temperature; null
                          where the target is a number
``intervals``             rows (held out, whose errors make them), test_rows, levels: list of
                          level, coverage, low, high, width (a number per target), size (mean
                          number of classes in a set), thirds (per target: list of third,
                          rows, coverage, low, high, by thirds of the prediction)
``noise``                 seed_sd, split_sd, tie_below, blocks, df; sizes (whose runs on the same
                          blocks have shown it; then seed_sd is what neither size nor block
                          explains) and part (3: of a third of the length)
``size``                  sentence, chosen, lightest, heaviest, below, untested, possible, apart
                          (units of each layer), upper, sure, confirmed, capped, limited, delta,
                          part (3 or 9: runs of that part of the length), able (the lightest size
                          able to overfit), time (a limit that may be enough for `untested`),
                          weights, bytes, ms_to_answer (of the chosen one, for one row by itself),
                          reason (why there is none), rows: list of hidden, name, weights, share,
                          blocks, loss, word, difference, low, high, reason (why it failed)
``rate``                  prior, peak: before and after the race of learning rates; rate: the
                          constant rate that came out; reason: why there was no
                          race, or no further one after a change
``rounds``                list of round, subject, slot, word, difference, low, high, blocks,
                          length (share of theirs at which both were trained), accepted, cost_s
                          (of all its trainings, on one core): what the search compared, on
                          validation
``splits``                kind, reason, train, validation, test
``stages``                list of name, seconds, state
``clock``                 limit_s, used_s, truncated
``next``                  list of title, why
``paths``                 folder, model, report, verdict, store
``versions``              justright, python, torch, numpy, machine
========================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from justright.core.codec import to_document
from justright.core.idea import PART
from justright.store.base import AbstractStore
from justright.views.cards.slices import slice_name
from justright.views.important import important
from justright.views.outcome import Method, Outcome, greater_is_better, metric_title, outcome
from justright.views.reader import Reader

SCHEMA = "justright/verdict"
VERSION = 1


_NOISE = ("seed_sd", "split_sd", "tie_below", "blocks", "df", "sizes", "part")
"""What is said of the noise."""

_VERSIONS = ("justright", "python", "torch", "numpy", "machine")
_RELIABILITY = ("rows", "brier", "error", "perfect", "most", "log_loss", "gain")
_MORE_TIME = ("time", "tested", "expected", "core_seconds", "untested", "size_time", "ideas")
_FORESIGHT = ("outcomes", "studies", "helped", "brier", "constant", "better", "low", "high")
_FORESIGHT += ("gains", "inside")
_FORECAST = ("word", "why", "gain", "low", "high", "beta", "rows", "blocks", "delta")
_SLICE = ("columns", "rows", "share", "loss", "rest", "difference", "low", "high")
_SLICE += ("loss_share", "weak", "score", "rest_score")
_LABELS = ("word", "why", "rows", "contradicted", "rate", "low", "high", "trainings")
_COLUMN = ("column", "loss", "low", "high", "repeats", "matters")


def verdict_document(store: AbstractStore, study: str) -> dict[str, Any]:
    """The verdict of a study as JSON types (see the module for the schema).

    Args:
        store: Where the study is kept.
        study: Its name.
    """
    reader = Reader(store, study)
    table, result = reader.fact("table"), outcome(reader)
    document = {
        "schema": SCHEMA,
        "version": VERSION,
        "study": study,
        "finished": result is not None,
        "data": {
            "table": table.get("name"),
            **_pick(table, "rows", "columns", "target", "task", "classes", "fingerprint"),
        },
        "findings": [
            {
                **_pick(to_document(f), "code", "severity", "message", "action"),
                "columns": list(f.columns),
            }
            for f in reader.findings
        ],
        "important": _important(reader),
        "metric": {
            "name": table.get("metric"),
            "title": metric_title(reader),
            "greater_is_better": greater_is_better(reader),
        },
        "verdict": {
            "word": result.word if result else "",
            "against": result.against if result else "",
            "sentence": result.sentence if result else "",
        },
        "network": _network(reader, result.network if result else None),
        "baselines": _baselines(reader, result.baselines if result else ()),
        "comparisons": [
            _pick(to_document(c), "against", "title", "word", "difference", "low", "high")
            for c in (result.comparisons if result else ())
        ],
        "headline": _headline(reader),
        "test": _pick(reader.fact("test"), "rows", "openings") | _locked(result),
        **_outlook(reader),
        "calibration": _pick(
            reader.fact("calibration"), "temperature", "kept", "rows", "log_loss", "error"
        ),
        "reliability": _pick(reader.fact("reliability"), *_RELIABILITY),
        "intervals": _pick(reader.fact("intervals"), "rows", "test_rows", "levels"),
        "noise": _pick(reader.fact("noise"), *_NOISE),
        "size": _size(reader.fact("size")),
        "rate": _pick(reader.fact("rate"), "prior", "peak", "rate", "reason"),
        "rounds": [_round(entry) for entry in reader.entries("rounds")],
        "splits": _pick(reader.fact("splits"), "kind", "reason", "train", "validation", "test"),
        "stages": [_pick(e, "name", "seconds", "state") for e in reader.entries("stages")],
        "clock": _pick(reader.fact("clock"), "limit_s", "used_s", "truncated"),
        "next": _next(reader),
        "paths": _pick(reader.fact("paths"), "folder", "model", "report", "verdict", "store"),
        "versions": _pick(reader.fact("versions"), *_VERSIONS),
    }
    return finite_document(document)


def finite_document(value: Any) -> Any:
    """The same document with null for numbers that JSON has no word for.

    >>> finite_document({"a": [1.0, float("nan")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite_document(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [finite_document(item) for item in value]
    return value


def _pick(document: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: document.get(key) for key in keys}


def _size(found: Mapping[str, Any]) -> dict[str, Any]:
    ends = ("chosen", "lightest", "heaviest", "below", "untested")
    row = ("hidden", "name", "weights", "share", "blocks", "loss")
    row += ("word", "difference", "low", "high", "reason")
    words = ("upper", "sure", "confirmed", "capped", "limited", "delta", "part", "reason")
    words += ("able", "time", "weights", "bytes", "ms_to_answer")
    return {
        **_pick(found, "sentence", *ends, "possible", "apart", *words),
        "rows": [_pick(each, *row) for each in found.get("rows") or ()],
    }


def _important(reader: Reader) -> list[dict[str, Any]]:
    names = ("code", "severity", "message", "action", "cost")
    return [_pick(to_document(each), *names) for each in important(reader)]


def _next(reader: Reader) -> list[dict[str, str]]:
    entries = reader.entries("next")
    return [
        {key: reader.shown(str(e.get(key) or "")) for key in ("title", "why")} for e in entries
    ]


def _outlook(reader: Reader) -> dict[str, Any]:
    """Where it errs, what it rests on, and what more would bring."""
    return {
        "slices": _slices(reader),
        "importance": _importance(reader.fact("importance")),
        "labels": _labels(reader.fact("labels")),
        "forecast": _pick(reader.fact("forecast"), *_FORECAST),
        "more_time": _pick(reader.fact("more time"), *_MORE_TIME),
        "foresight": _foresight(reader.fact("foresight")),
    }


def _slices(reader: Reader) -> dict[str, Any]:
    """Slices by what they add to the loss, without values of the table if they are kept out."""
    found = reader.fact("slices")
    listed = [
        {"name": slice_name(reader, each), **_pick(each, *_SLICE)}
        for each in found.get("slices") or ()
    ]
    own = _pick(found, "looked", "rows", "mean")
    return {**own, "loss": found.get("loss_title"), "list": listed}


def _importance(found: Mapping[str, Any]) -> dict[str, Any]:
    columns = [_pick(each, *_COLUMN) for each in found.get("columns") or ()]
    own = _pick(found, "rows", "reason")
    return {"metric": found.get("metric_title"), **own, "columns": columns}


def _foresight(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _pick(found[key], *_FORESIGHT) if found.get(key) else None for key in ("own", "all")
    }


def _labels(found: Mapping[str, Any]) -> dict[str, Any]:
    listed = [_pick(each, "row", "strength") for each in found.get("list") or ()]
    return {**_pick(found, *_LABELS), "list": listed}


def _headline(reader: Reader) -> dict[str, Any]:
    first = reader.fact("test").get("headline") or {}
    shown = ("source", "reason", "repetitions", "blocks", "rows")
    return _pick(first, *shown, "apparent", "optimism", "taken_off", "tried")


def _locked(result: Outcome | None) -> dict[str, Any]:
    """The locked test set, whether it is the headline or not."""
    locked = result if result is None or result.sanity is None else result.sanity
    network = locked.network if locked else None
    return {
        "score": network.score if network else None,
        "low": network.low if network else None,
        "high": network.high if network else None,
        "word": locked.word if locked else "",
        "against": locked.against if locked else "",
    }


def _network(reader: Reader, method: Method | None) -> dict[str, Any]:
    test, network, champion = (reader.fact(key) for key in ("test", "network", "champion"))
    return {
        "score": method.score if method else None,
        "low": method.low if method else None,
        "high": method.high if method else None,
        "scores": dict(method.scores) if method else {},
        "validation": dict(champion.get("validation") or {}),
        "validation_score": test.get("validation_score"),
        "drop": test.get("drop"),
        **_pick(network, "shape", "parameters", "bytes", "ms_per_row", "ms_to_answer", "steps"),
        "seconds": method.seconds if method else champion.get("seconds"),
        "networks": int(network.get("networks") or 1) if network else None,
        "recipe_fingerprint": network.get("recipe_fingerprint"),
        "usable_after_s": champion.get("first_at_s"),
    }


def _baselines(reader: Reader, tested: Sequence[Method]) -> list[dict[str, Any]]:
    by_name = {method.name: method for method in tested}
    entries = {str(entry.get("name")): entry for entry in reader.entries("baselines")}
    documents = []
    for name in [*by_name, *(name for name in entries if name not in by_name)]:
        method, entry = by_name.get(name), entries.get(name, {})
        documents.append(
            {
                "name": name,
                "title": method.title if method else entry.get("title"),
                "score": method.score if method else None,
                "low": method.low if method else None,
                "high": method.high if method else None,
                "scores": dict(method.scores) if method else {},
                "validation": dict(entry.get("validation") or {}),
                "seconds": entry.get("seconds"),
                "state": entry.get("state"),
                "reason": entry.get("reason"),
            }
        )
    return documents


def _round(entry: Mapping[str, Any]) -> dict[str, Any]:
    verdict = entry.get("verdict") or {}
    return {
        **_pick(entry, "round", "subject", "slot"),
        **_pick(verdict, "word", "difference", "low", "high", "blocks"),
        "length": (verdict.get("evidence") or {}).get(PART, 1.0),
        **_pick(entry, "accepted", "cost_s"),
    }
