"""The model card (Mitchell et al. 2019): what a model is for, how good it is, where it ends."""

from __future__ import annotations

from dataclasses import dataclass

from justright.core.task import Task
from justright.recipe.network import NetworkSpec, parameter_count


@dataclass(frozen=True)
class CardFacts:
    """What the card says beyond what the other files of the folder say.

    Attributes:
        name: Name of the study.
        source: Name of the data file, without folders.
        rows: Rows that the network was trained on.
        columns: Input columns.
        seconds: Seconds of the last training.
        steps: Steps of the last training.
        versions: Package or part to version.
        metric: Title of the metric; empty while the test set is locked.
        score: The network's score on the test rows.
        interval: Its 95% interval.
        test_rows: Rows of the test set.
        verdict: How it compares with the best baseline, in one sentence.
        limits: Known limits, one sentence each, such as findings about the data.
        licence: Licence of the model, as the owner of the data says.
    """

    name: str
    source: str
    rows: int
    columns: int
    seconds: float = 0.0
    steps: int = 0
    versions: tuple[tuple[str, str], ...] = ()
    metric: str = ""
    score: float | None = None
    interval: tuple[float, float] | None = None
    test_rows: int = 0
    verdict: str = ""
    limits: tuple[str, ...] = ()
    licence: str = "not stated; the owner of the training data decides"


def card_text(facts: CardFacts, task: Task, spec: NetworkSpec) -> str:
    """The card in Markdown.

    Args:
        facts: What only the study knows.
        task: What is predicted.
        spec: The network.
    """
    target = ", ".join(f"`{name}`" for name in task.targets)
    sections = {
        "Intended use": [
            f"Predicts {target} ({task.kind.value}) from {facts.columns} columns of tables like "
            f"the one it was trained on.",
            *([f"Classes: {', '.join(task.classes[:30])}."] if task.classes else []),
        ],
        "Data": [f"{facts.rows:,} rows of {facts.source or 'a table'}; {_tested(facts)}."],
        "Quality": _quality(facts),
        "Network": [f"{_shape(spec)}, {parameter_count(spec):,} weights."],
        "Training": [
            f"{facts.steps:,} steps in {facts.seconds:.1f} s. {_versions(facts)}".strip()
        ],
        "Limits": [
            "It knows nothing about rows unlike its training rows: values it never saw are "
            "treated as unknown, and predicted numbers stay within the range of the training rows."
            if not task.is_classification
            else "It knows nothing about rows unlike its training rows: values it never saw are "
            "treated as unknown, and only the classes above can be predicted.",
            *facts.limits,
        ],
        "Files": [
            "`network.py` predicts with numpy and PyTorch alone; `manifest.json` holds the "
            "SHA-256 of every file. `network.py` is a program: load folders you trust."
        ],
        "Licence": [facts.licence],
    }
    lines = [f"# {facts.name}", ""]
    for title, sentences in sections.items():
        lines += [f"## {title}", ""]
        bullets = len(sentences) > 1
        lines += [f"- {s}" if bullets else s for s in sentences]
        lines.append("")
    return "\n".join(lines)


def _tested(facts: CardFacts) -> str:
    if facts.test_rows:
        return f"{facts.test_rows:,} further rows were locked away for the test"
    return "no test rows"


def _quality(facts: CardFacts) -> list[str]:
    if facts.score is None:
        return ["Not tested yet: the test set is still locked."]
    low_high = ""
    if facts.interval is not None:
        low_high = f" (95% interval {facts.interval[0]:.4g} to {facts.interval[1]:.4g})"
    sentences = [f"{facts.metric} {facts.score:.4g}{low_high} on {facts.test_rows:,} test rows."]
    return [*sentences, facts.verdict] if facts.verdict else sentences


def _shape(spec: NetworkSpec) -> str:
    shape = spec.shape
    body = "Residual network" if shape.body == "residual" else "Multi-layer perceptron"
    parts = [f"{body} of {len(shape.hidden)} × {max(shape.hidden, default=0)}, {shape.activation}"]
    if shape.numbers != "none":
        parts.append(f"{shape.numbers} embeddings of {spec.inputs.numbers} numbers")
    if spec.inputs.categories:
        parts.append(f"embeddings of {len(spec.inputs.categories)} categories")
    return ", ".join(parts)


def _versions(facts: CardFacts) -> str:
    return ", ".join(f"{name} {version}" for name, version in facts.versions)
