"""Words for recipes: shapes, lengths, rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from justright.views.numbers import bytes_text, compact, significant


def shape_text(shape: Mapping[str, Any]) -> str:
    """A network's shape in a few characters: depth × width.

    >>> shape_text({"body": "mlp", "hidden": [64, 64]})
    '2×64'
    >>> shape_text({"body": "residual", "hidden": [256, 256]}), shape_text({"hidden": [64, 32]})
    ('residual 2×256', '64-32')
    >>> shape_text({"hidden": [64, 64], "members": 8})
    '8 members of 2×64'
    """
    hidden = [int(width) for width in shape.get("hidden") or ()]
    if not hidden:
        text = "linear"
    elif len(set(hidden)) == 1:
        text = f"{len(hidden)}×{hidden[0]}"
    else:
        text = "-".join(str(width) for width in hidden)
    body = str(shape.get("body") or "mlp")
    text = text if body == "mlp" else f"{body} {text}"
    members = int(shape.get("members") or 1)
    return text if members == 1 else f"{members} members of {text}"


def weights_text(found: Mapping[str, Any]) -> str:
    """Weights, bytes and speed of the size that a search chose; empty where they are not known.

    >>> weights_text({"weights": 6_100, "bytes": 24_400, "ms_to_answer": 0.051})
    '6.1 k weights, 24 kB, 0.051 ms for one row by itself'
    """
    if not found.get("weights"):
        return ""
    parts = [f"{compact(found['weights'])} weights"]
    if found.get("bytes"):
        parts.append(bytes_text(found["bytes"]))
    if found.get("ms_to_answer"):
        parts.append(f"{significant(found['ms_to_answer'], 2)} ms for one row by itself")
    return ", ".join(parts)


def recipe_text(recipe: Mapping[str, Any]) -> str:
    """The parts of a recipe that differ most often, in one line.

    >>> recipe_text({"shape": {"hidden": [64, 64]}, "optimiser": {"rule": "adamw", "rate": 0.04}})
    '2×64 · adamw, rate 0.040'
    >>> recipe_text({"preprocessing": {"target": "sqrt"}})
    'square root of the target'
    """
    parts = []
    shape = recipe.get("shape")
    if isinstance(shape, Mapping):
        activation = shape.get("activation")
        parts.append(shape_text(shape) + (f" {activation}" if activation else ""))
    optimiser = recipe.get("optimiser")
    if isinstance(optimiser, Mapping) and optimiser.get("rate") is not None:
        parts.append(f"{optimiser.get('rule', '')}, rate {significant(optimiser['rate'], 2)}")
    regularisation = recipe.get("regularisation")
    if isinstance(regularisation, Mapping):
        parts.extend(_regularisers(regularisation))
    schedule = recipe.get("schedule")
    tail = isinstance(schedule, Mapping) and schedule.get("name") == "swa"
    if recipe.get("ema_epochs") or tail:
        parts.append("averaged weights")
    preprocessing = recipe.get("preprocessing")
    if isinstance(preprocessing, Mapping) and preprocessing.get("target") == "sqrt":
        parts.append("square root of the target")
    return " · ".join(parts)


def _regularisers(spec: Mapping[str, Any]) -> list[str]:
    """Dropout and noise, where there is some.

    >>> _regularisers({"dropout": 0.15, "dropout_layers": 1, "input_noise": 0.1})
    ['dropout 0.15 on the last layer', 'noise 0.10 on numbers']
    """
    parts = []
    if spec.get("dropout"):
        last = spec.get("dropout_layers")
        where = {None: "", 1: " on the last layer"}.get(last, f" on the last {last} layers")
        parts.append(f"dropout {significant(spec['dropout'], 2)}{where}")
    if spec.get("input_dropout"):
        parts.append(f"input dropout {significant(spec['input_dropout'], 2)}")
    if spec.get("input_noise"):
        parts.append(f"noise {significant(spec['input_noise'], 2)} on numbers")
    return parts
