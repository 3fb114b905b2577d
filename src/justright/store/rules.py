"""Rules that every store applies: copies, checks of arguments, and the sentences of refusals."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from justright.core.codec import fingerprint, from_document, to_document
from justright.core.errors import Fenced, StoreError, StudyBusyError, StudyMismatchError
from justright.core.idea import Idea, Prediction, Verdict
from justright.core.study import StudyHead
from justright.core.trial import Attempt, Lease, TrialSpec, TrialState
from justright.store.holder import Holder
from justright.store.records import CurveSummary, Histogram

T = TypeVar("T")

MAX_STEP = 2**62
"""Largest step: differences of two steps still fit int64."""


def text_of(document: Any) -> str:
    """The text that is stored: keys stay in their order, only ASCII (any string survives)."""
    return json.dumps(to_document(document), separators=(",", ":"))


def document_of(text: str) -> Any:
    """The document of a stored text; raises `StoreError` if it was damaged or edited by hand."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise damaged(text) from error


def value_of(kind: type[T], text: str) -> T:
    """The value of a stored text; raises `StoreError` if it was damaged or edited by hand."""
    try:
        return from_document(kind, document_of(text))
    except (ValueError, TypeError, KeyError) as error:
        raise damaged(text) from error


def damaged(text: str) -> StoreError:
    """The refusal of a row that nobody here can have written."""
    return StoreError(
        f"a row of the store is damaged or was edited by hand ({text[:60]!r})",
        hint="restore the store from a backup, or move it away to start anew",
    )


def copied(document: Any) -> Any:
    """A deep copy in JSON types, so that no caller shares state with the store."""
    return json.loads(text_of(document))


def check_text(what: str, text: str) -> str:
    """Refuse labels that a database or a screen would choke on."""
    if not isinstance(text, str) or len(text) > 255 or not text.isprintable():
        raise StoreError(
            f"{what} {text!r} is not a label",
            hint="use at most 255 printable characters",
        )
    return text


def check_name(what: str, name: str) -> str:
    """Refuse names that no listing could show."""
    if not name:
        raise StoreError(f"{what} {name!r} is not a name", hint="use 1 to 255 characters")
    return check_text(what, name)


def check_same_study(stored: StudyHead, asked: StudyHead) -> None:
    """Refuse a study of the same name on other data or with another goal."""
    for what, old, new in (
        ("data", stored.data, asked.data),
        ("goal", stored.goal, asked.goal),
    ):
        if old != new:
            raise StudyMismatchError(
                f"study '{asked.name}' was made for other {what}"
                f" (fingerprint {old}, this one is {new})",
                hint="choose another name with --name",
            )


def is_free(holder: Holder | None, expires: float, now: float) -> bool:
    """Whether a lease may be taken: nobody's, expired, or a dead process's."""
    return holder is None or now >= expires or holder.dead


def busy(name: str, holder: Holder) -> StudyBusyError:
    """The refusal of a study that somebody else works on."""
    return StudyBusyError(
        f"study '{name}' is being worked on by {holder}",
        hint="wait for it, or choose another name with --name",
    )


def lost_study(lease: Lease) -> Fenced:
    """The refusal of a study lease that has passed on."""
    return Fenced(
        f"study '{lease.subject}' is no longer held by {lease.holder}",
        hint="another process took it over; this one must stop",
    )


def lost_attempt(attempt: Attempt) -> Fenced:
    """The refusal of a write by an ended attempt."""
    return Fenced(
        f"attempt {attempt.id} of {attempt.lease.holder} was ended",
        hint="its trials were taken over; this result is not recorded",
    )


def taken(trial_id: str, holder: Holder) -> Fenced:
    """The refusal to start a trial that runs elsewhere."""
    return Fenced(f"trial {trial_id} is being run by {holder}", hint="start another one")


def no_study(name: str) -> StoreError:
    """The refusal of an unknown study."""
    return StoreError(f"there is no study '{name}'", hint="list them with: justright studies")


def no_trial(trial_id: str) -> StoreError:
    """The refusal of an unknown trial."""
    return StoreError(f"there is no trial {trial_id!r} in this study", hint="plan it first")


def final_trial(trial_id: str, state: TrialState) -> StoreError:
    """The refusal to start or change a final trial."""
    hint = "its result is kept" if state is TrialState.DONE else "retry it first"
    return StoreError(f"trial {trial_id} is {state.value} already", hint=hint)


