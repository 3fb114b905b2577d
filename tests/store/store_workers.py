"""What the processes of the store's tests do; run as a script: store_workers.py ROLE ARGUMENTS.

A worker imports the store and nothing else. The killer imports it once and forks its writers.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from justright.core.errors import Fenced, StoreError, StudyBusyError
from justright.core.finding import Finding, Severity
from justright.core.study import StudyHead
from justright.core.trial import TrialSpec, TrialState
from justright.store.holder import this_process
from justright.store.opening import open_store

POINTS = 20
PIECES = 5


def head(name: str) -> StudyHead:
    return StudyHead(name, "data", "goal", {}, 0.0)


def spec(number: int) -> TrialSpec:
    return TrialSpec("network", "champion", "champion", {"width": 64}, "p0", number, 100)


def value(number: int, step: int) -> float:
    return number + step / 7


def write(path: str, writer: int, round_: int, acknowledge: int, trials: int) -> None:
    """Work on a study of one's own and on one of all; say what the store has promised."""

    def promised(*words: object) -> None:
        os.write(acknowledge, (json.dumps(words) + "\n").encode())

    study = f"w{writer}"
    with open_store(path) as store:
        store.studies.open(head(study), this_process())
        promised("open", study)
        first = sum(t.state is TrialState.DONE for t in store.trials.list(study))
        for number in range(first, first + trials):
            trial = store.trials.plan(study, [spec(number)])[0].spec.id
            attempt = store.trials.start(study, [trial], this_process())
            steps = range(POINTS)
            store.curves.extend(attempt, trial, "x", steps, [value(number, s) for s in steps])
            store.curves.flush()
            promised("points", study, number)
            store.trials.finish(attempt, trial, TrialState.DONE, {"value": value(number, 0)})
            promised("done", study, number)
            name = f"{writer}-{round_}-{number}"
            pieces = [Finding(name, Severity.NOTE, f"{k}", "") for k in range(PIECES)]
            store.ledger.find("all", pieces)
            promised("found", name)


def killer(path: str, writers: int, rounds: int, seed: int) -> None:
    """Fork writers and kill each at a random moment, again and again.

    The killing starts when the writers of the round have made two promises each on average, so
    that a slow machine tests as much as a fast one.
    """
    rng = random.Random(seed)
    logs = [Path(f"{path}.promised{writer}") for writer in range(writers)]
    for log in logs:
        log.touch()
    with open_store(path) as store:
        store.studies.release(store.studies.open(head("all"), this_process()))
    # Once here, so that the writers need not all do what a first call costs.
    write(path, writers, 0, os.open(os.devnull, os.O_WRONLY), trials=1)
    for round_ in range(rounds):
        children, before = [], sum(log.stat().st_size for log in logs)
        for writer in range(writers):
            child = os.fork()
            if child == 0:
                acknowledge = os.open(logs[writer], os.O_WRONLY | os.O_APPEND)
                try:
                    write(path, writer, round_, acknowledge, trials=10**9)
                except BaseException as error:
                    os.write(acknowledge, (json.dumps(["error", repr(error)]) + "\n").encode())
                os._exit(1)
            children.append(child)
        enough = before + 2 * writers * len('["points", "w0", 10]\n')
        late = time.monotonic() + 5
        while sum(log.stat().st_size for log in logs) < enough and time.monotonic() < late:
            time.sleep(0.005)
        for child in rng.sample(children, len(children)):
            time.sleep(rng.uniform(0.0, 0.02))
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)


def claimer(path: str, _number: str) -> None:
    """Start and finish planned trials until none is left; print those that were ours."""
    mine = []
    with open_store(path) as store:
        while True:
            planned = [t for t in store.trials.list("all") if t.state is TrialState.PLANNED]
            if not planned:
                break
            stack = {t.spec.id: t.spec.seed for t in random.sample(planned, min(4, len(planned)))}
            try:
                attempt = store.trials.start("all", list(stack), this_process())
            except (Fenced, StoreError):
                continue
            for trial, seed in stack.items():
                store.trials.finish(attempt, trial, TrialState.DONE, {"pid": os.getpid()})
                mine.append(seed)
    print(json.dumps(mine))


def fill(path: str, limit: str) -> None:
    """Write until a limit on file sizes says no, lift it, and go on; print what was promised."""
    import resource  # noqa: PLC0415 - POSIX only, and only this role needs it

    store = open_store(path)
    store.studies.open(head("all"), this_process())
    trial = store.trials.plan("all", [spec(0)])[0].spec.id
    attempt = store.trials.start("all", [trial], this_process())
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), hard))
    facts, errors = 0, []
    try:
        for k in range(1000):
            store.ledger.put("all", f"fact{k}", os.urandom(8000).hex())
            facts = k + 1
    except StoreError as error:
        errors.append(str(error))
    steps = range(20_000)
    store.curves.extend(attempt, trial, "x", steps, [value(k, k) for k in steps])
    try:
        store.curves.flush()
    except StoreError as error:
        errors.append(str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    store.curves.flush()
    store.ledger.put("all", "after", True)
    store.close()
    print(json.dumps({"facts": facts, "errors": errors}))


def hold(path: str, _number: str) -> None:
    """Take a study and keep it until killed; or say who has it."""
    with open_store(path) as store:
        try:
            store.studies.open(head("all"), this_process())
        except StudyBusyError as error:
            print(str(error), flush=True)
            return
        print("held", flush=True)
        time.sleep(60)


def fork(path: str, _number: str) -> None:
    """Carry an open store across a fork and try to use it there."""
    with open_store(path) as store:
        child = os.fork()
        if child == 0:
            try:
                store.studies.heads()
            except StoreError as error:
                print(str(error), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    role, where, rest = sys.argv[1], str(Path(sys.argv[2])), sys.argv[3:]
    if role == "killer":
        killer(where, *(int(word) for word in rest))
    else:
        {"claimer": claimer, "fill": fill, "hold": hold, "fork": fork}[role](where, rest[0])
