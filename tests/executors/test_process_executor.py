from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from justright.core.errors import OptionError
from justright.executors import posix
from justright.executors.base import AbstractExecutor, Failed, Finished, Progress
from justright.executors.dispatcher import Dispatcher
from justright.executors.processes import ProcessExecutor
from justright.testing.executors import ExecutorContract, call, ending, finish

ON_LINUX = sys.platform == "linux"
PRELOAD = (("justright.testing.calls",),)


def make(*, fork: bool, workers: int = 2, log: Path | None = None) -> ProcessExecutor:
    return ProcessExecutor(workers, preload=PRELOAD, fork=fork, log=log)


FORKS = [True, False] if posix.CAN_FORK else [False]


@pytest.fixture(params=FORKS, ids=["forked" if fork else "plain" for fork in FORKS])
def executor(request: pytest.FixtureRequest) -> Iterator[ProcessExecutor]:
    with make(fork=request.param) as executor:
        yield executor


if posix.CAN_FORK:

    class TestForkedWorkers(ExecutorContract):
        def make(self) -> AbstractExecutor:
            return make(fork=True)


class TestPlainWorkers(ExecutorContract):
    def make(self) -> AbstractExecutor:
        return make(fork=False)


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie that waits for its new parent."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == pid:
            found |= {int(folder.name)} | descendants(int(folder.name))
    return found


def test_running_calls_are_cancelled_at_once(executor: ProcessExecutor) -> None:
    number = executor.submit(call("sleep", seconds=600.0))
    [started] = executor.poll(60)
    assert isinstance(started, Progress)
    start = time.monotonic()
    executor.cancel(number)
    [end] = executor.poll(60)
    assert time.monotonic() - start < 0.2
    assert isinstance(end, Failed)
    assert end.kind == "cancelled"
    assert wait_for(lambda: not is_running(started.payload), 2.0)
    again = ending(executor, executor.submit(call("facts")))
    assert isinstance(again, Finished)
    assert again.value["pid"] != started.payload


def test_a_killed_worker_is_lost_and_replaced(executor: ProcessExecutor) -> None:
    for _ in range(3):
        number = executor.submit(call("sleep", seconds=600.0))
        [started] = executor.poll(60)
        assert isinstance(started, Progress)
        os.kill(started.payload, signal.SIGKILL)
        end = ending(executor, number)
        assert isinstance(end, Failed)
        assert end.kind == "lost"
        assert "SIGKILL" in end.message
    assert isinstance(ending(executor, executor.submit(call("add", a=1, b=1))), Finished)


def test_last_words_of_a_lost_worker_are_kept(executor: ProcessExecutor) -> None:
    number = executor.submit(call("die", number=int(signal.SIGSEGV), text="the last words"))
    events = finish(executor, number)
    assert isinstance(events[0], Progress)
    end = events[-1]
    assert isinstance(end, Failed)
    assert "SIGSEGV" in end.message
    assert "the last words" in end.detail
    assert "Segmentation fault" in end.detail  # by faulthandler, with the Python stack


@pytest.mark.skipif(not posix.CAN_FORK, reason="no zygote on this system")
def test_a_killed_zygote_is_replaced() -> None:
    with make(fork=True) as executor:
        number = executor.submit(call("facts"))
        end = ending(executor, number)
        assert isinstance(end, Finished)
        waiting = executor.submit(call("sleep", seconds=600.0))
        executor.poll(60)
        os.kill(end.value["parent"], signal.SIGKILL)
        lost = ending(executor, waiting)
        assert isinstance(lost, Failed)
        assert lost.kind == "lost"
        assert wait_for(lambda: not is_running(end.value["pid"]), 2.0)
        again = ending(executor, executor.submit(call("facts")))
        assert isinstance(again, Finished)
        assert again.value["parent"] != end.value["parent"]


def test_an_answer_that_cannot_travel_is_an_error(executor: ProcessExecutor) -> None:
    end = ending(executor, executor.submit(call("unpicklable")))
    assert isinstance(end, Failed)
    assert end.kind == "error"


def test_what_a_worker_is_like(executor: ProcessExecutor) -> None:
    end = ending(executor, executor.submit(call("facts")))
    assert isinstance(end, Finished)
    facts = end.value
    assert facts["pid"] != os.getpid()
    assert facts["main"].endswith("_worker.py")  # never the caller's main module
    assert facts["interrupt"]
    assert facts["terminal"] == [False, False, False]
    assert facts["environment"]["OMP_NUM_THREADS"] == "1"
    assert "torch" not in facts["modules"]
    assert "sklearn" not in facts["modules"]


def test_calls_go_to_the_group_that_preloaded_their_module() -> None:
    preload = (("json",), ("justright.testing.calls", "colorsys"))
    with ProcessExecutor(1, preload=preload) as executor:
        end = ending(executor, executor.submit(call("facts")))
    assert isinstance(end, Finished)
    assert "colorsys" in end.value["modules"]


def test_a_module_that_cannot_be_preloaded_harms_nobody(tmp_path: Path) -> None:
    log = tmp_path / "workers.log"
    preload = (("no_such_module", "justright.testing.calls"),)
    with ProcessExecutor(1, preload=preload, log=log) as executor:
        assert isinstance(ending(executor, executor.submit(call("add", a=1, b=1))), Finished)
    assert "No module named 'no_such_module'" in log.read_text(encoding="utf-8")


