from __future__ import annotations

import pytest

from justright.core.errors import OptionError
from justright.executors.base import AbstractExecutor, Call
from justright.executors.inline import InlineExecutor
from justright.testing.executors import ExecutorContract


class TestInlineExecutor(ExecutorContract):
    def make(self) -> AbstractExecutor:
        return InlineExecutor()


@pytest.mark.parametrize("name", ["", "math", "math:", ":floor", "math:floor.x", "math:1"])
def test_malformed_function_names_are_refused(name: str) -> None:
    with pytest.raises(OptionError, match="can be named"):
        Call(name)
