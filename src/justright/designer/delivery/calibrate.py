"""What rows held out say of the network that is handed over: a temperature, errors, a table.

All of it is fixed before the test set is opened, which then measures what it is worth.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from justright.core.decision import Decision, Status
from justright.core.files import write_whole
from justright.core.seeds import child_seed
from justright.data.encoded import EncodedRows
from justright.data.marks import row_marks
from justright.deploy.network import Preprocessing, read_json, read_safetensors
from justright.designer.delivery.ensemble import Together
from justright.designer.delivery.out_of_fold import OutOfFold, gather, write_predictions
from justright.designer.delivery.repeats import Repeated
from justright.designer.findings.reliability import coverage_by_thirds
from justright.designer.work.blocks import ALL
from justright.designer.work.session import Champion, Session
from justright.model.columns import read_columns
from justright.model.uncertainty import can_say, with_uncertainty
from justright.statistics.conformal import Errors, coverage, covered, errors_of, sorted_errors
from justright.statistics.temperature import FEWEST_ROWS, Scaling, find_temperature, scaled

LEVELS = (0.8, 0.9, 0.95)
"""Levels whose coverage is measured on the test set."""


@dataclass(frozen=True)
class Calibrated:
    """What goes into the model folder beside the network.

    Attributes:
        temperature: What logits are divided by; 1 for values.
        errors: On rows held out, of what is predicted with the temperature.
    """

    temperature: float
    errors: Errors

    def applied(self, preprocessing: Preprocessing) -> Preprocessing:
        """A preprocessing that knows both."""
        return with_uncertainty(preprocessing, self.temperature, self.errors)


def calibrate(
    session: Session,
    champion: Champion,
    repeated: Repeated | str,
    together: Together | None = None,
) -> Calibrated:
    """Fit the temperature, take the errors, and write the out-of-fold predictions.

    Args:
        session: The study at work.
        champion: Whose recipe is handed over.
        repeated: Its trainings on fresh repetitions, or why there are none.
        together: What the networks of an ensemble say of rows that they held out.
    """
    found = gather(session, champion, repeated)
    rows, prediction, temperature = found.rows, found.single, 1.0
    if together is not None:
        rows, prediction = together.rows, together.prediction
    sample = session.blocks.rows_sample(rows)
    if session.blocks.problem.task.is_classification:
        seed = child_seed(session.blocks.seed, "temperature")
        scaling = find_temperature(sample, prediction, seed)
        temperature = scaling.temperature
        prediction = scaled(prediction, temperature)
        _record(session, scaling)
    errors = sorted_errors(errors_of(sample.y, prediction))
    several = {} if together is None else {"rows": len(rows), "repeated": 0}
    session.fact("out of fold", _rests_on(session, found) | several)
    folder = session.blocks.block(ALL, champion.arm.recipe.preprocessing).folder
    document = EncodedRows(folder).preprocessing().document
    write_predictions(session, found, document, temperature)
    _write_marks(session, document)
    return Calibrated(temperature, errors)


def measure_coverage(session: Session, prediction: np.ndarray) -> None:
    """Record how many test rows the intervals of the model folder hold.

    Args:
        session: The study at work.
        prediction: Of the test rows, by the model folder.
    """
    folder = session.folder.model
    arrays = read_safetensors(folder / "weights.safetensors")
    own = Preprocessing(read_json(folder / "preprocessing.json"), arrays)
    sample = session.blocks.rows_sample(session.blocks.splits.test)
    seed = child_seed(session.blocks.seed, "coverage")
    levels = []
    for level in (each for each in LEVELS if can_say(each, arrays)):
        found = own.interval(prediction, level)
        inside = covered(sample.y, found)
        shares = [coverage(column, sample, seed) for column in inside.T]
        sets = found.dtype == bool
        levels.append(
            {
                "level": level,
                "coverage": [share.estimate for share in shares],
                "low": [share.low for share in shares],
                "high": [share.high for share in shares],
                "size": float(found.sum(axis=1).mean()) if sets else None,
                "width": None if sets else (found[1] - found[0])[0].tolist(),
                "thirds": None
                if sets
                else coverage_by_thirds(found.mean(axis=0), inside, sample, seed),
            }
        )
    known = session.store.ledger.fact(session.name, "out of fold") or {}
    rows = known.get("rows", 0)
    fact = {"levels": levels, "test_rows": len(sample.y), "rows": rows}
    clean = known.get("repeated") == rows
    session.fact("intervals", fact | {"remarks": _remarks(session, clean=clean)})


def _write_marks(session: Session, document: Mapping[str, Any]) -> None:
    """Leave which rows were learned from: a later model is compared on others."""
    problem, rest = session.blocks.problem, session.blocks.splits.rest
    columns = read_columns(problem.table.frame[rest], document)
    content = io.BytesIO()
    np.save(content, np.unique(row_marks(columns, problem.target()[rest])))
    write_whole(session.folder.learned, content.getvalue())


def _record(session: Session, scaling: Scaling) -> None:
    kept = scaling.temperature != 1.0
    gain = scaling.gain
    if scaling.rows < FEWEST_ROWS:
        reason = f"only {scaling.rows:,} rows were held out, fewer than {FEWEST_ROWS}"
    else:
        reason = (
            f"log-loss {scaling.before:.4g} → {scaling.after:.4g} on rows that did not fit it, "
            f"gain {gain.estimate:.2g} ("
        )
        known = np.isfinite(gain.high - gain.low)  # a single group cannot say
        reason += f"95% interval {gain.low:.2g} to {gain.high:.2g})" if known else "no interval)"
        reason += "" if kept else ": no gain beyond noise"
    session.fact(
        "calibration",
        {
            "temperature": scaling.temperature,
            "fitted": scaling.fitted,
            "kept": kept,
            "rows": scaling.rows,
            "log_loss": [scaling.before, scaling.after],
            "error": [scaling.error_before, scaling.error_after],
            "gain": [gain.estimate, gain.low, gain.high],
            "reason": reason,
        },
    )
    choice = (
        f"all logits are divided by {scaling.temperature:.3g}"
        if kept
        else "probabilities stay as they are"
    )
    session.store.ledger.decide(
        session.name,
        Decision(
            "calibration",
            choice,
            reason,
            "temperature scaling, Guo et al. 2017",
            Status.PUBLISHED,
            {"temperature": scaling.temperature, "gain": gain.estimate},
        ),
    )


def _remarks(session: Session, *, clean: bool) -> list[str]:
    """What keeps coverage from being exact here, one sentence each."""
    problem = session.blocks.problem
    wide = "The errors are those of networks that learned from fewer rows than the one handed over"
    narrow = "; some of the rows have also chosen its recipe and length, which makes them narrower"
    said = [f"{wide}, which makes intervals slightly wide{'' if clean else narrow}."]
    if problem.times() is not None:
        said.append("Later rows may differ from earlier ones: nothing promises the coverage.")
    elif problem.groups() is not None:
        said.append("Rows of a group are alike: the coverage of a single group may differ a lot.")
    if problem.weights() is not None:
        said.append("Row weights do not count in intervals and their coverage.")
    return said


def _rests_on(session: Session, found: OutOfFold) -> dict[str, Any]:
    """How many rows were held out, how often, and how many never were."""
    rest = len(session.blocks.splits.rest)
    return {
        "rows": len(found.rows),
        "never": rest - len(found.rows),
        "trainings": [int(found.trainings.min()), int(found.trainings.max())],
        "repeated": found.repeated,
    }
