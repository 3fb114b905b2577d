"""scikit-learn's multi-layer perceptron with its defaults (one layer of 100, 200 epochs).

Numbers are imputed and standardised, categories one-hot, a target of numbers standardised.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from common import Features, Fitted, Job, Scaled, in_order, main, pickled
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def _fit(job: Job) -> Fitted:
    warnings.simplefilter("ignore", ConvergenceWarning)
    features = Features(job.about, job.seed)
    train = features.filled(features.fit(job.train))
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), features.categories),
    )

    def ready(rows: pd.DataFrame) -> pd.DataFrame:
        return features.filled(features.of(rows))

    if job.classes:
        model = make_pipeline(columns, MLPClassifier(random_state=job.seed)).fit(train, job.y)
        return Fitted(
            lambda rows: in_order(model.predict_proba(ready(rows)), model.classes_, job.classes),
            pickled(model, features),
        )
    scaled = Scaled(job.y)
    y = scaled.of(job.y)
    model = make_pipeline(columns, MLPRegressor(random_state=job.seed))
    model.fit(train, y[:, 0] if y.shape[1] == 1 else y)

    def predict(rows: pd.DataFrame) -> np.ndarray:
        return scaled.back(np.asarray(model.predict(ready(rows))).reshape(len(rows), -1))

    return Fitted(predict, pickled(model, features, scaled))


if __name__ == "__main__":
    main(("scikit-learn",), _fit)
