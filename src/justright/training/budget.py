"""How long a training is: rows a step, steps, and when to evaluate."""

from __future__ import annotations

from math import floor, log2

from justright.recipe.recipe import Recipe, ScheduleName

MIN_BATCH, MAX_BATCH, STEPS_PER_EPOCH = 32, 1024, 16
"""The batch is the power of two that gives 16 to 32 steps an epoch, within bounds (judgement of
the measurements before building; RealMLP's 256 is its value from 4,096 to 8,191 rows)."""

MIN_STEPS = 1_000
"""Fewest steps of a full training: 256 epochs of 500 rows would be 500 steps (measured)."""


def batch_size(rows: int) -> int:
    """Rows a step of a start recipe for a number of training rows.

    >>> [batch_size(rows) for rows in (100, 500, 6_400, 16_000, 300_000)]
    [32, 32, 256, 512, 1024]
    """
    return min(max(2 ** floor(log2(max(rows, 1) / STEPS_PER_EPOCH)), MIN_BATCH), MAX_BATCH)


def steps_of(recipe: Recipe, rows: int, cap: int | None = None) -> int:
    """Steps of a full training of a recipe.

    Args:
        recipe: Its epochs are the length asked for.
        rows: Training rows.
        cap: Most steps that can be afforded; None = no limit.

    Returns:
        The epochs in steps, at least `MIN_STEPS`, at most `cap`.

    >>> steps_of(Recipe(epochs=64), 6_400)
    1600
    >>> steps_of(Recipe(epochs=64), 100)
    1000
    """
    steps = max(round(recipe.epochs * rows / recipe.batch), MIN_STEPS)
    return steps if cap is None else max(1, min(steps, cap))


def evaluation_steps(steps: int, evaluations: int, schedule: ScheduleName) -> tuple[int, ...]:
    """Steps after which validation rows are scored; the last step is always among them.

    They lie closer together towards the end, where the best step usually is. Under coslog4 three
    of them are the ends of the first three cycles, the only early steps with a settled loss. At a
    constant rate they grow geometrically, from 1/27 on, because every step can be an end.

    Args:
        steps: Steps of the run.
        evaluations: How often.
        schedule: The schedule of the rate.

    >>> evaluation_steps(1500, 6, "coslog4")
    (100, 300, 700, 967, 1233, 1500)
    >>> evaluation_steps(100, 4, "cosine")
    (35, 65, 88, 100)
    >>> evaluation_steps(2700, 4, "constant")
    (100, 300, 900, 2700)
    """
    if schedule == "coslog4" and evaluations > 4:
        late = evaluations - 3
        shares = [1 / 15, 3 / 15, 7 / 15]
        shares += [7 / 15 + 8 / 15 * index / late for index in range(1, late + 1)]
    elif schedule == "constant" and evaluations > 1:
        shares = [27 ** (index / (evaluations - 1) - 1) for index in range(evaluations)]
    else:
        counts = range(1, evaluations + 1)
        shares = [1 - (1 - index / evaluations) ** 1.5 for index in counts]
    return tuple(sorted({max(1, round(share * steps)) for share in shares}))
