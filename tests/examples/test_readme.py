"""The README's code blocks run as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from justright.testing.commands import justright

ROOT = Path(__file__).parents[2]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


@pytest.mark.parametrize("line", [line for b in blocks("sh") for line in b.strip().splitlines()])
def test_every_shell_line_runs(line: str, folder: Path) -> None:
    words = line.split()
    assert words[0] == "justright"
    done = justright(*words[1:], cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("code", blocks("python"))
def test_every_python_block_runs(code: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_paths_that_the_readme_names_exist() -> None:
    text = (ROOT / "README.md").read_text()
    for path in re.findall(r"`((?:src|benchmarks|examples)/[\w./]+)`", text):
        assert (ROOT / path).exists(), path
