"""Sections of the model card that are read from the study's facts, one sentence a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from justright.designer.work.session import Session

SLICES, COLUMNS = 5, 5
"""Weak slices and columns that the card names at most (assumption)."""


def metric_sentences(test: Mapping[str, Any], greater: bool) -> tuple[str, ...]:
    """The deciding metric with its direction, every other one, and the baselines beside it.

    Args:
        test: The fact "test".
        greater: Whether more of the deciding metric is better.
    """
    metric = test["metric"]
    own = next(each for each in test["methods"] if each["kind"] == "network")
    others = [f"{k} {v:.4g}" for k, v in own["scores"].items() if k != metric and isfinite(v)]
    direction = "greater" if greater else "less"
    said = [f"{metric} decides, {direction} is better; intervals are 95%, over the test rows."]
    if others:
        said.append(f"Also on the test rows: {', '.join(others)}.")
    rivals = [
        f"{each['title']} {each['scores'][metric]:.4g}{_ends(each['interval'])}"
        for each in test["methods"]
        if each is not own
    ]
    return (*said, f"Baselines there: {', '.join(rivals)}.") if rivals else tuple(said)


def slice_sentences(found: Mapping[str, Any], *, examples: bool) -> tuple[str, ...]:
    """How good it is in the parts of the rows where it is weakest.

    Args:
        found: The fact "slices", which is empty if nobody looked.
        examples: Whether values of the data may be named.
    """
    if not found.get("slices"):
        return ()
    looked = (
        f"{found['looked']:,} slices of {found['rows']:,} rows that it was not trained on were "
        f"compared ({found['source']})"
    )
    weak = [each for each in found["slices"] if each["weak"]]
    if not weak:
        return (f"{looked}; in none is it shown to be weaker than elsewhere.",)
    loss = found["loss_title"]
    return (
        f"{looked}; it is weaker in {len(weak)} of those listed, such as:",
        *(
            f"{each['label' if examples else 'plain']}: {loss} {each['loss']:.3g} against "
            f"{each['rest']:.3g} elsewhere, {each['rows']:,} rows."
            for each in weak[:SLICES]
        ),
    )


def factor_sentences(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that it rests on most, by permutation importance; `found` is that fact."""
    used = [each for each in found.get("columns") or () if each["matters"]]
    if not used:
        return ()
    named = [
        f"{each['column']} ({each['loss']:.2g}{_ends((each['low'], each['high']))})"
        for each in used[:COLUMNS]
    ]
    return (
        f"It rests most on {', '.join(named)}: by so much {found['metric_title']} is worse when "
        "the column is shuffled. That is no statement about causes.",
    )


def reliability_sentences(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Brier score and calibration error on the test rows; `found` is the fact "reliability"."""
    if not found:
        return ()
    value, low, high = found["brier"]
    beyond = "more than" if found["error"] > found["most"] else "no more than"
    return (
        f"Brier score {value:.4g}{_ends((low, high))}; expected calibration error "
        f"{found['error']:.2%}, {beyond} chance makes on {found['rows']:,} test rows.",
    )


def reproduce_sentences(session: Session) -> tuple[str, ...]:
    """What has to be the same to get this model again; no path, for the card goes anywhere."""
    table = session.blocks.problem.table
    network = session.store.ledger.fact(session.name, "network") or {}
    recipe = network.get("recipe_fingerprint") or "unknown"
    return (
        f"The table {table.name} with the fingerprint {table.fingerprint}, seed "
        f"{session.options.data.seed}, the versions named above, and the study's `work.json` "
        "(`--work`) give the same decisions.",
        f"Recipe {recipe}, in full in `recipe.json`; time limit {session.clock.limit_s:g} s.",
    )


def _ends(interval: Any) -> str:
    low, high = interval
    known = None not in (low, high) and isfinite(low) and isfinite(high)
    return f" ({low:.4g} to {high:.4g})" if known else ""
