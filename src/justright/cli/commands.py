"""The commands of the command line: assembles them, runs one, turns errors into one line."""

from __future__ import annotations

import errno
import importlib
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from justright import __version__
from justright.cli.process import calm_output, standard_files
from justright.core.errors import JustRightError, Stopped
from justright.core.interrupts import ended_by_signals, uninterrupted

COMMANDS = {
    "fit": ("justright.cli.fit", "Design a network for a table, within a hard time limit."),
    "predict": ("justright.cli.predict", "Predict the rows of a file, in constant memory."),
    "evaluate": ("justright.cli.predict", "Score a model on rows whose target is known."),
    "export": ("justright.cli.export", "Write a model as an ONNX file, which other programs run."),
    "explain": ("justright.cli.studies", "Say why everything was decided, with its source."),
    "ideas": ("justright.cli.studies", "List what was tried: predicted, measured, kept or not."),
    "report": ("justright.cli.studies", "Write a study's report again, from the store alone."),
    "studies": ("justright.cli.studies", "List the studies, or remove one."),
    "doctor": ("justright.cli.doctor", "Say what is installed, and check that it works."),
}
"""Command to the module with the function of its name, and what it does in one line."""

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def command_line(name: str | None) -> typer.Typer:
    """The command line with one command in full.

    The others are known by their name and one line only: importing them all takes a second.
    """
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Designs the neural network that is just right for your data, with the evidence.",
    )
    app.callback(invoke_without_command=True)(_top)
    for command, (module, line) in COMMANDS.items():
        function = _elsewhere
        if command == name:
            with uninterrupted():  # an import that is torn may say anything
                function = getattr(importlib.import_module(module), command)
        app.command(command, help=line)(function)
    return app


def _elsewhere() -> None:
    """A command that was not asked for."""


def _top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"justright {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code: 0 done, 2 bad input, 130 Ctrl-C, 1 our own fault."""
    arguments = list(arguments)
    standard_files()
    with ended_by_signals():
        try:
            code = _call(arguments)
            sys.stdout.flush()
        except (typer.Abort, KeyboardInterrupt):
            return _say("stopped", Stopped.exit_code)
        except BrokenPipeError:  # the reader of our output went away, as `head` does
            calm_output()
            return 1
        except Exception as error:
            line, code = _explain(error)
            if code == 1 and ("-v" in arguments or "--verbose" in arguments):
                traceback.print_exc()
            return _say(line, code)
    return code


def _call(arguments: list[str]) -> int:
    name = next((word for word in arguments if not word.startswith("-")), None)
    code = command_line(name)(args=arguments, prog_name="justright", standalone_mode=False)
    if code == Stopped.exit_code:  # typer's word for Ctrl-C
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _explain(error: Exception) -> tuple[str, int]:
    """What an error means for the user in one line, and the exit code."""
    if isinstance(error, JustRightError):
        return str(error), error.exit_code
    # Typer brings its own copy of click's errors or uses click's, depending on its version.
    message = getattr(error, "format_message", None)
    if message is not None:
        command = getattr(getattr(error, "ctx", None), "command_path", "justright")
        return f"{message().rstrip('.')} (see {command} --help)", 2
    if isinstance(error.__cause__, KeyboardInterrupt):  # as Python 3.11 wraps one in a class body
        return "stopped", Stopped.exit_code
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, MemoryError):
        return "out of memory: give fewer rows, or close other programs", 1
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return f"the disk is full ({error}): free some space and run it again to go on", 2
    if isinstance(error, PermissionError) or getattr(error, "errno", 0) == errno.EROFS:
        return f"not allowed to write or read ({error}): choose another folder", 2
    return f"internal error, please report it: {reason} (-v shows the trace)", 1


def _say(line: str, code: int) -> int:
    print(f"justright: {' '.join(line.split())}", file=sys.stderr)
    return code
