"""``justright studies`` and ``justright report``: what is in the store."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from justright.core.errors import OptionError
from justright.data.options import did_you_mean
from justright.designer.request.folder import StudyFolder
from justright.report.html import write_report
from justright.store.base import AbstractStore
from justright.store.opening import STORE_FILE, open_store
from justright.views.explain import explain_lines, size_lines, stages
from justright.views.ideas import idea_lines, one_idea_lines

Folder = Annotated[Path, typer.Option("--studies", help="Folder of the studies.")]


def studies(
    folder: Folder = Path("studies"),
    remove: Annotated[str | None, typer.Option(help="Remove a study and its folder.")] = None,
) -> None:
    """List the studies: name, size on disk, when begun, verdict."""
    with _store(folder) as store:
        if remove is not None:
            _require(store, remove)
            store.studies.remove(remove)
            StudyFolder(folder / remove).remove()
            print(f"removed {remove}")
            return
        heads = store.studies.heads()
        if not heads:
            print(f"no studies in {folder}")
        for head in heads:
            test = store.ledger.fact(head.name, "test") or {}
            begun = datetime.fromtimestamp(head.created).astimezone()
            verdict = f"{test['word']} {test['against']}" if test.get("word") else "not finished"
            size = _megabytes(folder / head.name)
            print(f"{head.name:<24} {size:>8.1f} MB  {begun:%Y-%m-%d %H:%M}  {verdict}")


def report(
    name: Annotated[str, typer.Argument(help="Name of the study.")],
    folder: Folder = Path("studies"),
    no_examples: Annotated[
        bool, typer.Option("--no-examples", help="Show no values of the data.")
    ] = False,
) -> None:
    """Write a study's report again, from the store alone."""
    with _store(folder) as store:
        _require(store, name)
        path = StudyFolder(folder / name).report
        write_report(store, name, path, examples=not no_examples)
    print(path)


def explain(
    name: Annotated[str, typer.Argument(help="Name of the study.")],
    folder: Folder = Path("studies"),
    size: Annotated[bool, typer.Option("--size", help="Only the size search.")] = False,
    stage: Annotated[str | None, typer.Option(help="Only decisions of one stage.")] = None,
    idea: Annotated[str | None, typer.Option(help="Only one idea, by its title.")] = None,
) -> None:
    """Say why everything was decided: reason, source, measured effect."""
    with _store(folder) as store:
        _require(store, name)
        known = stages(store, name)
        if stage is not None and stage not in known:
            hint = did_you_mean(stage, known) or "nothing was decided yet"
            raise OptionError(f"study {name!r} has no stage {stage!r}", hint=hint)
        if idea is not None:
            lines = one_idea_lines(store, name, _known_idea(store, name, idea))
        else:
            lines = size_lines(store, name) if size else explain_lines(store, name, stage)
    print("\n".join(lines or ["nothing was decided yet"]))


def ideas(
    name: Annotated[str, typer.Argument(help="Name of the study.")],
    folder: Folder = Path("studies"),
) -> None:
    """List the ideas of a study: predicted, measured, kept or not, and what is left to try."""
    with _store(folder) as store:
        _require(store, name)
        lines = idea_lines(store, name)
    print("\n".join(lines))


def _known_idea(store: AbstractStore, name: str, title: str) -> str:
    titles = tuple(dict.fromkeys(record.idea.title for record in store.ideas.list(name)))
    if title not in titles:
        hint = did_you_mean(title, titles) or "there are none yet"
        raise OptionError(f"study {name!r} has no idea {title!r}", hint=hint)
    return title


def _store(folder: Path) -> AbstractStore:
    """The store of a folder; an empty one, which leaves no file, where there is none."""
    if not folder.is_dir():
        raise OptionError(f"there is no folder {str(folder)!r}", hint="name it with --studies DIR")
    place = folder / STORE_FILE
    return open_store(place if place.exists() else "memory:")


def _require(store: AbstractStore, name: str) -> None:
    if store.studies.head(name) is None:
        names = [head.name for head in store.studies.heads()]
        hint = did_you_mean(name, names) or "there are none here: name their folder with --studies"
        raise OptionError(f"there is no study {name!r}", hint=hint)


def _megabytes(folder: Path) -> float:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files) / 1e6
