"""The locked test: the verdict speaks of the baseline that was best before it was opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.stages.finish import Final
from justright.designer.stages.opening import Earlier, open_test
from justright.designer.work.blocks import ALL
from justright.designer.work.rivals import Rival
from justright.designer.work.session import Arm, Session
from justright.recipe.recipe import Recipe
from justright.store.memory import MemoryStore
from justright.testing.examples import HOUSES, write_example
from justright.views.card import Card
from justright.views.cards.verdict import verdict
from justright.views.outcome import outcome
from justright.views.reader import Reader

NETWORK, BOOSTING, LINEAR = 0.3, 0.2, 0.6
"""Planted noise: boosting is better than the network, linear is worse."""

DELTA = 0.001


def predicted(session: Session, name: str, noise: float, rows: np.ndarray) -> str:
    y = session.blocks.rows_sample(rows).y
    own = np.random.default_rng(list(name.encode())).normal(size=y.shape)
    np.save(session.folder.trials / f"{name}.npy", y + noise * own)
    return f"{name}.npy"


def refitted(session: Session, name: str, noise: float, state: TrialState) -> Trial:
    """A baseline's training for the test rows."""
    spec = TrialSpec("baseline", name, "final", {}, "all", 0, 0)
    if state is not TrialState.DONE:
        return Trial(spec, state, {}, "cut by the time limit")
    file = predicted(session, f"{name} test", noise, session.blocks.splits.test)
    return Trial(spec, state, {"predictions": file, "seconds": 1.0})


def screened(session: Session, name: str, noise: float) -> tuple[Trial, ...]:
    """Trainings on the screening blocks."""
    trials = []
    for number in session.blocks.first:
        block = session.blocks.block(number, session.blocks.spec)
        rows = session.blocks.splits.rest[block.validation]
        file = predicted(session, f"{name} {number}", noise, rows)
        spec = TrialSpec("baseline", name, "baselines", {}, block.partition, number, 0)
        result = {"predictions": file, "scores": {"rmse": noise}}
        trials.append(Trial(spec, TrialState.DONE, result))
    return tuple(trials)


def opened(session: Session, boosting: TrialState) -> Mapping[str, Any]:
    """What the test set says where boosting's refit ended so."""
    states = {"linear": TrialState.DONE, "boosting": boosting}
    noise = {"linear": LINEAR, "boosting": BOOSTING}
    final = Final(
        arm=Arm("start recipe", Recipe(), 100),
        trial=Trial(TrialSpec("network", "n", "final", {}, "all", 0, 100), TrialState.DONE),
        block=session.blocks.block(ALL, session.blocks.spec),
        baselines={n: refitted(session, n, noise[n], state) for n, state in states.items()},
        refitted=True,
    )
    test = session.blocks.splits.test
    file = predicted(session, "network test", NETWORK, test)
    earlier = Earlier(
        screened(session, "network", NETWORK),
        {name: Rival(name, screened(session, name, noise[name])) for name in noise},
    )
    prediction = np.load(session.folder.trials / file)
    return open_test(session, final, prediction, {**noise, "network": NETWORK}, earlier, DELTA)


def test_the_best_baseline_decides(session: Session) -> None:
    found = opened(session, TrialState.DONE)
    assert (found["word"], found["against"]) == ("loses to", "boosting")
    assert found["untested"] == []


@pytest.mark.parametrize("state", [TrialState.CUT, TrialState.FAILED])
def test_a_weaker_baseline_never_stands_in_for_the_best(
    session: Session, state: TrialState
) -> None:
    """Planted: the network beats linear on the test rows, but boosting was better than both."""
    found = opened(session, state)
    assert (found["word"], found["against"]) == ("loses to", "boosting on the validation rows")
    assert found["untested"] == [{"title": "boosting", "reason": "cut by the time limit"}]
    words = {c["title"]: c["word"] for c in found["comparisons"]}
    assert words == {"boosting on the validation rows": "loses to", "linear": "beats"}


def test_the_views_say_which_baseline_is_missing(session: Session) -> None:
    found = opened(session, TrialState.CUT)
    store = MemoryStore()
    write_example(store, HOUSES, tested=True)
    store.ledger.put("houses", "test", dict(found))
    reader = Reader(store, "houses")
    result, card = outcome(reader), verdict(reader)
    assert result is not None
    assert "compared with boosting on the validation rows: the network loses to" in result.sentence
    assert isinstance(card, Card)
    assert any("boosting (cut by the time limit)" in note for note in card.notes)
