"""What a study says first, read from the facts into one frozen value.

That is what the locked test set said or, below 500 rows, repeated cross-validation: then the
locked test is beside it as a sanity check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from justright.views.numbers import (
    capital,
    count,
    decimals,
    fixed,
    significant,
    span,
    with_interval,
)
from justright.views.reader import Reader


@dataclass(frozen=True)
class Method:
    """A method and its score on the rows of the headline.

    Attributes:
        name: Stable name: "network", "linear", ...
        title: For people.
        network: Whether it is the study's network.
        score: In the study's metric; None if it could not be scored.
        low: Lower end of the 95% interval.
        high: Upper end.
        scores: All metrics by name.
        seconds: Spent training it for the test.
    """

    name: str
    title: str
    network: bool
    score: float | None
    low: float | None
    high: float | None
    scores: Mapping[str, float]
    seconds: float | None

    @property
    def text(self) -> str:
        """The score with its interval."""
        return "–" if self.score is None else with_interval(self.score, self.low, self.high)


@dataclass(frozen=True)
class Comparison:
    """The network against one baseline on the same rows; positive = the network is better."""

    against: str
    title: str
    word: str
    difference: float
    low: float
    high: float
    why: str = ""

    @property
    def text(self) -> str:
        """By how much, with the interval, said from the winner's side."""
        if self.word == "loses to":
            amount, low, high = -self.difference, -self.high, -self.low
        else:
            amount, low, high = self.difference, self.low, self.high
        if not isfinite(high - low):  # one group, say, cannot tell how sure it is
            return f"difference {significant(amount)}, no interval"
        by = fixed(amount, decimals((high - low) / 2))
        if self.word == "ties with":
            return f"difference {by}, 95% interval {span(low, high)}"
        return f"by {by} (95% interval {span(low, high)})"

    @property
    def short(self) -> str:
        """The difference and its interval, positive = the network is better."""
        if not isfinite(self.high - self.low):
            return f"({significant(self.difference)}; no interval)"
        by = fixed(self.difference, decimals((self.high - self.low) / 2))
        return f"({by}; {span(self.low, self.high)})"


@dataclass(frozen=True)
class Outcome:
    """What the verdict rests on.

    Attributes:
        metric: Name of the study's metric.
        title: The metric for people.
        greater: Whether greater is better.
        methods: Best first; those without a score last.
        comparisons: The network against each baseline.
        word: "beats", "ties with" or "loses to", against the best baseline; "" if unknown.
        against: Title of that baseline.
        rows: Rows that were predicted.
        openings: How often the locked test set was opened.
        repetitions: Of cross-validation; 0 where the locked test set is the headline.
        blocks: Folds of all repetitions.
        optimism: How much too good the network's score was by the choice among what was tried,
            lower is better; None where there was no choice, or it does not matter. Where the
            locked test is the headline: the network's validation score.
        tried: Among how many configurations was chosen.
        taken_off: What of it was taken off.
        reason: Why the locked test is the headline although the table is small.
        sanity: What the locked test said, where it is not the headline.
    """

    metric: str
    title: str
    greater: bool
    methods: tuple[Method, ...]
    comparisons: tuple[Comparison, ...]
    word: str
    against: str
    rows: int
    openings: int
    repetitions: int = 0
    blocks: int = 0
    optimism: float | None = None
    tried: int = 1
    taken_off: float = 0.0
    reason: str = ""
    sanity: Outcome | None = None

    @property
    def folds(self) -> str:
        """How the rows were divided: "2 × 5 folds"."""
        return f"{self.repetitions} × {self.blocks // max(self.repetitions, 1)} folds"

    @property
    def where(self) -> str:
        """The rows behind the scores, in a few words."""
        return f"{self.folds} of cross-validation" if self.repetitions else "the locked test set"

    @property
    def network(self) -> Method | None:
        """The network, if it was scored."""
        return next((m for m in self.methods if m.network and m.score is not None), None)

    @property
    def baselines(self) -> tuple[Method, ...]:
        """The baselines, best first."""
        return tuple(method for method in self.methods if not method.network)

    @property
    def decisive(self) -> Comparison | None:
        """The comparison behind the word: the one against the best baseline."""
        return next((c for c in self.comparisons if self.against in (c.title, c.against)), None)

    @property
    def headline(self) -> str:
        """The verdict in one short sentence."""
        if self.network is None:
            return "No network could be tested"
        if not self.word:
            return f"The network reaches {self.title} {significant(self.network.score)}"
        return f"The network {self.word} {self.against}"

    @property
    def sentence(self) -> str:
        """The verdict with its numbers."""
        network = self.network
        opened = "opened once" if self.openings == 1 else f"opened {self.openings} times"
        where = f"on the {count(self.rows, 'row')} of the locked test set ({opened})"
        if self.repetitions:
            where = f"in {self.folds} of cross-validation over {count(self.rows, 'row')}"
        if network is None:
            best = self.baselines[0] if self.baselines else None
            if best is None or best.score is None:
                return f"Nothing was scored {where}."
            return f"The best baseline is {best.title} with {self.title} {best.text} {where}."
        sentence = f"{capital(self.title)} is {network.text} {where}"
        rival = next((m for m in self.baselines if m.title == self.against), None)
        if rival is not None:
            sentence += f"; {rival.title} has {rival.text}"
        decisive = self.decisive
        if decisive is None:
            return f"{sentence}."
        if rival is None:  # it was not tested on these rows
            sentence += f"; compared with {decisive.title}"
        if decisive.word == "ties with":
            return f"{sentence}: {decisive.why or 'no difference was shown'} ({decisive.text})."
        return f"{sentence}: the network {decisive.word} it {decisive.text}."


