"""What the ideas brought together: the last champion against the one before them.

Each was accepted on blocks of its own; the sum of those gains would be too good, as what looked
best was taken. So both are trained once more on partitions that no decision has seen, and this one
comparison, which chooses nothing, is what is told. Large tables, whose search has one hold-out,
are divided anew for it. From the first accepted idea on, time is kept for it
(`Admission.whole_s`).
"""

from __future__ import annotations

from dataclasses import replace

from justright.core.codec import to_document
from justright.core.decision import Decision, Status
from justright.core.idea import length_of
from justright.data.split import REPORTED
from justright.designer.improvement.confirm import Confirmer
from justright.designer.work.admission import Admission
from justright.designer.work.session import Champion, Session

_KEY = "whole gain"


def measure_whole_gain(
    session: Session, before: Champion, champion: Champion, admission: Admission, used: int
) -> None:
    """Compare the champion with the one before any idea, and record the difference.

    Args:
        session: The study at work.
        before: The start recipe in full.
        champion: What the ideas made of it.
        admission: Says whether there is time; after it come the forecast of more data, which has
            what is left, and the test.
        used: Blocks below this number were seen by decisions.
    """
    if champion.arm == before.arm:
        return
    fresh = REPORTED if session.blocks.fixed_holdout else used
    left = replace(admission, finishing=False, repeats=False, described=True, before=None)
    confirmer = Confirmer(session, left, fresh, 0.0)
    confirmer.next_round()
    verdict = confirmer.confirm(before, champion, _KEY, 0)
    if not verdict.blocks:
        return
    session.fact("whole gain", to_document(verdict) | {"of": champion.arm.subject})
    gain, low, high = verdict.difference, verdict.low, verdict.high
    at = f", at {length}" if (length := length_of(verdict.evidence)) else ""
    session.store.ledger.decide(
        session.name,
        Decision(
            "ideas",
            f"{champion.arm.subject} instead of the start recipe in full: {verdict.word}",
            f"both on {verdict.blocks} blocks that no decision has seen{at}",
            "corrected paired t, Nadeau & Bengio 2003",
            Status.MEASURED,
            {"gain": gain, "low": low, "high": high},
        ),
    )
    session.watch.headline(
        f"the ideas together: gain {gain:.3g} ({low:.3g} to {high:.3g}) over the start "
        "recipe in full"
    )
