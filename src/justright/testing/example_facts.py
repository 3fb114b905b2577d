"""What an example study found out before its search: the same in every world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def _curve() -> dict[str, Any]:
    """A range test that learns above 1e-4, is best at 0.1 and diverges at 1.6."""
    rates = np.geomspace(1e-6, 1.6, 177)
    fall = 0.55 / (1 + (rates / 4e-3) ** 1.2)
    rise = 0.05 * (rates / 0.35) ** 2.2
    return {"rates": rates.tolist(), "losses": (0.45 + fall + rise).tolist(), "diverged": 1.6}


RATE: Mapping[str, Any] = {
    "prior": 0.04,
    "peak": 0.16,
    "rate": 0.08,
    "curve": _curve(),
    "candidates": [
        {"rule": "valley", "rate": 0.0042, "reason": "the loss falls from 0.00012 to 0.11"},
        {"rule": "minimum/10", "rate": None, "reason": "the loss never falls"},
        {"rule": "divergence/2", "rate": 0.8, "reason": "diverged at 1.6"},
        {"rule": "divergence/10", "rate": 0.08, "reason": "diverged at 1.6"},
    ],
    "race": {
        "steps": 222,
        "winner": 0.08,
        "entrants": [
            {"rate": 0.02, "rules": ["prior"], "losses": [0.231, 0.236], "loss": 0.2335},
            {"rate": 0.0042, "rules": ["valley"], "losses": [0.282, 0.279], "loss": 0.2805},
            {"rate": 0.8, "rules": ["divergence/2"], "losses": [None, 0.41], "loss": None},
            {"rate": 0.08, "rules": ["divergence/10"], "losses": [0.224, 0.227], "loss": 0.2255},
        ],
    },
    "check": {"gain": 0.006, "noise": 0.002, "holds": True, "blocks": 2},
}


def _size(
    hidden: tuple[int, ...], weights: int, loss: float, word: str, gap: tuple[float, ...] | None
) -> dict[str, Any]:
    name = f"{len(hidden)}×{hidden[0]}"
    difference, low, high = gap or (None, None, None)
    return {
        "hidden": list(hidden), "name": name, "weights": weights, "loss": loss, "word": word,
        "share": 1.0 if gap else 1 / 3, "blocks": 6 if gap else 3, "train": 0.8 * loss,
        "proper": loss, "difference": difference, "low": low, "high": high,
    }  # fmt: skip


SIZE: Mapping[str, Any] = {
    "sentence": "too small below 2×64 · just right 2×64 to 2×128 · no evidence for larger · "
    "chosen 2×64",
    "chosen": [64, 64],
    "lightest": [64, 64],
    "heaviest": [128, 128],
    "sure": True,
    "delta": 0.01,
    "confirmed": True,
    "able": [128, 128],
    "weights": 6_100,
    "bytes": 24_400,
    "ms_to_answer": 0.051,
    "rows": [
        _size((16,), 640, 0.31, "given up", None),
        _size((32,), 1_240, 0.29, "worse", (0.055, 0.02, 0.09)),
        _size((64, 64), 6_100, 0.238, "just right", (0.003, -0.004, 0.01)),
        _size((128, 128), 21_000, 0.235, "just right", (0.0, 0.0, 0.0)),
        _size((256, 256, 256), 140_000, 0.241, "cannot tell", (0.006, -0.003, 0.015)),
    ],
}


def _check(
    title: str, figure: str, expected: str, word: str = "passed", action: str = ""
) -> dict[str, Any]:
    return {
        "name": title, "title": title, "figure": figure, "expected": expected, "word": word,
        "source": "Karpathy 2019", "status": "assumption", "action": action, "numbers": {},
    }  # fmt: skip


SANITY: Mapping[str, Any] = {
    "subject": "start recipe",
    "seconds": 0.41,
    "checks": [
        _check("initial loss", "1.002, prior 1", "that of the prior, within 10%"),
        _check(
            "repeatable", "the same numbers after 16 steps", "bit for bit the same from one seed"
        ),
        _check(
            "gradients",
            "1 of 11 tensors without, 4% of weights: scale",
            "one for every tensor in 8 batches",
            "failed",
            "look for units that are never active",
        ),
        _check("rows apart", "moves by 0 of the spread of outputs", "at most 0.0001"),
        _check("one batch by heart", "0.41% of the initial loss after 50 steps", "at most 1%"),
        _check("inputs matter", "the time was up", "a lower loss", "not checked"),
    ],
}

STATE: Mapping[str, Any] = {
    "subject": "longer × 3",
    "state": "able to overfit",
    "reason": "its training loss 0.14 lies below the best validation loss 0.2, and its own "
    "validation loss has stopped falling, without a rise that matters",
    "action": "it is large and trained long enough: try regularisers, then smaller sizes",
    "numbers": {
        "constant": 1.0, "baseline": 0.21, "delta": 0.008, "train": 0.14, "validation": 0.2,
        "best": 0.2, "best at": 0.7, "gap": 0.06, "rise": 0.001, "fall": 0.0, "runs": 3.0,
    },
}  # fmt: skip

MORE_TIME: Mapping[str, Any] = {
    "time": "3m",
    "tested": 1,
    "expected": 0.0021,
    "core_seconds": 24.0,
    "untested": [256, 256, 256],
    "size_time": "4m",
    "ideas": [
        {"title": "dropout 0.15", "slot": "dropout", "helps": 0.3, "expected": 0.0021,
         "core_seconds": 24.0, "fits": True, "until": 0.012},
        {"title": "8 members", "slot": "members", "helps": 0.7, "expected": 0.004,
         "core_seconds": 900.0, "fits": False, "until": -0.02},
    ],
}  # fmt: skip

_FORETOLD: Mapping[str, Any] = {
    "outcomes": 31, "studies": 4, "helped": 6.4, "brier": 0.171, "constant": 0.166,
    "better": -0.005, "low": -0.021, "high": 0.011, "gains": 5, "inside": 4,
    "groups": [
        {"low": 0.0, "high": 0.2, "said": 0.16, "came": 0.11, "ideas": 12},
        {"low": 0.2, "high": 0.4, "said": 0.3, "came": 0.2, "ideas": 14},
        {"low": 0.4, "high": 0.6, "said": 0.5, "came": 0.42, "ideas": 5},
    ],
}  # fmt: skip
FORESIGHT = {"own": {**_FORETOLD, "outcomes": 6, "studies": 1}, "all": _FORETOLD}

SEARCH_FACTS: Mapping[str, Mapping[str, Any]] = {
    "more time": MORE_TIME,
    "foresight": FORESIGHT,
    "noise": {
        "seed_sd": 0.006,
        "split_sd": 0.009,
        "tie_below": 0.008,
        "blocks": 5,
        "df": 2,
        "losses": [[0, 0.241], [0, 0.247], [0, 0.235], [1, 0.256]],
    },
    "rate": RATE,
    "sanity": SANITY,
    "size": SIZE,
    "state": STATE,
}
