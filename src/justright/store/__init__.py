"""Where studies, trials, curves, ideas and decisions are kept."""

from justright.store.base import AbstractStore
from justright.store.holder import Holder, this_process

__all__ = ["AbstractStore", "Holder", "this_process"]
