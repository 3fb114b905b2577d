"""Which differences matter: a hundredth of what can be learned, or what the user says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.stages.tolerance import tolerance_of
from justright.designer.work.rivals import Rival
from justright.designer.work.session import Arm, Champion, Session
from justright.recipe.recipe import Recipe


def tolerance(session: Session, wished: float | None, linear: float) -> float:
    """δ where the constant has an RMSE of 2, and so has the network."""
    session = replace(session, options=replace(session.options, tolerance=wished))
    rivals = {}
    for name, score in (("constant", 2.0), ("linear", linear)):
        spec = TrialSpec("baseline", name, "baselines", {}, "fold-0", 0, 0)
        trial = Trial(spec, TrialState.DONE, {"scores": {"rmse": score}})
        rivals[name] = Rival(name, (trial,))
    champion = Champion(Arm("start recipe", Recipe(), 9), (), 2.0)
    return tolerance_of(session, rivals, champion)


@pytest.mark.parametrize(
    ("wished", "delta"), [(None, 0.01), (0.0, 0.01), (0.001, 0.01), (0.25, 0.25)]
)
def test_the_larger_one_counts(session: Session, wished: float | None, delta: float) -> None:
    assert tolerance(session, wished, linear=1.0) == pytest.approx(delta)
    (decision,) = session.store.ledger.decisions("s")
    assert ("--tolerance" in decision.reason) == (delta == 0.25)


def test_where_nothing_can_be_learned_nothing_is_searched_whatever_is_wished(
    session: Session,
) -> None:
    assert tolerance(session, 0.5, linear=2.1) == 0.0
