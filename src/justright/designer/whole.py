"""What the ideas brought together: the last champion against the one before them.

Each was accepted on blocks of its own; the sum of those gains would be too good, as what looked
best was taken. So both are trained once more on blocks that no decision has seen, and this one
comparison, which chooses nothing, is what is told. Large tables have one hold-out: there the seeds
are new, but the rows have chosen, and that is said.
"""

from __future__ import annotations

from dataclasses import replace

from justright.core.codec import to_document
from justright.core.decision import Decision, Status
from justright.designer.admission import Admission
from justright.designer.confirm import Confirmer
from justright.designer.session import Champion, Session

_KEY = "whole gain"


def measure_whole_gain(
    session: Session, before: Champion, champion: Champion, admission: Admission, used: int
) -> None:
    """Compare the champion with the one before any idea, and record the difference.

    Args:
        session: The study at work.
        before: The start recipe in full.
        champion: What the ideas made of it.
        admission: Says whether there is time; nothing comes after it but the test.
        used: Blocks below this number were seen by decisions.
    """
    if champion.arm == before.arm:
        return
    confirmer = Confirmer(session, replace(admission, finishing=False), used, 0.0)
    confirmer.next_round()
    verdict = confirmer.confirm(before, champion, _KEY, 0)
    if not verdict.blocks:
        return
    fixed = session.blocks.fixed_holdout
    fact = to_document(verdict) | {"of": champion.arm.subject, "same_rows": fixed}
    session.fact("whole gain", fact)
    gain, low, high = verdict.difference, verdict.low, verdict.high
    session.store.ledger.decide(
        session.name,
        Decision(
            "ideas",
            f"{champion.arm.subject} instead of the start recipe: {verdict.word}",
            f"both with {verdict.blocks} new seeds, on the rows that chose the ideas"
            if fixed
            else f"both on {verdict.blocks} blocks that no decision has seen",
            "corrected paired t, Nadeau & Bengio 2003",
            Status.MEASURED,
            {"gain": gain, "low": low, "high": high},
        ),
    )
    session.watch.headline(
        f"the ideas together: gain {gain:.3g} ({low:.3g} to {high:.3g}) over the start recipe"
    )
