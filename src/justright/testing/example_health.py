"""The health of an example study's trainings: made-up curves in the shape of stored ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from justright.core.trial import Attempt
from justright.diagnosis.view import HEALTH
from justright.store.base import AbstractStore
from justright.store.records import Histogram

Floats = np.ndarray


def write_health(
    store: AbstractStore,
    attempt: Attempt,
    trial_id: str,
    where: Sequence[int],
    train: Sequence[float],
) -> None:
    """Write the health of a ReLU network of two layers, some of whose units die.

    Args:
        store: Of the example.
        attempt: The attempt of the trial.
        trial_id: The trial.
        where: Steps of its evaluations; eight of them are points of the health.
        train: Training losses there.
    """
    chosen = np.unique(np.linspace(0, len(where) - 1, 8).astype(int))
    steps = [where[place] for place in chosen]
    losses = np.array([train[place] for place in chosen])
    share = np.array(steps) / steps[-1]
    said = {
        "activation_std": ((0.42, 0.4), 1 + 1.1 * share),
        "activation_mean": ((0.69, 0.72), 1 + 0 * share),
        "dead_share": ((0.0, 0.16), share),
    }
    for name, (starts, course) in said.items():
        for layer, start in enumerate(starts):
            values = [0.0 if name == "dead_share" else start, *(start * course)]
            store.curves.extend(attempt, trial_id, f"{HEALTH}{name}/{layer}", [0, *steps], values)
    rng = np.random.default_rng(0)
    for layer, (start, dead) in enumerate(((0.4, 0.4), (0.4, 0.6))):
        for step, spread in ((0, start), (where[-1], 2.1 * start)):
            said = np.maximum(rng.normal(size=(500, 20)) * spread - spread * dead, 0.0)
            counts, edges = np.histogram(said, bins=32)
            histogram = Histogram(step, edges, counts)
            store.histograms.log(attempt, trial_id, f"{HEALTH}activation/{layer}", histogram)
    seen: dict[str, Floats] = {
        "loss": losses,
        "gradient": 1.9 * losses,
        "gradient_peak": 1.9 * losses * (3 + 4 * share),
        "gradient_norm/0": 1.1 * losses,
        "gradient_norm/1": 0.7 * losses,
        "update_ratio/0": 0.0061 * (1.1 - share),
        "update_ratio/1": 0.0074 * (1.1 - share),
    }
    for name, values in seen.items():
        store.curves.extend(attempt, trial_id, HEALTH + name, steps, values)
    store.curves.extend(attempt, trial_id, f"{HEALTH}first_loss", [1], [1.6 * losses[0]])
