"""The numbers of k candidates between two spans, and their exchange form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.core.errors import InputError
from justright.engine.contract import Array, Candidate, Program, Weights
from justright.engine.torch_stack.layout import Layout
from justright.engine.torch_stack.optimisers import RULES
from justright.nets.initialise import initial_buffers, initial_tensors

PRODUCT = "m/momentum_product"
"""NAdam's product of momenta, the one moment that is a number and not a tensor."""


@dataclass
class State:
    """State of k candidates; every array and tensor has the leading axis k.

    Attributes:
        ids, seeds: Name and seed of each candidate.
        flat: "p", "m", "v" and "ema" buffers ``[k, size]``; "ema" is absent while every average
            follows its weights.
        kept: Kept tensors (statistics, bin edges) by name; those of the average under "ema/NAME".
        steps: Steps taken.
        products: NAdam's product of momenta.
        alive: False once a loss or gradient was not finite.
    """

    ids: tuple[str, ...]
    seeds: tuple[int, ...]
    flat: dict[str, Tensor]
    kept: dict[str, Tensor]
    steps: npt.NDArray[np.int64]
    products: npt.NDArray[np.float64]
    alive: npt.NDArray[np.bool_]

    def select(self, rows: Sequence[int]) -> State:
        """A copy of some candidates."""
        index = torch.as_tensor(list(rows), dtype=torch.int64)
        chosen = index.numpy()
        return State(
            ids=tuple(self.ids[row] for row in rows),
            seeds=tuple(self.seeds[row] for row in rows),
            flat={name: value[index] for name, value in self.flat.items()},
            kept={name: value[index] for name, value in self.kept.items()},
            steps=self.steps[chosen],
            products=self.products[chosen],
            alive=self.alive[chosen],
        )


def join(states: Sequence[State]) -> State:
    """All candidates of some states, in order; averages are spelled out if any state has one."""
    averaged = any("ema" in state.flat for state in states)
    flats = [dict(state.flat) for state in states]
    for flat in flats:
        if averaged and "ema" not in flat:
            flat["ema"] = flat["p"]
    return State(
        ids=tuple(id for state in states for id in state.ids),
        seeds=tuple(seed for state in states for seed in state.seeds),
        flat={name: torch.cat([flat[name] for flat in flats]) for name in flats[0]},
        kept={name: torch.cat([state.kept[name] for state in states]) for name in states[0].kept},
        steps=np.concatenate([state.steps for state in states]),
        products=np.concatenate([state.products for state in states]),
        alive=np.concatenate([state.alive for state in states]),
    )


def begin(program: Program, layout: Layout, candidate: Candidate) -> State:
    """The state ``k = 1`` a candidate starts from.

    Raises:
        InputError: If its start holds a tensor of another shape or an unknown name.
    """
    given = candidate.start.arrays if candidate.start else {}
    start = dict(given)  # what is used is taken out of it
    dtype = torch.float64 if program.dtype == "float64" else torch.float32
    initial = initial_tensors(program.net, candidate.seed)
    buffers = initial_buffers(program.net)
    flat = {"p": _row(layout, start, "", initial, dtype)}
    for moment in RULES[program.optimiser].moments:
        flat[moment] = _row(layout, start, f"{moment}/", {}, dtype)
    if any(f"ema/{name}" in start for name in layout.places):
        own = {name: given.get(name, initial[name]) for name in layout.places}
        flat["ema"] = _row(layout, start, "ema/", own, dtype)
    kept = {}
    for name, usual in buffers.items():
        value = _take(start, name, usual.shape, usual)
        averaged = _take(start, f"ema/{name}", usual.shape, value)
        kept[name] = torch.from_numpy(np.array(value, np.float64)).to(dtype).unsqueeze(0)
        kept[f"ema/{name}"] = torch.from_numpy(np.array(averaged, np.float64)).to(dtype)[None]
    product = float(_take(start, PRODUCT, (), np.ones(())))
    if start:
        raise InputError(
            f"candidate {candidate.id!r}: the network has no tensors {sorted(start)}",
            hint="its start comes from another network or optimiser",
        )
    return State(
        ids=(candidate.id,),
        seeds=(candidate.seed,),
        flat=flat,
        kept=kept,
        steps=np.array([candidate.start.step if candidate.start else 0], np.int64),
        products=np.array([product]),
        alive=np.array([True]),
    )


def export(program: Program, layout: Layout, state: State, row: int) -> Weights:
    """One candidate of a state in the layout of `recipe.network`, copied."""
    arrays: dict[str, Array] = {}
    average = state.flat.get("ema", state.flat["p"])
    parts = {"": state.flat["p"], "ema/": average}
    for moment in RULES[program.optimiser].moments:
        parts[f"{moment}/"] = state.flat[moment]
    for prefix, buffer in parts.items():
        values = buffer[row].numpy()
        for name, place in layout.places.items():
            arrays[prefix + name] = values[place.start : place.stop].reshape(place.shape).copy()
    for name, value in state.kept.items():
        arrays[name] = value[row].numpy().copy()
    if program.optimiser == "nadam":
        arrays[PRODUCT] = np.asarray(state.products[row])
    return Weights(arrays, int(state.steps[row]))


def _row(
    layout: Layout,
    start: dict[str, Array],
    prefix: str,
    usual: Mapping[str, Array],
    dtype: torch.dtype,
) -> Tensor:
    row = np.zeros((1, layout.size))
    for name, place in layout.places.items():
        default = usual.get(name, np.zeros(place.shape))
        value = _take(start, prefix + name, place.shape, default)
        row[0, place.start : place.stop] = value.reshape(-1)
    return torch.from_numpy(row).to(dtype)


def _take(start: dict[str, Array], name: str, shape: tuple[int, ...], usual: Array) -> Array:
    value = np.asarray(start.pop(name, usual))
    if value.shape != shape:
        raise InputError(
            f"start tensor {name!r} has shape {value.shape}", hint=f"the network needs {shape}"
        )
    return value
