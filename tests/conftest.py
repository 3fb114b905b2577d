"""What all tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

# Shipped contract suites are tests too: their asserts should tell what they saw.
pytest.register_assert_rewrite("justright.testing")


@pytest.fixture(autouse=True)
def _denormals() -> Iterator[None]:
    """Training in this process flushes denormals; the next test may want to see them."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
