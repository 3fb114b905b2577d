"""The torch backend passes the contract, at every size of chunk."""

from __future__ import annotations

import pytest

from justright.engine.contract import Backend, Program
from justright.engine.cost import CostModel
from justright.engine.torch_stack.backend import TorchBackend
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec
from justright.testing.backend_health import WatchedContract
from justright.testing.backends import BATCH, MembersContract


class OneByOne(CostModel):
    """Puts every candidate into a chunk of its own."""

    def chunk(self, program: Program, k: int) -> int:
        return 1


class InPairs(CostModel):
    """Two candidates a chunk."""

    def chunk(self, program: Program, k: int) -> int:
        return 2


class TestStacked(WatchedContract):
    def backend(self) -> Backend:
        return TorchBackend()


class TestOneByOne(WatchedContract):
    def backend(self) -> Backend:
        return TorchBackend(OneByOne())


class TestInPairs(WatchedContract):
    def backend(self) -> Backend:
        return TorchBackend(InPairs())


class TestMembers(MembersContract):
    def backend(self) -> Backend:
        return TorchBackend()


class TestMembersOneByOne(MembersContract):
    def backend(self) -> Backend:
        return TorchBackend(OneByOne())


def make_program(shape: Shape, inputs: Inputs) -> Program:
    return Program(NetworkSpec(shape, inputs), LossSpec(), "adamw", BATCH)


@pytest.mark.parametrize(
    ("shape", "inputs", "word"),
    [
        (Shape(hidden=()), Inputs(3, 0, (), 2), "hidden"),
        (Shape(body="residual", hidden=(4, 8)), Inputs(3, 0, (), 2), "width"),
        (Shape(), Inputs(0, 0, (), 2), "inputs"),
        (Shape(numbers="periodic", number_width=1), Inputs(3, 0, (), 2), "periodic"),
        (Shape(), Inputs(3, 0, (), 0), "outputs"),
        (Shape(members=0), Inputs(3, 0, (), 2), "member"),
    ],
)
def test_what_cannot_run_is_refused_with_a_reason(shape: Shape, inputs: Inputs, word: str) -> None:
    reason = TorchBackend().accepts(make_program(shape, inputs))
    assert reason is not None
    assert word in reason
