"""What an example study says of single rows and of its data: slices, importance, labels, rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from justright.testing.example_worlds import World


def error_facts(world: World) -> Mapping[str, Mapping[str, Any]]:
    """The facts behind the cards of errors, in the shape that the designer writes them."""
    loss = "log-loss" if world.classes else "squared error"
    names = [name for name, kind in world.columns if kind not in ("identifier", "constant")]
    return {
        "slices": _slices(names, loss, world.metric[1]),
        "importance": _importance(names, world.metric[1]),
        "labels": _labels(world, names),
        "examples": _examples(world, names, loss),
        "forecast": FORECAST,
    }


def _slices(names: list[str], loss: str, title: str) -> dict[str, Any]:
    first, second = names[:2]
    whole = [
        ((first,), f"{first} from 31 to 40", f"a range of {first}", 812, 0.31, 0.24, True),
        ((second,), f"{second} missing", f"{second} missing", 95, 0.29, 0.255, True),
        (
            (first, second),
            f"{first} from 31 to 40 and {second} = low",
            f"a range of {first} and a value of {second}",
            61,
            0.3,
            0.256,
            False,
        ),
    ]
    slices = [
        {
            "columns": list(columns),
            "label": label,
            "plain": plain,
            "rows": rows,
            "share": rows / 4000,
            "loss": own,
            "rest": rest,
            "difference": own - rest,
            "low": 0.01 if weak else -0.02,
            "high": 2 * (own - rest),
            "loss_share": rows / 4000 * own / 0.257,
            "weak": weak,
            "score": own**0.5,
            "rest_score": rest**0.5,
            "other": own + 0.02,
        }
        for columns, label, plain, rows, own, rest, weak in whole
    ]
    return {
        "rows": 4000,
        "looked": 84,
        "source": "max-T over 84 slices, 1,000 permutations of the losses",
        "loss_title": loss,
        "metric_title": title,
        "mean": 0.257,
        "other": "boosting",
        "slices": slices,
    }


def _importance(names: list[str], title: str) -> dict[str, Any]:
    worth = 0.2 * 0.4 ** np.arange(len(names))
    columns = [
        {
            "column": name,
            "loss": float(gain),
            "low": float(gain) - 0.01,
            "high": float(gain) + 0.01,
            "repeats": 5,
            "matters": bool(gain > 0.01),
        }
        for name, gain in zip(names, worth, strict=True)
    ]
    return {
        "reason": "",
        "metric_title": title,
        "columns": columns,
        "rows": 2000,
        "cut": False,
    }


def _labels(world: World, names: list[str]) -> dict[str, Any]:
    rows = [
        _row(world, names, 17 + 40 * place) | _instead(world) | {"strength": 0.97 - 0.03 * place}
        for place in range(5)
    ]
    return {
        "word": "material",
        "why": "",
        "rows": 4000,
        "contradicted": 131,
        "rate": 0.041,
        "low": 0.028,
        "high": 0.057,
        "trainings": 3,
        "columns": names[:8],
        "list": rows,
    }


def _instead(world: World) -> dict[str, Any]:
    return {"output": 0, "instead": world.classes[-1] if world.classes else 1.9}


def _examples(world: World, names: list[str], loss: str) -> dict[str, Any]:
    kinds = ["worst", "best", "typical"] + ["confident error"] * bool(world.classes)
    rows = [
        _row(world, names, 3 + 7 * place) | {"kind": kind, "loss": 0.4 * (place + 1)}
        for place, kind in enumerate(kinds)
    ]
    return {"columns": names[:8], "rows": rows, "loss_title": loss}


def _row(world: World, names: list[str], row: int) -> dict[str, Any]:
    values = [f"{name} of row {row}" for name in names[:8]]
    if world.classes:
        said = {"target": world.classes[0], "prediction": world.classes[-1], "chance": 0.93}
        return {"row": row, "values": values, "own": 0.02, **said}
    outputs = len(world.targets)
    return {
        "row": row,
        "values": values,
        "target": [0.8] * outputs,
        "prediction": [1.9] * outputs,
    }


FORECAST: Mapping[str, Any] = {
    "gain": 0.012,
    "low": 0.008,
    "high": 0.017,
    "beta": 0.5,
    "beta_low": 0.3,
    "beta_high": 0.8,
    "word": "would help",
    "why": "the gain is surely more than what matters",
    "rows": [500, 1000, 2000, 4000],
    "losses": [
        [0.5, 0.452, 0.423, 0.405],
        [0.51, 0.461, 0.429, 0.412],
        [0.49, 0.443, 0.416, 0.399],
    ],
    "delta": 0.005,
    "blocks": 3,
}
"""Steps of 0.048, 0.029 and 0.018, which go on with 0.012."""
