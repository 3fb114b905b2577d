"""Encoded rows of planted arrays, for tests that train without a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from justright.core.codec import dumps
from justright.core.task import Task, TaskKind
from justright.data.encoded import EncodedMeta
from justright.recipe.network import Inputs

BINS = 8
"""Bins between the quantiles that are written."""


def write_rows(
    folder: Path, x: np.ndarray, y: np.ndarray, *, prior: tuple[float, ...] | None = None
) -> str:
    """Write rows as `data.encode.write_encoded` would, all inputs being numbers.

    Args:
        folder: Is made.
        x: Inputs ``[n, columns]``, as they are to enter the network.
        y: Amounts float ``[n]``, which are standardised; or class codes int ``[n]``.
        prior: Where the bias of the head starts; None = at the class shares, or at the mean.

    Returns:
        The folder, as a request names it.
    """
    folder.mkdir(parents=True)
    np.save(folder / "x.npy", x.astype(np.float32))
    np.save(folder / "c.npy", np.zeros((len(x), 0), np.int32))
    np.save(folder / "edges.npy", np.quantile(x, np.linspace(0, 1, BINS + 1), axis=0).T)
    scale: dict[str, Any] = {"y_mean": (), "y_scale": (), "y_low": (), "y_high": ()}
    if y.dtype.kind == "i":
        shares = np.bincount(y) / len(y)
        names = tuple(f"class {code}" for code in range(len(shares)))
        kind = TaskKind.BINARY if len(shares) == 2 else TaskKind.MULTICLASS
        logs = np.log(shares)
        usual = (float(logs[1] - logs[0]),) if len(shares) == 2 else tuple(logs.tolist())
        np.save(folder / "y.npy", y.astype(np.int64))
    else:
        kind, names, usual = TaskKind.REGRESSION, (), (0.0,)
        scale = {"y_mean": (float(y.mean()),), "y_scale": (float(y.std()),)}
        scale |= {"y_low": (float(y.min()),), "y_high": (float(y.max()),)}
        np.save(folder / "y.npy", ((y - y.mean()) / y.std()).astype(np.float32)[:, None])
    meta = EncodedMeta(
        inputs=Inputs(x.shape[1], 0, (), len(usual)),
        task=Task(kind, ("y",), names),
        prior=usual if prior is None else prior,
        rows=len(x),
        preprocessing="planted",
        **scale,
    )
    (folder / "meta.json").write_text(dumps(meta))
    return str(folder)
