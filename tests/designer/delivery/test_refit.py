"""Another training of the same recipe: fair to both models, never over the old one."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from conftest import NewSession, table
from justright.core.codec import to_document
from justright.core.decision import Decision, Status
from justright.core.errors import DataError, JustRightError, ModelError
from justright.core.study import StudyHead
from justright.data.ingest import read_table
from justright.data.marks import row_marks
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import make_problem
from justright.designer.delivery.calibrate import calibrate
from justright.designer.delivery.deliver import deliver
from justright.designer.delivery.refit import refit_study
from justright.designer.delivery.refit_data import FEWEST_NEW, Known, read_new_rows
from justright.designer.findings import facts
from justright.designer.work.champion import usable
from justright.designer.work.session import Arm, Champion, Session, results
from justright.model.columns import read_columns
from justright.model.folder import check_model
from justright.model.predictor import Model
from justright.recipe.recipe import PreprocessingSpec, Recipe
from justright.store.holder import this_process
from justright.store.memory import MemoryStore
from justright.testing.recipes import plain_recipe


def known(frame: pl.DataFrame, learned: np.ndarray, **roles: Any) -> Known:
    """A study that has learned from some rows of a table."""
    options = DataOptions(target=("y",), **roles)
    problem = make_problem(read_table(frame), options)
    own = fit_preprocessing(problem, learned, PreprocessingSpec(), learned)
    columns = read_columns(problem.table.frame[learned], own.document)
    marks = np.unique(row_marks(columns, problem.target()[learned]))
    task, document = problem.task, own.document
    return Known("s", Recipe(), "r", (1.0, 1.0), task, document, options, marks, 0.0, {})


def rows(count: int, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "a": rng.normal(size=count),
            "c": rng.choice(["u", "v"], count),
            "team": rng.integers(0, 40, count).astype(str),
            "day": rng.normal(size=count),
            "y": rng.normal(size=count),
        }
    )


def test_only_rows_that_neither_learned_from_are_held_out() -> None:
    """Old and new rows together, shuffled."""
    frame = rows(400)
    study = known(frame, np.arange(250))
    order = np.random.default_rng(1).permutation(400)
    new = read_new_rows(study, frame[order])
    assert (order[new.held] >= 250).all()
    assert len(new.held) == 30  # a fifth of 150
    assert sorted([*new.train, *new.held]) == list(range(400))


def test_copies_of_a_row_that_is_held_out_are_held_out() -> None:
    frame = rows(200)
    study = known(frame, np.arange(50))
    twice = pl.concat([frame, frame])
    new = read_new_rows(study, twice)
    assert not set(new.held % 200) & set(new.train % 200)
    assert (new.held % 200 >= 50).all()


def test_groups_are_held_out_whole_and_the_last_rows_in_time() -> None:
    frame = rows(600)
    old = np.flatnonzero(frame["team"].cast(int).to_numpy() < 20)
    new = read_new_rows(known(frame, old, group="team"), frame)
    teams = frame["team"].cast(int).to_numpy()
    assert not set(teams[new.held]) & set(teams[new.train])
    assert (teams[new.held] >= 20).all()
    new = read_new_rows(known(frame, np.arange(300), time_column="day"), frame)
    day = frame["day"].to_numpy()
    later = np.setdiff1d(new.train, np.arange(300))
    assert day[later].max() < day[new.held].min()


def test_too_few_new_rows_are_refused() -> None:
    frame = rows(200)
    study = known(frame, np.arange(181))
    with pytest.raises(DataError, match=rf"19 of 200 rows are unknown.*least {FEWEST_NEW}"):
        read_new_rows(study, frame)


def test_other_columns_and_classes() -> None:
    frame = rows(200)
    study = known(frame, np.arange(100))
    with pytest.raises(ModelError, match="the data lack the column 'a'"):
        read_new_rows(study, frame.drop("a"))
    assert read_new_rows(study, frame.with_columns(more=pl.lit(1))).problem.schema.inputs
    label = frame.with_columns(y=pl.Series(["p", "q"] * 100))
    study = known(label, np.arange(100))
    strange = label.with_columns(y=pl.Series(["p", "r"] * 100))
    with pytest.raises(DataError, match="'r', which is none of the 2 classes"):
        read_new_rows(study, strange)
    one = read_new_rows(study, label[100:])
    assert one.problem.task == study.task


def ended(session: Session, store: MemoryStore, networks: int = 1) -> Session:
    """A study that has come to its end, as far as another training asks."""
    arm = Arm("plain", plain_recipe(session.blocks.spec, 8, batch=64), 150)
    blocks = [session.blocks.block(n, session.blocks.spec) for n in session.blocks.first]
    jobs = session.train(arm, "champion", blocks)
    champion = Champion(arm, usable(results(session.run(jobs), jobs)), 0.0)
    calibrated = calibrate(session, champion, "none")
    first, *others = champion.trials[:networks]
    size, inputs = deliver(session, arm, first, 0, calibrated, others)
    network = facts.network_fact(arm, inputs, steps=150, epochs=1.0, size=size, networks=networks)
    session.fact("network", network | {"rows": len(blocks[0].train)})
    told = Decision("statistics", "c", "r", "s", Status.ASSUMPTION, {"delta": 0.01})
    store.ledger.decide(session.name, told)
    return session


@pytest.mark.parametrize("networks", [1, 3])
def test_a_changed_world_is_learned_anew(new_session: NewSession, networks: int) -> None:
    """Planted: y has become its negative. The old model stays as it is, the new one is better."""
    store = MemoryStore()
    settings = to_document(DataOptions(target=("y",)))
    store.studies.open(StudyHead("s", "d", "g", settings, 0.0), this_process())
    session = ended(new_session(store=store), store, networks)
    folder, before = session.folder, check_model(session.folder.model)
    changed = table(400).with_columns(-pl.col("y"))
    made = refit_study(folder, store, changed, 60.0)
    assert made.folder == folder.root / "model-refit-1"
    assert (made.rows, made.held_out) == (320, 80)
    assert made.new < 0.7 < made.old
    assert made.word == "beats"
    assert made.model.networks == networks
    assert made.difference == pytest.approx(made.old - made.new)
    assert check_model(folder.model) == before
    predicted = made.model.predict(changed, interval=0.9)
    y = changed["y"]
    assert y.is_between(predicted["y_low"], predicted["y_high"]).mean() > 0.8  # type: ignore[operator]
    assert made.model.evaluate(changed)["rmse"] < made.old
    assert Model.load(folder.model).evaluate(changed)["rmse"] == pytest.approx(made.old, rel=0.2)
    assert "the new model beats the old one" in (made.folder / "card.md").read_text()
    assert folder.next_refit.name == "model-refit-2"
    (told,) = store.ledger.fact("s", "refits")
    assert told["word"] == "beats"
    folder.create()  # the study may go on: none of this is a stranger's file
    folder.remove()
    assert not folder.root.exists()


def test_a_training_that_the_time_cuts_leaves_nothing(new_session: NewSession) -> None:
    store = MemoryStore()
    settings = to_document(DataOptions(target=("y",)))
    store.studies.open(StudyHead("s", "d", "g", settings, 0.0), this_process())
    session = ended(new_session(store=store), store)
    network = store.ledger.fact("s", "network")
    session.fact("network", {**network, "steps": 10**7, "planned": 10**7})
    with pytest.raises(JustRightError, match="give more time"):
        refit_study(session.folder, store, table(400).with_columns(-pl.col("y")), 3.0)
    assert session.folder.refits == ()


def test_a_study_without_an_end_is_refused(new_session: NewSession) -> None:
    session = new_session()
    with pytest.raises(ModelError, match="did not come to its end"):
        refit_study(session.folder, session.store, table(50), 10.0)
