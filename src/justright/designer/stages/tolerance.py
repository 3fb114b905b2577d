"""What difference matters: the practical tolerance of a study."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from justright.core.decision import Decision, Status
from justright.designer.work.rivals import Rival, score_of
from justright.designer.work.session import Champion, Session
from justright.statistics.metrics import metric_named
from justright.statistics.noise import smallest_useful

LEAST_LEARNED = 0.01
"""A network that alone is better than the constant by less than this share of its loss is taken to
be lucky (assumption)."""


def tolerance_of(session: Session, baselines: Mapping[str, Rival], champion: Champion) -> float:
    """δ: the smallest difference that matters.

    Where no baseline is better than the constant, the network may be; 0 where none is.
    """
    metric = metric_named(session.metric)
    losses = {n: metric.loss(s) for n, s in score_of(baselines, metric.name).items()}
    others = [loss for name, loss in losses.items() if name != "constant"]
    constant = losses.get("constant", np.nan)
    delta, best = smallest_useful(constant, min(others, default=np.nan)), "best baseline"
    if not delta and constant - champion.loss > LEAST_LEARNED * abs(constant):
        delta, best = smallest_useful(constant, champion.loss), "network"
    reason = f"1% of the way from the constant to the {best} on the validation rows"
    source = "assumption: a hundredth of what can be learned is worth no complexity"
    wished = session.options.tolerance or 0.0
    if wished > delta > 0.0:  # where nothing is learned there is nothing to compare
        delta, reason, source = wished, f"--tolerance {wished:g}", "the user"
    session.store.ledger.decide(
        session.name,
        Decision(
            "statistics",
            f"differences of {metric.title} below {delta:.3g} do not matter",
            reason,
            source,
            Status.ASSUMPTION,
            {"delta": delta},
        ),
    )
    return delta
