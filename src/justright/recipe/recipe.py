"""The recipe: everything that defines a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from justright.recipe.network import Shape

LossName = Literal["cross_entropy", "mse", "mae", "huber"]
OptimiserName = Literal["sgd", "nesterov", "adam", "adamw", "nadam", "rmsprop", "adamax"]
ScheduleName = Literal[
    "constant",
    "exponential",
    "step",
    "cosine",
    "coslog4",
    "flat_cosine",
    "onecycle",
    "plateau",
    "swa",
]


Sampling = Literal["even", "balanced"]
TargetScale = Literal["plain", "sqrt"]


@dataclass(frozen=True)
class PreprocessingSpec:
    """How columns become numbers (RealMLP, Holzmüller et al. 2024, unless said otherwise).

    Attributes:
        one_hot_up_to: Categories with at most this many values become one column per value.
        rare_below: Values with fewer training rows than this share the "other" bucket
            (assumption: an embedding row needs a handful of examples).
        clip: Bound of the smooth clip ``x / sqrt(1 + (x / clip)²)``.
        level_rows: A number of few whole values is a category, too, if so many rows hold each of
            them on average (assumption between what is measured, LOG.md, numbers that are
            categories, too: with 3,300 rows a value or more it lowers the log-loss of 257,000
            flights by 9.8%, with 750 it raises that of letter by 32%, and two tables with 840 to
            2,600 show nothing).
        text_components: Components kept of the hashed character n-grams of all text columns
            together, of each at least 32, and 32 of titles (measured on three tables with 32 to
            256, on one with 8 to 128: LOG.md, components of texts, and loans_rate).
        target: What a network is trained on: the target itself, or its square root (Bartlett
            1936); predictions and their scores are of the target itself. Not for classes.
    """

    one_hot_up_to: int = 9
    rare_below: int = 5
    clip: float = 3.0
    level_rows: int = 3_000
    text_components: int = 128
    target: TargetScale = "plain"


@dataclass(frozen=True)
class LossSpec:
    """The training loss; ``smoothing`` is cross-entropy's, ``delta`` Huber's (standardised y)."""

    name: LossName = "cross_entropy"
    smoothing: float = 0.0
    delta: float = 1.0


@dataclass(frozen=True)
class OptimiserSpec:
    """Update rule and its numbers.

    Attributes:
        rule: Name of the update rule.
        rate: Peak learning rate at width 256, in the parametrisation whose best rate does not
            depend on the width.
        beta1, beta2: Moment decays (for SGD, ``beta1`` is the momentum).
        decay_epochs: Weight decay as a time scale: epochs after which an unused weight has shrunk
            to 1/e at the peak of the schedule, whatever the rate; None = no decay.
        clip: Bound on the global norm of the gradient; None = no clipping.
    """

    rule: OptimiserName = "adamw"
    rate: float = 0.04
    beta1: float = 0.9
    beta2: float = 0.95
    decay_epochs: float | None = None
    clip: float | None = None


@dataclass(frozen=True)
class ScheduleSpec:
    """Shape of the learning rate over a run; ``warmup`` is the share of steps of a linear rise.

    All but "plateau" are functions of the step; a plateau is decided between spans, by the losses
    seen at the evaluations so far. To "swa" belongs an average of weights of its own.
    """

    name: ScheduleName = "coslog4"
    warmup: float = 0.0


@dataclass(frozen=True)
class RegularisationSpec:
    """What fights overfitting inside a step; each rate follows a flat-cosine where it says so.

    Attributes:
        dropout: Share of hidden units silenced (flat, then cosine to zero over the last half).
        dropout_layers: How many of the last hidden layers have dropout; None = all.
        input_dropout: Share of inputs silenced (flat-cosine): of numbers, indicators, and
            categories, each with its whole embedding.
        input_noise: Standard deviation of the normal noise on number inputs, in units of scaled
            numbers, where 1 is the distance between the quartiles (flat-cosine).
        stochastic_depth: Probability of skipping the last residual block, growing linearly.
        mixup: Parameter α of the Beta distribution of mixup; 0 = off.
    """

    dropout: float = 0.0
    dropout_layers: int | None = None
    input_dropout: float = 0.0
    input_noise: float = 0.0
    stochastic_depth: float = 0.0
    mixup: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Everything that defines a training but the data, the seed and the number of steps.

    Attributes:
        epochs: Length asked for; the steps follow from the rows (see `training.budget`).
        batch: Rows a step, whatever the rows: the final training is the one that was judged.
        ema_epochs: Time scale of the average of weights, in epochs; None = no averaging, but for
            what the schedule brings.
        sampling: How often rows are seen: all alike, or so that classes come equally often.
    """

    preprocessing: PreprocessingSpec = field(default_factory=PreprocessingSpec)
    shape: Shape = field(default_factory=Shape)
    loss: LossSpec = field(default_factory=LossSpec)
    optimiser: OptimiserSpec = field(default_factory=OptimiserSpec)
    schedule: ScheduleSpec = field(default_factory=ScheduleSpec)
    regularisation: RegularisationSpec = field(default_factory=RegularisationSpec)
    epochs: float = 64.0
    batch: int = 256
    ema_epochs: float | None = None
    sampling: Sampling = "even"

    @property
    def averages(self) -> bool:
        """Whether weights are averaged over the run, and the average is what is handed over.

        >>> Recipe().averages, Recipe(schedule=ScheduleSpec("swa")).averages
        (False, True)
        """
        return self.ema_epochs is not None or self.schedule.name == "swa"
