"""What example studies are about: three made-up worlds and the ideas tried in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from justright.core.decision import Decision, Status
from justright.core.finding import Finding, Severity


@dataclass(frozen=True)
class World:
    """What an example is about; every text of it may be replaced, also by a hostile one.

    Attributes:
        name: Of the study.
        task: As in the table fact.
        targets: Target columns.
        classes: Class labels; empty for regression.
        columns: Input columns as (name, kind).
        metric: Name, title and whether greater is better.
        scores: Test score by method name, the network's under "network".
        spread: Half width of the 95% intervals.
        word: The verdict against boosting.
    """

    name: str
    task: str
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    metric: tuple[str, str, bool]
    scores: Mapping[str, float]
    spread: float
    word: str
    rows: int = 20433


HOUSES = World(
    name="houses",
    task="regression",
    targets=("price",),
    classes=(),
    columns=(
        ("longitude", "number"),
        ("latitude", "number"),
        ("median_age", "number"),
        ("rooms", "number"),
        ("bedrooms", "number"),
        ("population", "number"),
        ("households", "number"),
        ("income", "number"),
        ("ocean_proximity", "category"),
        ("surveyed", "datetime"),
        ("parcel", "identifier"),
        ("country", "constant"),
    ),
    metric=("rmse", "RMSE", False),
    scores={"constant": 1.154, "linear": 0.672, "knn": 0.598, "boosting": 0.437, "network": 0.411},
    spread=0.006,
    word="beats",
)

BANK = World(
    name="bank",
    task="binary classification",
    targets=("subscribed",),
    classes=("no", "yes"),
    columns=(("age", "number"), ("job", "category"), ("balance", "number"), ("month", "category")),
    metric=("log_loss", "log-loss", False),
    scores={
        "constant": 0.361,
        "linear": 0.243,
        "knn": 0.262,
        "boosting": 0.2047,
        "network": 0.2053,
    },
    spread=0.0061,
    word="ties with",
    rows=45211,
)

FLOWERS = World(
    name="flowers",
    task="multi-class classification",
    targets=("species",),
    classes=("setosa", "versicolor", "virginica", "sibirica"),
    columns=(("petal", "number"), ("sepal", "number"), ("garden", "text")),
    metric=("log_loss", "log-loss", False),
    scores={"constant": 1.38, "linear": 0.21, "knn": 0.26, "boosting": 0.17, "network": 0.19},
    spread=0.008,
    word="loses to",
    rows=4200,
)

EXAMPLES = (HOUSES, BANK, FLOWERS)

TITLES = {
    "constant": "constant",
    "linear": "linear",
    "knn": "k-NN",
    "boosting": "boosting",
    "network": "network",
}

IDEAS = (
    ("longer × 3", "length", {"epochs": 192.0}, 0.55, 0.012, "better", 0.013),
    ("shape 3×256", "shape", {"shape.hidden": [256, 256, 256]}, 0.3, 0.006, "cannot tell", 0.002),
    ("rate × 3", "rate", {"optimiser.rate": 0.12}, 0.25, 0.005, "not better", -0.009),
    ("rate ÷ 3", "rate", {"optimiser.rate": 0.0133}, 0.25, 0.004, "cannot tell", -0.001),
    ("shape 2×64", "shape", {"shape.hidden": [64, 64]}, 0.15, 0.003, "not better", -0.011),
)
"""Title, slot, patch, probability, expected gain, word, measured gain."""

WAITING = ("dropout 0.15", "dropout", {"regularisation.dropout": 0.15}, 0.35, 0.006)

DECISIONS = (
    Decision(
        "data",
        "numbers are scaled by median and quartiles and clipped smoothly",
        "heavy tails in 4 of 9 number columns would drown the rest",
        "RealMLP, Holzmüller et al. 2024",
        Status.PUBLISHED,
    ),
    Decision(
        "recipe",
        "two hidden layers of 128",
        "a middle shape: tuned sizes hardly depend on the number of rows",
        "TabM run logs, Gorishniy et al. 2024",
        Status.PUBLISHED,
    ),
    Decision(
        "champion",
        "train three times longer",
        "the best evaluation lay in the last quarter of the run",
        "five paired blocks",
        Status.MEASURED,
        {"gain": 0.013, "blocks": 5},
    ),
    Decision(
        "recipe",
        "categories seen fewer than 5 times share a value",
        "an embedding row needs a handful of examples",
        "assumption",
        Status.ASSUMPTION,
    ),
)
"""Decisions of an example study."""


def findings_of(world: World) -> tuple[Finding, ...]:
    """What the audit of an example found."""
    first, last = world.columns[0][0], world.columns[-1][0]
    return (
        Finding(
            "missing",
            Severity.NOTE,
            f"1.0% of the values of {first} are missing",
            "filled with the median, and told to the network in a column of its own",
            (first,),
            {"share": 0.0101},
        ),
        Finding(
            "duplicates",
            Severity.WARNING,
            "58 rows occur more than once (0.3%)",
            "equal rows stay on one side of every split",
            (),
            {"rows": 58, "share": 0.0028},
        ),
        Finding(
            "leakage",
            Severity.CRITICAL,
            f"{last} alone predicts {world.targets[0]} almost perfectly (R² 0.998)",
            f"left out; if it is known before the target is, say --kind {last}=number",
            (last,),
            {"score": 0.998},
        ),
    )
