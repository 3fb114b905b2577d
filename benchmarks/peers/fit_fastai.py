"""fastai's tabular network with its defaults: two layers, embeddings, LR finder, one cycle.

fastai names no number of epochs. Taken here: 30 (as AutoGluon does for it; Erickson et al. 2020),
or what the cap holds after one epoch was timed, and the best epoch on its validation fifth.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from common import Features, Fitted, Job, Scaled, main
from fastai.callback.schedule import Learner  # its import adds lr_find and fit_one_cycle
from fastai.callback.tracker import SaveModelCallback
from fastai.data.block import CategoryBlock, RegressionBlock
from fastai.data.transforms import RandomSplitter
from fastai.tabular.all import (
    Categorify,
    FillMissing,
    Normalize,
    TabularDataLoaders,
    range_of,
    set_seed,
    tabular_learner,
)

EPOCHS = 30
SHARE = 0.8
"""Of what is left of the cap that its epochs are planned for."""

RARE = 0.01
"""FillMissing refuses missing numbers in columns that had none in its training rows: columns with
a smaller share of them get the median beforehand."""


def _fit(job: Job) -> Fitted:
    began = time.perf_counter()
    torch.set_num_threads(job.threads)
    set_seed(job.seed)
    features = Features(job.about, job.seed)
    table = features.fit(job.train)
    numbers = [name for name in table.columns if name not in features.categories]
    whole = [name for name in numbers if table[name].isna().mean() < RARE]

    def ready(made: pd.DataFrame) -> pd.DataFrame:
        return _plain(made.assign(**features.filled(made[whole])))

    table = ready(table)
    scaled = None if job.classes else Scaled(job.y)
    y = job.y[:, None] if scaled is None else scaled.of(job.y)
    names = [f"target {place}" for place in range(y.shape[1])]
    table = pd.concat([table, pd.DataFrame(y, index=table.index, columns=names)], axis=1)
    folder = Path(tempfile.mkdtemp())
    loaders = TabularDataLoaders.from_df(
        table,
        path=folder,
        procs=[Categorify, FillMissing, Normalize],
        cat_names=features.categories,
        cont_names=numbers,
        y_names=names[0] if job.classes else names,
        y_block=CategoryBlock() if job.classes else RegressionBlock(n_out=len(names)),
        splits=RandomSplitter(seed=job.seed)(range_of(table)),
        bs=min(64, len(table) // 4),
    )
    learner = tabular_learner(loaders)
    with learner.no_bar(), learner.no_logging():
        rate = _rate(learner)
        epochs = _epochs(learner, job.cap_s - (time.perf_counter() - began))
        learner.fit_one_cycle(epochs, rate, cbs=SaveModelCallback())

    def predict(rows: pd.DataFrame) -> np.ndarray:
        loader = learner.dls.test_dl(ready(features.of(rows)))
        with learner.no_bar(), learner.no_logging():
            found = learner.get_preds(dl=loader)[0].double().numpy()
        return found if scaled is None else scaled.back(found)

    return Fitted(predict, lambda out: learner.export(out.resolve() / "model.pkl"))


def _rate(learner: Learner) -> float:
    """What the finder suggests; fastai's default where its curve has no valley."""
    try:
        return float(learner.lr_find(show_plot=False).valley)
    except IndexError:
        return float(learner.lr)


def _epochs(learner: Learner, left_s: float) -> int:
    """Epochs that the cap holds, by the price of one training batch."""
    clone = [each.detach().clone() for each in learner.model.state_dict().values()]
    learner.create_opt()
    began, steps = time.perf_counter(), 0
    learner.model.train()
    for *inputs, y in learner.dls.train:
        learner.loss_func(learner.model(*inputs), y).backward()
        learner.opt.zero_grad()
        steps += 1
        if steps == 50:
            break
    price = 1.5 * (time.perf_counter() - began) / steps * len(learner.dls.train)
    for kept, each in zip(clone, learner.model.state_dict().values(), strict=True):
        each.copy_(kept)
    return int(np.clip(SHARE * left_s / price, 1, EPOCHS))


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Categories as Python objects: fastai codes them itself."""
    return table.assign(
        **{name: table[name].astype(object) for name in table.select_dtypes("category").columns}
    )


if __name__ == "__main__":
    main(("fastai", "torch"), _fit)
