"""Ctrl-C in the first moments of a command: one line, exit code 130, no trace."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

# Python's own start is not ours: the entry says itself when it has begun to hear the signal.
BEGIN = """
import os, sys
import justright.cli.main as entry

class Telling(entry.stopped_at_once):
    def __enter__(self):
        super().__enter__()
        os.write(1, b"begun")

entry.stopped_at_once = Telling
sys.exit(entry.main(sys.argv[1:]))
"""


def begun(folder: Path) -> subprocess.Popen[bytes]:
    """A command that has begun to hear the signal."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN, "fit", "missing.csv", "-t", "y"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.read(5) == b"begun"
    return process


def whole_s(folder: Path) -> float:
    """Seconds that the command takes if nobody interrupts it."""
    process = begun(folder)
    began = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == 2
    return time.monotonic() - began


def interrupted(folder: Path, after_s: float) -> tuple[int, str]:
    process = begun(folder)
    time.sleep(after_s)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors.decode()


def test_ten_early_moments(tmp_path: Path) -> None:
    chance = random.Random(4)
    most = min(0.35, whole_s(tmp_path) / 2)  # a fast machine is done early
    moments = [0.0, *(chance.uniform(0.0, most) for _ in range(9))]
    said = [interrupted(tmp_path, moment) for moment in moments]
    assert said == [(130, "justright: stopped\n")] * 10


TORN = """
import os, signal, sys
import justright.cli.main

class Field:  # Python 3.11 turns what is raised in here into a RuntimeError
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(100_000))

def torn(*_, **__):
    type("Torn", (), {"field": Field()})

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "justright.core.trial":
            torn()

"""
IN_AN_IMPORT = "sys.meta_path.insert(0, Finder())\n"
IN_THE_COMMAND = "import justright.cli.fit\njustright.cli.fit.design = torn\n"


@pytest.mark.parametrize("moment", [IN_AN_IMPORT, IN_THE_COMMAND])
def test_a_class_being_made(tmp_path: Path, moment: str) -> None:
    end = "sys.exit(justright.cli.main.main(['fit', 'missing.csv', '-t', 'y']))"
    done = subprocess.run(
        [sys.executable, "-c", TORN + moment + end],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "justright: stopped\n")


def test_the_package_itself_is_imported_in_no_time() -> None:
    """What happens before the entry can hear a signal: processor time, of three runs the best."""
    code = (
        "import time\n"
        "began = time.process_time()\n"
        "import justright.cli.main\n"
        "print(time.process_time() - began, 'typing' in __import__('sys').modules)\n"
    )
    times = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        seconds, typing = done.stdout.split()
        times.append(float(seconds))
        assert typing == "False"
    assert min(times) < 0.05
