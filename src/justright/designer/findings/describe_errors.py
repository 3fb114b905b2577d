"""Where the champion errs and what it rests on: slices, importance, labels, examples.

Everything is of rows that it was not trained on, and of none of the locked test. It chooses
nothing: it is written down for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from justright.core.column import ColumnKind
from justright.core.finding import COST, Finding, Severity
from justright.core.seeds import child_seed
from justright.designer.findings.heldout import HeldOut, columns_in, held_out
from justright.designer.findings.importance import Importance, measure_importance
from justright.designer.work.admission import TEST_S
from justright.designer.work.rivals import Rival
from justright.designer.work.session import Champion, Session
from justright.diagnosis.examples import choose_examples
from justright.diagnosis.labels import Suspicion, contradicted
from justright.diagnosis.losses import loss_name, row_losses
from justright.diagnosis.slices import Slice, Slices, find_slices
from justright.statistics.metrics import Metric, metric_named

KEY = "slices, labels and examples"

LISTED = 20
"""Suspicious rows, and slices, that are listed (assumption: what somebody looks through)."""

SHOWN = 8
"""Columns of a listed row whose values are shown, the most important first (assumption)."""

MATERIAL = 0.05
"""A slice is a finding if the mean loss would fall by this share, were it like the rest
(assumption)."""

TELLING = 6
"""Columns offered for pairs (assumption)."""

_LONGEST = 40


def describe_errors(session: Session, champion: Champion, baselines: Mapping[str, Rival]) -> None:
    """Record slices, importance, suspicious labels and examples, with their findings.

    Args:
        session: The study at work.
        champion: The best recipe, with its trainings on the screening blocks.
        baselines: The baselines on the same blocks.
    """
    if not session.plan.grant(KEY, lambda: int(session.clock.work_left_s > TEST_S)):
        return
    held = held_out(session, champion, baselines)
    if held is None:
        return
    importance = measure_importance(session, champion)
    session.fact("importance", _importance_fact(session, importance))
    columns = () if isinstance(importance, str) else importance.columns
    order = [each.column for each in columns]
    telling = [each.column for each in columns if each.matters]
    metric = metric_named(session.metric)
    losses = row_losses(metric, held.sample.y, held.prediction)
    listing = _Listing(session, held, order)
    slices = _slices(session, held, losses, telling)
    session.fact("slices", _slices_fact(metric, held, slices))
    suspicion = _suspicion(session, held)
    session.fact("labels", _labels_fact(listing, suspicion, held))
    session.fact("examples", _examples_fact(listing, losses, metric))
    session.store.ledger.find(
        session.name,
        [*_slice_finding(slices, losses, held, metric), *_label_finding(suspicion, losses, held)],
    )


def _slices(session: Session, held: HeldOut, losses: np.ndarray, telling: Sequence[str]) -> Slices:
    columns = session.blocks.problem.schema.columns
    dates = frozenset(c.name for c in columns if c.kind is ColumnKind.DATETIME)
    return find_slices(
        columns_in(session, held.rows),
        losses,
        weights=held.sample.weights,
        groups=held.sample.groups,
        times=held.sample.times,
        dates=dates,
        telling=telling[:TELLING],
        most=LISTED,
        seed=child_seed(session.blocks.seed, "slices"),
    )


def _suspicion(session: Session, held: HeldOut) -> Suspicion | None:
    """Several trainings must agree: a single one contradicts labels by its own mistakes."""
    if not held.others:
        return None
    seed = child_seed(session.blocks.seed, "labels")
    return contradicted(held.sample, [held.prediction, *held.others.values()], seed=seed)


def _importance_fact(session: Session, found: Importance | str) -> dict[str, Any]:
    title = metric_named(session.metric).title
    if isinstance(found, str):
        return {"reason": found, "columns": []}
    columns = [
        {
            "column": each.column,
            "loss": each.loss,
            "low": each.low,
            "high": each.high,
            "repeats": each.repeats,
            "matters": each.matters,
        }
        for each in found.columns
    ]
    numbers = {"rows": found.rows, "cut": found.cut}
    return {"reason": "", "metric_title": title, "columns": columns} | numbers


def _slices_fact(metric: Metric, held: HeldOut, found: Slices) -> dict[str, Any]:
    w, y = held.sample.weights, held.sample.y
    weights = np.ones(len(y)) if w is None else w
    others = {title: row_losses(metric, y, each) for title, each in held.others.items()}
    best = min(others, key=lambda title: np.average(others[title], weights=weights), default="")

    def score(inside: np.ndarray) -> float:
        return metric(y[inside], held.prediction[inside], None if w is None else w[inside])

    def other(inside: np.ndarray) -> float | None:
        return float(np.average(others[best][inside], weights=weights[inside])) if best else None

    return {
        "rows": len(held.rows),
        "looked": found.looked,
        "source": found.source,
        "loss_title": loss_name(metric),
        "metric_title": metric.title,
        "mean": float(np.average(row_losses(metric, y, held.prediction), weights=weights)),
        "other": best,
        "slices": [
            _slice_document(each)
            | {"score": score(each.inside), "rest_score": score(~each.inside)}
            | {"other": other(each.inside)}
            for each in found.slices
        ],
    }


def _slice_document(each: Slice) -> dict[str, Any]:
    names = ("label", "plain", "rows", "share", "loss", "rest", "low", "high", "loss_share")
    own = {name: getattr(each, name) for name in names}
    return own | {
        "columns": list(each.columns),
        "difference": each.difference,
        "weak": each.weak,
    }


def _labels_fact(listing: _Listing, found: Suspicion | None, held: HeldOut) -> dict[str, Any]:
    if found is None:
        few = "too few rows" if held.others else "only one training could be asked"
        return {"word": "cannot tell", "why": few, "rows": len(held.rows), "list": []}
    listed = [
        listing.row(place)
        | {"strength": float(found.strength[k]), "output": int(found.output[k])}
        | {"instead": listing.output(found.instead[k])}
        for k, place in enumerate(found.rows[:LISTED].tolist())
    ]
    return {
        "word": found.word,
        "why": found.why,
        "rows": len(held.rows),
        "contradicted": len(found.rows),
        "rate": found.rate.estimate,
        "low": found.rate.low,
        "high": found.rate.high,
        "trainings": found.trainings,
        "columns": listing.columns,
        "list": listed,
    }


def _examples_fact(listing: _Listing, losses: np.ndarray, metric: Metric) -> dict[str, Any]:
    """Rows of the table are kept out where the user wants that."""
    if not listing.allowed:
        return {"columns": [], "rows": [], "reason": "rows of the data are kept out"}
    held = listing.held
    kinds = choose_examples(losses, held.sample.y, held.prediction)
    rows = [
        listing.row(place) | {"kind": kind, "loss": float(losses[place])}
        for kind, places in kinds.items()
        for place in places.tolist()
    ]
    return {"columns": listing.columns, "rows": rows, "loss_title": loss_name(metric)}


@dataclass(frozen=True)
class _Listing:
    """Writes rows of the table down.

    Attributes:
        session: The study at work.
        held: The rows.
        order: Columns, the most important first; the others follow.
    """

    session: Session
    held: HeldOut
    order: Sequence[str]

    @property
    def allowed(self) -> bool:
        """Whether values of the data may be kept for the report."""
        return self.session.options.examples

    @property
    def columns(self) -> list[str]:
        """Columns whose values are shown."""
        names = [column.name for column in self.session.blocks.problem.schema.inputs]
        known = [name for name in self.order if name in names]
        rest = [name for name in names if name not in known]
        return [*known, *rest][:SHOWN] if self.allowed else []

    def row(self, place: int) -> dict[str, Any]:
        """A row's number, target, prediction, and values."""
        table = self.session.blocks.problem.table
        row = int(self.held.rows[place])
        found: dict[str, Any] = {"row": int(table.origin[row])}
        if not self.allowed:
            return found
        y, prediction = self.held.sample.y[place], self.held.prediction[place]
        classes = self.session.blocks.problem.task.classes
        if classes:
            chosen = int(prediction.argmax())
            found |= {"target": classes[int(y)], "prediction": classes[chosen]}
            found |= {"chance": float(prediction[chosen]), "own": float(prediction[int(y)])}
        else:
            found |= {"target": y.tolist(), "prediction": prediction.tolist()}
        return found | {"values": [cell_text(table.frame[name][row]) for name in self.columns]}

    def output(self, value: float) -> Any:
        """A class by its label, or a number; nothing where values are kept out."""
        if not self.allowed:
            return None
        classes = self.session.blocks.problem.task.classes
        return classes[int(value)] if classes else float(value)


