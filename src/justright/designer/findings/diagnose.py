"""The state of the champion's training, from what the study has stored of it and beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot, inf, isfinite, sqrt
from typing import Any

from justright.core.codec import to_document
from justright.core.trial import Trial, TrialState
from justright.designer.stages.stage_decisions import record_state
from justright.designer.work.rivals import Rival, loss_of, score_of
from justright.designer.work.session import Champion, Session
from justright.diagnosis.curves import Curves, Effect, Yardstick
from justright.diagnosis.losses import row_losses
from justright.diagnosis.states import State, diagnose
from justright.sizing.report import JUDGED
from justright.statistics.metrics import metric_named
from justright.statistics.noise import smallest_useful

LONGER = ("length", "own length")
REGULARISERS = (
    "dropout",
    "decay",
    "mixup",
    "smoothing",
    "stochastic depth",
    "input dropout",
    "input noise",
)
"""Slots of the ideas whose measured effects are those of length, and of regularisation."""

WITHOUT = "no "
"""Ideas of these slots whose titles begin so take a regulariser away."""


def diagnose_champion(
    session: Session, champion: Champion, baselines: Mapping[str, Rival], tolerance: float
) -> State:
    """The state of the champion's training, which is recorded as a fact and a decision.

    All runs of its recipe count, whatever stage asked for them: each is a block.

    Args:
        session: The study at work.
        champion: What is diagnosed.
        baselines: As they were judged on the screening blocks.
        tolerance: Smallest difference of the deciding metric that matters.
    """
    runs = [curves for trial in _runs(session, champion) if (curves := _curves(session, trial))]
    found = diagnose(runs, _yardstick(session, champion, baselines, tolerance, len(runs)))
    session.fact("state", to_document(found) | {"subject": champion.arm.subject})
    record_state(session, found, champion.arm.subject)
    session.watch.headline(f"state of the champion: {found.state}")
    return found.state


def _runs(session: Session, champion: Champion) -> list[Trial]:
    """The champion's trials, and others of its recipe and length."""
    recipe = to_document(champion.arm.recipe)
    own = {trial.spec.id for trial in champion.trials}
    return [
        trial
        for trial in session.store.trials.list(session.name)
        if trial.spec.id in own
        or (
            trial.state is TrialState.DONE
            and trial.spec.recipe == recipe
            and trial.spec.steps == champion.arm.steps
        )
    ]


def _curves(session: Session, trial: Trial) -> Curves | None:
    """The curves of a trial; None if it was not judged on validation rows."""
    read = session.store.curves.read
    steps, train = read(session.name, trial.spec.id, "probe_loss")
    _, validation = read(session.name, trial.spec.id, "validation_loss")
    if not len(steps) or len(steps) != len(validation):
        return None
    return Curves(steps.tolist(), train.tolist(), validation.tolist())


def _yardstick(
    session: Session,
    champion: Champion,
    baselines: Mapping[str, Rival],
    tolerance: float,
    runs: int,
) -> Yardstick:
    """What the champion's losses are compared with, in units of the proper loss."""
    losses = loss_of(baselines)
    constant = losses.pop("constant", inf)
    best = min(losses.values(), default=float("nan"))
    scale = _scale(session, baselines, constant, best)
    own = [float(trial.result.get("loss", inf)) for trial in champion.trials]
    delta = tolerance * scale if scale else smallest_useful(constant, min(own, default=inf))
    block = session.blocks.planned(session.blocks.first[0], champion.arm.recipe.preprocessing)
    size = session.store.ledger.fact(session.name, "size") or {}
    rounds = session.store.ledger.fact(session.name, "rounds") or []
    hidden = champion.arm.recipe.shape.hidden
    return Yardstick(
        constant=constant,
        baseline=best,
        delta=delta,
        noise=_noise(session, champion, scale) if runs == 1 else None,
        overlap=0.0 if session.blocks.fixed_holdout else block.overlap,
        larger=_scaled(larger_effect(size, hidden), scale),
        longer=_scaled(idea_effect(rounds, LONGER), scale),
        regulariser=_scaled(idea_effect(rounds, REGULARISERS), scale),
        able=is_able(size, hidden),
    )


