"""Whether the holder of a lease still lives."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace

from justright.store.holder import Holder, this_process


def sleeper() -> subprocess.Popen[bytes]:
    code = "print('here', flush=True); import time; time.sleep(60)"
    return subprocess.Popen([sys.executable, "-I", "-c", code], stdout=subprocess.PIPE)


def test_this_process_lives_and_is_named() -> None:
    holder = this_process()
    assert not holder.dead
    assert holder.pid == os.getpid()
    assert abs(holder.since - time.time()) < 5
    assert str(holder).startswith(f"process {os.getpid()} on {holder.host.partition('/')[0]} ")


def test_a_process_that_was_killed_is_dead_before_and_after_its_burial() -> None:
    with sleeper() as child:
        assert child.stdout is not None
        child.stdout.readline()
        holder = replace(this_process(), pid=child.pid)
        assert not holder.dead
        child.kill()
        until = time.monotonic() + 20
        while not holder.dead and time.monotonic() < until:  # a zombie: nobody waited for it
            time.sleep(0.01)
        assert holder.dead
        child.wait()
        assert holder.dead


def test_a_number_that_passed_to_a_younger_process_is_not_the_holder() -> None:
    with sleeper() as child:
        assert child.stdout is not None
        child.stdout.readline()
        before = replace(this_process(now=time.time() - 3600), pid=child.pid)
        assert before.dead
        assert not replace(before, since=time.time()).dead
        child.kill()


def test_nothing_is_known_of_other_machines() -> None:
    assert not Holder(2**22 + 1, "elsewhere", 0.0).dead
    assert replace(this_process(), pid=2**22 + 1).dead  # above the largest number Linux gives
