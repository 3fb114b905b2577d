"""One exception tree: every message says what was wrong, with the value, and what to do."""

from __future__ import annotations


class JustRightError(Exception):
    """Base of all errors that justright raises on purpose.

    Args:
        message: What was wrong, with the offending value.
        hint: What the user can do about it; empty when nothing sensible can be said.

    The command line prints ``message`` and ``hint`` on one line and exits with ``exit_code``.

    >>> str(InputError("no column 'prise'", hint="did you mean 'price'?"))
    "no column 'prise': did you mean 'price'?"
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message}: {hint}" if hint else message)


class InputError(JustRightError):
    """Something the user handed in cannot be used; nothing was changed."""

    exit_code = 2


class DataError(InputError):
    """A data file or frame that cannot be read, or whose content cannot be learned from."""


class OptionError(InputError):
    """An option whose value makes no sense, alone or together with the others."""


class ModelError(InputError):
    """A model folder that is missing, damaged, edited by hand, or of a newer format."""


class StoreError(InputError):
    """A store that cannot be opened, is damaged, or was written by a newer version."""


class StudyBusyError(StoreError):
    """Another process is working on this study."""


class StudyMismatchError(StoreError):
    """A study of this name exists for other data or another goal."""


class MissingExtraError(InputError):
    """An optional dependency is not installed; the hint holds the install command."""


class Fenced(JustRightError):
    """A write under a lease that has passed to somebody else; the write did not happen."""


class Stopped(JustRightError):
    """The user ended a command early; what was finished is kept."""

    exit_code = 130
