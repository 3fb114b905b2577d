"""The stage that checks a champion's recipe before anything is tuned: is it put together rightly?

The checks are short experiments on one worker (`training.sanity`), their verdicts a pure function
of the figures (`diagnosis.sanity`). Nothing rests on them: a failed check is a critical finding
with what to do, and the study goes on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from justright.core.codec import fingerprint, to_document
from justright.core.decision import Decision, Status
from justright.core.seeds import child_seed
from justright.designer.stages.tolerance import LEAST_LEARNED
from justright.designer.work.admission import TEST_S, Admission
from justright.designer.work.jobs import EncodedBlock
from justright.designer.work.rivals import Rival, loss_of
from justright.designer.work.session import FOREVER, Champion, Session
from justright.diagnosis.sanity import Check, Known, Word, findings_of, judge
from justright.executors.base import Call
from justright.training.request import CHECKS, SanityRequest

KEY = "sanity"

SANITY_SHARE, SANITY_S = 0.02, (0.5, 3.0)
"""Share of the limit that the checks may take, and bounds in seconds (measured on 13
tables, benchmarks/sanity.py: 0.2 to 1.3 s; the share is an assumption)."""

LEFT = 2.0
"""So many times what the checks may take has to be left beside the final training (assumption:
they are cheap, so less is kept from them than from a search)."""

NO_TIME = "there was no time for sanity checks"
CUT = "the time limit cut the sanity checks"
NO_ANSWER = "the sanity checks failed, or were too slow"
"""Why there are none."""

SOURCE = "Karpathy 2019; CS231n notes; limits: assumption"


def check_champion(
    session: Session,
    champion: Champion,
    baselines: Mapping[str, Rival],
    admission: Admission,
) -> None:
    """Check the champion's recipe on the first block; record fact, decision and findings.

    A study that goes on does not repeat checks that were made.

    Args:
        session: The study at work.
        champion: Whose recipe is checked.
        baselines: As they were judged on the screening blocks.
        admission: Says what time must be kept for what follows.
    """
    block = session.blocks.block(session.blocks.first[0], champion.arm.recipe.preprocessing)
    least, most = SANITY_S
    budget_s = min(max(SANITY_SHARE * session.clock.limit_s, least), most)

    def propose() -> int:
        final_s = (
            admission.finish_s(champion.arm, champion.best_at) if admission.finishing else 0.0
        )
        left = session.clock.work_left_s - final_s - TEST_S
        return len(CHECKS) if left >= LEFT * budget_s else 0

    count = session.plan.grant(KEY, propose)
    of = [to_document(champion.arm.recipe), block.partition, block.seed]
    same = fingerprint([*of, count])
    if (session.store.ledger.fact(session.name, KEY) or {}).get("of") == same:
        return
    figures = _measure(session, champion, block, count, budget_s) if count else NO_TIME
    if isinstance(figures, str):
        session.fact(KEY, {"reason": figures})
        return
    checks = judge(figures, _known(champion, baselines))
    if figures["reached"] < count:
        session.plan.truncate(KEY, figures["reached"])
        same = fingerprint([*of, figures["reached"]])
    session.fact(
        KEY,
        {
            "of": same,
            "subject": champion.arm.subject,
            "checks": [to_document(check) for check in checks],
            "seconds": figures["seconds"],
        },
    )
    session.store.ledger.find(session.name, findings_of(checks))
    decision = _decision(checks)
    session.store.ledger.decide(session.name, decision)
    session.watch.headline(f"sanity: {decision.choice}")


def _measure(
    session: Session, champion: Champion, block: EncodedBlock, count: int, budget_s: float
) -> dict[str, Any] | str:
    """The figures of the checks, or why there are none."""
    repeat = session.plan.repeat  # a repetition does the same work, however long it takes
    ends = min(time.time() + budget_s, session.clock.deadline())
    request = SanityRequest(
        recipe=champion.arm.recipe,
        folder=str(block.folder),
        train=block.train,
        validation=block.validation,
        seed=child_seed(block.seed, KEY),
        checks=count,
        deadline=None if repeat else ends,
    )
    call = Call("justright.training.sanity:check_sanity", {"request": request})
    figures = session.crew.ask(call, "sanity checks", FOREVER if repeat else ends)
    if figures is None or not figures["reached"]:
        session.plan.truncate(KEY, 0)
        return NO_ANSWER if figures is None else CUT
    return figures


def _known(champion: Champion, baselines: Mapping[str, Rival]) -> Known:
    """Whether a baseline, and whether the champion, is better than the constant."""
    losses = loss_of(baselines)
    constant = losses.pop("constant", None)
    if constant is None:
        return Known()
    least = constant - LEAST_LEARNED * abs(constant)
    own = [float(trial.result["loss"]) for trial in champion.trials]
    return Known(
        baseline_learns=min(losses.values()) < least if losses else None,
        network_learns=sum(own) / len(own) < least if own else None,
    )


def _decision(checks: Sequence[Check]) -> Decision:
    """What came out, in one sentence."""
    made = [check for check in checks if check.word is not Word.MISSING]
    bad = [check for check in made if check.word in (Word.FAILED, Word.WARNING)]
    passed = sum(check.word is Word.PASSED for check in made)
    choice = f"{passed} of {len(checks)} checks passed"
    if bad:
        choice += f"; look at: {', '.join(check.title for check in bad)}"
    reason = "; ".join(f"{check.title} {check.word} ({check.figure})" for check in checks)
    measured = {
        f"{check.title}: {name}": value for check in made for name, value in check.numbers.items()
    }
    return Decision(KEY, choice, reason, SOURCE, Status.MEASURED, measured)
