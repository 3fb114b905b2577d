"""This package against its peers: the same rows to learn from, the same test rows and metric.

    python benchmarks/field.py FOLDER --methods histgb,lightgbm --envs ENVS --cap 300
    python benchmarks/field.py FOLDER --methods "justright 60s,start recipe"
    python benchmarks/field.py FOLDER --report

FOLDER is one of ``tables.py``. Peers run in environments that are built under ENVS when first
needed; pin all of it with ``taskset -c 1`` for the times of one core. What is there is not run
again, so a run can be interrupted; ``--again failed`` repeats what failed.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from field_cases import Case, case_of
from field_report import OURS, report
from field_runs import PEERS, START, Limits, fit_ours, fit_peer, result_of
from justright.designer.request.options import parse_time
from tables import tables

HERE = Path(__file__).resolve().parents[1]


def run(case: Case, method: str, options: Any) -> dict[str, Any]:
    """One method on one table."""
    if method in PEERS:
        limits = Limits(options.cap, options.seed, options.threads)
        return fit_peer(PEERS[method], case, options.envs, options.out, limits)
    limit = parse_time("60s" if method == START else method.removeprefix(OURS))
    limits = Limits(limit, options.seed, options.threads)
    return fit_ours(method, case, options.checkout, options.out, limits)


def wanted(out: Path, case: Case, method: str, again: str) -> bool:
    """Whether a method is still to be run on a table."""
    found = result_of(out, case.name, method)
    return found is None or found["state"] == again


def chosen_methods(text: str) -> list[str]:
    """Names of methods.

    Raises:
        SystemExit: If one is not known.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in (*PEERS, START) and not name.startswith(OURS):
            known = ", ".join((*PEERS, START))
            raise SystemExit(f'--methods {name}: not known; use {known} or "justright 60s"')
    return names


def main() -> None:
    """Run what is missing, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--methods", default=",".join(PEERS))
    parser.add_argument("--only", default="", help="Names of tables.")
    parser.add_argument("--envs", type=Path, default=HERE.parent / "justright-field-envs")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/field"))
    parser.add_argument("--checkout", type=Path, default=HERE)
    parser.add_argument("--cap", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--again", default="", help="Run again what is in this state.")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    options.out, options.envs = options.out.resolve(), options.envs.resolve()
    only = [name for name in options.only.split(",") if name]
    entries = [e for e in tables(options.folder) if not only or e["name"] in only]
    folder = options.folder.resolve()
    if options.report:
        print(report([case_of(entry, folder, options.seed) for entry in entries], options.out))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the running peer is killed
    entries.sort(key=lambda entry: entry["rows"])
    for method in chosen_methods(options.methods):
        for entry in entries:
            case = case_of(entry, folder, options.seed)
            if wanted(options.out, case, method, options.again):
                found = run(case, method, options)
                cost = f"{found['seconds']:.1f} s {found['error'][:200]}"
                print(f"{method} {case.name}: {found['state']} {cost}", flush=True)


if __name__ == "__main__":
    main()
