"""What `import justright` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import justright


@pytest.mark.parametrize("name", justright.__all__)
def test_every_name_that_is_offered_is_there(name: str) -> None:
    assert getattr(justright, name) is not None


def test_what_is_not_offered_is_named() -> None:
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = justright.nothing


def test_a_training_is_judged_without_torch() -> None:
    code = (
        "import sys; from justright import Curves, Yardstick, diagnose; "
        "run = Curves((1, 2, 4), (0.9, 0.7, 0.5), (0.9, 0.7, 0.5)); "
        "assert diagnose([run], Yardstick(1.0, 0.2, noise=0.01)).state == 'compute-bound'; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