def test_output_of_workers_goes_to_the_log(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    log = tmp_path / "workers.log"
    with ProcessExecutor(1, preload=PRELOAD, log=log) as executor:
        ending(executor, executor.submit(call("die", number=15, text="to the log")))
    assert "to the log" in log.read_text(encoding="utf-8")
    assert capfd.readouterr() == ("", "")


def test_a_log_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot be written"):
        ProcessExecutor(1, log=tmp_path / "missing" / "workers.log")


def test_no_worker_is_too_few() -> None:
    with pytest.raises(OptionError, match="0 workers"):
        ProcessExecutor(0)


@pytest.mark.skipif(not ON_LINUX, reason="needs /proc")
@pytest.mark.parametrize("fork", FORKS)
def test_nothing_is_left_after_close(fork: bool) -> None:
    with make(fork=fork) as warm_up:  # whatever Python itself opens once
        ending(warm_up, warm_up.submit(call("add", a=1, b=1)))
    files, shared = len(os.listdir("/proc/self/fd")), set(os.listdir("/dev/shm"))
    for _ in range(3):
        executor = make(fork=fork)
        first = executor.submit(call("add", a=1, b=1))
        executor.submit(call("sleep", seconds=600.0))
        ending(executor, first)
        executor.cancel(executor.submit(call("sleep", seconds=600.0)))
        executor.close()
    assert len(os.listdir("/proc/self/fd")) == files
    assert not descendants(os.getpid())  # zombies included
    assert set(os.listdir("/dev/shm")) <= shared


SCRIPT = textwrap.dedent(
    """
    import os, time
    from justright.executors.base import Call, Finished
    from justright.executors.processes import ProcessExecutor
    executor = ProcessExecutor(2, preload=[["justright.testing.calls"]], fork={fork})
    for _ in range(2):
        executor.submit(Call("justright.testing.calls:sleep", {{"seconds": {seconds}}}))
    started = 0
    while started < 2:
        started += len(executor.poll(60))
    print("ready", flush=True)
    """
)


def start(script: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.skipif(not ON_LINUX, reason="needs /proc")
@pytest.mark.parametrize("fork", FORKS)
def test_children_end_with_a_killed_parent(fork: bool) -> None:
    script = SCRIPT.format(fork=fork, seconds=600.0) + "\ntime.sleep(600)"
    with start(script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        family = descendants(process.pid)
        assert len(family) >= 2
        process.kill()
        assert wait_for(lambda: not any(is_running(pid) for pid in family), 2.0)


@pytest.mark.skipif(not ON_LINUX, reason="needs /proc")
def test_a_forgotten_executor_is_closed_at_exit() -> None:
    with start(SCRIPT.format(fork=None, seconds=600.0)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        family = descendants(process.pid)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert wait_for(lambda: not any(is_running(pid) for pid in family), 2.0)


@pytest.mark.skipif(os.name != "posix", reason="process groups and signals of POSIX")
def test_ctrl_c_reaches_the_main_process_alone() -> None:
    script = SCRIPT.format(fork=None, seconds=1.0) + textwrap.dedent(
        """
        ends = []
        while len(ends) < 2:
            try:
                ends += executor.poll(60)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        print(all(isinstance(end, Finished) for end in ends), flush=True)
        """
    )
    with start(script, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.4)  # until it waits in the try block
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        rest, errors = process.communicate(timeout=60)
    assert rest == "interrupted\nTrue\n"
    assert errors == ""


BODY = """
from justright.executors.base import Call
from justright.executors.processes import ProcessExecutor
with ProcessExecutor(1) as executor:
    executor.submit(Call("justright.testing.calls:add", {"a": 20, "b": 22}))
    events = []
    while len(events) < 2:
        events += executor.poll(60)
    print(events[-1].value)
"""
LOOP = (
    "import asyncio\nasync def main():\n" + textwrap.indent(BODY, "    ") + "\nasyncio.run(main())"
)


@pytest.mark.parametrize("way", ["file", "command", "stdin", "event loop", "isolated"])
def test_works_however_the_main_program_runs(way: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"  # without a main guard, beside modules with bad names
    script.write_text(BODY, encoding="utf-8")
    (tmp_path / "colorsys.py").write_text("raise SystemExit('wrong module')", encoding="utf-8")
    arguments, text = {
        "file": ([str(script)], None),
        "command": (["-c", BODY], None),
        "stdin": (["-"], BODY),
        "event loop": (["-c", LOOP], None),
        "isolated": (["-P", "-c", BODY], None),
    }[way]
    result = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("42\n", "")


def test_the_worker_module_imports_nothing_heavy() -> None:
    code = "import sys, justright._worker; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "polars", "torch", "sklearn", "sqlalchemy", "rich"}
    assert not heavy & set(result.stdout.split())


def test_a_dispatcher_that_breaks_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Dispatcher) -> None:
        raise MemoryError("planted")

    with make(fork=False) as executor:
        monkeypatch.setattr(Dispatcher, "_hand_out", broken)
        for _ in range(2):  # the second call comes to a thread that has ended
            end = ending(executor, executor.submit(call("add", a=1, b=1)))
            assert isinstance(end, Failed)
            assert end.kind == "lost"
        assert executor.poll(60) == []