def cell_text(value: Any) -> str:
    """A cell as text for a table.

    >>> cell_text(None), cell_text(0.123456), cell_text(3.0), cell_text("Ulm")
    ('missing', '0.1235', '3', 'Ulm')
    """
    if value is None:
        return "missing"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.4g}"
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _slice_finding(
    found: Slices, losses: np.ndarray, held: HeldOut, metric: Metric
) -> list[Finding]:
    mean = float(np.average(losses, weights=held.sample.weights))
    worst = next((each for each in found.slices if each.weak), None)
    if worst is None or not worst.weight >= MATERIAL * mean:
        return []
    message = (
        f"where {worst.label!r} the network errs more than elsewhere: {loss_name(metric)} "
        f"{worst.loss:.3g} against {worst.rest:.3g} in {worst.rows:,} of {len(losses):,} rows "
        "that it was not trained on"
    )
    action = "collect more such rows, or a column that tells them apart"
    numbers = {"loss": worst.loss, "rest": worst.rest, "low": worst.low, "high": worst.high}
    numbers[COST] = _slice_cost(worst, held, metric) / mean
    return [Finding("weak-slice", Severity.NOTE, message, action, worst.columns, numbers)]


def _slice_cost(worst: Slice, held: HeldOut, metric: Metric) -> float:
    """What the mean loss would fall by, were the network as good there as somebody is.

    Where rows are harder to foretell, everybody errs more: what a baseline reaches there can be
    reached, and only without one is it what is reached elsewhere.
    """
    inside, w = worst.inside, held.sample.weights
    weights = None if w is None else w[inside]
    own = [
        float(np.average(row_losses(metric, held.sample.y, each)[inside], weights=weights))
        for each in held.others.values()
    ]
    return worst.share * max(worst.loss - min(own), 0.0) if own else worst.weight


