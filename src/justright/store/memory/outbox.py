"""The outbox in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

from justright.store import rules
from justright.store.base import AbstractOutbox
from justright.store.memory.state import State
from justright.store.records import Parcel


@final
class MemoryOutbox(AbstractOutbox):
    """Parcels in a dict, each with the time it is due and whether it was sent."""

    def __init__(self, state: State) -> None:
        self._state = state

    def post(self, study: str, mirror: str, key: str, document: Mapping[str, Any]) -> None:
        rules.check_name("mirror", mirror)
        rules.check_name("message", key)
        with self._state.lock:
            self._state.study(study)
            parcels = self._state.parcels.values()
            if any((p.study, p.mirror, p.key) == (study, mirror, key) for p, _, _ in parcels):
                return
            self._state.posted += 1
            new = Parcel(self._state.posted, study, mirror, key, rules.copied(document))
            self._state.parcels[new.id] = (new, 0.0, False)

    def due(self, mirror: str, limit: int = 100) -> tuple[Parcel, ...]:
        with self._state.lock:
            now = self._state.clock()
            waiting = [
                replace(parcel, document=rules.copied(parcel.document))
                for parcel, at, sent in self._state.parcels.values()
                if parcel.mirror == mirror and not sent and at <= now
            ]
        return tuple(waiting[:limit])

    def sent(self, parcel: Parcel) -> None:
        with self._state.lock:
            if parcel.id in self._state.parcels:
                row, at, _ = self._state.parcels[parcel.id]
                self._state.parcels[parcel.id] = (row, at, True)

    def failed(self, parcel: Parcel, reason: str, retry_at: float) -> None:
        with self._state.lock:
            if parcel.id in self._state.parcels:
                row, _, sent = self._state.parcels[parcel.id]
                row = replace(row, tries=row.tries + 1, reason=reason)
                self._state.parcels[parcel.id] = (row, retry_at, sent)
