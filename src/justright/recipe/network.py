"""The shape of a network, complete enough to build it, count it and name its tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

ActivationName = Literal[
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "tanh",
    "sigmoid",
    "softplus",
    "rrelu",
    "prelu",
]
Body = Literal["mlp", "residual"]
Normaliser = Literal["none", "layer", "batch"]
NumberEmbedding = Literal["none", "periodic", "piecewise"]
DropoutKind = Literal["plain", "alpha"]


@dataclass(frozen=True)
class Shape:
    """The part of a network that a recipe chooses, independent of the data.

    Attributes:
        body: Plain multi-layer perceptron, or residual blocks.
        hidden: Width of each hidden layer; a residual body has one equal width per block.
        activation: Non-linearity; brings its own initialisation, and its kind of dropout.
        normaliser: Normalisation of each hidden layer, before its activation.
        numbers: Embedding of number columns.
        bins: Bins of the piecewise-linear embedding, or frequencies of the periodic one.
        number_width: Embedded numbers per number column (the raw value counts as one of them
            in the periodic embedding).
        sigma: Standard deviation of the periodic frequencies.
        category_width: Width of each category's embedding.
        scale_layer: A learned factor per input in front of the body (Holzmüller et al. 2024).
        dropout: Kind of dropout, None = by the activation (`dropout_kind`); its rate is a
            control, not a shape.
        members: Networks in one, which share all but a factor per input and the head (TabM-mini,
            Gorishniy et al. 2024); their predictions are averaged. 1 = a plain network.
    """

    body: Body = "mlp"
    hidden: tuple[int, ...] = (128, 128)
    activation: ActivationName = "relu"
    normaliser: Normaliser = "none"
    numbers: NumberEmbedding = "none"
    bins: int = 16
    number_width: int = 4
    sigma: float = 0.1
    category_width: int = 8
    scale_layer: bool = True
    dropout: DropoutKind | None = None
    members: int = 1

    @property
    def dropout_kind(self) -> DropoutKind:
        """The kind of dropout: the one asked for, or else the one that suits the activation.

        The alpha kind keeps mean and variance where SELU keeps them, so in a plain perceptron
        without a normaliser only (Klambauer et al. 2017).

        >>> Shape(activation="selu").dropout_kind, Shape(activation="relu").dropout_kind
        ('alpha', 'plain')
        """
        if self.dropout is not None:
            return self.dropout
        itself = (self.activation, self.body, self.normaliser) == ("selu", "mlp", "none")
        return "alpha" if itself else "plain"


@dataclass(frozen=True)
class Inputs:
    """What a network receives and must return; known once the data are encoded.

    Attributes:
        numbers: Leading columns of ``x`` that may be embedded.
        indicators: Trailing columns of ``x`` (one-hot, missing flags, text components).
        categories: Rows of each embedding table, row 0 for unseen values.
        outputs: Numbers returned for a row.
    """

    numbers: int
    indicators: int
    categories: tuple[int, ...]
    outputs: int


@dataclass(frozen=True)
class NetworkSpec:
    """A network, complete: what `nets` builds and what the model folder stores."""

    shape: Shape
    inputs: Inputs

    @property
    def body_inputs(self) -> int:
        """Width of the vector that enters the body."""
        per_number = 1 if self.shape.numbers == "none" else self.shape.number_width
        return (
            self.inputs.numbers * per_number
            + self.inputs.indicators
            + len(self.inputs.categories) * self.shape.category_width
        )


def tensor_shapes(spec: NetworkSpec) -> dict[str, tuple[int, ...]]:
    """Name and shape of every learned tensor of one network, in layout order.

    The one place that fixes the layout of weights: nets, optimisers, the deployed file and the
    count of parameters all follow it. Matrices are ``[inputs, outputs]``: ``y = x @ W + b``.

    >>> spec = NetworkSpec(Shape(hidden=(4,), scale_layer=False), Inputs(3, 0, (), 1))
    >>> tensor_shapes(spec)["layers.0.weight"]
    (3, 4)

    Of members, only the factors of the inputs and the heads are their own:

    >>> spec = NetworkSpec(Shape(hidden=(4,), scale_layer=False, members=8), Inputs(3, 0, (), 1))
    >>> {n: s for n, s in tensor_shapes(spec).items() if s[0] == 8}
    {'members.scale': (8, 3), 'head.weight': (8, 4, 1), 'head.bias': (8, 1)}
    """
    shape, inputs = spec.shape, spec.inputs
    shapes: dict[str, tuple[int, ...]] = {}
    for index, rows in enumerate(inputs.categories):
        shapes[f"categories.{index}.weight"] = (rows, shape.category_width)
    if shape.numbers == "periodic" and inputs.numbers:
        learned = shape.number_width - 1
        shapes["numbers.frequency"] = (inputs.numbers, shape.bins)
        shapes["numbers.phase"] = (inputs.numbers, shape.bins)
        shapes["numbers.weight"] = (inputs.numbers, shape.bins, learned)
        shapes["numbers.bias"] = (inputs.numbers, learned)
    elif shape.numbers == "piecewise" and inputs.numbers:
        shapes["numbers.weight"] = (inputs.numbers, shape.bins, shape.number_width)
        shapes["numbers.bias"] = (inputs.numbers, shape.number_width)
    if shape.scale_layer:
        shapes["scale"] = (spec.body_inputs,)
    if shape.members > 1:
        shapes["members.scale"] = (shape.members, spec.body_inputs)
    shapes.update(_body_shapes(spec))
    return shapes


def buffer_shapes(spec: NetworkSpec) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that is kept but not learned by gradient.

    ``numbers.edges`` are the bin edges of the piecewise embedding (set from training rows);
    ``norm.i.mean`` and ``norm.i.var`` are batch-normalisation statistics.
    """
    shape, inputs = spec.shape, spec.inputs
    shapes: dict[str, tuple[int, ...]] = {}
    if shape.numbers == "piecewise" and inputs.numbers:
        shapes["numbers.edges"] = (inputs.numbers, shape.bins + 1)
    if shape.normaliser == "batch":
        for index, width in enumerate(shape.hidden):
            shapes[f"norm.{index}.mean"] = (width,)
            shapes[f"norm.{index}.var"] = (width,)
    return shapes


