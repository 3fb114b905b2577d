"""The model card (Mitchell et al. 2019): what a model is for, how good it is, where it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from justright.core.task import Task
from justright.recipe.network import NetworkSpec, parameter_count


@dataclass(frozen=True)
class CardFacts:
    """What the card says beyond what the other files of the folder say.

    Attributes:
        study: Name of the study.
        rows: Rows of the table.
        data: Fingerprint of the table.
        subject: What the recipe is called.
        metric: Name of the metric that decides.
        validation: Scores on validation rows by metric, before the test set was opened.
        steps: Steps of training.
        seconds: Seconds of training.
        source: Name of the data file, without folders.
        test: Score on the locked test rows; None while they are locked.
        interval: Its 95% interval.
        test_rows: Rows of the test set.
        verdict: How it compares with the best baseline, in one sentence.
        headline: What the verdict rests on where it is not the test, in one sentence.
        metrics: The deciding metric, the others, and the baselines, one sentence each.
        slices: How good it is in parts of the rows, one sentence each.
        factors: Which columns it rests on, one sentence each.
        uncertainty: What its probabilities and intervals are worth, one sentence each.
        limits: Known limits, one sentence each, such as findings about the data.
        reproduce: What has to be the same to get it again, one sentence each.
        versions: Package or part to version.
        licence: Licence of the model, as the owner of the data says.
    """

    study: str
    rows: int
    data: str = ""
    subject: str = ""
    metric: str = ""
    validation: Mapping[str, float] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0
    source: str = ""
    test: float | None = None
    interval: tuple[float, float] | None = None
    test_rows: int = 0
    verdict: str = ""
    headline: str = ""
    metrics: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    uncertainty: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    reproduce: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    licence: str = "not stated; the owner of the training data decides"


def card_text(
    facts: CardFacts, task: Task, spec: NetworkSpec, columns: int, networks: int = 1
) -> str:
    """The card in Markdown.

    Args:
        facts: What only the study knows.
        task: What is predicted.
        spec: The network.
        columns: Input columns.
        networks: Such networks whose predictions are averaged.
    """
    target = ", ".join(f"`{name}`" for name in task.targets)
    known = "only these classes" if task.is_classification else "numbers in the training range"
    sections = {
        "Intended use": [
            f"Predicts {target} ({task.kind.value}) from {columns} columns, in tables like the "
            "one it was trained on.",
            *([classes_sentence(task.classes)] if task.classes else []),
            "Anything else, other tables and later times included, was not tried.",
        ],
        "Data": [_data(facts)],
        "Quality": _quality(facts),
        "Metrics": list(facts.metrics),
        "Quality by slice": list(facts.slices),
        "Factors": list(facts.factors),
        "Uncertainty": list(facts.uncertainty),
        "Network": [_network(spec, networks)],
        "Training": [_training(facts)],
        "Limits": [
            f"It predicts {known}, and knows nothing about rows unlike its training rows; values "
            "that it never saw count as unknown.",
            *facts.limits,
        ],
        "Ethical considerations": [
            "Not assessed: whom its errors fall on, and whether the data may be used for this."
        ],
        "How to reproduce": list(facts.reproduce),
        "Files": [
            "`network.py` predicts with numpy and PyTorch alone; `manifest.json` holds the "
            "SHA-256 of every file. `network.py` is a program: load folders you trust."
        ],
        "Licence": [facts.licence],
    }
    lines = [f"# {facts.study}", ""]
    for title, sentences in ((name, own) for name, own in sections.items() if own):
        lines += [f"## {title}", ""]
        bullets = len(sentences) > 1
        lines += [f"- {s}" if bullets else s for s in sentences]
        lines.append("")
    return "\n".join(lines)


def classes_sentence(classes: Sequence[str]) -> str:
    """The card's sentence about the classes; it names thirty at most.

    >>> classes_sentence(("no", "yes"))
    'Classes: no, yes.'
    """
    return f"Classes: {', '.join(classes[:30])}."


def _data(facts: CardFacts) -> str:
    source = facts.source or "one table"
    mark = f" (fingerprint {facts.data})" if facts.data else ""
    tested = f", {facts.test_rows:,} of them locked away for the test" if facts.test_rows else ""
    return f"{facts.rows:,} rows of {source}{mark}{tested}."


def _quality(facts: CardFacts) -> list[str]:
    scores = ", ".join(f"{name} {value:.4g}" for name, value in facts.validation.items())
    validation = [f"On validation rows: {scores}."] if scores else []
    if facts.test is None:
        return ["Not tested: the test rows are still locked.", *validation]
    low_high = ""
    if facts.interval is not None and all(map(isfinite, facts.interval)):
        low_high = f" (95% interval {facts.interval[0]:.4g} to {facts.interval[1]:.4g})"
    tested = f"{facts.metric} {facts.test:.4g}{low_high} on {facts.test_rows:,} test rows."
    said = [sentence for sentence in (facts.headline, facts.verdict) if sentence]
    if facts.headline:  # the test is a sanity check then, and comes last
        return [*said, f"Sanity check: {tested}", *validation]
    return [tested, *said, *validation]


def _training(facts: CardFacts) -> str:
    subject = f"Recipe {facts.subject!r}, " if facts.subject else ""
    seconds = f" in {facts.seconds:.1f} s" if facts.seconds else ""
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    return f"{subject}{facts.steps:,} steps{seconds}. {versions}".strip()


def _network(spec: NetworkSpec, networks: int) -> str:
    weights = networks * parameter_count(spec)
    if networks == 1:
        return f"{_shape(spec)}, {weights:,} weights."
    return (
        f"{networks} networks of different seeds, whose predictions are averaged. Each: "
        f"{_shape(spec)}. Together {weights:,} weights."
    )


def _shape(spec: NetworkSpec) -> str:
    shape = spec.shape
    body = "Residual network" if shape.body == "residual" else "Multi-layer perceptron"
    parts = [f"{body} of {len(shape.hidden)} × {max(shape.hidden, default=0)}, {shape.activation}"]
    if shape.members > 1:
        parts.append(f"{shape.members} members that share the body")
    if shape.numbers != "none":
        parts.append(f"{shape.numbers} embeddings of {spec.inputs.numbers} numbers")
    if spec.inputs.categories:
        parts.append(f"embeddings of {len(spec.inputs.categories)} categories")
    return ", ".join(parts)
