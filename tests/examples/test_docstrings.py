"""The examples in the docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import justright

SKIPPED = {"justright._worker", "justright.baselines.boosting_lightgbm"}
"""A program, and a module of an optional package."""

MODULES = [
    found.name
    for found in pkgutil.walk_packages(justright.__path__, "justright.")
    if found.name not in SKIPPED
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name: str) -> None:
    failures, _ = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failures == 0
