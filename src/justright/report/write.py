"""Writing the report of a study to its place."""

from __future__ import annotations

from pathlib import Path

from justright.core.errors import InputError
from justright.core.files import write_whole
from justright.report.build import report_html
from justright.store.base import AbstractStore


def write_report(
    store: AbstractStore, study: str, path: Path | str, *, examples: bool = True
) -> Path:
    """Write the report; the file appears whole or not at all.

    Args:
        store: Where the study is kept.
        study: Its name.
        path: The file to write; its folder is made.
        examples: Whether cells of the user's table may be shown.

    Raises:
        InputError: If it cannot be written there.
    """
    target = Path(path)
    content = report_html(store, study, examples=examples)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)
    except OSError as error:
        raise InputError(
            f"cannot write the report {str(target)!r} ({error.strerror})",
            hint="choose another folder, or make room on the disk",
        ) from error
    return target
