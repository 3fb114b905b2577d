"""Networks of several seeds as one model: trained, judged, handed over, foretold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conftest import NewSession
from justright.core.errors import OptionError
from justright.deploy.network import read_safetensors
from justright.designer.delivery.calibrate import calibrate
from justright.designer.delivery.deliver import deliver
from justright.designer.delivery.ensemble import KEY, SUGGESTED, foretell_gain, hold_out
from justright.designer.delivery.more_time import more_time
from justright.designer.improvement.advice import next_steps
from justright.designer.request.options import FitOptions
from justright.designer.stages.finish import finish
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import Admission
from justright.designer.work.session import Champion, Session
from justright.model.predictor import Model
from justright.testing.champions import start_arm, trained

NETWORKS = 3
GRANTED = {"final 0 networks": NETWORKS, "final 0": 100, KEY: 1}


def started(
    new_session: NewSession, granted: dict[str, int], name: str = "s", networks: int = NETWORKS
) -> tuple[Session, Champion]:
    """A study that asks for an ensemble, and its champion."""
    session = new_session(name, plan=WorkPlan(granted=granted, repeat=True))
    session = replace(session, options=replace(session.options, ensemble=networks))
    arm = start_arm(session)
    return session, trained(session, replace(arm, steps=60))


def weights_of(session: Session, trial) -> dict[str, np.ndarray]:
    return read_safetensors(session.folder.trials / f"{trial.spec.id}.safetensors")


def test_the_folder_holds_the_network_of_one_and_those_of_further_seeds(
    new_session: NewSession,
) -> None:
    session, champion = started(new_session, GRANTED)
    final = finish(session, champion, Admission(session, 1.0))
    trials = (final.trial, *final.others)
    assert len(trials) == NETWORKS == len({trial.spec.seed for trial in trials})
    size, _ = deliver(
        session, final.arm, final.trial, final.block.number, None, others=final.others
    )
    model = Model.load(session.folder.model)
    assert model.networks == NETWORKS
    kept = read_safetensors(session.folder.model / "weights.safetensors")["head.weight"]
    for place, trial in enumerate(trials):
        np.testing.assert_array_equal(kept[place], weights_of(session, trial)["head.weight"])

    single, other = started(new_session, GRANTED, "single", networks=1)
    alone = finish(single, other, Admission(single, 1.0))
    assert alone.others == ()
    assert alone.trial.spec.id == final.trial.spec.id
    for name, array in weights_of(single, alone.trial).items():
        np.testing.assert_allclose(
            array, weights_of(session, final.trial)[name], rtol=1e-3, atol=1e-5
        )
    smaller, _ = deliver(single, alone.arm, alone.trial, alone.block.number, None)
    assert smaller < size


def test_what_they_say_together_of_rows_held_out_is_judged(new_session: NewSession) -> None:
    session, champion = started(new_session, GRANTED)
    admission = Admission(session, 1.0)
    final = finish(session, champion, admission)
    together = hold_out(session, champion, final, admission)
    assert together is not None
    further = [t for t in session.store.trials.list("s") if t.spec.stage == "ensemble"]
    assert len(further) == (NETWORKS - 1) * len(champion.trials)
    rest, y = session.blocks.splits.rest, session.blocks.problem.target()
    expected = np.full((len(y), 1), np.nan)
    alone, both = [], []
    for number, own in zip(session.blocks.first, champion.trials, strict=True):
        block = session.blocks.block(number, champion.arm.recipe.preprocessing)
        rows = rest[block.validation]
        same = [own, *(t for t in further if t.spec.partition == block.partition)]
        assert len({trial.spec.seed for trial in same}) == NETWORKS
        said = np.stack([session.predictions(trial) for trial in same])
        expected[rows] = said.mean(axis=0)
        errors = (said - y[rows]) ** 2
        alone.append(np.sqrt(errors.mean(axis=(1, 2))).mean())
        both.append(np.sqrt(((said.mean(axis=0) - y[rows]) ** 2).mean()))
    np.testing.assert_array_equal(together.rows, np.sort(rest))
    np.testing.assert_allclose(together.prediction, expected[together.rows])
    (decision,) = (d for d in session.store.ledger.decisions("s") if d.stage == "ensemble")
    gain = np.mean(alone) - np.mean(both)
    assert decision.measured["gain"] == pytest.approx(gain)
    assert gain > 0
    assert decision.choice.startswith(f"{NETWORKS} networks")

    # intervals are made of the errors of the average, not of those of one of them
    one = calibrate(session, champion, "no repetitions")
    several = calibrate(session, champion, "no repetitions", together)
    residuals = np.sort(np.abs(y[together.rows] - together.prediction), axis=0)
    assert several.errors.values[-1] == np.inf
    assert np.isin(several.errors.values[:-1], residuals).all()
    assert not np.isin(several.errors.values[:-1], one.errors.values).any()


def test_without_time_one_network_answers_and_that_is_said(new_session: NewSession) -> None:
    session, champion = started(new_session, {"final 0 networks": 1, "final 0": 100})
    admission = Admission(session, 1.0)
    final = finish(session, champion, admission)
    assert final.others == ()
    assert hold_out(session, champion, final, admission) is None
    (decision,) = (d for d in session.store.ledger.decisions("s") if d.stage == "ensemble")
    assert decision.choice == f"one network answers, not {NETWORKS}"


def test_a_study_of_one_network_is_asked_nothing(new_session: NewSession) -> None:
    session, champion = started(new_session, {"final 0": 100}, networks=1)
    admission = Admission(session, 1.0)
    final = finish(session, champion, admission)
    assert hold_out(session, champion, final, admission) is None
    assert not [d for d in session.store.ledger.decisions("s") if d.stage == "ensemble"]
    assert not [key for key in session.plan.granted if "networks" in key]


def test_the_gain_is_foretold_where_seeds_were_trained_anyway(new_session: NewSession) -> None:
    session, champion = started(new_session, {}, networks=1)
    foretell_gain(session, champion, 0.0)
    assert session.store.ledger.fact("s", "seeds") is None  # one seed says nothing
    arm, spec = champion.arm, champion.arm.recipe.preprocessing
    repeated = session.blocks.block(session.blocks.first[0], spec, 1)
    session.run(session.train(arm, "noise", [repeated]))
    foretell_gain(session, champion, 1e9)
    assert session.store.ledger.fact("s", "seeds") is None  # too little to matter
    foretell_gain(session, champion, 0.0)
    told = session.store.ledger.fact("s", "seeds")
    assert told is not None
    (noise,) = (t for t in session.store.trials.list("s") if t.spec.stage == "noise")
    y = session.blocks.sample(repeated).y
    both = [session.predictions(trial) for trial in (champion.trials[0], noise)]
    alone = np.mean([np.sqrt(((said - y) ** 2).mean()) for said in both])
    gain = alone - np.sqrt(((np.mean(both, axis=0) - y) ** 2).mean())
    assert told["gain"] == pytest.approx(gain * (1 - 1 / SUGGESTED) / (1 - 1 / 2))
    assert (told["seeds"], told["rows"]) == (2, len(y))
    rounds, more = [{"subject": "a", "verdict": {"word": "better"}}], more_time([], None, 60, 1)
    (step,) = next_steps(rounds, {}, (), more=more, seeds=told)
    assert step["title"].startswith(f"--ensemble {SUGGESTED} would gain about")


@pytest.mark.parametrize("count", [0, -1, 33])
def test_an_odd_number_is_refused(session: Session, count: int) -> None:
    with pytest.raises(OptionError, match=f"--ensemble {count}"):
        FitOptions(data=session.options.data, ensemble=count)
