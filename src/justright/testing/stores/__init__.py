"""The contract suite of stores: subclass `StoreContract`, say how yours is opened, run pytest."""

from justright.testing.stores.case import Clock
from justright.testing.stores.notes import (
    CheckpointsContract,
    IdeasContract,
    LedgerContract,
    OutboxContract,
)
from justright.testing.stores.series import CurvesContract, HistogramsContract
from justright.testing.stores.studies import StudiesContract
from justright.testing.stores.trials import TrialsContract

__all__ = ["Clock", "StoreContract"]


class StoreContract(
    StudiesContract,
    TrialsContract,
    CurvesContract,
    HistogramsContract,
    IdeasContract,
    LedgerContract,
    CheckpointsContract,
    OutboxContract,
):
    """Everything that `justright.store.base` promises, as tests."""
