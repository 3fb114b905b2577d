"""Ideas in memory."""

from __future__ import annotations

from typing import final

from justright.core.codec import from_document, to_document
from justright.core.errors import StoreError
from justright.core.idea import Idea, Prediction, Verdict
from justright.store import rules
from justright.store.base import AbstractIdeas
from justright.store.memory.state import IdeaRow, State
from justright.store.records import IdeaRecord


@final
class MemoryIdeas(AbstractIdeas):
    """Ideas in a dict per study."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, study: str, idea: Idea) -> str:
        name = rules.idea_id(study, idea)
        with self._state.lock:
            ideas = self._state.study(study).ideas
            prediction = from_document(Prediction, rules.copied(idea.prediction))
            if name not in ideas:
                ideas[name] = IdeaRow(rules.copied(idea), [], self._state.clock())
            row = ideas[name]
            if not row.predictions or row.predictions[-1] != prediction:
                rules.check_prediction_time(idea, row.verdicts)
                row.predictions.append(prediction)
        return name

    def judge(self, idea_id: str, verdict: Verdict) -> None:
        with self._state.lock:
            row = self._row(idea_id)
            copy = from_document(Verdict, rules.copied(verdict))
            if not row.verdicts or rules.text_of(row.verdicts[-1]) != rules.text_of(copy):
                row.verdicts.append(copy)

    def list(self, study: str) -> tuple[IdeaRecord, ...]:
        with self._state.lock:
            rows = self._state.study(study).ideas
            return tuple(_record(name, row) for name, row in rows.items())

    def _row(self, idea_id: str) -> IdeaRow:
        for study in self._state.studies.values():
            if idea_id in study.ideas:
                return study.ideas[idea_id]
        raise StoreError(f"there is no idea {idea_id!r}", hint="add it first")


def _record(name: str, row: IdeaRow) -> IdeaRecord:
    return IdeaRecord(
        name,
        rules.idea_of(rules.copied(row.document), row.predictions[-1]),
        tuple(row.predictions),
        tuple(from_document(Verdict, rules.copied(to_document(v))) for v in row.verdicts),
        row.created,
    )
