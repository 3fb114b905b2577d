"""Trainings with a planted fault, and sound ones: what the checks of health are tried on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from justright.data.encoded import EncodedRows
from justright.engine.contract import Candidate, Weights
from justright.nets.initialise import initial_tensors
from justright.recipe.network import NetworkSpec
from justright.recipe.patch import Patch
from justright.recipe.recipe import Recipe
from justright.training.checkpoint import request_key, save
from justright.training.cost import program_of
from justright.training.judge import Judged, probe_rows
from justright.training.record import Record
from justright.training.request import MemberResult, TrainRequest
from justright.training.run import new_health, new_start, open_stack, train_stack

Tensors = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Fault:
    """A way to spoil a training.

    Attributes:
        code: Of the finding that it is to lead to; empty for trainings that are sound.
        changes: To the recipe, as those of a patch; numbers of the optimiser given as functions
            are applied to what the recipe has.
        start: Spoils the first values of the tensors.
    """

    code: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    start: Callable[[Tensors], Tensors] = dict

    def recipe(self, sound: Recipe) -> Recipe:
        """The recipe with the fault."""
        changes = {
            name: value(getattr(sound.optimiser, name.removeprefix("optimiser.")))
            if callable(value)
            else value
            for name, value in self.changes.items()
        }
        return Patch("fault", changes).apply(sound)


def _scaled(factor: float) -> Callable[[Tensors], Tensors]:
    """Start values with every hidden matrix larger or smaller."""
    return lambda tensors: {
        name: value * factor
        for name, value in tensors.items()
        if name.startswith("layers.") and name.endswith(".weight")
    }


def _silent(tensors: Tensors) -> Tensors:
    return {
        name: np.full_like(value, -10.0)
        for name, value in tensors.items()
        if name.startswith("layers.") and name.endswith(".bias")
    }


def _loud(tensors: Tensors) -> Tensors:
    return {"scale": np.full_like(tensors["scale"], 100.0)}


FAULTS: Mapping[str, Fault] = {
    "eight small sigmoid layers": Fault(
        "vanishing-gradients",
        {"shape.hidden": (32,) * 8, "shape.activation": "sigmoid"},
        _scaled(0.5),
    ),
    "ten ReLU layers, weights × 0.3": Fault(
        "vanishing-gradients",
        {"shape.hidden": (32,) * 10, "shape.activation": "relu"},
        _scaled(0.3),
    ),
    "ten ReLU layers, weights × 3": Fault(
        "exploding-gradients",
        {"shape.hidden": (32,) * 10, "shape.activation": "relu"},
        _scaled(3.0),
    ),
    "ReLU, bias −10": Fault("dead-units", {"shape.activation": "relu"}, _silent),
    "tanh, inputs × 100": Fault("saturated-units", {"shape.activation": "tanh"}, _loud),
    "sigmoid, inputs × 100": Fault("saturated-units", {"shape.activation": "sigmoid"}, _loud),
    "SGD, rate 30": Fault(
        "unstable", {"optimiser.rule": "sgd", "optimiser.rate": 30.0, "schedule.name": "constant"}
    ),
    "rate × 100": Fault("rate-too-high", {"optimiser.rate": lambda rate: 100 * rate}),
    "rate ÷ 1000": Fault("rate-too-low", {"optimiser.rate": lambda rate: rate / 1000}),
    "clip 0.001": Fault("clipped-often", {"optimiser.clip": 1e-3}),
}
"""Faults by name."""

SOUND: Mapping[str, Fault] = {
    "as it is": Fault(""),
    "ReLU": Fault("", {"shape.activation": "relu"}),
    "tanh": Fault("", {"shape.activation": "tanh"}),
    "sigmoid": Fault("", {"shape.activation": "sigmoid"}),
    "rate × 3": Fault("", {"optimiser.rate": lambda rate: 3 * rate}),
    "rate ÷ 3": Fault("", {"optimiser.rate": lambda rate: rate / 3}),
    "1 × 32": Fault("", {"shape.hidden": (32,)}),
    "4 × 64": Fault("", {"shape.hidden": (64,) * 4}),
    "4 members": Fault("", {"shape.members": 4}),
    "residual": Fault("", {"shape.body": "residual", "shape.normaliser": "layer"}),
    "batch normalisation": Fault("", {"shape.normaliser": "batch"}),
    "noise on inputs": Fault(
        "",
        {
            "regularisation.dropout_layers": 1,
            "regularisation.input_dropout": 0.1,
            "regularisation.input_noise": 0.1,
        },
    ),
}
"""Trainings that no check is to object to, by name: the recipe, and what ideas make of it."""


def train_spoiled(
    request: TrainRequest, start: Callable[[Tensors], Tensors]
) -> tuple[MemberResult, ...]:
    """Train the members of a request on one folder from spoiled first values.

    The stack is opened as the training would open it and laid down as a checkpoint at step 0, from
    which the real training then goes on.

    Args:
        request: What to train; its health is watched.
        start: What replaces first values, from all of them.
    """
    request = replace(request, health=True)
    (folder,) = (EncodedRows(Path(each)) for each in request.folders)
    program = program_of(request.recipe, folder.meta.inputs)
    net = NetworkSpec(request.recipe.shape, folder.meta.inputs)
    usual = new_start(net, folder).arrays
    candidates = [
        Candidate(
            member.id,
            member.seed,
            Weights({**usual, **start(initial_tensors(net, member.seed))}),
        )
        for member in request.members
    ]
    out = Path(request.out)
    out.mkdir(parents=True, exist_ok=True)
    stack = open_stack(program, folder, candidates)
    probes = {m.id: Judged.of(folder, probe_rows(m.train)) for m in request.members}
    records = {id: Record(id, health=new_health(probe)) for id, probe in probes.items()}
    save(out / f"{request_key(request)}.checkpoint", 0, records, stack)
    stack.close()
    return train_stack(request, lambda _: None)
