"""``justright fit``: from a table to the network that is just right."""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from justright.api import StudyStopped, design
from justright.cli.screen import open_screen
from justright.core.errors import OptionError, Stopped
from justright.data.options import DataOptions
from justright.designer.request.folder import StudyFolder
from justright.designer.request.options import FitOptions, parse_time, read_metric, read_wishes
from justright.designer.timing.clock import process_start
from justright.store.opening import open_store
from justright.views.verdict import verdict_document, verdict_lines

Tolerance = Annotated[
    float | None, typer.Option(help="Differences of the metric up to this do not matter.")
]
Direction = Annotated[
    str | None, typer.Option(help="Of a function: whether higher or lower is better.")
]
NoExamples = Annotated[
    bool, typer.Option("--no-examples", help="Show no values of the data, anywhere.")
]


def fit(
    data: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet, Arrow or JSON lines.")],
    target: Annotated[
        list[str], typer.Option("--target", "-t", help="Column to predict; repeat for several.")
    ],
    time: Annotated[str | None, typer.Option(help="Hard limit: 90s, 5m. Default 10m.")] = None,
    task: Annotated[str | None, typer.Option(help="regression, binary or multi-class.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="COLUMN=number, category, ...")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Column to leave out; repeat.")] = None,
    weight: Annotated[str | None, typer.Option(help="Column of row weights.")] = None,
    group: Annotated[str | None, typer.Option(help="Column whose groups stay together.")] = None,
    time_column: Annotated[str | None, typer.Option(help="Split by this column's order.")] = None,
    test: Annotated[Path | None, typer.Option(help="File with the test rows.")] = None,
    metric: Annotated[str | None, typer.Option(help="Metric: a name, or module:function.")] = None,
    metric_direction: Direction = None,
    seed: Annotated[int, typer.Option(help="Root of all random numbers.")] = 0,
    studies: Annotated[Path, typer.Option(help="Folder of the studies.")] = Path("studies"),
    name: Annotated[str | None, typer.Option(help="Name of the study.")] = None,
    work: Annotated[Path | None, typer.Option(help="work.json to repeat exactly.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    max_params: Annotated[int | None, typer.Option(help="Most weights of the network.")] = None,
    max_memory: Annotated[str | None, typer.Option(help="Most memory for them: 200kB.")] = None,
    max_latency: Annotated[str | None, typer.Option(help="Most time for one row: 500us.")] = None,
    prefer: Annotated[str, typer.Option(help="Of equal sizes: small or accuracy.")] = "small",
    tolerance: Tolerance = None,
    only: Annotated[str | None, typer.Option(help="size: end with the right size.")] = None,
    ensemble: Annotated[int, typer.Option(help="Networks to average; 1 = one network.")] = 1,
    no_examples: NoExamples = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
) -> None:
    """Design a network for a table, within a hard time limit."""
    options = FitOptions(
        data=DataOptions(
            target=tuple(target),
            task=task,
            kinds=_kinds(kind or []),
            drop=tuple(drop or ()),
            weight=weight,
            group=group,
            time_column=time_column,
            test=str(test) if test is not None else None,
            metric=_metric(metric, metric_direction),
            seed=seed,
        ),
        limit_s=parse_time(time),
        studies=studies.expanduser(),
        name=name,
        workers=workers,
        work=work,
        examples=not no_examples,
        size=read_wishes(max_params, max_memory, max_latency, prefer),
        tolerance=tolerance,
        only=only,
        ensemble=ensemble,
        command=shlex.join(["justright", *sys.argv[1:]]),
    )
    folder, stopped = _design(data, options, silent=quiet or as_json, verbose=verbose)
    silent = quiet and not as_json
    _close(options.studies, folder, stopped, as_json=as_json, silent=silent)


def _metric(metric: str | None, direction: str | None) -> str | None:
    """The metric's name; a function of the user's may lie in the current folder.

    That folder comes last: a random.py in it must not be imported instead of Python's own.
    """
    if metric is not None and ":" in metric and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    return read_metric(metric, direction)


def _design(
    data: Path, options: FitOptions, *, silent: bool, verbose: bool
) -> tuple[StudyFolder, str]:
    """Lead the study on a screen; returns its folder, and what to say if Ctrl-C ended it."""
    if verbose:
        logging.basicConfig(stream=sys.stderr, level=logging.DEBUG)
    try:
        with open_screen(quiet=silent, verbose=verbose) as listener:
            return design(data, options, started=process_start(), listener=listener), ""
    except StudyStopped as stop:
        return stop.folder, str(stop)
    except KeyboardInterrupt as stop:  # typer would lose what it says
        raise Stopped(str(stop) or "stopped; nothing was changed") from None


def _close(
    studies: Path, folder: StudyFolder, stopped: str, *, as_json: bool, silent: bool
) -> None:
    """Print the verdict, if there is a model; say so if Ctrl-C ended the study."""
    if not silent and (not stopped or folder.model.exists()):
        _print_verdict(studies, folder.root.name, as_json=as_json)
    if stopped:
        raise Stopped(stopped)


def _print_verdict(studies: Path, name: str, *, as_json: bool) -> None:
    with open_store(studies) as store:
        if as_json:
            print(json.dumps(verdict_document(store, name), indent=2))
        else:
            print("\n".join(verdict_lines(store, name)))


def _kinds(pairs: list[str]) -> dict[str, str]:
    kinds = {}
    for pair in pairs:
        column, equals, kind = pair.rpartition("=")
        if not equals or not column:
            raise OptionError(f"cannot read --kind {pair!r}", hint="write --kind COLUMN=KIND")
        kinds[column] = kind
    return kinds
