"""The chosen recipe on other data: no search, and a comparison that is fair to both models.

Rows that the study learned from flatter its model, so what is held out of the new training is
drawn from the others, and both models are judged there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from justright.core.codec import from_document
from justright.core.errors import JustRightError
from justright.core.seeds import child_seed
from justright.data.encode import write_encoded
from justright.data.preprocessing import fit_preprocessing
from justright.deploy.network import Preprocessing, read_json, read_safetensors
from justright.designer.delivery.refit_data import Known, NewRows, known_of, read_new_rows
from justright.designer.request.folder import StudyFolder
from justright.designer.stages.finish import FEWEST_STEPS
from justright.executors.base import AbstractExecutor, Call, Failed, Finished
from justright.executors.processes import ProcessExecutor
from justright.model.card import CardFacts
from justright.model.columns import read_columns
from justright.model.folder import stacked, write_model
from justright.model.predictor import Model
from justright.model.uncertainty import with_uncertainty
from justright.recipe.network import Inputs, NetworkSpec
from justright.statistics.conformal import errors_of, sorted_errors
from justright.statistics.intervals import paired_difference, score_interval, standing
from justright.statistics.metrics import metric_named
from justright.store.base import AbstractStore
from justright.training.request import Member, MemberResult, TrainRequest

PRELOAD = ("justright.training.run", "justright.model.serve")

GRACE_S = 5.0
"""A training that is that late is killed; it minds its deadline itself (assumption)."""


@dataclass(frozen=True)
class Refit:
    """A model of the same recipe on other data, compared with the old one.

    Attributes:
        folder: Where it lies.
        rows: Rows that it learned from.
        held_out: Rows that neither model learned from.
        metric: Title of the metric that decides.
        old: Score of the study's model on the rows held out.
        new: Score of the new one.
        difference: By how much the new one is better.
        low, high: The 95% interval of that.
        word: "beats", "ties with" or "loses to".
        why: Why that word.
    """

    folder: Path
    rows: int
    held_out: int
    metric: str
    old: float
    new: float
    difference: float
    low: float
    high: float
    word: str
    why: str

    @property
    def model(self) -> Model:
        """The new model, ready to predict."""
        return Model.load(self.folder)

    def __str__(self) -> str:
        """The comparison in one sentence."""
        return (
            f"{self.metric} {self.new:.4g} instead of {self.old:.4g} on {self.held_out:,} rows "
            f"that neither learned from: the new model {self.word} the old one (difference "
            f"{self.difference:.2g}, 95% interval {self.low:.2g} to {self.high:.2g}; {self.why})"
        )


def refit_study(folder: StudyFolder, store: AbstractStore, data: Any, limit_s: float) -> Refit:
    """Train a study's recipe on other data, and write the model beside the study's own.

    The steps grow with the rows, so that each row is seen as often as in the study. The
    temperature of the study is kept, as it belongs to the recipe; the intervals are those of the
    rows held out, which this very network did not learn from.

    Args:
        folder: The study's.
        store: Where it is recorded.
        data: The rows, in any form.
        limit_s: Seconds for all of it.

    Raises:
        InputError: If the data cannot be used, or the study did not come to its end.
        JustRightError: If the training did not end in the time.
    """
    began = time.time()
    known = known_of(folder, store)
    new = read_new_rows(known, data)
    with (
        TemporaryDirectory(prefix="justright-") as place,
        ProcessExecutor(1, preload=(PRELOAD,)) as executor,
    ):
        work = _Work(known, new, Path(place), executor, began + limit_s)
        preprocessing, results = work.train()
        facts = _card(known, new, results[0])
        draft = work.write(work.place / "model", preprocessing, results, facts)
        y = new.sample.y
        predictions = [work.predict(folder.model), work.predict(draft)]
        made = _compared(known, new, folder.next_refit, *predictions)
        errors = sorted_errors(errors_of(y, predictions[1]))
        own = with_uncertainty(preprocessing, known.temperature, errors)
        work.write(made.folder, own, results, _judged(facts, known, new, made, predictions[1]))
    earlier = store.ledger.fact(known.name, "refits") or []
    document = {**vars(made), "folder": made.folder.name}
    store.ledger.put(known.name, "refits", [*earlier, document])
    return made


@dataclass(frozen=True)
class _Work:
    """What a refit does in its worker, until a deadline (Unix time)."""

    known: Known
    new: NewRows
    place: Path
    executor: AbstractExecutor
    ends: float

    def train(self) -> tuple[Preprocessing, Sequence[MemberResult]]:
        """Train on all rows but those held out, as many seeds as the model averages."""
        known, problem, train = self.known, self.new.problem, self.new.train
        spec = known.recipe.preprocessing
        preprocessing = fit_preprocessing(problem, train, spec, train)
        target = preprocessing.document["target"] | {"temperature": known.temperature}
        if problem.task.is_classification:
            document = {**preprocessing.document, "target": target}
            preprocessing = Preprocessing(document, preprocessing.arrays)
        rows = self.place / "rows"
        write_encoded(problem, preprocessing, train, rows)
        planned, stop = (max(round(n * len(train)), FEWEST_STEPS) for n in known.steps_a_row)
        every = np.arange(len(train))
        seed = child_seed(problem.options.seed, "refit")
        further = (child_seed(seed, place) for place in range(1, known.networks))
        seeds = {"network": seed} | {f"network-{n}": own for n, own in enumerate(further, 2)}
        request = TrainRequest(
            recipe=known.recipe,
            folders=(str(rows),),
            members=tuple(Member(id, own, 0, every, every[:0]) for id, own in seeds.items()),
            steps=max(planned, stop),
            stop=stop,
            out=str(self.place / "out"),
            metric=problem.metric,
            evaluations=1,
            deadline=self.ends,
        )
        results = self._ask(Call("justright.training.run:train_stack", {"request": request}))
        for result in results:
            if result.state != "done" or not result.weights:
                raise JustRightError(
                    f"the training ended at step {result.steps:,} of {stop:,}"
                    + (f": {result.reason}" if result.reason else ""),
                    hint="give more time (time=)",
                )
        return preprocessing, results

    def write(
        self,
        folder: Path,
        preprocessing: Preprocessing,
        results: Sequence[MemberResult],
        facts: CardFacts,
    ) -> Path:
        """Write the model folder."""
        inputs = from_document(Inputs, preprocessing.document["inputs"])
        return write_model(
            folder,
            recipe=self.known.recipe,
            spec=NetworkSpec(self.known.recipe.shape, inputs),
            preprocessing=preprocessing,
            weights=stacked([read_safetensors(result.weights) for result in results]),
            task=self.new.problem.task,
            facts=facts,
        )

    def predict(self, folder: Path) -> np.ndarray:
        """What a model folder says of the rows held out."""
        frame = self.new.problem.table.frame[self.new.held]
        columns = read_columns(frame, read_json(folder / "preprocessing.json"))
        arguments = {"folder": str(folder), "columns": columns}
        return self._ask(Call("justright.model.serve:predict_columns", arguments))[0]

    def _ask(self, call: Call) -> Any:
        number = self.executor.submit(call)
        while True:
            for event in self.executor.poll(0.1):
                if isinstance(event, Finished):
                    return event.value
                if isinstance(event, Failed):
                    late = event.kind == "cancelled"
                    raise JustRightError(
                        "the time was up" if late else f"the refit failed: {event.message}",
                        hint="give more time (time=)" if late else "",
                    )
            if time.time() > self.ends + GRACE_S:
                self.executor.cancel(number)


def _compared(
    known: Known, new: NewRows, folder: Path, old: np.ndarray, fresh: np.ndarray
) -> Refit:
    metric, sample = metric_named(new.problem.metric), new.sample
    found = paired_difference(metric, sample, fresh, old)
    word, why = standing(found, known.delta)
    return Refit(
        folder=folder,
        rows=len(new.train),
        held_out=len(new.held),
        metric=metric.title,
        old=metric(sample.y, old, sample.weights),
        new=metric(sample.y, fresh, sample.weights),
        difference=found.estimate,
        low=found.low,
        high=found.high,
        word=word,
        why=why,
    )


def _card(known: Known, new: NewRows, result: MemberResult) -> CardFacts:
    table = new.problem.table
    return CardFacts(
        study=f"{known.name}, refitted",
        rows=table.rows,
        data=table.fingerprint,
        subject=known.subject,
        metric=new.problem.metric,
        steps=result.steps,
        seconds=result.seconds,
        source=table.name,
        versions=known.versions,
    )


def _judged(
    facts: CardFacts, known: Known, new: NewRows, made: Refit, prediction: np.ndarray
) -> CardFacts:
    """The card with what the rows held out say."""
    interval = score_interval(metric_named(new.problem.metric), new.sample, prediction)
    said = [
        f"Intervals are made from the errors on {made.held_out:,} rows held out; their coverage "
        "was not measured on further rows."
    ]
    if known.temperature != 1.0:
        said.append(f"Logits are divided by {known.temperature:.3g}, as in the study.")
    return replace(
        facts,
        test=made.new,
        interval=(interval.low, interval.high),
        test_rows=made.held_out,
        verdict=f"{str(made)[0].upper()}{str(made)[1:]}.",
        uncertainty=tuple(said),
    )
