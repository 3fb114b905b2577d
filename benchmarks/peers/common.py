"""What the scripts of all peers share: reading a table, plain features, timing, writing.

Each script runs in an environment of its own, with nothing of this package in it:

    ENVIRONMENT/bin/python benchmarks/peers/fit_histgb.py CASE OUT --cap 300 --seed 0 --threads 1

CASE holds ``train.parquet``, ``test.parquet`` (without targets) and ``about.json``; classes are
numbers from 0. OUT gets ``prediction.npy`` (values [n, targets] or probabilities [n, classes]),
``fitted.json`` as soon as the fit has ended, and ``figures.json``.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

TEXT_WIDTH = 32
"""Numbers that a column of text becomes: TF-IDF of words, then latent semantic analysis
(Deerwester et al. 1990). Assumption: simple, and the same for all who cannot read text."""


@dataclass(frozen=True)
class Job:
    """A table to learn, and how.

    Attributes:
        about: Task, targets, classes, metric, and names of the columns of each kind.
        train: Inputs as they are in the table.
        y: float64 [n, targets] or int64 class codes [n].
        cap_s: Seconds that the fit may take.
        seed: Root of randomness.
        threads: Most threads.
    """

    about: dict[str, Any]
    train: pd.DataFrame
    y: np.ndarray
    cap_s: float
    seed: int
    threads: int

    @property
    def classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.about["classes"])


@dataclass(frozen=True)
class Fitted:
    """What a fit gives.

    Attributes:
        predict: From raw inputs to values [n, targets] or probabilities [n, classes].
        save: Writes all that is needed to predict into a folder.
    """

    predict: Callable[[pd.DataFrame], np.ndarray]
    save: Callable[[Path], None]


class Features:
    """Raw columns as float64 columns and columns of categories.

    Dates become a number and their parts, text `TEXT_WIDTH` numbers; categories are those of the
    training rows, all others are missing.
    """

    def __init__(self, about: dict[str, Any], seed: int) -> None:
        self.about = about
        self.seed = seed
        self.texts: dict[str, tuple[TfidfVectorizer, TruncatedSVD | None]] = {}
        self.levels: dict[str, list[str]] = {}
        self.medians: pd.Series | None = None

    def fit(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Learn from the training rows, and return their features."""
        for name in self.about["texts"]:
            words = TfidfVectorizer()
            found = words.fit_transform(_text(frame[name]))
            width = min(TEXT_WIDTH, found.shape[1] - 1)
            svd = TruncatedSVD(width, random_state=self.seed).fit(found) if width > 0 else None
            self.texts[name] = (words, svd)
        for name in self.about["categories"]:
            self.levels[name] = sorted(set(frame[name].dropna().astype(str)))
        made = self.of(frame)
        self.medians = made.select_dtypes("number").median().fillna(0.0)
        return made

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Features of any rows."""
        made: dict[str, Any] = {}
        for name in self.about["numbers"]:
            made[name] = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name in self.about["dates"]:
            made |= _parts(name, frame[name])
        for name, (words, svd) in self.texts.items():
            if svd is not None:
                found = svd.transform(words.transform(_text(frame[name])))
                made |= {f"{name} {place}": found[:, place] for place in range(found.shape[1])}
        for name, levels in self.levels.items():
            values = frame[name].astype(object)
            values = values.where(values.notna(), None)
            made[name] = pd.Categorical(values.to_numpy(), categories=levels)
        return pd.DataFrame(made, index=frame.index)

    def filled(self, made: pd.DataFrame) -> pd.DataFrame:
        """Missing numbers become the median of the training rows."""
        return made.fillna(self.medians.to_dict()) if self.medians is not None else made

    @property
    def categories(self) -> list[str]:
        """Columns of categories."""
        return list(self.levels)


def _text(values: pd.Series) -> list[str]:
    return ["" if pd.isna(each) else str(each) for each in values]


def _parts(name: str, values: pd.Series) -> dict[str, np.ndarray]:
    when = pd.to_datetime(values)
    parts = {
        "number": (when - pd.Timestamp(1970, 1, 1)).dt.total_seconds(),
        **{part: getattr(when.dt, part) for part in ("year", "month", "day", "dayofweek")},
        "hour": when.dt.hour + when.dt.minute / 60.0,
    }
    return {f"{name} {part}": each.to_numpy(dtype=np.float64) for part, each in parts.items()}


class Scaled:
    """A target of mean 0 and deviation 1, for networks."""

    def __init__(self, y: np.ndarray) -> None:
        self.mean = y.mean(axis=0)
        self.deviation = np.where(y.std(axis=0) > 0, y.std(axis=0), 1.0)

    def of(self, y: np.ndarray) -> np.ndarray:
        """Scaled."""
        return (y - self.mean) / self.deviation

    def back(self, y: np.ndarray) -> np.ndarray:
        """In the units of the table."""
        return y * self.deviation + self.mean


def in_order(probabilities: np.ndarray, known: Any, classes: int) -> np.ndarray:
    """Probabilities by class code; classes that the peer never saw get 0."""
    found = np.zeros((len(probabilities), classes))
    found[:, np.asarray(known, dtype=np.int64)] = probabilities
    return found


def pickled(*parts: Any) -> Callable[[Path], None]:
    """A `Fitted.save` that pickles all parts into one file."""

    def save(folder: Path) -> None:
        (folder / "model.pkl").write_bytes(pickle.dumps(parts))

    return save


def _processor_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(packages: tuple[str, ...], fit: Callable[[Job], Fitted]) -> None:
    """Fit, predict the test rows, save; write what came out and what it cost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("case", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cap", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    about = json.loads((options.case / "about.json").read_text())
    table = pd.read_parquet(options.case / "train.parquet")
    test = pd.read_parquet(options.case / "test.parquet")
    y = table[about["targets"]].to_numpy(dtype=np.int64 if about["classes"] else np.float64)
    train = table.drop(columns=about["targets"])
    y = y[:, 0] if about["classes"] else y
    job = Job(about, train, y, options.cap, options.seed, options.threads)
    began, used = time.perf_counter(), _processor_s()
    fitted = fit(job)
    figures: dict[str, Any] = {
        "fit_s": time.perf_counter() - began,
        "processor_s": _processor_s() - used,
        "versions": {name: version(name) for name in packages},
    }
    (options.out / "fitted.json").write_text(json.dumps(figures))
    began = time.perf_counter()
    prediction = np.asarray(fitted.predict(test), dtype=np.float64)
    figures["predict_s"] = time.perf_counter() - began
    np.save(options.out / "prediction.npy", prediction)
    model = options.out / "model"
    model.mkdir(exist_ok=True)
    fitted.save(model)
    files = [each for each in model.rglob("*") if each.is_file()]
    figures["bytes"] = sum(each.stat().st_size for each in files)
    (options.out / "figures.json").write_text(json.dumps(figures))
