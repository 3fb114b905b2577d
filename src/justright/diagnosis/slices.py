"""Weak slices: parts of the rows in which the network errs more than elsewhere.

Each slice's mean loss is held against that of all other rows. As many are looked at, the limits
hold for all of them together: a studentised difference counts as large if it is beyond what the
largest of all of them reaches when losses are dealt to rows at random (single-step max-T with
permutations, Westfall & Young 1993). Rows that depend on each other are not dealt out; the sums
of their groups, or stretches of time, get random signs instead (wild cluster bootstrap with
Rademacher weights, Cameron, Gelbach & Miller 2008).

Pairs of columns are looked at too, for what two columns do only together (as SliceFinder does,
Chung et al. 2019), but of the columns named first alone, whose choice must not rest on the losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from justright.data.arrays import ColumnArray
from justright.diagnosis.parts import Part, both, parts_of
from justright.statistics.resampling import make_units

LEAST = 30
"""Fewest rows of a slice, and of the rest (assumption: of fewer a mean says little)."""

LEAST_UNITS = 10
"""Fewest groups, or stretches of time, on either side (assumption: signs of fewer have too few
patterns)."""

COLUMNS, PAIRED = 100, 4
"""Columns looked at, and those of which pairs are (assumptions: what there is time for)."""

DRAWS = 1_000
"""Random dealings: the 97.5% quantile of the largest is known to 0.5 percentage points."""

FEWEST_DRAWS, WORK = 400, 1.5e9
"""Fewest dealings; above them, multiplications that all may take (assumption: half a second)."""

ALIKE = 0.8
"""Slices that share so much of the rows that they cover together are one (assumption)."""

LEVEL = 0.95


@dataclass(frozen=True)
class Slice:
    """A part of the rows beside the rest.

    Attributes:
        columns: The columns that make it, one or two.
        label: For people, with values of the table.
        plain: The same without values.
        inside: Which rows, bool [n].
        rows: How many.
        share: Of all rows, by weight.
        loss: Mean loss.
        rest: Mean loss of all other rows.
        low, high: Limits of the difference, which hold for all slices together.
        loss_share: Share of all loss.
    """

    columns: tuple[str, ...]
    label: str
    plain: str
    inside: np.ndarray
    rows: int
    share: float
    loss: float
    rest: float
    low: float
    high: float
    loss_share: float

    @property
    def difference(self) -> float:
        """By how much the loss is higher than that of the rest."""
        return self.loss - self.rest

    @property
    def weight(self) -> float:
        """Excess times share: how much of the mean loss would go if it were like the rest."""
        return self.difference * self.share

    @property
    def weak(self) -> bool:
        """Whether the network errs more here, whatever else was looked at."""
        return self.low > 0.0


@dataclass(frozen=True)
class Slices:
    """What was found.

    Attributes:
        slices: Weak ones first, then by excess times share; each unlike those before it.
        looked: How many slices were looked at.
        source: How the limits were corrected.
    """

    slices: tuple[Slice, ...]
    looked: int
    source: str


def find_slices(
    columns: Mapping[str, ColumnArray],
    losses: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    times: np.ndarray | None = None,
    dates: frozenset[str] = frozenset(),
    telling: Sequence[str] = (),
    most: int = 20,
    seed: int = 0,
) -> Slices:
    """Parts of the rows with a higher loss than the rest.

    Args:
        columns: The table's columns of n rows, as `data.arrays.columns_of` makes them.
        losses: Loss of each row under a network that was not trained on it, float64 [n].
        weights: Row weights [n], or None.
        groups: Group codes [n], or None: rows of a group are not independent.
        times: Times [n], or None: neighbouring rows are not independent.
        dates: Names of columns that are seconds since 1970.
        telling: Columns whose pairs are looked at, best first; must not be chosen by the losses.
        most: Slices to return.
        seed: Of the dealings.

    >>> rng = np.random.default_rng(0)
    >>> a = np.arange(400.0)
    >>> found = find_slices({"a": a}, np.abs(rng.normal(size=400)) + 2 * (a >= 320))
    >>> found.slices[0].label, found.slices[0].weak
    ('a from 320 to 399', True)
    """
    units = None
    if groups is not None or times is not None:
        made = make_units(len(losses), groups, times)
        units = made.member * made.draws // len(losses) if made.length > 1 else made.member
    chosen = _candidates(columns, dates, telling, units)
    if not chosen or not np.ptp(losses) > 0.0:
        return Slices((), len(chosen), "")
    w = np.ones(len(losses)) if weights is None else np.asarray(weights, np.float64)
    inside = np.array([part.inside for _, part in chosen], np.float32)
    table = _Table(inside, w / w.mean())
    unit = (losses - losses.mean()) / losses.std()  # so that single precision is enough
    difference, se = table.compared(unit[:, None])
    largest = table.dealt(unit, seed) if units is None else table.signed(unit, units, seed)
    if units is not None:
        se = table.clustered(unit, units)[1][:, None]
    upper = float(np.quantile(largest.max(axis=0), 0.5 + 0.5 * LEVEL))
    lower = float(np.quantile((-largest).max(axis=0), 0.5 + 0.5 * LEVEL))
    scale = losses.std()
    low = scale * (difference - upper * se)[:, 0]
    high = scale * (difference + lower * se)[:, 0]
    total = float(w @ losses)
    found = [
        _slice(names, part, w, losses, total, (float(low[k]), float(high[k])))
        for k, (names, part) in enumerate(chosen)
    ]
    found.sort(key=lambda each: (not each.weak, -each.weight))
    how = "permutations of the losses" if units is None else "random signs of groups of rows"
    source = f"max-T over {len(found):,} slices, {largest.shape[1]:,} {how}"
    return Slices(_unlike(found, most), len(found), source)


def _candidates(
    columns: Mapping[str, ColumnArray],
    dates: frozenset[str],
    telling: Sequence[str],
    units: np.ndarray | None,
) -> list[tuple[tuple[str, ...], Part]]:
    """Slices with enough rows, each set of rows once."""
    order = [*(n for n in telling if n in columns), *(n for n in columns if n not in telling)]
    parts = parts_of({name: columns[name] for name in order[:COLUMNS]}, dates, LEAST)
    found = [((name,), part) for name, own in parts.items() for part in own]
    for first, second in combinations([n for n in telling if n in parts][:PAIRED], 2):
        names = (first, second)
        found += [(names, both(a, b)) for a in parts[first] for b in parts[second]]
    kept, seen = [], set()
    for names, part in found:
        key = part.inside.tobytes()
        if key not in seen and _enough(part.inside, units):
            seen.add(key)
            kept.append((names, part))
    return kept


def _enough(inside: np.ndarray, units: np.ndarray | None) -> bool:
    if not LEAST <= int(inside.sum()) <= len(inside) - LEAST:
        return False
    if units is None:
        return True
    sides = (units[inside], units[~inside])
    return min(len(np.unique(side)) for side in sides) >= LEAST_UNITS


class _Table:
    """Slices against the rest, for many columns of losses at once.

    Args:
        inside: 1 where a row is in a slice, float32 [S, n].
        weights: Of the rows, [n], of mean 1.
    """

    def __init__(self, inside: np.ndarray, weights: np.ndarray) -> None:
        self._inside, self._w = inside, weights
        square = np.square(weights)
        self._in = (inside @ weights)[:, None]
        self._out = weights.sum() - self._in
        within = (inside @ square)[:, None]
        self._count_in = np.square(self._in) / within  # equal rows that say as much (Kish 1965)
        self._count_out = np.square(self._out) / (square.sum() - within)

    def compared(self, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Difference of the mean losses [S, B], and its standard error, for losses [n, B]."""
        weighted = (self._w[:, None] * losses).astype(np.float32)
        squares = weighted * losses.astype(np.float32)
        first, second = self._inside @ weighted, self._inside @ squares
        a, b = first / self._in, (weighted.sum(0) - first) / self._out
        variance = (second / self._in - np.square(a)) / (self._count_in - 1)
        rest = (squares.sum(0) - second) / self._out - np.square(b)
        variance = variance + rest / (self._count_out - 1)
        return a - b, np.sqrt(np.maximum(variance, 1e-12))

    def dealt(self, losses: np.ndarray, seed: int) -> np.ndarray:
        """Studentised differences when losses are dealt to rows at random, [S, B]."""
        rng = np.random.default_rng(seed)
        draws = int(np.clip(WORK / (2 * self._inside.size), FEWEST_DRAWS, DRAWS))
        found = []
        for start in range(0, draws, 100):
            count = min(100, draws - start)
            dealt = np.stack([rng.permutation(losses) for _ in range(count)], axis=1)
            difference, se = self.compared(dealt)
            found.append(difference / se)
        return np.concatenate(found, axis=1)

    def signed(self, losses: np.ndarray, units: np.ndarray, seed: int) -> np.ndarray:
        """Studentised sums of each unit's part of the differences with random signs, [S, B]."""
        sums, se = self.clustered(losses, units)
        rng = np.random.default_rng(seed)
        signs = rng.integers(0, 2, (sums.shape[1], DRAWS)).astype(np.float32) * 2.0 - 1.0
        return (sums @ signs) / se[:, None]

    def clustered(self, losses: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each unit adds to the differences [S, units], and their standard errors [S]."""
        difference, _ = self.compared(losses[:, None])
        weighted = self._w * losses
        a = (self._inside @ weighted)[:, None] / self._in
        b = a - difference
        count = int(units.max()) + 1
        sums = np.empty((len(self._inside), count), np.float32)
        for k, inside in enumerate(self._inside):
            own = inside * (losses - a[k]) / self._in[k]
            own -= (1.0 - inside) * (losses - b[k]) / self._out[k]
            sums[k] = np.bincount(units, self._w * own, count)
        se = np.sqrt(np.square(sums).sum(axis=1) * count / max(count - 1, 1))
        return sums, np.maximum(se, 1e-6)


def _slice(
    names: tuple[str, ...],
    part: Part,
    weights: np.ndarray,
    losses: np.ndarray,
    total: float,
    limits: tuple[float, float],
) -> Slice:
    own, all_of = weights[part.inside], float(weights.sum())
    within, inside = float(own @ losses[part.inside]), float(own.sum())
    return Slice(
        columns=names,
        label=part.label,
        plain=part.plain,
        inside=part.inside,
        rows=int(part.inside.sum()),
        share=inside / all_of,
        loss=within / inside,
        rest=(total - within) / (all_of - inside),
        low=limits[0],
        high=limits[1],
        loss_share=within / total if total else 0.0,
    )


def _unlike(slices: Sequence[Slice], most: int) -> tuple[Slice, ...]:
    """The first slices that are not nearly the same rows as one before."""
    kept: list[Slice] = []
    for each in slices:
        if len(kept) == most:
            break
        if all(_shared(each.inside, other.inside) < ALIKE for other in kept):
            kept.append(each)
    return tuple(kept)


def _shared(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum()) / max(float((a | b).sum()), 1.0)
