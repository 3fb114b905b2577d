"""The ledger in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, final

from justright.core.codec import fingerprint, from_document
from justright.core.decision import Decision
from justright.core.finding import Finding
from justright.store import rules
from justright.store.base import AbstractLedger
from justright.store.memory.state import State


@final
class MemoryLedger(AbstractLedger):
    """Decisions and findings by fingerprint, facts as lists of texts."""

    def __init__(self, state: State) -> None:
        self._state = state

    def decide(self, study: str, decision: Decision) -> None:
        with self._state.lock:
            rows = self._state.study(study).decisions
            rows.setdefault(fingerprint(decision), from_document(Decision, rules.copied(decision)))

    def decisions(self, study: str) -> tuple[Decision, ...]:
        with self._state.lock:
            rows = self._state.study(study).decisions.values()
            return tuple(from_document(Decision, rules.copied(row)) for row in rows)

    def find(self, study: str, findings: Sequence[Finding]) -> None:
        with self._state.lock:
            rows = self._state.study(study).findings
            for finding in findings:
                copy = from_document(Finding, rules.copied(finding))
                rows.setdefault(fingerprint(finding), copy)

    def findings(self, study: str) -> tuple[Finding, ...]:
        with self._state.lock:
            rows = self._state.study(study).findings.values()
            return tuple(from_document(Finding, rules.copied(row)) for row in rows)

    def put(self, study: str, key: str, document: Any) -> int:
        rules.check_name("fact", key)
        text = rules.text_of(document)
        with self._state.lock:
            versions = self._state.study(study).facts.setdefault(key, [])
            if not versions or versions[-1] != text:
                versions.append(text)
            return len(versions)

    def fact(self, study: str, key: str) -> Any:
        with self._state.lock:
            versions = self._state.study(study).facts.get(key)
            return json.loads(versions[-1]) if versions else None

    def facts(self, study: str) -> Mapping[str, Any]:
        with self._state.lock:
            rows = self._state.study(study).facts
            return {key: json.loads(versions[-1]) for key, versions in sorted(rows.items())}

    def history(self, study: str, key: str) -> tuple[Any, ...]:
        with self._state.lock:
            versions = self._state.study(study).facts.get(key, [])
            return tuple(json.loads(text) for text in versions)
