"""What all tests share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Shipped contract suites are tests too: their asserts should tell what they saw.
pytest.register_assert_rewrite("justright.testing")

# The same examples in every run, so that a red run is about a change; to hunt for new ones:
# HYPOTHESIS=random python -m pytest ...
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS", "same"))

# A job in the background ignores Ctrl-C, and so do all processes that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _denormals() -> Iterator[None]:
    """Training in this process flushes denormals; the next test may want to see them."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
