"""Training in a process that belongs to somebody else, which is left as it was found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from justright.training.request import MemberResult, TrainRequest
from justright.training.run import train_stack


def train_as_guest(
    request: TrainRequest, report: Callable[[Any], None]
) -> tuple[MemberResult, ...]:
    """Do what `train_stack` does, and give the process its threads and small numbers back.

    A worker trains on one thread and takes denormal numbers for zero for good; in a notebook both
    would change what other code computes, and how fast.

    Args:
        request: What to train.
        report: As for `train_stack`.
    """
    with as_found():
        return train_stack(request, report)


@contextmanager
def as_found() -> Iterator[None]:
    """Restore the number of threads, and whether denormal numbers are flushed to zero.

    >>> with as_found():
    ...     _ = torch.set_flush_denormal(True)
    >>> flushes_denormals()
    False
    """
    threads, flushed = torch.get_num_threads(), flushes_denormals()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)


def flushes_denormals() -> bool:
    """Whether this thread takes denormal numbers for zero; PyTorch cannot be asked."""
    return sys.float_info.min / 2 == 0.0