def metric_title(reader: Reader) -> str:
    """The study's metric for people; "score" while unknown."""
    table = reader.fact("table")
    return str(table.get("metric_title") or table.get("metric") or "score")


def greater_is_better(reader: Reader) -> bool:
    """The direction of the study's metric."""
    return bool(reader.fact("table").get("greater_is_better", False))


def outcome(reader: Reader) -> Outcome | None:
    """The result that the verdict rests on; None while the locked test set is closed."""
    test = reader.fact("test")
    if not test:
        return None
    first = test.get("headline") or {}
    if not first.get("repetitions"):
        return replace(
            _outcome(reader, test),
            reason=str(first.get("reason") or ""),
            optimism=first.get("optimism"),
            tried=int(first.get("tried") or 1),
        )
    locked = test.get("locked") or {}
    words = {"word": locked.get("word"), "against": locked.get("title")}
    return replace(
        _outcome(
            reader, {"metric": test.get("metric"), "openings": test.get("openings"), **first}
        ),
        repetitions=int(first["repetitions"]),
        blocks=int(first.get("blocks") or 0),
        optimism=first.get("optimism"),
        tried=int(first.get("tried") or 1),
        taken_off=float(first.get("taken_off") or 0.0),
        sanity=_outcome(reader, {**test, **words}),
    )


def _outcome(reader: Reader, document: Mapping[str, Any]) -> Outcome:
    """Methods and comparisons of one kind of evidence."""
    metric = str(document.get("metric") or reader.fact("table").get("metric") or "")
    greater = greater_is_better(reader)
    methods = [_method(entry, metric) for entry in document.get("methods") or ()]
    methods.sort(key=lambda m: _rank(m.score, greater))
    titles = {method.name: method.title for method in methods}
    comparisons = tuple(_comparison(c, titles) for c in document.get("comparisons") or ())
    against = str(document.get("against") or "")
    return Outcome(
        metric=metric,
        title=metric_title(reader),
        greater=greater,
        methods=tuple(methods),
        comparisons=comparisons,
        word=str(document.get("word") or ""),
        against=titles.get(against, against),
        rows=int(document.get("rows") or 0),
        openings=int(document.get("openings") or 1),
    )


def _rank(score: float | None, greater: bool) -> tuple[bool, float]:
    if score is None or score != score:  # NaN
        return True, 0.0
    return False, -score if greater else score


def _method(entry: Mapping[str, Any], metric: str) -> Method:
    scores = entry.get("scores") or {}
    low, high = (entry.get("interval") or (None, None))[:2]
    return Method(
        name=str(entry.get("name", "")),
        title=str(entry.get("title") or entry.get("name", "")),
        network=entry.get("kind") == "network",
        score=scores.get(metric),
        low=low,
        high=high,
        scores=scores,
        seconds=entry.get("seconds"),
    )


def _comparison(entry: Mapping[str, Any], titles: Mapping[str, str]) -> Comparison:
    against = str(entry.get("against", ""))
    return Comparison(
        against=against,
        title=str(entry.get("title") or titles.get(against, against)),
        word=str(entry.get("word", "")),
        difference=_number(entry.get("difference")),
        low=_number(entry.get("low")),
        high=_number(entry.get("high")),
        why=str(entry.get("why") or ""),
    )


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