def stacked_shapes(spec: NetworkSpec, networks: int) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of one network, or of several that are stored as one stack.

    >>> spec = NetworkSpec(Shape(hidden=(4,), scale_layer=False), Inputs(3, 0, (), 1))
    >>> stacked_shapes(spec, 5)["layers.0.weight"]
    (5, 3, 4)
    """
    first = () if networks == 1 else (networks,)
    shapes = tensor_shapes(spec) | buffer_shapes(spec)
    return {name: (*first, *shape) for name, shape in shapes.items()}


def networks_in(spec: NetworkSpec, shapes: Mapping[str, Sequence[int]]) -> int:
    """How many networks tensors of such shapes hold: 1, or as many as are stacked.

    >>> spec = NetworkSpec(Shape(), Inputs(3, 0, (), 1))
    >>> networks_in(spec, {"head.bias": (1,)}), networks_in(spec, {"head.bias": (5, 1)})
    (1, 5)
    """
    bias, single = shapes.get("head.bias", ()), 2 if spec.shape.members > 1 else 1
    return bias[0] if len(bias) > single else 1


def parameter_count(spec: NetworkSpec) -> int:
    """Number of learned weights."""
    return sum(prod(shape) for shape in tensor_shapes(spec).values())


def _body_shapes(spec: NetworkSpec) -> dict[str, tuple[int, ...]]:
    """Layers of the body and the head.

    A residual body is a first projection ``stem`` and, for each block, ``y = y + W2 drop(act(W1
    norm(y)))``; its `normaliser` has one entry per block, on the block's input.
    """
    shape = spec.shape
    shapes: dict[str, tuple[int, ...]] = {}
    width = spec.body_inputs
    if shape.body == "residual":
        shapes["stem.weight"] = (width, shape.hidden[0])
        shapes["stem.bias"] = (shape.hidden[0],)
        width = shape.hidden[0]
    for index, units in enumerate(shape.hidden):
        if shape.body == "residual":
            shapes[f"layers.{index}.weight"] = (width, units)
            shapes[f"layers.{index}.bias"] = (units,)
            shapes[f"layers.{index}.out.weight"] = (units, width)
            shapes[f"layers.{index}.out.bias"] = (width,)
        else:
            shapes[f"layers.{index}.weight"] = (width, units)
            shapes[f"layers.{index}.bias"] = (units,)
            width = units
        if shape.normaliser != "none":
            shapes[f"norm.{index}.gain"] = (units,)
            shapes[f"norm.{index}.bias"] = (units,)
        if shape.activation == "prelu":
            shapes[f"layers.{index}.slope"] = (units,)
    own = (shape.members,) if shape.members > 1 else ()
    shapes["head.weight"] = (*own, width, spec.inputs.outputs)
    shapes["head.bias"] = (*own, spec.inputs.outputs)
    return shapes
