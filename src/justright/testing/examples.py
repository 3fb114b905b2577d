"""Example studies: complete stores with plausible facts, for tests, screenshots and view writers.

Nothing here was trained. The numbers are made up by a seeded generator in the shape that the
designer writes them, so that whoever shows results can be tried without a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from justright.core.codec import fingerprint, to_document
from justright.core.idea import Idea, Prediction, Verdict
from justright.core.study import StudyHead
from justright.core.trial import TrialSpec, TrialState
from justright.recipe.patch import Patch
from justright.recipe.recipe import Recipe
from justright.store.base import AbstractStore
from justright.store.holder import this_process
from justright.testing.example_errors import error_facts
from justright.testing.example_facts import SEARCH_FACTS
from justright.testing.example_health import write_health
from justright.testing.example_worlds import (
    BANK,
    DECISIONS,
    EXAMPLES,
    FLOWERS,
    HOUSES,
    IDEAS,
    TITLES,
    WAITING,
    World,
    findings_of,
)

__all__ = ["BANK", "EXAMPLES", "FLOWERS", "HOUSES", "World", "write_example"]


def write_example(
    store: AbstractStore, world: World = HOUSES, *, seed: int = 0, tested: bool = True
) -> str:
    """Write a complete example study and return its name.

    Args:
        store: An empty store, or one without a study of that name.
        world: What the study is about.
        seed: Of the made-up curves and predictions.
        tested: Whether the locked test set was opened; False = a study that was stopped early.
    """
    generator = np.random.default_rng(seed)
    study, holder = world.name, this_process()
    head = StudyHead(
        name=study,
        data=fingerprint(world.name),
        goal=fingerprint(world.targets),
        settings={"target": list(world.targets), "seed": 0, "time": "60s"},
        created=1_790_000_000.0,
    )
    lease = store.studies.open(head, holder)
    _write_data(store, study, world)
    _write_trials(store, study, world, generator)
    _write_search(store, study, world)
    if tested:
        _write_test(store, study, world, generator)
    _write_end(store, study, tested)
    store.curves.flush()
    store.studies.release(lease)
    return study


def _write_data(store: AbstractStore, study: str, world: World) -> None:
    metric, title, greater = world.metric
    store.ledger.put(
        study,
        "table",
        {
            "name": f"{world.name}.parquet",
            "rows": world.rows,
            "columns": len(world.columns),
            "source": f"{world.name}.parquet",
            "target": list(world.targets),
            "task": world.task,
            "classes": list(world.classes),
            "metric": metric,
            "metric_title": title,
            "greater_is_better": greater,
            "fingerprint": fingerprint(study),
        },
    )
    unusable = {"identifier": "it names rows", "constant": "it has one value"}
    columns = [
        {
            "name": name,
            "kind": kind,
            "reason": f"looks like a {kind}: {100 - 3 * index} of 100 values parse",
            "used": kind not in unusable,
            "unused_because": unusable.get(kind, ""),
        }
        for index, (name, kind) in enumerate(world.columns)
    ]
    store.ledger.put(study, "schema", {"columns": columns})
    part = world.rows // 5
    store.ledger.put(
        study,
        "splits",
        {
            "kind": "at random",
            "reason": "there is no group or time column",
            "train": world.rows - 2 * part,
            "validation": part,
            "test": part,
            "blocks_seen": 11,
        },
    )
    store.ledger.find(study, findings_of(world))


def _curve(
    generator: np.random.Generator, start: float, floor: float, steps: int, over: float
) -> tuple[list[int], list[float], list[float]]:
    where = np.unique(np.linspace(steps / 24, steps, 24).astype(int))
    share = where / steps
    fall = np.exp(-5.5 * share**0.7)
    noise = generator.normal(0, 0.012 * floor, where.size)
    train = floor * (1 - over * share) + (start - floor) * fall + noise / 2
    validation = floor * (1 + 0.12 * over * share**2) + (start - floor) * fall + noise
    return where.tolist(), train.tolist(), validation.tolist()


def _write_trials(
    store: AbstractStore, study: str, world: World, generator: np.random.Generator
) -> None:
    champion = Recipe()
    recipes = [("start recipe", "champion", champion, 0.0)]
    recipes += [(t, "search", Patch(t, c).apply(champion), g) for t, _, c, _, _, _, g in IDEAS]
    power = 1 if world.classes else 2  # the loss of a regression is the squared error
    floor, start = world.scores["network"] ** power * 1.05, world.scores["constant"] ** power
    for subject, stage, recipe, gain in recipes:
        steps = 6000 if subject.startswith("longer") else 2000
        specs = [
            TrialSpec(
                kind="network",
                subject=subject,
                stage=stage,
                recipe=to_document(recipe),
                partition=f"block {block}",
                seed=1000 + block,
                steps=steps,
            )
            for block in range(3)
        ]
        store.trials.plan(study, specs)
        attempt = store.trials.start(study, [spec.id for spec in specs], this_process())
        for block, spec in enumerate(specs):
            if subject == "rate × 3" and block == 2:
                reason = "diverged at step 312"
                store.trials.finish(attempt, spec.id, TrialState.FAILED, {}, reason)
                continue
            where, train, validation = _curve(
                generator, start, floor - gain * 0.8, steps, 0.25 + 0.1 * block
            )
            store.curves.extend(attempt, spec.id, "probe_loss", where, train)
            store.curves.extend(attempt, spec.id, "validation_loss", where, validation)
            write_health(store, attempt, spec.id, where, train)
            best = int(np.argmin(validation))
            result = {
                "loss": validation[best],
                "scores": {world.metric[0]: validation[best]},
                "best_step": where[best],
                "steps": steps,
                "seconds": steps / 640,
            }
            store.trials.finish(attempt, spec.id, TrialState.DONE, result)


def _write_search(store: AbstractStore, study: str, world: World) -> None:
    metric = world.metric[0]
    store.ledger.put(study, "baselines", _baselines(world))
    champion = _scores(world, world.scores["network"] * 0.985)
    store.ledger.put(
        study,
        "champion",
        {
            "subject": "longer × 3",
            "recipe": to_document(Recipe(epochs=192.0)),
            "validation": champion,
            "loss": champion[metric],
            "weights": "model/weights.safetensors",
            "seconds": 9.4,
            "at_s": 31.0,
        },
    )
    for key, fact in {**SEARCH_FACTS, **error_facts(world)}.items():
        store.ledger.put(study, key, fact)
    rounds = []
    for number, (title, slot, changes, helps, gain, word, measured) in enumerate(IDEAS):
        idea = _idea(title, slot, changes, helps, gain)
        verdict = Verdict(title, word, measured, measured - 0.008, measured + 0.008, 5)
        identity = store.ideas.add(study, idea)
        store.ideas.judge(identity, verdict)
        rounds.append(
            {
                "round": f"round {1 + number // 3}/{slot}",
                "subject": title,
                "slot": slot,
                "verdict": to_document(verdict),
                "accepted": word == "better",
                "cost_s": 4.2 + 3 * number,
            }
        )
    store.ideas.add(study, _idea(*WAITING))
    store.ledger.put(study, "rounds", rounds)
    for decision in DECISIONS:
        store.ledger.decide(study, decision)


def _baselines(world: World) -> list[dict[str, Any]]:
    baselines = [
        {
            "name": name,
            "title": TITLES[name],
            "validation": _scores(world, score * 0.99),
            "seconds": 0.1 + 2.4 * (name == "boosting") + 1.1 * (name == "knn"),
            "state": "done",
            "reason": "",
        }
        for name, score in world.scores.items()
        if name != "network"
    ]
    baselines.append(
        {
            "name": "lightgbm",
            "title": "LightGBM",
            "validation": {},
            "seconds": None,
            "state": "skipped",
            "reason": "not installed (pip install justright[boost])",
        }
    )
    return baselines


def _idea(title: str, slot: str, changes: Mapping[str, Any], helps: float, gain: float) -> Idea:
    prediction = Prediction(helps, (gain / 4, gain, 2.5 * gain), 12.0)
    return Idea(title, slot, changes, prediction, "tuned plain networks, 2024", "moves")


def _scores(world: World, score: float) -> dict[str, float]:
    if not world.classes:
        return {"rmse": score, "mae": 0.71 * score, "r2": max(1 - (score / 1.154) ** 2, 0.0)}
    share = score / world.scores["constant"]
    scores = {"log_loss": score, "accuracy": 1 - 0.12 * share}
    return {**scores, "auc": 1 - 0.5 * share**2} if len(world.classes) == 2 else scores


def _write_test(
    store: AbstractStore, study: str, world: World, generator: np.random.Generator
) -> None:
    spread, network = world.spread, world.scores["network"]
    rows = world.rows // 5
    methods = [
        {
            "name": name,
            "title": TITLES[name],
            "kind": "network" if name == "network" else "baseline",
            "scores": _scores(world, score),
            "interval": [score - spread, score + spread],
            "seconds": {"network": 11.8, "boosting": 2.9, "knn": 1.3}.get(name, 0.1),
        }
        for name, score in world.scores.items()
    ]
    comparisons = [
        {
            "against": name,
            "title": TITLES[name],
            "word": world.word if name == "boosting" else "beats",
            "difference": score - network,
            "low": score - network - 2 * spread,
            "high": score - network + 2 * spread,
        }
        for name, score in world.scores.items()
        if name != "network"
    ]
    store.ledger.put(
        study,
        "test",
        {
            "metric": world.metric[0],
            "rows": rows,
            "openings": 1,
            "methods": methods,
            "comparisons": comparisons,
            "word": world.word,
            "against": "boosting",
            "validation_score": network * 0.985,
            "drop": network * 0.015,
            "sample": _sample(world, generator, min(rows, 2000)) if not world.classes else None,
            "confusion": _confusion(world, generator, rows) if world.classes else None,
            "calibration": _calibration(generator, rows) if world.classes else None,
        },
    )


def _sample(world: World, generator: np.random.Generator, rows: int) -> dict[str, Any]:
    y = np.exp(generator.normal(0.6, 0.5, (rows, len(world.targets))))
    y = np.minimum(y, 5.0)
    error = generator.normal(0, 0.3, y.shape) * (0.5 + 0.3 * y)
    prediction = 0.06 + 0.95 * y + error
    if y.shape[1] == 1:
        return {"y": y[:, 0].tolist(), "prediction": prediction[:, 0].tolist()}
    return {"y": y.tolist(), "prediction": prediction.tolist()}


def _confusion(world: World, generator: np.random.Generator, rows: int) -> dict[str, Any]:
    size = len(world.classes)
    right = 0.9 * np.eye(size) + 0.1 / size
    shares = np.linspace(2, 1, size) / np.linspace(2, 1, size).sum()
    matrix = [
        generator.multinomial(int(rows * share), row / row.sum()).tolist()
        for share, row in zip(shares, right, strict=True)
    ]
    return {"labels": list(world.classes), "matrix": matrix}


def _calibration(generator: np.random.Generator, rows: int) -> Sequence[Mapping[str, float]]:
    edges = np.linspace(0, 1, 11)
    counts = generator.multinomial(rows, np.array([40, 14, 8, 6, 5, 4, 4, 5, 6, 8]) / 100)
    bins = []
    for low, high, number in zip(edges, edges[1:], counts, strict=False):
        predicted = float((low + high) / 2)
        observed = float(np.clip(predicted**1.12 + generator.normal(0, 0.015), 0, 1))
        bins.append(
            {
                "low": float(low),
                "high": float(high),
                "predicted": predicted,
                "observed": observed,
                "count": int(number),
            }
        )
    return bins


def _write_end(store: AbstractStore, study: str, tested: bool) -> None:
    recipe = Recipe(epochs=192.0)
    store.ledger.put(
        study,
        "network",
        {
            "shape": to_document(recipe.shape),
            "parameters": 19_841,
            "bytes": 81_200,
            **{"ms_per_row": 0.0021, "ms_to_answer": 0.081},
            **{"steps": 6000, "epochs": 192.0},
            "recipe": to_document(recipe),
            "recipe_fingerprint": fingerprint(recipe),
            "subject": "longer × 3",
        },
    )
    names = ("read", "audit", "baselines", "champion", "noise", "search", "refit", "test")
    seconds = (0.6, 0.4, 5.2, 8.8, 9.1, 24.6, 7.9, 0.7)
    ended = len(names) if tested else 6
    stages = [
        {"name": n, "seconds": s, "state": "done"} for n, s in zip(names, seconds, strict=True)
    ]
    store.ledger.put(study, "stages", stages[:ended])
    clock = {"limit_s": 60.0, "used_s": sum(seconds[:ended]) + 1.4, "truncated": ["dropout 0.15"]}
    store.ledger.put(study, "clock", clock)
    store.ledger.put(
        study,
        "next",
        [
            {"title": "dropout 0.15", "why": "expected gain 0.006, needs about 14 s more"},
            {"title": "longer × 3 again", "why": "the curve still falls at its end"},
        ],
    )
    folder = f"studies/{study}"
    files = {"model": "model", "report": "report.html", "verdict": "verdict.json"}
    paths = {name: f"{folder}/{file}" for name, file in files.items()}
    paths |= {"folder": folder, "store": "studies/justright.db"}
    store.ledger.put(study, "paths", paths)
    granted = {
        "champion/steps": 2000,
        "noise/blocks": 5,
        "round 1/longer": 3,
        "round 2/dropout": 0,
    }
    store.ledger.put(study, "plan", {"version": 1, "granted": granted})
    versions = {
        "justright": "0.1.0",
        "python": "3.11.9",
        "torch": "2.9.0",
        "numpy": "2.2.1",
        "machine": "2 cores, x86-64",
    }
    store.ledger.put(study, "versions", versions)
