"""What the rules of the catalogue may look at: the champion, its data, what was measured."""

from __future__ import annotations

import numpy as np

from justright.designer.work.session import Champion, Session
from justright.diagnosis.states import State
from justright.ideas.calibration import Calibration, outcome_of
from justright.ideas.rule import Leads, Situation

FAR = 3.0
"""Standard deviations from the mean beyond which a target is an outlier (three sigma rule)."""


def situation_of(
    session: Session,
    champion: Champion,
    leads: Leads,
    calibration: Calibration,
    state: State = State.UNKNOWN,
) -> Situation:
    """The situation of a study.

    Args:
        session: The study at work.
        champion: The best recipe so far.
        leads: What was measured so far.
        calibration: What outcomes of earlier studies say of predicted probabilities.
        state: What the champion's training suffers from.
    """
    blocks, recipe = session.blocks, champion.arm.recipe
    first = blocks.block(blocks.first[0], recipe.preprocessing)
    return Situation(
        recipe=recipe,
        task=blocks.problem.task,
        metric=session.metric,
        inputs=blocks.inputs_of(recipe.preprocessing),
        rows=len(first.train),
        loss=champion.loss,
        best_at=champion.best_at,
        **_facts_of_target(session),
        leads=leads,
        calibration=calibration,
        state=state,
    )


def past_outcomes(session: Session) -> list[tuple[float, float]]:
    """Probabilities as they were said in other studies of the store, and what came of them."""
    past = []
    for head in session.store.studies.heads():
        if head.name == session.name:
            continue
        for record in session.store.ideas.list(head.name):
            outcome = outcome_of(record.verdicts)
            if outcome is not None:
                first = record.predictions[0]
                past.append((first.helps if first.said is None else first.said, outcome))
    return past


def _facts_of_target(session: Session) -> dict[str, float]:
    """Share of outliers, skewness and lowest value of the targets that are not test rows."""
    problem = session.blocks.problem
    if problem.task.is_classification:
        return {}
    y = problem.target()[session.blocks.splits.rest]
    scale = np.maximum(y.std(axis=0), np.finfo(np.float64).tiny)
    away = (y - y.mean(axis=0)) / scale
    return {
        "outliers": float((np.abs(y - y.mean(axis=0)) > FAR * scale).mean()),
        "skewness": float((away**3).mean(axis=0).min()),
        "lowest": float(y.min()),
    }
