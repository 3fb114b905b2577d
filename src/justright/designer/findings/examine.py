"""Is the training of the network that won a sound one? Judged by the health that it left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from justright.core.decision import Decision, Status
from justright.core.finding import Finding, worst_first
from justright.core.trial import Trial, TrialState
from justright.designer.work.session import Champion, Session
from justright.diagnosis.health import CHECKS, examine
from justright.diagnosis.ranges import CALIBRATED
from justright.diagnosis.view import HEALTH, Training, typical
from justright.recipe.recipe import Recipe

USUAL = 0.5
"""A finding counts where more than this share of the champion's trainings show it (assumption: one
fold may be unlucky)."""


def examine_champion(session: Session, champion: Champion) -> None:
    """Judge the champion's trainings; record what they show, and that they were looked at.

    Args:
        session: The study at work.
        champion: Whose trials are judged; those without health, of earlier versions, are left out.
    """
    arm = champion.arm
    trainings = [training_of(session, trial, arm.recipe) for trial in champion.trials]
    watched = [training for training in trainings if training.curves]
    if not watched:
        return
    found = shared([examine(training) for training in watched])
    ledger = session.store.ledger
    told = [replace(f, message=f"in the training of {arm.subject}, {f.message}") for f in found]
    ledger.find(session.name, told)
    names = ", ".join(finding.code.replace("-", " ") for finding in found)
    ledger.decide(
        session.name,
        Decision(
            stage="health",
            choice=f"the training of {arm.subject} shows {names}"
            if found
            else f"the training of {arm.subject} is sound",
            reason="; ".join(finding.message for finding in found)
            or f"{len(CHECKS)} checks of gradients, layers and losses found nothing",
            source=f"ranges of the card Health: benchmarks/health.py, {CALIBRATED}",
            status=Status.MEASURED,
            measured=_figures(watched[0]) | {"trainings": len(watched)},
        ),
    )


def training_of(session: Session, trial: Trial, recipe: Recipe) -> Training:
    """A stored trial as the checks see it.

    Args:
        session: The study.
        trial: The trial.
        recipe: What it trained.
    """
    curves, study, id = session.store.curves, session.name, trial.spec.id
    return Training(
        curves={
            name.removeprefix(HEALTH): (steps.tolist(), values.tolist())
            for name in curves.names(study, id)
            if name.startswith(HEALTH)
            for steps, values in (curves.read(study, id, name),)
        },
        activation=recipe.shape.activation,
        clip=recipe.optimiser.clip,
        failed=trial.reason if trial.state is TrialState.FAILED else "",
    )


def shared(found: Sequence[Sequence[Finding]]) -> tuple[Finding, ...]:
    """Findings that more than half of some trainings show, as the first of them shows them.

    Args:
        found: The findings of each training.
    """
    codes = Counter(code for each in found for code in {finding.code for finding in each})
    first: dict[str, Finding] = {}
    for finding in (finding for each in found for finding in each):
        first.setdefault(finding.code, finding)
    kept = [first[code] for code, number in codes.items() if number > USUAL * len(found)]
    return worst_first(tuple(sorted(kept, key=lambda finding: finding.code)))


def _figures(training: Training) -> dict[str, float]:
    """The figures that say most, of one training."""
    steps = [typical(points) for points in training.layers("update_ratio") if points]
    ratios = [typical(points) for points in training.ratios() if points]
    dead = [points[-1][1] for points in training.layers("dead_share") if points]
    figures = {
        "step over weights": max(steps, default=None),
        "gradient of the first layer over the last": ratios[0] if ratios else None,
        "share of dead units": max(dead, default=None),
    }
    return {name: value for name, value in figures.items() if value is not None}
