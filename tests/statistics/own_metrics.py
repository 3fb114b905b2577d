"""Metrics as a user would write them, good ones and bad ones."""

from __future__ import annotations

import numpy as np


def root_error(truth, prediction):
    return float(np.sqrt(np.mean((truth - prediction) ** 2)))


def worst_tenth(truth, prediction):
    return float(np.quantile(np.abs(truth - prediction), 0.9))


def weighted_error(truth, prediction, weights=None):
    return np.average(np.abs(truth - prediction), weights=weights)


def hit_rate(truth, prediction):
    return np.mean(prediction.argmax(axis=1) == truth)


def raises(truth, prediction):
    raise KeyError("profit")


def words(truth, prediction):
    return "good"


def never(truth, prediction):
    return float("nan")


constant = 3.0