def _label_finding(found: Suspicion | None, losses: np.ndarray, held: HeldOut) -> list[Finding]:
    if found is None or found.word != "material":
        return []
    rate, low, high = found.rate.estimate, found.rate.low, found.rate.high
    message = (
        f"about {rate:.0%} of the targets look wrong (95% interval {low:.1%} to {high:.1%}): "
        f"{found.trainings} trainings that did not see them contradict {len(found.rows):,} of "
        f"{len(held.rows):,}"
    )
    action = "check the rows listed under Suspicious labels; correct or drop them and fit again"
    numbers = {"rate": rate, "low": low, "high": high, "contradicted": float(len(found.rows))}
    numbers[COST] = _label_cost(found, losses, held.sample.weights)
    return [Finding("label-noise", Severity.WARNING, message, action, (), numbers)]


def _label_cost(found: Suspicion, losses: np.ndarray, weights: np.ndarray | None) -> float:
    """Share of the loss that the contradicted rows make, as far as their labels are wrong.

    Where classes overlap more are contradicted than are wrong: only the rate of wrong ones counts.
    """
    own = losses if weights is None else losses * weights
    wrong = min(found.rate.estimate * len(losses) / max(len(found.rows), 1), 1.0)
    return wrong * float(own[found.rows].sum() / max(own.sum(), np.finfo(np.float64).tiny))