def _noise(session: Session, champion: Champion, scale: float) -> float | None:
    """Standard error of the loss of one run, which does not show it itself: of rows and seed."""
    trial, blocks = champion.trials[0], session.blocks
    if not trial.result.get("predictions"):
        return None
    part = blocks.block(blocks.first[0], champion.arm.recipe.preprocessing)
    metric = metric_named("log_loss" if blocks.problem.task.is_classification else "rmse")
    lost = row_losses(metric, blocks.sample(part).y, session.predictions(trial))
    if not len(lost) or not lost.mean() > 0.0:
        return None
    of_rows = float(trial.result["loss"] * lost.std() / lost.mean() / sqrt(len(lost)))
    noise = session.store.ledger.fact(session.name, "noise") or {}
    return hypot(of_rows, scale * float(noise.get("seed_sd") or 0.0))


def _scale(
    session: Session, baselines: Mapping[str, Rival], constant: float, best: float
) -> float:
    """Units of the proper loss in one of the deciding metric: the ways from constant to best.

    0 where no baseline is better than the constant. Exact for the log-loss, else the mean slope.
    """
    metric = metric_named(session.metric)
    turned = {n: metric.loss(s) for n, s in score_of(baselines, metric.name).items()}
    way = turned.pop("constant", inf) - min(turned.values(), default=inf)
    useful = isfinite(way) and way > 0.0 and isfinite(constant - best) and constant > best
    return (constant - best) / way if useful else 0.0


def larger_effect(size: Mapping[str, Any], hidden: Sequence[int]) -> Effect | None:
    """By how much sizes heavier than this one are better, at most; None if none was compared.

    Args:
        size: The fact "size": rows from light to heavy, "difference" above the best of them.
        hidden: The size in question.
    """
    rows = [row for row in size.get("rows") or () if row["word"] in JUDGED]
    place = next((n for n, row in enumerate(rows) if row["hidden"] == list(hidden)), None)
    if place is None or place == len(rows) - 1 or size.get("part", 1) != 1:
        return None
    row = rows[place]
    figures = [row[key] for key in ("difference", "low", "high")]
    if any(each is None for each in figures):
        return None
    gain, low, high = map(float, figures)
    heavier = any(each["difference"] == 0.0 for each in rows[place + 1 :])
    return Effect(gain, low, high) if heavier else Effect(0.0, min(low, 0.0), high)


def is_able(size: Mapping[str, Any], hidden: Sequence[int]) -> bool:
    """Whether the size search has seen this size, or a lighter one, able to overfit.

    Args:
        size: The fact "size".
        hidden: The size in question.
    """
    weights = {tuple(row["hidden"]): row["weights"] for row in size.get("rows") or ()}
    able, own = tuple(size.get("able") or ()), tuple(hidden)
    return able in weights and own in weights and weights[own] >= weights[able]


def idea_effect(rounds: Sequence[Mapping[str, Any]], slots: Sequence[str]) -> Effect | None:
    """The largest gain of ideas of some slots that were compared with the present champion.

    Args:
        rounds: The fact "rounds", in their order.
        slots: Slots of the ideas in question.
    """
    accepted = [place for place, entry in enumerate(rounds) if entry["accepted"]]
    since = rounds[accepted[-1] + 1 :] if accepted else rounds
    verdicts = [
        entry["verdict"]
        for entry in since
        if entry["slot"] in slots
        and entry["verdict"]["word"] != "not run"
        and not entry["subject"].startswith(WITHOUT)
    ]
    found = []
    for verdict in verdicts:
        figures = [verdict[key] for key in ("difference", "low", "high")]
        if all(isinstance(each, int | float) and isfinite(each) for each in figures):
            found.append(Effect(*map(float, figures)))
    return max(found, key=lambda effect: effect.gain, default=None)


def _scaled(effect: Effect | None, scale: float) -> Effect | None:
    """An effect in units of the proper loss; None where they are not known."""
    if effect is None or not scale:
        return None
    return Effect(effect.gain * scale, effect.low * scale, effect.high * scale)
