"""A metric of the user's decides wherever one of ours does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.core.errors import OptionError
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.designer.request.options import read_metric
from justright.designer.request.own_metric import check_metric
from justright.designer.work.session import Arm, Session, results
from justright.testing.recipes import plain_recipe

NewSession = Callable[..., Session]
OWN = "own_metrics:worst_tenth:lower"


@pytest.fixture(autouse=True)
def importable() -> Iterator[None]:
    folder = str(Path(__file__).parents[2] / "statistics")
    sys.path.append(folder)
    yield
    sys.path.remove(folder)


def check(name: str, frame: pl.DataFrame, weight: str | None = None) -> None:
    metric = read_metric(f"own_metrics:{name}", "lower")
    options = DataOptions(target=("y",), metric=metric, weight=weight)
    check_metric(make_problem(read_table(frame), options))


def table(rows: int = 80) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    a = rng.normal(size=rows)
    return pl.DataFrame({"a": a, "w": np.ones(rows), "y": a + rng.normal(size=rows)})


def test_trainings_are_judged_by_it(new_session: NewSession) -> None:
    session = new_session(roles={"metric": OWN})
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 16, rate=0.02), 100)
    blocks = [session.blocks.block(n, session.blocks.spec) for n in session.blocks.first[:2]]
    jobs = session.train(arm, "champion", blocks, parts=1)
    own = results(session.run(jobs), jobs)
    measured = session.measure(own)
    for trial, block in zip(own, blocks, strict=True):
        y = session.blocks.problem.target()[session.blocks.splits.rest[block.validation]]
        by_hand = np.quantile(np.abs(y - session.predictions(trial)), 0.9)
        assert trial.result["scores"][OWN] == pytest.approx(by_hand, rel=1e-6)
    assert measured == pytest.approx(np.mean([t.result["scores"][OWN] for t in own]))
    steps, values = session.store.curves.read(session.name, own[0].spec.id, "metric")
    assert len(steps) == len(values) > 0
    assert np.isclose(values, own[0].result["scores"][OWN]).any()


@pytest.mark.parametrize(
    ("name", "said"),
    [("raises", "KeyError"), ("words", "returned str"), ("never", "not a finite number")],
)
def test_a_metric_that_cannot_work_is_refused_before_any_work(name: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        check(name, table())


def test_one_that_works_is_silent() -> None:
    check("worst_tenth", table())
    classes = table().with_columns(y=pl.Series(["no", "yes"] * 40))
    check("hit_rate", classes)
    check("weighted_error", table(), weight="w")
    with pytest.raises(OptionError, match="takes no weights"):
        check("worst_tenth", table(), weight="w")
