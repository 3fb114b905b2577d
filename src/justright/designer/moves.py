"""Moves: what may be tried to improve the champion, and what each is expected to bring.

Probabilities and gains are assumptions drawn from published result tables (tuned plain networks
over 46 data sets, Gorishniy et al. 2024: size is weakly identified, median seed noise 0.6%); the
ledger of predicted against measured gains is there to correct them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from justright.core.idea import Idea, Prediction
from justright.recipe.patch import Patch
from justright.recipe.recipe import Recipe
from justright.sizing.shapes import name_of
from justright.training.rate_rules import alike

RATE_FACTORS = (1 / 3, 3.0)
"""Neighbours of the champion's rate (a third and three times: the usual half-decade grid)."""

LENGTH = 3.0
"""How much longer, or shorter, another training is."""

LATE, EARLY = 0.75, 1 / 3
"""Best evaluations after or before these shares of a run ask for a longer or shorter one (late:
tuning playbook, Google 2023; early: assumption)."""

SHAPES: tuple[tuple[int, ...], ...] = (
    (64, 64),
    (128, 128),
    (512,),
    (256, 256, 256),
    (512, 512, 512),
)
"""Shapes tried, from small to large, where there was no time for a size search (measured on ten
tables: one layer of 512 is not worse than three of 256 on nine, and cheaper on nine)."""


@dataclass(frozen=True)
class Move:
    """An idea together with what its first run needs.

    Attributes:
        idea: Title, slot, patch and frozen prediction.
        recipe: The champion's recipe with the patch applied.
        length: Factor on the champion's steps.
    """

    idea: Idea
    recipe: Recipe
    length: float = 1.0


@dataclass(frozen=True)
class Leads:
    """What measurements on these data suggest; it replaces blind neighbours.

    Attributes:
        rate: Peak rate that came out of the race of rates; None without one, or if the prior did.
        size: Hidden layers that the size search chose; None if it did not get that far.
        blocks: Blocks below this number have been seen by decisions.
        raced: The recipe that the rates were raced with; None without a race.
    """

    rate: float | None = None
    size: tuple[int, ...] | None = None
    blocks: int = 0
    raced: Recipe | None = field(default=None, compare=False)


def propose_moves(
    recipe: Recipe, *, best_at: float, loss: float, leads: Leads = Leads()
) -> tuple[Move, ...]:
    """The moves around a champion, each with its prediction.

    Args:
        recipe: The champion's recipe.
        best_at: Share of the run at which its best evaluation lay.
        loss: The champion's validation loss; predicted gains are shares of it.
        leads: What was measured on these data; a lead that differs from the recipe is tried
            instead of its blind neighbours.
    """
    moves = [_length(recipe, best_at, loss)]
    if leads.size is None:
        moves += [_shape(recipe, hidden, loss) for hidden in neighbours(recipe.shape.hidden)]
    elif leads.size != recipe.shape.hidden:
        moves.append(_searched(recipe, leads.size, loss))
    if leads.rate is not None and not alike(leads.rate, recipe.optimiser.rate):
        moves.append(_raced(recipe, leads.rate, loss))
    else:
        moves += [_rate(recipe, factor, loss) for factor in RATE_FACTORS]
    return tuple(moves)


def by_value(moves: Sequence[Move], cost: Callable[[Move], float]) -> tuple[str, ...]:
    """The slots of moves, by the best expected gain for its price among the moves of each.

    Args:
        moves: With their predictions.
        cost: Price of a move, in any unit.
    """
    value: dict[str, float] = {}
    for move in moves:
        prediction = move.idea.prediction
        worth = prediction.helps * prediction.gain[1] / max(cost(move), 1e-9)
        value[move.idea.slot] = max(value.get(move.idea.slot, 0.0), worth)
    return tuple(sorted(value, key=lambda slot: -value[slot]))


def neighbours(hidden: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """The next larger and next smaller of `SHAPES`, larger first.

    >>> neighbours((128, 128))
    ((512,), (64, 64))
    """
    larger = [shape for shape in SHAPES if sum(shape) > sum(hidden)][:1]
    smaller = [shape for shape in SHAPES if sum(shape) < sum(hidden)][-1:]
    return tuple(larger + smaller)


def _move(
    recipe: Recipe,
    title: str,
    slot: str,
    changes: Mapping[str, Any],
    helps: float,
    gain: tuple[float, float, float],
    source: str,
    length: float = 1.0,
) -> Move:
    idea = Idea(
        title=title,
        slot=slot,
        patch=changes,
        prediction=Prediction(helps=helps, gain=gain, seconds=0.0),
        source=source,
        author="moves around the champion",
    )
    return Move(idea=idea, recipe=Patch(title, changes).apply(recipe), length=length)


def _shares(loss: float, low: float, middle: float, high: float) -> tuple[float, float, float]:
    size = abs(loss)  # it is negative where a greater metric is better
    return (low * size, middle * size, high * size)


def _length(recipe: Recipe, best_at: float, loss: float) -> Move:
    early = best_at <= EARLY
    factor = 1 / LENGTH if early else LENGTH
    helps = 0.45 if early else 0.55 if best_at >= LATE else 0.25
    title = f"{LENGTH:g} × {'shorter' if early else 'longer'}"
    gain = _shares(loss, 0.003, 0.01, 0.04)
    source = "Google Deep Learning Tuning Playbook 2023; gain: assumption"
    changes = {"epochs": recipe.epochs * factor}
    return _move(recipe, title, "length", changes, helps, gain, source, factor)


def _shape(recipe: Recipe, hidden: tuple[int, ...], loss: float) -> Move:
    larger = sum(hidden) > sum(recipe.shape.hidden)
    title = f"{len(hidden)}×{hidden[0]}"
    gain = _shares(loss, 0.002, 0.01, 0.03)
    source = "tuned widths, Gorishniy et al. 2024 (ICLR 2025); gain: assumption"
    changes = {"shape.hidden": list(hidden)}
    return _move(recipe, title, "shape", changes, 0.4 if larger else 0.15, gain, source)


def _searched(recipe: Recipe, hidden: tuple[int, ...], loss: float) -> Move:
    title = f"size {name_of(hidden)}"
    gain = _shares(loss, -0.01, 0.01, 0.04)
    source = "size search on these data; probability and gain: assumption"
    changes = {"shape.hidden": list(hidden)}
    return _move(recipe, title, "shape", changes, 0.5, gain, source)


def _times(factor: float) -> str:
    return f"rate × {factor:.2g}" if factor > 1 else f"rate ÷ {1 / factor:.2g}"


def _raced(recipe: Recipe, rate: float, loss: float) -> Move:
    title = f"raced {_times(rate / recipe.optimiser.rate)}"
    gain = _shares(loss, 0.002, 0.01, 0.04)
    source = "range test and race on these data; probability and gain: assumption"
    return _move(recipe, title, "rate", {"optimiser.rate": rate}, 0.4, gain, source)


def _rate(recipe: Recipe, factor: float, loss: float) -> Move:
    title = _times(factor)
    changes = {"optimiser.rate": recipe.optimiser.rate * factor}
    gain = _shares(loss, 0.002, 0.008, 0.03)
    source = "half-decade neighbours, Bengio 2012; gain: assumption"
    return _move(recipe, title, "rate", changes, 0.2, gain, source)
