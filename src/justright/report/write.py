"""Writing the report of a study to its place."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from justright.core.errors import InputError
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
        examples: Whether values of single rows of the user's table may be shown.

    Raises:
        InputError: If it cannot be written there.
    """
    target = Path(path)
    content = report_html(store, study, examples=examples)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        number, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"cannot write the report {str(target)!r} ({error.strerror})",
            hint="choose another folder, or make room on the disk",
        ) from error
    return target
