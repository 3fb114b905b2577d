"""Hands over: the model folder, and its predictions of the test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.errors import JustRightError
from justright.core.trial import Trial
from justright.core.withheld import without_values
from justright.data.arrays import columns_of
from justright.data.encoded import EncodedRows
from justright.deploy.network import read_safetensors
from justright.designer.delivery.calibrate import Calibrated
from justright.designer.findings.card_sections import (
    factor_sentences,
    metric_sentences,
    reliability_sentences,
    reproduce_sentences,
    slice_sentences,
)
from justright.designer.work.session import FOREVER, Arm, Session
from justright.executors.base import Call
from justright.model.card import CardFacts
from justright.model.folder import stacked, update_card, write_model
from justright.recipe.network import Inputs, NetworkSpec
from justright.statistics.metrics import metric_named


def deliver(
    session: Session,
    arm: Arm,
    trial: Trial,
    block: int,
    calibrated: Calibrated | None = None,
    others: Sequence[Trial] = (),
) -> tuple[int, Inputs]:
    """Write a trained network as the model folder, replacing the one before.

    Args:
        session: The study at work.
        arm: What was trained.
        trial: The training whose weights are handed over.
        block: Number of the block it was trained on.
        calibrated: What rows held out say of it; None while it may still be replaced.
        others: Trainings of further seeds, for an ensemble.

    Returns:
        Bytes of the folder, and what the network receives and returns.
    """
    with session.clock.slow.measured():
        return _write(session, arm, (trial, *others), block, calibrated)


def _write(
    session: Session,
    arm: Arm,
    trials: Sequence[Trial],
    block: int,
    calibrated: Calibrated | None,
) -> tuple[int, Inputs]:
    rows = EncodedRows(session.blocks.block(block, arm.recipe.preprocessing).folder)
    weights = _weights(session, trials)
    spec = NetworkSpec(arm.recipe.shape, rows.meta.inputs)
    preprocessing = rows.preprocessing()
    write_model(
        session.folder.model,
        recipe=arm.recipe,
        spec=spec,
        preprocessing=calibrated.applied(preprocessing) if calibrated else preprocessing,
        weights=weights,
        task=session.blocks.problem.task,
        facts=_card_facts(session, arm, trials[0]),
    )
    size = sum(path.stat().st_size for path in session.folder.model.iterdir())
    return size, rows.meta.inputs


def _weights(session: Session, trials: Sequence[Trial]) -> Mapping[str, np.ndarray]:
    """The tensors of a training, or of several stacked."""
    paths = [session.folder.trials / Path(trial.result["weights"]).name for trial in trials]
    return stacked([read_safetensors(path) for path in paths])


@dataclass(frozen=True)
class Served:
    """Predictions of the test rows, and how fast they were made, on one core.

    Attributes:
        prediction: Values [n, T] or probabilities [n, classes].
        ms_per_row: Milliseconds of a row in a batch of 1,000, encoded and predicted.
        ms_to_answer: Milliseconds of the network for one row by itself.
    """

    prediction: np.ndarray
    ms_per_row: float
    ms_to_answer: float


def predict_test(session: Session) -> Served:
    """Predict the test rows with the folder that was handed over, by its own file, in a worker.

    Raises:
        JustRightError: If the folder cannot predict.
    """
    problem, rows = session.blocks.problem, session.blocks.splits.test
    columns = columns_of(problem.table.frame, problem.schema.columns, rows)
    arguments = {"folder": str(session.folder.model), "columns": columns}
    call = Call("justright.model.serve:predict_columns", arguments)
    answer = session.crew.ask(call, "predicting the test rows", FOREVER)
    if answer is None:
        raise JustRightError("the model folder could not predict the test rows")
    prediction, a_row, alone = answer
    return Served(prediction, 1000 * a_row, 1000 * alone)


def complete_card(session: Session, arm: Arm, trial: Trial) -> None:
    """Write the card anew, now that the test set has been opened."""
    test = session.store.ledger.fact(session.name, "test")
    own = test["methods"][0]
    low, high = own["interval"]
    known = session.store.ledger.facts(session.name)
    facts = replace(
        _card_facts(session, arm, trial),
        test=own["scores"][session.metric],
        interval=(low, high),
        test_rows=test["rows"],
        verdict=f"The network {test['word']} {test['against']}." if test["word"] else "",
        headline=_headline(session, test["headline"]),
        metrics=metric_sentences(test, metric_named(session.metric).greater_is_better),
        slices=slice_sentences(known.get("slices") or {}, examples=session.options.examples),
        factors=factor_sentences(known.get("importance") or {}),
        uncertainty=(
            *_uncertainty(session),
            *reliability_sentences(known.get("reliability") or {}),
        ),
        limits=_limits(session),
        reproduce=reproduce_sentences(session),
    )
    update_card(session.folder.model, facts)


def _limits(session: Session) -> tuple[str, ...]:
    """What the audit saw; the card goes wherever the model goes."""
    said = [finding.message for finding in session.store.ledger.findings(session.name)]
    return tuple(said if session.options.examples else map(without_values, said))


def _uncertainty(session: Session) -> tuple[str, ...]:
    """What probabilities and intervals are worth, one sentence each."""
    ledger, said = session.store.ledger, []
    scaling = ledger.fact(session.name, "calibration")
    if scaling:
        divided = f"Logits are divided by {scaling['temperature']:.3g}"
        said.append(f"{divided if scaling['kept'] else 'No temperature'}: {scaling['reason']}.")
    found = ledger.fact(session.name, "intervals") or {}
    levels = found.get("levels", ())
    said += [_coverage(each, found["test_rows"]) for each in levels]
    return (*said, *(found["remarks"] if levels else ()))


def _coverage(level: Mapping[str, Any], rows: int) -> str:
    what = "Sets of classes" if level["width"] is None else "Intervals"
    aimed, shares = f"{what} of {level['level']:.0%}", level["coverage"]
    if len(shares) > 1:
        held = f"{min(shares):.1%} to {max(shares):.1%}"
        return f"{aimed} hold {held} of {rows:,} test rows, target by target."
    low, high = level["low"][0], level["high"][0]
    ends = "" if low is None or low != low else f" (95% interval {low:.1%} to {high:.1%})"
    return f"{aimed} hold {shares[0]:.1%} of {rows:,} test rows{ends}."


def _headline(session: Session, first: Mapping[str, Any]) -> str:
    """The headline of a small table; nothing where it is the test."""
    if not first.get("repetitions"):
        return ""
    interval = f"95% interval {first['low']:.4g} to {first['high']:.4g}"
    return (
        f"{session.metric} {first['score']:.4g} ({interval}) in {first['source']} over "
        f"{first['rows']:,} rows."
    )


def _validation(session: Session, arm: Arm, trial: Trial) -> Mapping[str, float]:
    """The champion's scores: a final training has no validation rows, so no score of its own."""
    champion = session.store.ledger.fact(session.name, "champion") or {}
    known = champion.get("subject") == arm.subject  # not while a new champion is handed over
    return champion["validation"] if known else trial.result.get("scores", {})


def _card_facts(session: Session, arm: Arm, trial: Trial) -> CardFacts:
    """What the model card says about the training."""
    table = session.blocks.problem.table
    return CardFacts(
        study=session.name,
        rows=table.rows,
        data=table.fingerprint,
        subject=arm.subject,
        metric=session.metric,
        validation=_validation(session, arm, trial),
        steps=int(trial.result.get("best_step") or trial.result.get("steps") or 0),
        seconds=float(trial.result.get("seconds", 0.0)),
        source=table.name,
        versions=session.store.ledger.fact(session.name, "versions") or {},
    )
