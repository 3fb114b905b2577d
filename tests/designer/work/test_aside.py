"""A fault of something that is only looked at costs nothing but that look."""

from __future__ import annotations

import pytest

from justright.designer.work.aside import aside
from justright.designer.work.crew import Interrupted
from justright.designer.work.session import Session


def test_a_fault_becomes_a_finding(session: Session) -> None:
    def look() -> None:
        raise ZeroDivisionError("nothing to divide by")

    aside(session, "health", look)
    (finding,) = session.store.ledger.findings("s")
    assert finding.code == "check-failed"
    assert "health could not be looked at: ZeroDivisionError" in finding.message


@pytest.mark.parametrize("end", [Interrupted, KeyboardInterrupt])
def test_an_end_that_the_user_asks_for_is_one(session: Session, end: type[BaseException]) -> None:
    def look() -> None:
        raise end

    with pytest.raises(end):
        aside(session, "health", look)
    assert session.store.ledger.findings("s") == ()
