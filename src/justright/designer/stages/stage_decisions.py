"""Decisions of stages that follow a rule instead of comparing candidates of their own.

What the comparing stages decide (rate, size, ideas, schedules) they record themselves; here is the
rest of the way, so that `explain` tells a study from its first step to its verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from justright.baselines.registry import baseline_named
from justright.core.decision import Decision, Status
from justright.core.trial import Trial
from justright.designer.work.rivals import Rival, score_of
from justright.designer.work.session import Arm, Session
from justright.diagnosis.states import Diagnosis
from justright.statistics.metrics import metric_named

RESULT_OF: Mapping[str, str] = {"sanity": "checks", "rate": "race", "size": "rows"}
"""Stages that may find no time, and what their fact holds where they did."""


def record_baselines(session: Session, baselines: Mapping[str, Rival]) -> None:
    """Record which baseline is the one to beat; nothing if none has a score.

    Args:
        session: The study at work.
        baselines: As they were judged on the screening blocks.
    """
    metric = metric_named(session.metric)
    scores = {n: s for n, s in score_of(baselines, metric.name).items() if isfinite(s)}
    if not scores:
        return
    best = min(scores, key=lambda name: metric.loss(scores[name]))
    decision = Decision(
        "baselines",
        f"{baseline_named(best).title} is the one to beat: {metric.title} {scores[best]:.4g}",
        f"best of {len(scores)} on the validation rows of the first blocks",
        "simple models before networks, trees among them: Grinsztajn et al. 2022",
        Status.PUBLISHED,
        scores,
    )
    session.store.ledger.decide(session.name, decision)


def record_state(session: Session, found: Diagnosis, subject: str) -> None:
    """Record the state of a champion's training: it orders what is tried next.

    Args:
        session: The study at work.
        found: The diagnosis.
        subject: The champion's name.
    """
    decision = Decision(
        "state",
        f"{subject}: {found.state}; {found.action}",
        found.reason,
        "order of moves: Howard & Gugger 2020, chapter 15; one standard error: Breiman et al. "
        "1984; other limits: assumption",
        Status.ASSUMPTION,
        {name: float(value) for name, value in found.numbers.items() if isfinite(value)},
    )
    session.store.ledger.decide(session.name, decision)


def record_left_out(session: Session) -> None:
    """Record which stages did nothing up to the end of the search, and why."""
    for stage, result in RESULT_OF.items():
        fact = session.store.ledger.fact(session.name, stage) or {}
        if fact.get("reason") and not fact.get(result):
            decision = Decision(
                stage, "left out", str(fact["reason"]), "the time limit, or these data",
                Status.MEASURED,
            )  # fmt: skip
            session.store.ledger.decide(session.name, decision)


def record_final(
    session: Session, arm: Arm, trial: Trial | None, rows: tuple[int, int], share: int
) -> None:
    """Record what is handed over: a training on all rows but the test's, or the champion's own.

    Args:
        session: The study at work.
        arm: Recipe and planned steps.
        trial: The final training; None where the champion's own is handed over.
        rows: Rows that the champion and the final training learn from.
        share: Percent of the steps that the time allows; 0 = none.
    """
    own, everything = rows
    if trial is None:
        choice = f"{arm.subject}: the network of the first block, trained on {own:,} rows"
        reason = "the final training did not end" if share else "no time for another training"
        measured = {}
    else:
        steps = int(trial.result["steps"])
        choice = f"{arm.subject}: trained again on {everything:,} rows instead of {own:,}"
        reason = (
            f"rows that chose may teach at the end; its {arm.steps:,} steps are stretched with "
            f"the rows, and it ends after {steps:,}, where the validation rows were predicted best"
        )
        if share < 100:
            reason += f"; the time allows {share}% of them"
        measured = {"steps": steps, "rows": everything}
    source = "learn from all rows as long as early stopping says: Goodfellow et al. 2016, 7.8"
    decision = Decision("final training", choice, reason, source, Status.PUBLISHED, measured)
    session.store.ledger.decide(session.name, decision)


def record_verdict(session: Session, test: Mapping[str, Any]) -> None:
    """Record the word on the network against the baseline that was best before the test.

    Args:
        session: The study at work.
        test: The fact "test".
    """
    first, metric = test["headline"], metric_named(session.metric)
    if not first["word"]:
        return
    compared = first.get("comparisons") or test["comparisons"]
    how = next((c["source"] for c in compared if c["title"] == first["against"]), first["source"])
    figures = {
        "score": first["score"], "low": first["low"], "high": first["high"],
        "ahead by": first["difference"], "ahead by, low": first["difference_low"],
        "ahead by, high": first["difference_high"],
    }  # fmt: skip
    decision = Decision(
        "verdict",
        f"the network {first['word']} {first['against']}",
        f"{metric.title} by {first['source']}, against the baseline that was best on the "
        "validation rows",
        f"paired differences with a 95% interval: {how}",
        Status.MEASURED,
        {name: value for name, value in figures.items() if value is not None and isfinite(value)},
    )
    session.store.ledger.decide(session.name, decision)
