"""The end of a study: what the time was spent on, what to try next, the work plan as a file."""

from __future__ import annotations

import json
from typing import Any

from justright.core.codec import to_document
from justright.core.files import write_whole
from justright.core.finding import worst_first
from justright.designer.delivery.more_time import more_time
from justright.designer.improvement.advice import next_steps
from justright.designer.improvement.screening import is_passed_over
from justright.designer.timing.work_plan import LATE
from justright.designer.work.session import Session
from justright.designer.work.watch import STAGES
from justright.ideas.foresight import foresight


def close_study(session: Session, *, interrupted: bool) -> None:
    """Record the end of a study for the views, write its work plan, remove what has served.

    Args:
        session: The study.
        interrupted: Whether the user ended it early.
    """
    ledger, name, folder = session.store.ledger, session.name, session.folder
    session.watch.stage("report")
    rounds, test = ledger.fact(name, "rounds") or [], ledger.fact(name, "test")
    findings = worst_first(ledger.findings(name))
    limit, whole = session.clock.limit_s, session.options.only is None
    records = session.store.ideas.list(name)
    more = more_time(records, ledger.fact(name, "size"), limit, session.crew.capacity)
    session.fact("more time", more)
    seeds = ledger.fact(name, "seeds")
    found = next_steps(rounds, test, findings, more=more, seeds=seeds, whole=whole)
    session.fact("next", found)
    session.fact("foresight", _foresight(session))
    session.fact("stages", _stages(session, interrupted=interrupted))
    session.fact("clock", _clock(session, interrupted=interrupted))
    session.fact(
        "paths",
        {
            "folder": str(folder.root),
            "model": str(folder.model),
            "report": str(folder.report),
            "verdict": str(folder.verdict),
            "store": str(session.options.studies),
        },
    )
    write_whole(folder.work, json.dumps(session.plan.document(), indent=1))
    folder.clear_cache()
    if not interrupted:  # a study that goes on later trains what it lengthens from the start
        for path in folder.trials.glob("*.checkpoint"):
            path.unlink(missing_ok=True)


def _foresight(session: Session) -> dict[str, Any]:
    """How ideas were foretold, in this study and in all of the store."""
    studies, ideas = session.store.studies.heads(), session.store.ideas
    own = foresight([ideas.list(session.name)])
    every = foresight([ideas.list(head.name) for head in studies])
    return {key: to_document(value) for key, value in (("own", own), ("all", every)) if value}


def _stages(session: Session, *, interrupted: bool) -> list[dict[str, Any]]:
    """Seconds per stage; the last one reached is where an interrupted study stopped."""
    seconds = session.watch.seconds
    reached = [name for name in STAGES if name in seconds]
    state = dict.fromkeys(reached, "done")
    if interrupted and reached:
        state[reached[-1]] = "interrupted"
    return [{"name": n, "seconds": seconds[n], "state": state[n]} for n in reached]


def _clock(session: Session, *, interrupted: bool) -> dict[str, Any]:
    granted = session.plan.granted
    refused = [
        key
        for key, amount in granted.items()
        if not (amount or granted.get(LATE + key) or is_passed_over(key, granted))
    ]
    return {
        "limit_s": session.clock.limit_s,
        "used_s": session.clock.elapsed_s,
        "truncated": refused,
        "interrupted": interrupted,
    }
