"""The one cost model: what a step of a stack costs, and how many candidates a chunk should hold.

Backends cut stacks into chunks by the `USUAL` figures, so that a candidate's rounding does not
depend on how busy the machine was; planning predicts seconds by figures measured on the spot
(`training.calibrate`). It needs no torch, so that planning can do without.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from justright.engine.contract import Cost, Program
from justright.recipe.network import NetworkSpec, Shape, parameter_count, tensor_shapes

CHUNKS = (1, 2, 4, 8, 16, 24, 32, 40)
"""Sizes to choose from; beyond 40 nothing was gained (measured)."""

WORTH = 0.05
"""A larger chunk must be predicted this much faster (assumption: its spans are coarser)."""

CACHE = 1 << 20
"""Bytes of one core's second cache (measured machine; most servers have 1 to 2 MiB)."""

COSTLY = {"relu": 0, "leaky_relu": 0, "prelu": 2, "rrelu": 4, "tanh": 4, "sigmoid": 4}
"""What an activation takes, in numbers read and written per unit; 5 where not listed, which holds
for those that need an exponential (measured roughly)."""


OF_MEMBERS, AT_ENTRY, AT_HEAD = 20, 9, 6
"""What members add: calls, and numbers read and written per factor of the first matrices and per
unit in front of the heads (measured roughly)."""

AUTOGRAD = ("prelu", "rrelu")
"""Activations with learned or drawn parts, whose derivative is not written out."""


@dataclass(frozen=True)
class Work:
    """One candidate's share of a step of its chunk.

    Attributes:
        operations: Calls of tensor operations.
        products: Multiply-adds in matrix products.
        near, far: Numbers read and written while the chunk fits the cache, and while it does not.
    """

    operations: float
    products: float
    near: float
    far: float


def work_of(program: Program, chunk: float) -> Work:
    """The work of one candidate's step in a chunk of some (mean) size."""
    net, shape = program.net, program.net.shape
    parameters, layers = parameter_count(net), len(shape.hidden)
    units = sum(shape.hidden) * (2 if shape.body == "residual" else 1)
    operations = 40.0 + 12.0 * layers
    if not written_out(shape):
        operations = 1.6 * operations + 12.0 * layers * (shape.normaliser != "none")
    embedded = 0
    if shape.numbers != "none":
        operations += 30.0
        embedded = net.inputs.numbers * shape.bins
    if net.inputs.categories:
        operations += 15.0
    per_unit = 8 + COSTLY.get(shape.activation, 5)
    members, spread = shape.members, 0
    of_member = units * per_unit + net.inputs.outputs * 8
    if members > 1:
        operations += OF_MEMBERS
        of_member += AT_HEAD * shape.hidden[-1]
        spread = members * net.body_inputs * shape.hidden[0]  # each has a first matrix of its own
    activations = net.body_inputs * 2 + members * of_member + embedded * 12
    numbers = float(program.batch * activations + parameters * 12 + spread * AT_ENTRY)
    held = program.batch * (members * units + net.body_inputs) + 5 * parameters + 2 * spread
    fits = min(1.0, CACHE / (4 * chunk * held))
    return Work(
        operations=operations / chunk,
        products=3.0 * program.batch * multiplied(net),
        near=numbers * fits,
        far=numbers * (1.0 - fits),
    )


def multiplied(net: NetworkSpec) -> int:
    """Multiply-adds of the products that one row takes part in: the body's for each member.

    >>> from justright.recipe.network import Inputs
    >>> alone, both = Shape(hidden=(50, 50)), Shape(hidden=(50, 50), members=2)
    >>> inputs = Inputs(3, 0, (), 1)
    >>> multiplied(NetworkSpec(both, inputs)) / multiplied(NetworkSpec(alone, inputs)) > 1.9
    True
    """
    shared = (
        prod(shape)
        for name, shape in tensor_shapes(net).items()
        if name.partition(".")[0] in ("stem", "layers", "norm")
    )
    tables = sum(net.inputs.categories) * net.shape.category_width
    return parameter_count(net) - tables + (net.shape.members - 1) * sum(shared)


@dataclass(frozen=True)
class CostModel:
    """Seconds of each kind of work; its JSON form is that of `core.codec`.

    Attributes:
        operation_s: Seconds of a call.
        product_s: Seconds of a multiply-add.
        near_s: Seconds of a number in the cache.
        far_s: Seconds of a number beyond it.
    """

    operation_s: float = 8e-6
    product_s: float = 1.7e-11
    near_s: float = 1.5e-10
    far_s: float = 3.5e-10

    def step_s(self, program: Program, chunk: float) -> float:
        """Seconds of one candidate's step in a chunk of some size."""
        work = work_of(program, chunk)
        return (
            self.operation_s * work.operations
            + self.product_s * work.products
            + self.near_s * work.near
            + self.far_s * work.far
        )

    def chunk(self, program: Program, k: int) -> int:
        """Candidates a chunk should hold: small networks many, large ones few."""
        best = 1
        for size in CHUNKS:
            usable = max(1, min(size, k))
            if self.step_s(program, usable) < (1.0 - WORTH) * self.step_s(program, best):
                best = usable
        return best

    def cost(self, program: Program, k: int) -> Cost:
        """Predicted cost of one candidate among ``k``."""
        chunk = self.chunk(program, k)
        net = program.net
        weights = parameter_count(net)
        units = net.shape.members * sum(net.shape.hidden) + net.body_inputs
        row = self.product_s * multiplied(net) + self.far_s * 3 * units
        width = 8 if program.dtype == "float64" else 4
        memory = width * (7 * weights + 4 * program.batch * units)
        return Cost(self.step_s(program, chunk), row, memory)


USUAL = CostModel()
"""Measured on one core of a busy 2.5 GHz Cascade Lake server."""


def written_out(shape: Shape) -> bool:
    """Whether a body's derivative is written out; others pay for autograd."""
    plain = shape.body == "mlp" and shape.normaliser == "none"
    return plain and shape.activation not in AUTOGRAD


def mean_chunk(program: Program, k: int) -> float:
    """Candidates of a chunk when a stack of ``k`` is cut as backends cut it."""
    return k / -(-k // USUAL.chunk(program, k))
