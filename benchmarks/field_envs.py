"""One Python environment for each family of peers, built on demand.

torch comes first and alone, so that it is the build for processors; everything after it is held
to that release by a constraint file, and an environment with CUDA libraries is refused.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

TORCH = "torch==2.13.0"

_PYTABKIT = "pytorch-lightning torchmetrics scikit-learn dask[dataframe] tqdm psutil numba dill "
_PYTABKIT += "msgpack skorch probmetrics tabulate lightgbm pandas pyarrow"

FAMILIES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "boosting": (("scikit-learn", "lightgbm", "pandas", "pyarrow"),),
    "pytabkit": (
        (TORCH,),
        ("--no-deps", "pytabkit==1.7.3"),
        tuple(_PYTABKIT.split()),
    ),
    "fastai": ((TORCH,), ("fastai==2.8.12", "scikit-learn", "pandas", "pyarrow")),
    "autogluon": ((TORCH,), ("autogluon.tabular[lightgbm,fastai,tabm]==1.6.3", "pyarrow")),
}
"""What pip installs, one call after the other."""

MOST_S = 1800
"""Seconds that one call of pip may take."""

_DONE = "built.txt"


def python_of(envs: Path, family: str) -> Path:
    """The interpreter of a family's environment, which is built where it is missing.

    Raises:
        RuntimeError: If pip fails, or an installed package is for CUDA.
    """
    root = envs / family
    python = root / "bin" / "python"
    if (root / _DONE).exists():
        return python
    envs.mkdir(parents=True, exist_ok=True)
    held = envs / "constraints.txt"
    held.write_text(TORCH + "\n")
    if not python.exists():
        _call(sys.executable, "-m", "venv", str(root))
    for words in FAMILIES[family]:
        _call(str(python), "-m", "pip", "install", "--quiet", "-c", str(held), *words)
    packages = _call(str(python), "-m", "pip", "freeze")
    if wrong := cuda_packages(packages):
        raise RuntimeError(f"{root} has packages for CUDA: {', '.join(wrong)}")
    (root / _DONE).write_text(packages)
    return python


def cuda_packages(frozen: str) -> list[str]:
    """Packages for CUDA in the output of ``pip freeze``.

    >>> cuda_packages("torch==2.13.0\\nnvidia-nccl-cu13==2.28\\n")
    ['nvidia-nccl-cu13==2.28']
    """
    lines = (line.strip() for line in frozen.splitlines())
    return [line for line in lines if line.startswith(("nvidia-", "triton"))]


def _call(*words: str) -> str:
    """Standard output of a command.

    Raises:
        RuntimeError: If it fails or takes too long.
    """
    # an outer environment's PYTHONPATH would be seen by the inner one
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, check=False, timeout=MOST_S
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{' '.join(words)}: not done after {MOST_S} s") from error
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()[-500:]}")
    return done.stdout
