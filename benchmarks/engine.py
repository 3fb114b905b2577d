"""Compare the engine with what people do: `python benchmarks/engine.py`.

All contestants train the same networks on the same rows with AdamW on one thread. Each round runs
every contestant once, one after the other, and counts process CPU time, so that other processes
disturb all alike; ratios are medians over rounds of the ratio within a round. Contestants that are
not installed (optuna, lightning) are left out with a line that says so.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import logging
import os
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier

from justright.engine.contract import Candidate, Program, Span
from justright.engine.torch_stack.backend import TorchBackend
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec

ROWS, FEATURES, CLASSES = 8192, 64, 10
X = np.random.default_rng(0).normal(size=(ROWS, FEATURES)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, CLASSES, ROWS)
MODULES = {
    "relu": torch.nn.ReLU,
    "selu": torch.nn.SELU,
    "mish": torch.nn.Mish,
}

Run = Callable[[int], None]
"""Trains for so many steps (of every candidate)."""


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        width, depth, batch: The network and its batch.
        candidates: K of the stack; everybody else trains them one after the other.
        steps: Steps of a round.
        activation, dropout: Of everybody, so that the comparison is like for like.
        goal: Ratio asked for, and against whom.
        peers: Whether Optuna, Lightning and scikit-learn take part.
    """

    width: int
    depth: int
    batch: int
    candidates: int
    steps: int
    activation: str = "relu"
    dropout: float = 0.0
    goal: str = ""
    peers: bool = False

    def __str__(self) -> str:
        extra = f" {self.activation}" + (f" dropout {self.dropout}" if self.dropout else "")
        return f"{self.depth}×{self.width}, batch {self.batch}, K={self.candidates},{extra}"

    @property
    def flops(self) -> float:
        """Floating-point operations of a step of one candidate, products only."""
        sizes = [FEATURES, *[self.width] * self.depth, CLASSES]
        weights = sum(a * b for a, b in itertools.pairwise(sizes))
        return 6.0 * weights * self.batch


CASES = (
    Case(64, 2, 128, 16, 512, goal="≥ 4 × default; ≥ 10 × Lightning", peers=True),
    Case(32, 2, 32, 16, 128, goal="≥ 12 × default"),
    Case(32, 2, 128, 16, 64),
    Case(64, 2, 128, 16, 32, dropout=0.15, goal="≥ 2 × fused"),
    Case(64, 3, 128, 16, 32, "selu", 0.15, goal="≥ 2 × fused"),
    Case(64, 3, 128, 16, 32, "mish", 0.15, goal="≥ 2 × fused"),
    Case(128, 2, 256, 8, 16),
    Case(256, 3, 256, 4, 10, goal="≥ 0.95 × fused"),
    Case(512, 2, 256, 2, 10, goal="≥ 0.95 × fused"),
    Case(512, 4, 256, 2, 6, goal="≥ 0.95 × fused"),
)


class MemoryRows:
    """The rows as the engine wants them."""

    def __len__(self) -> int:
        return ROWS

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": X[rows], "y": Y[rows]}


def make_net(case: Case) -> torch.nn.Sequential:
    """The network of every other contestant."""
    layers: list[torch.nn.Module] = []
    width = FEATURES
    for _ in range(case.depth):
        layers += [torch.nn.Linear(width, case.width), MODULES[case.activation]()]
        if case.dropout:
            kind = torch.nn.AlphaDropout if case.activation == "selu" else torch.nn.Dropout
            layers.append(kind(case.dropout))
        width = case.width
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, CLASSES))


def bare_loop(case: Case, *, fused: bool, rate: float = 1e-3) -> Run:
    """The loop of every tutorial, rows gathered by a permutation."""
    net = make_net(case)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, fused=fused)
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    order = torch.randperm(ROWS).view(-1, case.batch)

    def run(steps: int) -> None:
        for step in range(steps):
            rows = order[step % len(order)]
            loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return run


def engine(case: Case) -> Run:
    """This package: K candidates in one stack."""
    k = case.candidates
    shape = Shape(
        hidden=(case.width,) * case.depth,
        activation=case.activation,  # type: ignore[arg-type]
        scale_layer=False,
        dropout="alpha" if case.activation == "selu" else "plain",
    )
    net = NetworkSpec(shape, Inputs(FEATURES, 0, (), CLASSES))
    program = Program(net, LossSpec(), "adamw", case.batch)
    stack = TorchBackend().open(program, MemoryRows(), [Candidate(str(i), i) for i in range(k)])
    rng = np.random.default_rng(2)

    def run(steps: int) -> None:
        shuffled = [np.resize(rng.permutation(ROWS), steps * case.batch) for _ in range(k)]
        order = np.stack(shuffled).reshape(k, steps, case.batch).astype(np.int32)
        usual = {"rate": 1e-2, "shrink": 1e-5, "dropout": case.dropout}
        controls = {name: np.full((k, steps), value) for name, value in usual.items()}
        stack.advance(Span(order, controls))

    return run


