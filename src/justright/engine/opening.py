"""The backends this package has."""

from __future__ import annotations

from justright.engine.contract import Backend
from justright.engine.torch_stack.backend import TorchBackend


def backends() -> tuple[Backend, ...]:
    """Every backend, the preferred one first; a new one is a line here.

    >>> [backend.name for backend in backends()]
    ['torch']
    """
    return (TorchBackend(),)
