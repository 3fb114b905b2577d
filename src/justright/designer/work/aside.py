"""What is looked at beside the study's own work: a fault there must not cost the study."""

from __future__ import annotations

from collections.abc import Callable

from justright.core.finding import Finding, Severity
from justright.designer.work.crew import Interrupted
from justright.designer.work.session import Session


def aside(session: Session, what: str, look: Callable[[], None]) -> None:
    """Look at something; a fault becomes a finding, as one of the audit does.

    Args:
        session: The study at work.
        what: What is looked at, for people.
        look: Looks, and records what it saw.

    Raises:
        Interrupted: If the user ended the study meanwhile.
    """
    try:
        look()
    except Interrupted:
        raise
    except Exception as error:  # any fault of a look, whatever it is
        session.store.ledger.find(
            session.name,
            [
                Finding(
                    "check-failed",
                    Severity.NOTE,
                    f"{what} could not be looked at: {type(error).__name__}: {error}",
                    "the study goes on without it",
                )
            ],
        )