def optuna_loop(case: Case, optuna: Any) -> Run:
    """The default loop as the objective of a study, one trial a candidate."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def run(steps: int) -> None:
        def objective(trial: Any) -> float:
            rate = trial.suggest_float("rate", 1e-4, 1e-2, log=True)
            bare_loop(case, fused=False, rate=rate)(steps)
            return 0.0

        optuna.create_study().optimize(objective, n_trials=1)

    return run


def lightning_loop(case: Case, lightning: Any) -> Run:
    """A LightningModule with a DataLoader, without logging, bars and checkpoints."""

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = make_net(case)

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            return torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters(), lr=1e-3)

    rows = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    loader = torch.utils.data.DataLoader(rows, batch_size=case.batch, shuffle=True)

    def run(steps: int) -> None:
        trainer = lightning.Trainer(
            max_steps=steps,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Module(), loader)

    return run


def scikit_learn_loop(case: Case) -> Run:
    """MLPClassifier, which trains whole epochs."""

    def run(steps: int) -> None:
        epochs = max(1, steps * case.batch // ROWS)
        model = MLPClassifier((case.width,) * case.depth, max_iter=epochs, alpha=0.0).set_params(
            batch_size=case.batch
        )  # whose type is said to be text
        model.fit(X, Y)

    return run


def contestants(case: Case, peers: dict[str, Any]) -> dict[str, tuple[Run, int]]:
    """Name to what to run and how many candidates a run trains."""
    found: dict[str, tuple[Run, int]] = {
        "engine": (engine(case), case.candidates),
        "default": (bare_loop(case, fused=False), 1),
        "fused": (bare_loop(case, fused=True), 1),
    }
    if case.peers:
        found["scikit-learn"] = (scikit_learn_loop(case), 1)
        if "optuna" in peers:
            found["Optuna"] = (optuna_loop(case, peers["optuna"]), 1)
        if "lightning" in peers:
            found["Lightning"] = (lightning_loop(case, peers["lightning"]), 1)
    return found


def cpu_seconds(run: Run, steps: int) -> float:
    """CPU seconds of this process for a run."""
    began = time.process_time()
    run(steps)
    return time.process_time() - began


def peak_flops() -> float:
    """Floating-point operations a second of one large product."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    out = torch.empty(1024, 1024)

    def product(_: int) -> None:
        torch.mm(a, b, out=out)

    seconds = [cpu_seconds(product, 1) for _ in range(12)]
    return 2 * 1024**3 / min(seconds)


def measure(case: Case, rounds: int, peers: dict[str, Any]) -> dict[str, np.ndarray]:
    """CPU seconds of a candidate's step, one for each round, by contestant."""
    runs = contestants(case, peers)
    for run, _ in runs.values():
        run(min(case.steps, 10))
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (run, candidates) in runs.items():
            found[name].append(cpu_seconds(run, case.steps) / (case.steps * candidates))
    return {name: np.array(values) for name, values in found.items()}


def find_peers() -> dict[str, Any]:
    """The optional contestants that are installed."""
    found = {}
    for name in ("optuna", "lightning"):
        try:
            found[name] = importlib.import_module(name)
        except ImportError:
            print(f"{name} is not installed: left out (pip install {name})")
    return found


def row(case: Case, seconds: dict[str, np.ndarray], peak: float) -> str:
    """One line of the table."""
    ratios = {n: values / seconds["engine"] for n, values in seconds.items() if n != "engine"}
    cells = [f"{np.median(r):.1f} ({r.min():.1f}–{r.max():.1f})" for r in ratios.values()]
    step = np.median(seconds["engine"])
    share = case.flops / step / peak
    others = "; ".join(f"{n} {c}" for n, c in zip(ratios, cells, strict=True))
    return f"| {case} | {1e6 * step:.0f} | {others} | {share:.0%} | {case.goal} |"


def main() -> None:
    """Run all comparisons and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each comparison")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.filterwarnings("ignore")  # scikit-learn's and Lightning's advice on short runs
    peers, peak = find_peers(), peak_flops()
    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.1f}")
    print(f"torch {torch.__version__}, sgemm {peak / 1e9:.0f} GF/s on one thread\n")
    print("| network | engine µs | times as fast as (range over rounds) | of peak | goal |")
    print("|---|---|---|---|---|")
    for case in CASES:
        print(row(case, measure(case, arguments.rounds, peers), peak), flush=True)


if __name__ == "__main__":
    main()
