"""The fixed effort: the start recipe in full, in steps that follow from the rows alone.

Nothing here reads a clock, so the same rows and seed give the same network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from justright.core.codec import from_document
from justright.core.errors import DataError, JustRightError
from justright.core.seeds import child_seed
from justright.data.draws import sample_rows
from justright.data.encode import write_encoded
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import Problem
from justright.deploy.network import Preprocessing, read_safetensors
from justright.executors.base import Call, Failed, Finished
from justright.executors.inline import InlineExecutor
from justright.model.card import CardFacts, card_text
from justright.model.folder import model_tensors, recipe_document
from justright.model.held import HeldModel
from justright.recipe.network import Inputs, NetworkSpec
from justright.recipe.recipe import PreprocessingSpec, Recipe
from justright.training.request import Member, MemberResult, TrainRequest
from justright.training.start import start_recipe, with_members

LEAST_STEPS = 250
"""Fewest steps where the epochs are not said. Measured on six tables of 220 to 400 training rows:
250, 400, 600 and 1,000 steps score alike, the best step kept; from 600 rows on the epochs ask for
more anyway."""

EVALUATIONS = 8
"""How often the rows that are held out are scored, as in a study."""


@dataclass(frozen=True)
class Wishes:
    """What is to differ from the start recipe in full; None = nothing.

    Attributes:
        hidden: Width of each hidden layer.
        epochs: Length of the training.
        rate: Peak learning rate at width 256.
        dropout: Share of hidden units silenced.
        members: Networks in one that share the body; 1 = a plain network.
        validation: Share of the rows that is held out to choose the step.
    """

    hidden: tuple[int, ...] | None = None
    epochs: float | None = None
    rate: float | None = None
    dropout: float | None = None
    members: int | None = None
    validation: float = 0.15

    def recipe(self, start: Recipe) -> Recipe:
        """The start recipe with the wishes fulfilled; members, unless said, as the width allows.

        >>> Wishes(rate=0.01).recipe(Recipe()).optimiser.rate
        0.01
        >>> [each.recipe(Recipe()).shape.members for each in (Wishes(), Wishes(members=1))]
        [4, 1]
        """
        changed = start
        if self.hidden is not None:
            changed = replace(changed, shape=replace(changed.shape, hidden=self.hidden))
        if self.epochs is not None:
            changed = replace(changed, epochs=self.epochs)
        if self.rate is not None:
            changed = replace(changed, optimiser=replace(changed.optimiser, rate=self.rate))
        if self.dropout is not None:
            noise = replace(changed.regularisation, dropout=self.dropout)
            changed = replace(changed, regularisation=noise)
        if self.members is None:
            return with_members(changed)
        return replace(changed, shape=replace(changed.shape, members=self.members))

    def steps(self, recipe: Recipe, rows: int) -> int:
        """Steps of a training: the epochs, at least `LEAST_STEPS` where nobody said how many.

        >>> Wishes().steps(Recipe(batch=32), 100), Wishes(epochs=8).steps(Recipe(batch=32), 100)
        (250, 25)
        """
        epochs = recipe.epochs if self.epochs is None else self.epochs
        least = LEAST_STEPS if self.epochs is None else 1
        return max(round(epochs * rows / recipe.batch), least)


@dataclass(frozen=True)
class Trained:
    """A network, and how it came about.

    Attributes:
        model: The network with its preprocessing.
        steps: Steps that were taken.
        best_step: The step whose weights it has.
        reason: Why the training ended early; empty if it did not.
    """

    model: HeldModel
    steps: int
    best_step: int
    reason: str = ""


def train_fixed(problem: Problem, wishes: Wishes, seed: int) -> Trained:
    """Train one network in this process; files are gone when it returns.

    The rows held out choose among eight evaluations, as everywhere in this package and in RealMLP
    (Holzmüller et al. 2024). Measured on the six tables of `LEAST_STEPS`: a network that has
    learned from every row, taken at its last step, has a log-loss of 0.98 instead of 0.44 on
    telco_churn (400 rows), and explains 24% instead of 37% of diabetes (220 rows); elsewhere there
    is no difference to speak of. 10%, 15% and 20% of the rows do equally well.

    Args:
        problem: Rows and targets.
        wishes: What is to differ from the start recipe.
        seed: Which rows are held out, initialisation, masks and order follow from it.

    Raises:
        DataError: If the training diverged before it had a network.
        JustRightError: If it failed.
    """
    held_out = _held_out(problem, wishes.validation, seed)
    everything = np.arange(problem.table.rows)
    train = np.setdiff1d(everything, held_out)
    spec = PreprocessingSpec()
    preprocessing = fit_preprocessing(problem, train, spec, everything)
    inputs = from_document(Inputs, preprocessing.document["inputs"])
    recipe = wishes.recipe(start_recipe(problem.task, len(train), inputs)[0])
    with TemporaryDirectory(prefix="justright-") as place:
        folder = Path(place) / "rows"
        write_encoded(problem, preprocessing, everything, folder)
        request = TrainRequest(
            recipe=recipe,
            folders=(str(folder),),
            members=(Member("network", child_seed(seed, "network"), 0, train, held_out),),
            steps=wishes.steps(recipe, len(train)),
            out=str(Path(place) / "out"),
            metric=problem.metric,
            evaluations=EVALUATIONS if len(held_out) else 1,
        )
        result = _run(request)
        if not result.weights:
            raise DataError(f"training failed, {result.reason}", hint="ask for a lower rate")
        weights = read_safetensors(result.weights)
    network = NetworkSpec(recipe.shape, inputs)
    model = _model(problem, recipe, network, preprocessing, weights, result)
    reason = result.reason if result.state != "done" else ""
    return Trained(model, result.steps, result.best_step, reason)


def _held_out(problem: Problem, share: float, seed: int) -> np.ndarray:
    rows = np.arange(problem.table.rows)
    classes = problem.target() if problem.task.is_classification else None
    wanted = min(round(share * len(rows)), len(rows) - 1)
    rng = np.random.default_rng(child_seed(seed, "validation"))
    return sample_rows(rows, classes, wanted, rng)


def _run(request: TrainRequest) -> MemberResult:
    """Train in this thread; PyTorch is imported by the call, not before."""
    with InlineExecutor() as executor:
        executor.submit(Call("justright.training.guest:train_as_guest", {"request": request}))
        end = executor.poll(0.0)[-1]
    if isinstance(end, Finished):
        return end.value[0]
    assert isinstance(end, Failed)
    raise JustRightError(f"the training failed: {end.message}")


def _model(
    problem: Problem,
    recipe: Recipe,
    network: NetworkSpec,
    preprocessing: Preprocessing,
    weights: dict[str, np.ndarray],
    result: MemberResult,
) -> HeldModel:
    table = problem.table
    facts = CardFacts(
        study="justright estimator",
        rows=table.rows,
        data=table.fingerprint,
        subject="start recipe",
        metric=problem.metric,
        validation=result.scores,
        steps=result.best_step,
        seconds=result.seconds,
        source="the rows of fit",
        versions={"torch": version("torch")},
    )
    return HeldModel(
        recipe_document(recipe, network, problem.task),
        preprocessing.document,
        model_tensors(network, preprocessing, weights),
        card_text(facts, problem.task, network, len(preprocessing.document["columns"])),
    )
