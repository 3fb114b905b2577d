"""RealMLP with its tuned defaults (Holzmüller et al. 2024, pytabkit); one network.

For a log-loss the library's documentation tells to choose the best epoch by cross-entropy and to
leave label smoothing out. It takes a time limit itself; numbers are imputed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from common import Features, Fitted, Job, in_order, main, pickled
from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

SHARE = 0.95
"""Of the cap that its own limit is given: it looks at the clock between steps."""


def _fit(job: Job) -> Fitted:
    features = Features(job.about, job.seed)
    train = features.filled(features.fit(job.train))
    given = {"device": "cpu", "random_state": job.seed, "n_threads": job.threads}
    rest = {
        "cat_col_names": features.categories,
        "time_to_fit_in_seconds": int(SHARE * job.cap_s),
    }

    def ready(rows: pd.DataFrame) -> pd.DataFrame:
        return features.filled(features.of(rows))

    if job.classes:
        model = RealMLP_TD_Classifier(val_metric_name="cross_entropy", use_ls=False, **given)
        model.fit(train, job.y, **rest)
        return Fitted(
            lambda rows: in_order(model.predict_proba(ready(rows)), model.classes_, job.classes),
            pickled(model, features),
        )
    model = RealMLP_TD_Regressor(**given)
    model.fit(train, job.y[:, 0] if job.y.shape[1] == 1 else job.y, **rest)

    def predict(rows: pd.DataFrame) -> np.ndarray:
        return np.asarray(model.predict(ready(rows))).reshape(len(rows), -1)

    return Fitted(predict, pickled(model, features))


if __name__ == "__main__":
    main(("pytabkit", "torch"), _fit)
