"""Studies in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import final

from justright.core.study import StudyHead
from justright.core.trial import Lease
from justright.store import rules
from justright.store.base import LEASE_S, AbstractStudies
from justright.store.holder import Holder
from justright.store.memory.state import State, StudyRow


@final
class MemoryStudies(AbstractStudies):
    """Studies in a dict."""

    def __init__(self, state: State) -> None:
        self._state = state

    def open(self, head: StudyHead, holder: Holder, lease_s: float = LEASE_S) -> Lease:
        rules.check_name("study", head.name)
        with self._state.lock:
            now = self._state.clock()
            row = self._state.studies.get(head.name)
            if row is None:
                row = StudyRow(replace(head, settings=rules.copied(head.settings)))
                self._state.studies[head.name] = row
            rules.check_same_study(row.head, head)
            if row.holder is not None and not rules.is_free(row.holder, row.expires, now):
                raise rules.busy(head.name, row.holder)
            for attempt in row.attempts.values():
                row.end(attempt)
            row.token, row.holder, row.expires = row.token + 1, holder, now + lease_s
            return Lease(head.name, row.token, str(holder), row.expires)

    def heartbeat(self, lease: Lease, lease_s: float = LEASE_S) -> Lease:
        with self._state.lock:
            row = self._state.studies.get(lease.subject)
            if row is None or row.holder is None or row.token != lease.token:
                raise rules.lost_study(lease)
            row.expires = self._state.clock() + lease_s
            return replace(lease, expires=row.expires)

    def release(self, lease: Lease) -> None:
        with self._state.lock:
            row = self._state.studies.get(lease.subject)
            if row is not None and row.token == lease.token:
                row.holder = None

    def holder(self, name: str) -> Lease | None:
        with self._state.lock:
            row = self._state.study(name)
            if row.holder is None or rules.is_free(row.holder, row.expires, self._state.clock()):
                return None
            return Lease(name, row.token, str(row.holder), row.expires)

    def heads(self) -> tuple[StudyHead, ...]:
        with self._state.lock:
            heads = [_copy(row.head) for row in self._state.studies.values()]
        return tuple(sorted(heads, key=lambda head: (-head.created, head.name)))

    def head(self, name: str) -> StudyHead | None:
        with self._state.lock:
            row = self._state.studies.get(name)
            return None if row is None else _copy(row.head)

    def remove(self, name: str) -> None:
        with self._state.lock:
            row = self._state.study(name)
            if row.holder and not rules.is_free(row.holder, row.expires, self._state.clock()):
                raise rules.busy(name, row.holder)
            del self._state.studies[name]
            parcels = self._state.parcels
            for number in [n for n, (parcel, _, _) in parcels.items() if parcel.study == name]:
                del parcels[number]


def _copy(head: StudyHead) -> StudyHead:
    return replace(head, settings=rules.copied(head.settings))