def check_spec(spec: TrialSpec) -> None:
    """Refuse specs whose labels or numbers cannot be stored."""
    for what in ("kind", "subject", "stage", "partition"):
        check_text(what, getattr(spec, what))
    for what in ("seed", "steps"):
        number = getattr(spec, what)
        if not isinstance(number, int) or not -(2**63) <= number < 2**63:
            raise StoreError(
                f"{what} of a trial must be a whole number of 64 bits, got {number!r}"
            )


def check_final(trial_id: str, state: TrialState) -> None:
    """Refuse to finish a trial with a state that is not an end."""
    if not state.final:
        raise StoreError(
            f"trial {trial_id} cannot finish as {state.value!r}",
            hint="finish with done, failed or cut",
        )


def check_ids(trial_ids: Sequence[str]) -> tuple[str, ...]:
    """The ids of an attempt: at least one, none twice."""
    ids = tuple(trial_ids)
    if not ids or len(set(ids)) != len(ids):
        raise StoreError(f"an attempt needs different trials, got {list(ids)!r}")
    return ids


def check_points(steps: Any, values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Points as steps int64 [n] and values float64 [n]; steps from 0 and below 2**62."""
    try:
        s = np.atleast_1d(np.asarray(steps))
        v = np.atleast_1d(np.asarray(values))
    except ValueError as error:
        raise StoreError(f"a curve takes numbers, got {values!r}") from error
    if s.size == 0 and v.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    if v.dtype.kind not in "fiub":
        raise StoreError(f"a curve takes numbers, got {values!r}")
    if s.ndim != 1 or s.shape != v.shape or s.dtype.kind not in "iu":
        raise StoreError(f"a curve needs whole steps and as many values, got {s.shape}, {v.shape}")
    if s.min() < 0 or s.max() >= MAX_STEP:
        raise StoreError(f"steps must be from 0 to 2**62 - 1, got {s.min()} to {s.max()}")
    return s.astype(np.int64), v.astype(np.float64)


def check_histogram(histogram: Histogram) -> Histogram:
    """A copy with the right types; refuses shapes that do not fit each other."""
    edges = np.array(histogram.edges, dtype=np.float64)
    counts = np.array(histogram.counts, dtype=np.int64)
    if edges.ndim != 1 or counts.ndim != 1 or edges.size != counts.size + 1 or not counts.size:
        raise StoreError(
            f"a histogram of {counts.shape} counts cannot have {edges.shape} edges",
            hint="pass one edge more than counts",
        )
    check_points([histogram.step], [0.0])
    return Histogram(int(histogram.step), edges, counts)


def summary_of(steps: np.ndarray, values: np.ndarray) -> CurveSummary:
    """The summary of at least one point."""
    finite = values[np.isfinite(values)]
    # Dividing first keeps the sum of huge values finite; the mean itself is always representable.
    mean = float((finite / finite.size).sum()) if finite.size else math.nan
    return CurveSummary(
        first=int(steps[0]),
        last_step=int(steps[-1]),
        points=int(steps.size),
        low=float(finite.min()) if finite.size else math.nan,
        high=float(finite.max()) if finite.size else math.nan,
        mean=mean,
        last=float(values[-1]),
    )


def idea_id(study: str, idea: Idea) -> str:
    """What names an idea: its study, title, slot and patch, not what was predicted."""
    return fingerprint(
        {"study": study, "title": idea.title, "slot": idea.slot, "patch": to_document(idea.patch)}
    )


def check_prediction_time(idea: Idea, verdicts: Sequence[Verdict]) -> None:
    """Refuse a prediction made after the outcome was known."""
    known = [verdict.word for verdict in verdicts if verdict.word != "not run"]
    if known:
        raise StoreError(
            f"idea '{idea.title}' was judged ({known[-1]}): too late for another prediction",
            hint="predictions are frozen before the first run",
        )


def idea_of(document: Mapping[str, Any], prediction: Prediction) -> Idea:
    """The idea with its newest prediction."""
    try:
        return from_document(Idea, {**document, "prediction": to_document(prediction)})
    except (ValueError, TypeError) as error:
        raise damaged(str(document)) from error


def splice(pieces: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """The curve of several attempts, oldest first: each counts until the next one's first step.

    >>> s, v = splice([(np.array([1, 2, 3]), np.array([1.0, 2.0, 3.0])),
    ...                (np.array([2, 4]), np.array([20.0, 40.0]))])
    >>> s.tolist(), v.tolist()
    ([1, 2, 4], [1.0, 20.0, 40.0])
    """
    steps, values = np.empty(0, np.int64), np.empty(0, np.float64)
    for s, v in pieces:
        if s.size:
            keep = steps < s[0]
            steps, values = np.concatenate([steps[keep], s]), np.concatenate([values[keep], v])
    return steps, values
