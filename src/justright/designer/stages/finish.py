"""The final training: the champion's recipe on every row that is not a test row.

Beside it the baselines are refitted on the same rows: the test set compares like with like.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from justright.baselines.registry import baseline_names
from justright.core.trial import Trial, TrialState
from justright.designer.stages.stage_decisions import record_final
from justright.designer.work.admission import TEST_S, Admission
from justright.designer.work.blocks import ALL
from justright.designer.work.champion import BASELINES_S
from justright.designer.work.jobs import BaselineJob, EncodedBlock, NetworkJob
from justright.designer.work.session import Arm, Champion, Session, results
from justright.recipe.recipe import PreprocessingSpec

FEWEST_STEPS = 20
"""A final training is never shorter, however early the best evaluation was (assumption)."""


@dataclass(frozen=True)
class Final:
    """What is handed over, and what it is compared with.

    Attributes:
        arm: Recipe and steps of the network.
        trial: Its training; the champion's own where there was no time for another.
        block: The rows it was trained on.
        baselines: Refitted baselines by name; their predictions are of the test rows.
        refitted: Whether the network saw all rows that are not test rows.
        percent: Percent of its planned steps that the clock granted.
        others: Trainings of further seeds, which are averaged with it.
    """

    arm: Arm
    trial: Trial
    block: EncodedBlock
    baselines: Mapping[str, Trial]
    refitted: bool
    percent: int = 100
    others: tuple[Trial, ...] = ()


def final_arm(champion: Champion, rest: int, train: int) -> tuple[Arm, int]:
    """The champion's training on more rows, and the step at which to end it.

    The schedule is stretched with the rows, and cut where the median best evaluation was: that is
    the network that the validation rows have seen.
    """
    more = rest / max(train, 1)
    steps = max(round(champion.arm.steps * more), FEWEST_STEPS)
    stop = min(max(round(champion.best_step * more), FEWEST_STEPS), steps)
    return Arm(champion.arm.subject, champion.arm.recipe, steps), stop


def finish(session: Session, champion: Champion, admission: Admission) -> Final:
    """Train the network that is handed over, and refit the baselines."""
    spec = champion.arm.recipe.preprocessing
    everything = session.blocks.block(ALL, spec)
    first = session.blocks.block(session.blocks.first[0], spec)
    arm, stop = final_arm(champion, len(everything.train), len(first.train))
    key = f"final {champion.confirmed}"  # a better champion asks again
    stopped, networks_key, wanted = replace(arm, steps=stop), f"{key} networks", 1
    if session.options.ensemble > 1:  # or one, where there is no time for so many
        wanted = session.plan.grant(networks_key, lambda: _networks(session, admission, stopped))
    share = session.plan.grant(key, lambda: admission.finish_percent(stopped, wanted or 1))
    networks: tuple[NetworkJob, ...] = ()
    if share:
        arm, stop = replace(arm, steps=arm.steps * share // 100), stop * share // 100
        seeds = [session.blocks.block(ALL, spec, place) for place in range(wanted or 1)]
        networks = session.train(arm, "final", seeds)
        networks = tuple(replace(job, stop=stop) for job in networks)
    if session.crew.capacity == 1:  # else they would wait, while their time runs out
        trials = session.run([*networks], TEST_S)
        baselines = _baselines(session, everything, spec)
        trials = {**trials, **session.run([*baselines], TEST_S)}
    else:
        baselines = _baselines(session, everything, spec)
        trials = session.run([*networks, *baselines], TEST_S)
    refitted = {job.name: results(trials, [job])[0] for job in baselines}
    own = [trial for trial in results(trials, networks) if _usable(trial)]
    rows = (len(first.train), len(everything.train))
    record_final(session, arm, own[0] if own else None, rows, share)
    if own:
        others = tuple(own[1:])
        return Final(
            arm, own[0], everything, refitted, refitted=True, percent=share, others=others
        )
    session.plan.truncate(key, 0)
    return Final(champion.arm, champion.trials[0], first, refitted, refitted=False)


def _networks(session: Session, admission: Admission, arm: Arm) -> int:
    """How many networks there is time for: all that were asked for, or one."""
    wanted = session.options.ensemble
    return wanted if admission.finish_percent(arm, wanted) else 1


def _usable(trial: Trial) -> bool:
    return trial.state is TrialState.DONE and bool(trial.result.get("weights"))


def _baselines(
    session: Session, everything: EncodedBlock, spec: PreprocessingSpec
) -> list[BaselineJob]:
    """They run one after the other beside the network; cheap ones leave time to others."""
    test = session.blocks.test_folder(spec)
    places = np.arange(len(session.blocks.splits.test), dtype=np.int64)
    names = baseline_names()
    return [
        BaselineJob(
            name=name,
            stage="final",
            block=everything,
            judged=test,
            judged_rows=places,
            ends=min(session.clock.deadline(TEST_S), time.time() + BASELINES_S),
            share=1 / (len(names) - place),
            out=session.folder.trials,
            refit=True,
            metric=session.metric,
        )
        for place, name in enumerate(names)
    ]
