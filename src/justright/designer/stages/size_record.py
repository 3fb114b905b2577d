"""The verdict of a size search as a study records it."""

from __future__ import annotations

import math

from justright.core.codec import to_document
from justright.core.decision import Decision, Status
from justright.core.finding import Finding, Severity
from justright.designer.request.limits import BYTES_A_WEIGHT
from justright.designer.work.session import Session
from justright.sizing.report import JUDGED, SizeReport
from justright.sizing.shapes import name_of


def record(session: Session, report: SizeReport, answers_s: float, members: int = 1) -> None:
    """Put the verdict about sizes down: as a fact, a decision, and what is to be looked at.

    Args:
        session: The study at work.
        report: The verdict.
        answers_s: Seconds in which the chosen size answers for one row; 0 if that is unknown.
        members: Of the champion; sizes were compared without them.
    """
    weighed = next(row.weights for row in report.rows if row.hidden == report.chosen)
    document = to_document(report) | {
        "sentence": report.sentence,
        "length": report.length,
        "weights": weighed,
        "bytes": BYTES_A_WEIGHT * weighed,
        "ms_to_answer": 1000 * answers_s or None,
        "members": members,
    }
    session.fact("size", _without_nan(document))
    session.watch.headline(f"size: {report.sentence}")
    if report.by_heart:
        session.store.ledger.find(session.name, [_by_heart(report)])
    session.store.ledger.decide(
        session.name,
        Decision(
            "size",
            report.sentence,
            _why(session, report),
            "plateau of paired, simultaneous differences (Hsu 1996; Berger 1982)",
            Status.MEASURED,
            {"weights": float(weighed), "delta": report.delta},
        ),
    )
    session.store.ledger.decide(session.name, _able(report))


def _able(report: SizeReport) -> Decision:
    """Whether there is a size that can overfit: only then is there anything to reduce."""
    choice = "no size was able to overfit: a longer run may learn more, or the rows hold no more"
    if report.able is not None:
        choice = f"{name_of(report.able)} is the lightest size able to overfit"
    return Decision(
        "able to overfit",
        choice,
        f"of the sizes trained {report.length}, which have neither members nor the champion's own "
        "length: its state is judged by its own curves; able is what learns training rows beyond "
        "the best validation loss of any size, and does not predict the others better any more",
        "overfit first, then reduce it: Howard & Gugger 2020, chapter 15; limits: assumption",
        Status.ASSUMPTION,
    )


def _why(session: Session, report: SizeReport) -> str:
    """On what grounds a size was chosen."""
    count = sum(row.word in JUDGED for row in report.rows)
    if report.sure:
        shown = f"the lightest shown to be less than {report.delta:.3g} behind any of the "
        reason = shown + f"{count} sizes that were trained {report.length}"
    else:
        reason = f"by the estimates the lightest less than {report.delta:.3g} behind the best "
        reason += f"of {count} sizes trained {report.length}; the blocks do not show it"
    if session.options.size.prefer == "accuracy":
        reason = (
            f"the best mean of {count} sizes trained {report.length}, as accuracy is preferred"
        )
    fresh = "new seeds" if session.blocks.fixed_holdout else "blocks that chose nothing"
    return f"{reason} ({'compared again on ' + fresh if report.confirmed else 'not confirmed'})"


def _by_heart(report: SizeReport) -> Finding:
    judged = [row for row in report.rows if row.word in JUDGED]
    best, last = next(row for row in judged if row.difference == 0.0), judged[-1]
    return Finding(
        "learned by heart",
        Severity.WARNING,
        f"{last.name} fits training rows better than {best.name} (loss {last.train:.3g} instead "
        f"of {best.train:.3g}), and rows that it has not seen worse: it overfits",
        f"{name_of(report.chosen)} was chosen; a larger network needs less noise in the target, "
        "more rows, regularisation, or to be stopped early",
        numbers={"train": last.train, "difference": last.difference},
    )


def _without_nan(value: object) -> object:
    """JSON knows no nan: null instead."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
