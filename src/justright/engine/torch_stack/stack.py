"""A stack: candidates in chunks, trained, evaluated, dropped and handed out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from justright.core.errors import InputError
from justright.engine.contract import Array, Candidate, Program, Span, Trace, Weights
from justright.engine.torch_stack.chunk import Chunk
from justright.engine.torch_stack.controls import read_controls
from justright.engine.torch_stack.evaluation import (
    distribution_of,
    evaluate,
    refresh_statistics,
    said_of,
)
from justright.engine.torch_stack.layout import make_layout
from justright.engine.torch_stack.state import begin, export, join
from justright.engine.torch_stack.table import Table


class TorchStack:
    """K candidates in chunks of at most ``chunk`` (see `engine.contract.Stack`).

    Args:
        program: What all candidates share.
        table: The rows.
        candidates: Who trains; ids are unique.
        chunk: Candidates a chunk holds at most.
    """

    def __init__(
        self, program: Program, table: Table, candidates: Sequence[Candidate], chunk: int
    ) -> None:
        self.ids = tuple(candidate.id for candidate in candidates)
        if not self.ids or len(set(self.ids)) != len(self.ids):
            raise InputError(f"candidate ids {self.ids}", hint="give at least one, all different")
        self._program = program
        self._layout = make_layout(program)
        self._table = table
        self._limit = chunk
        self._chunks: list[Chunk] = []
        self._divide([begin(program, self._layout, candidate) for candidate in candidates])

    def advance(self, span: Span) -> Trace:
        """Take the steps of a span, chunk by chunk over all of it."""
        began = time.perf_counter()
        order = self._table.check(span.order)
        k, n, _ = self._check_order(order)
        controls = read_controls(span.controls, k, n)
        count = int(self._chunks[0].state.steps[0])
        every = span.health_every
        samples = [step for step in range(n) if every and (count + step + 1) % every == 0]
        losses, norms, health = [], [], []
        torch.set_flush_denormal(True)  # measured: 17.5 → 4.2 ms a step where rates are high
        for chunk, rows in self._rows():
            own = {name: values[rows] for name, values in controls.items()}
            loss, norm, seen = chunk.advance(order[rows], own, samples)
            losses.append(loss)
            norms.append(norm)
            health.append(seen)
        return Trace(
            loss=np.concatenate(losses),
            alive=np.concatenate([chunk.state.alive for chunk in self._chunks]),
            norm=np.concatenate(norms),
            health={name: np.concatenate([h[name] for h in health]) for name in health[0]},
            seconds=time.perf_counter() - began,
        )

    def outputs(self, rows: Array, *, averaged: bool = False) -> Array:
        """Outputs ``[K, m, outputs]`` in evaluation mode; rows ``[m]`` or ``[K, m]``."""
        lists = self._lists(rows)
        found = [
            evaluate(self._program, self._layout, self._table, chunk.state, lists[part], averaged)
            for chunk, part in self._rows()
        ]
        return np.concatenate(found)

    def refresh(self, rows: Array) -> None:
        """Recompute normalisation statistics of current and averaged weights."""
        lists = self._lists(rows)
        for chunk, part in self._rows():
            refresh_statistics(self._program, self._layout, self._table, chunk.state, lists[part])

    def activations(self, rows: Array) -> Mapping[str, Array]:
        """What the hidden layers say of rows ``[m]`` or ``[K, m]``, in evaluation mode."""
        lists = self._lists(rows)
        found = [
            said_of(self._program, self._layout, self._table, chunk.state, lists[part])
            for chunk, part in self._rows()
        ]
        return {name: np.concatenate([each[name] for each in found]) for name in found[0]}

    def distribution(self, rows: Array) -> tuple[Array, Array]:
        """Edges and counts of what the hidden layers say, in evaluation mode."""
        lists = self._lists(rows)
        found = [
            distribution_of(self._program, self._layout, self._table, chunk.state, lists[part])
            for chunk, part in self._rows()
        ]
        edges, counts = zip(*found, strict=True)
        return np.concatenate(edges), np.concatenate(counts)

    def keep(self, ids: Sequence[str]) -> None:
        """Drop all candidates but these, which stay in the order of the stack."""
        unknown = sorted(set(ids) - set(self.ids))
        if unknown or not ids:
            raise InputError(f"cannot keep {list(ids)}", hint=f"the stack has {list(self.ids)}")
        states = []
        for chunk in self._chunks:
            rows = [row for row, id in enumerate(chunk.state.ids) if id in set(ids)]
            if rows:
                states.append(chunk.state.select(rows))
        self.ids = tuple(id for id in self.ids if id in set(ids))
        self._divide(states)

    def weights(self, id: str) -> Weights:
        """One candidate's state, moments and average included."""
        for chunk in self._chunks:
            if id in chunk.state.ids:
                row = chunk.state.ids.index(id)
                return export(self._program, self._layout, chunk.state, row)
        raise InputError(f"no candidate {id!r}", hint=f"the stack has {list(self.ids)}")

    def close(self) -> None:
        """Free the memory; the stack cannot be used afterwards."""
        self._chunks = []
        self.ids = ()

    def _divide(self, states: Sequence) -> None:
        """Cut all candidates into equal chunks."""
        whole = join(states)
        parts = -(-len(whole.ids) // self._limit)
        self._chunks = [
            Chunk(self._program, self._layout, self._table, whole.select(rows.tolist()))
            for rows in np.array_split(np.arange(len(whole.ids)), parts)
        ]

    def _rows(self) -> list[tuple[Chunk, slice]]:
        found, start = [], 0
        for chunk in self._chunks:
            stop = start + len(chunk.state.ids)
            found.append((chunk, slice(start, stop)))
            start = stop
        return found

    def _check_order(self, order: npt.NDArray[np.int32]) -> tuple[int, int, int]:
        expected = (len(self.ids), order.shape[1] if order.ndim == 3 else -1, self._program.batch)
        if order.shape != expected:
            raise InputError(
                f"order has shape {order.shape}",
                hint=f"expected [{len(self.ids)}, steps, {self._program.batch}]",
            )
        return expected

    def _lists(self, rows: Array) -> npt.NDArray[np.int32]:
        """Row lists ``[K, m]``; one list for all is broadcast, not copied."""
        checked = self._table.check(rows)
        return np.broadcast_to(checked, (len(self.ids), checked.shape[-1]))
