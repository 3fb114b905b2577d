"""LightGBM's scikit-learn interface with its defaults (100 trees); one model per target."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
from common import Features, Fitted, Job, in_order, main, pickled


def _fit(job: Job) -> Fitted:
    features = Features(job.about, job.seed)
    train = _plain(features.fit(job.train))
    given = {"random_state": job.seed, "n_jobs": job.threads, "verbosity": -1}
    if job.classes:
        model = lightgbm.LGBMClassifier(**given).fit(train, job.y)
        return Fitted(
            lambda rows: in_order(
                model.predict_proba(_plain(features.of(rows))), model.classes_, job.classes
            ),
            pickled(model, features),
        )
    models = [lightgbm.LGBMRegressor(**given).fit(train, y) for y in job.y.T]

    def predict(rows: pd.DataFrame) -> np.ndarray:
        made = _plain(features.of(rows))
        return np.column_stack([model.predict(made) for model in models])

    return Fitted(predict, pickled(models, features))


def _plain(made: pd.DataFrame) -> pd.DataFrame:
    """It takes no names with brackets or commas."""
    return made.set_axis([f"c{place}" for place in range(made.shape[1])], axis=1)


if __name__ == "__main__":
    main(("lightgbm",), _fit)
