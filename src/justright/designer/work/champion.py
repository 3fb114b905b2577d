"""The first usable network: trained beside the baselines, saved within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from justright.baselines.registry import baseline_names
from justright.core.trial import Trial, TrialState
from justright.designer.timing.clock import REPORT_S
from justright.designer.work.admission import TEST_S
from justright.designer.work.crew import Job
from justright.designer.work.evidence import why_not
from justright.designer.work.jobs import BaselineJob, EncodedBlock, NetworkJob
from justright.designer.work.rivals import Rival, gather
from justright.designer.work.session import Arm, Champion, Session, results, work_a_second
from justright.recipe.recipe import Recipe
from justright.training.budget import steps_of

CHAMPION_SHARE = 0.12
"""Share of the core-seconds that the champion may take (assumption)."""

REPEATED_SHARE = 0.07
"""The same where repeated cross-validation trains it five more times at the end (measured:
with 0.12 a busy machine had no time for that within 30 s)."""

CHAMPION_S = (1.5, 10.0)
"""Bounds in seconds: the first model is to be usable within 15 s of the start (measured: 9 to 14 s
on 19 of 21 tables, 16 and 17 s on the others)."""

BASELINES_SHARE, BASELINES_S = 0.15, 30.0
"""All baselines on the validation rows together may take this share of the limit, and so many
seconds at most; each gets an equal share of what the cheaper ones left (assumption)."""

FOLDS_SHARE = 0.30
"""The same share where each baseline is trained on five folds: they run beside the champion, and
boosting that is cut short is no rival (measured: 0.4 s a fold on 200 rows are too few; the share
is an assumption)."""

FEWEST_STEPS = 50


def champion_steps(session: Session, recipe: Recipe, block: EncodedBlock) -> int:
    """Steps of the champion: the recipe's own length, or what its share of the time allows."""
    rows = len(block.train)
    full = steps_of(recipe, rows)
    members = len(session.blocks.first)
    work_s = work_a_second(session.crew.capacity) * max(session.clock.work_left_s, 1.0)
    again = why_not(session.blocks) is None
    share = REPEATED_SHARE if again else CHAMPION_SHARE
    allowed = float(np.clip(share * work_s, *CHAMPION_S))
    probe = Arm("", recipe, 1000)
    per_step = session.seconds(probe, session.blocks.inputs(block), members) / 1000
    return max(min(full, int(allowed / per_step)), FEWEST_STEPS)


def _steps(session: Session, recipe: Recipe, block: EncodedBlock, hurry: bool) -> int:
    return FEWEST_STEPS if hurry else champion_steps(session, recipe, block)


def train_champion(
    session: Session,
    recipe: Recipe,
    subject: str,
    on_champion: Callable[[Champion], None],
    *,
    hurry: bool = False,
) -> tuple[Champion | None, dict[str, Rival]]:
    """Train the champion on one worker, the baselines on the others, on all screening blocks.

    Args:
        session: The study at work.
        recipe: The start recipe.
        subject: Its name for people.
        on_champion: Called as soon as the champion is trained, while baselines may still run.
        hurry: Whether the time is up, and the fewest steps are to come out of what was kept for
            a slow report: any network is better than none. No baselines then.

    Returns:
        The champion (None if its training failed), and the baselines by name.
    """
    spec = recipe.preprocessing
    first = session.blocks.block(session.blocks.first[0], spec)
    key, cut_at = f"{subject} steps", f"{subject} stop"
    steps = session.plan.grant(key, lambda: _steps(session, recipe, first, hurry))
    arm = Arm(subject, recipe, max(steps, FEWEST_STEPS))
    blocks = [session.blocks.block(number, spec) for number in session.blocks.first]
    # where the clock cut it is repeated; a study that goes on has time to end it
    stop = session.plan.granted.get(cut_at) if session.plan.repeat else None
    networks = tuple(
        replace(job, stop=stop or None)
        for job in session.train(arm, "champion", blocks, parts=1)
        if steps  # none were left of those that were cut before there was a network
    )
    baselines = [] if hurry else baseline_jobs(session, blocks)
    waiting = {spec.id for job in networks for spec in job.specs}
    found: list[Champion] = []

    def ended(job: Job) -> None:
        waiting.difference_update(spec.id for spec in job.specs)
        if isinstance(job, NetworkJob) and not waiting:
            own = usable(session.trials(networks))
            if own:
                found.append(Champion(arm, own, session.measure(own)))
                on_champion(found[0])

    jobs: list[Job] = [*networks, *baselines]  # in this order: the first model is wanted soon
    spared = session.clock.report_s - REPORT_S if hurry else 0.0
    trials = session.run(jobs, TEST_S - spared, ended)
    own = results(trials, networks)
    cut = [trial for trial in own if trial.state is TrialState.CUT]
    if cut and not found:
        session.plan.truncate(key, 0)
    elif cut:
        session.plan.truncate(cut_at, min(int(trial.result["steps"]) for trial in cut))
    elif cut_at in session.plan.granted:
        session.plan.truncate(cut_at, 0)
    return (found[0] if found else None), gather(baselines, trials)


def baseline_jobs(session: Session, blocks: Sequence[EncodedBlock]) -> list[BaselineJob]:
    """One job per baseline that can run here and block, cheapest baseline first."""
    pairs = [(name, block) for name in baseline_names() for block in blocks]
    share = BASELINES_SHARE if len(blocks) == 1 else FOLDS_SHARE
    ends = time.time() + min(share * session.clock.limit_s, BASELINES_S)
    return [
        BaselineJob(
            name=name,
            stage="baselines",
            block=block,
            judged=block.folder,
            judged_rows=block.validation,
            ends=ends,
            share=1 / (len(pairs) - place),
            out=session.folder.trials,
            metric=session.metric,
        )
        for place, (name, block) in enumerate(pairs)
    ]


def unhurried_s(session: Session, rivals: Mapping[str, Rival]) -> float:
    """Seconds to keep for refitting the baselines where the clock has hurried one of them.

    What is handed over is compared with them, and no rival is to be a straw man.
    """
    hurried = any(rival.hurried for rival in rivals.values())
    return min(BASELINES_SHARE * session.clock.limit_s, BASELINES_S) if hurried else 0.0


def usable(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """All of the trials if each left a network, also where the clock cut it after an evaluation.

    A champion without one of its folds would be compared with what has all of them.
    """
    whole = all(
        trial.state in (TrialState.DONE, TrialState.CUT)
        and trial.result.get("weights")
        and np.isfinite(trial.result.get("loss", np.inf))
        for trial in trials
    )
    return trials if whole else ()
