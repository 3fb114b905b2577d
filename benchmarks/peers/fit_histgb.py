"""scikit-learn's histogram gradient boosting with its defaults; one model per target.

It takes at most 255 categories a column: columns with more are given as numbers (their codes).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from common import Features, Fitted, Job, in_order, main, pickled
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

MOST = 255


def _fit(job: Job) -> Fitted:
    features = Features(job.about, job.seed)
    train = features.fit(job.train)
    many = [name for name in features.categories if len(features.levels[name]) > MOST]

    def ready(made: pd.DataFrame) -> pd.DataFrame:
        codes = {name: made[name].cat.codes.astype(float).replace(-1.0, np.nan) for name in many}
        return made.assign(**codes)

    train = ready(train)
    if job.classes:
        model = HistGradientBoostingClassifier(random_state=job.seed).fit(train, job.y)
        return Fitted(
            lambda rows: in_order(
                model.predict_proba(ready(features.of(rows))), model.classes_, job.classes
            ),
            pickled(model, features),
        )
    models = [HistGradientBoostingRegressor(random_state=job.seed).fit(train, y) for y in job.y.T]

    def predict(rows: pd.DataFrame) -> np.ndarray:
        made = ready(features.of(rows))
        return np.column_stack([model.predict(made) for model in models])

    return Fitted(predict, pickled(models, features))


if __name__ == "__main__":
    main(("scikit-learn",), _fit)
