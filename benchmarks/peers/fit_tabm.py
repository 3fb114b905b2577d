"""TabM with its defaults (Gorishniy et al. 2024, pytabkit): 32 networks that share weights.

It stops 16 epochs after its best one, whose weights it keeps, and knows no time limit; here its
loop over epochs also ends with the cap. For a log-loss the best epoch is chosen by cross-entropy.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from common import Features, Fitted, Job, in_order, main, pickled
from pytabkit import TabM_D_Classifier, TabM_D_Regressor
from pytabkit.models.alg_interfaces import tabm_interface

SHARE = 0.95
"""Of the cap that its epochs may take."""

ENDLESS = 1_000_000
"""Its default number of epochs is above, all else that it counts is below."""


def _until(ends: float, *bounds: int) -> Iterator[int]:
    """As `range`; an endless one stops before an epoch that would not end in time."""
    began = time.perf_counter()
    for place in range(*bounds):
        now = time.perf_counter()
        epoch_s = (now - began) / max(place, 1)
        if len(bounds) == 1 and bounds[0] > ENDLESS and place and now + epoch_s > ends:
            return
        yield place


def _fit(job: Job) -> Fitted:
    began = time.perf_counter()
    features = Features(job.about, job.seed)
    train = features.filled(features.fit(job.train))
    given = {"device": "cpu", "random_state": job.seed, "n_threads": job.threads}

    def fitted(model: TabM_D_Classifier | TabM_D_Regressor, y: np.ndarray, part: float) -> None:
        ends = began + SHARE * part * job.cap_s
        tabm_interface.range = lambda *bounds: _until(ends, *bounds)
        model.fit(train, y, cat_col_names=features.categories)

    def ready(rows: pd.DataFrame) -> pd.DataFrame:
        return features.filled(features.of(rows))

    if job.classes:
        model = TabM_D_Classifier(val_metric_name="cross_entropy", **given)
        fitted(model, job.y, 1.0)
        return Fitted(
            lambda rows: in_order(model.predict_proba(ready(rows)), model.classes_, job.classes),
            pickled(model, features),
        )
    models = [TabM_D_Regressor(**given) for _ in job.y.T]  # it takes one target
    for place, (model, y) in enumerate(zip(models, job.y.T, strict=True)):
        fitted(model, y, (place + 1) / len(models))

    def predict(rows: pd.DataFrame) -> np.ndarray:
        made = ready(rows)
        return np.column_stack([np.ravel(model.predict(made)) for model in models])

    return Fitted(predict, pickled(models, features))


if __name__ == "__main__":
    main(("pytabkit", "torch"), _fit)
