"""Trial specs as rows: the recipe, which many trials share, is kept and decoded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select

from justright.core.codec import fingerprint
from justright.core.trial import Trial, TrialSpec, TrialState
from justright.store import rules
from justright.store.sql.tables import recipes, trials

_NO_OUTCOME = '{"result":{},"reason":""}'
_MANY = 500
"""Ids in one query; above, the whole study is read (SQLite takes 32,766 parameters at most)."""


def insert_specs(connection: Connection, study: int, specs: Mapping[str, TrialSpec]) -> None:
    """Insert planned trials by id; none of them may be known."""
    if not specs:
        return
    for spec in specs.values():
        rules.check_spec(spec)
    # Marked by the text and not by the recipe: the order of keys must come back as it was given.
    texts = {name: rules.text_of(spec.recipe) for name, spec in specs.items()}
    marks = {text: fingerprint(text) for text in set(texts.values())}
    query = select(recipes.c.fingerprint, recipes.c.id).where(recipes.c.study_id == study)
    rows = {row.fingerprint: row.id for row in connection.execute(query)}
    fresh = {mark: text for text, mark in marks.items() if mark not in rows}
    if fresh:
        values = [{"study_id": study, "fingerprint": m, "document": t} for m, t in fresh.items()]
        connection.execute(insert(recipes), values)
        rows = {row.fingerprint: row.id for row in connection.execute(query)}
    values = [
        {
            "study_id": study,
            "name": name,
            "kind": spec.kind,
            "subject": spec.subject,
            "stage": spec.stage,
            "recipe_id": rows[marks[texts[name]]],
            "partition": spec.partition,
            "seed": spec.seed,
            "steps": spec.steps,
            "state": TrialState.PLANNED.value,
        }
        for name, spec in specs.items()
    ]
    connection.execute(insert(trials), values)


def read_trials(
    connection: Connection,
    study: int,
    ids: Sequence[str] | None = None,
    *,
    stage: str | None = None,
) -> dict[str, Trial]:
    """Trials by id, as they were planned: all, those of a stage, or those of some ids."""
    c = trials.c
    query = select(
        *(c.name, c.kind, c.subject, c.stage, c.recipe_id),
        *(c.partition, c.seed, c.steps, c.state, c.outcome),
    ).where(c.study_id == study)
    if stage is not None:
        query = query.where(c.stage == stage)
    if ids is not None and len(ids) <= _MANY:
        query = query.where(c.name.in_(ids))
    rows = connection.execute(query.order_by(c.id)).all()
    if ids is not None and len(ids) > _MANY:
        wanted = frozenset(ids)
        rows = [row for row in rows if row[0] in wanted]
    texts = _recipes(connection, study, {row[4] for row in rows})
    states = {state.value: state for state in TrialState}
    # One text for all outcomes: a call of the decoder costs more than most documents.
    ends = rules.document_of(f"[{','.join(row[9] or _NO_OUTCOME for row in rows)}]")
    found = {}
    for row, end in zip(rows, ends, strict=True):
        name, kind, subject, at, recipe, partition, seed, steps, state, _ = row
        spec = TrialSpec(kind, subject, at, texts[recipe], partition, seed, steps)
        try:
            found[name] = Trial(spec, states[state], end["result"], end["reason"])
        except (KeyError, TypeError) as error:
            raise rules.damaged(f"trial {name}, {state}") from error
    return found


def _recipes(connection: Connection, study: int, rows: set[int]) -> dict[int, dict]:
    query = select(recipes.c.id, recipes.c.document).where(recipes.c.study_id == study)
    if len(rows) <= _MANY:
        query = query.where(recipes.c.id.in_(rows))
    return {row.id: rules.document_of(row.document) for row in connection.execute(query)}
