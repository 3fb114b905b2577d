"""AutoGluon with its default preset and the cap as its time limit; one predictor per target.

It is told the metric, reads text and dates itself, and gets all columns as they are.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor
from common import Fitted, Job, in_order, main

SHARE = 0.95
"""Of the cap that its own limit is given."""

_KINDS = {
    "binary classification": "binary",
    "multi-class classification": "multiclass",
}
_METRICS = {"log_loss": "log_loss", "rmse": "root_mean_squared_error"}


def _fit(job: Job) -> Fitted:
    folder = Path(tempfile.mkdtemp())
    targets = job.y[:, None] if job.classes else job.y
    predictors = [
        TabularPredictor(
            label="the target",
            problem_type=_KINDS.get(job.about["task"], "regression"),
            eval_metric=_METRICS[job.about["metric"]],
            path=str(folder / str(place)),
            verbosity=1,
        ).fit(
            job.train.assign(**{"the target": y}),
            time_limit=SHARE * job.cap_s / targets.shape[1],
            num_cpus=job.threads,
            num_gpus=0,
        )
        for place, y in enumerate(targets.T)
    ]

    def predict(rows: pd.DataFrame) -> np.ndarray:
        if job.classes:
            found = predictors[0].predict_proba(rows, as_multiclass=True)
            return in_order(found.to_numpy(), list(found.columns), job.classes)
        return np.column_stack([each.predict(rows).to_numpy() for each in predictors])

    return Fitted(predict, lambda out: shutil.copytree(folder, out, dirs_exist_ok=True) and None)


if __name__ == "__main__":
    main(("autogluon.tabular", "torch"), _fit)
