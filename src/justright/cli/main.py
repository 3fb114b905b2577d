"""Entry of the command line: assembles the commands, turns errors into one line."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click
import typer

from justright.cli.doctor import doctor
from justright.cli.fit import fit
from justright.cli.predict import evaluate, predict
from justright.cli.studies import report, studies
from justright.core.errors import JustRightError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Designs the neural network that is just right for your data, and shows the evidence.",
)
for command in (fit, predict, evaluate, report, studies, doctor):
    app.command()(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 2 bad input, 130 Ctrl-C, 1 our own fault."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(args=arguments, prog_name="justright", standalone_mode=False)
    except JustRightError as error:
        return _say(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return 2
    except click.ClickException as error:
        return _say(" ".join(error.format_message().split()), 2)
    except (click.Abort, KeyboardInterrupt):
        return _say("stopped; what was finished is kept", 130)
    except MemoryError:
        return _say("out of memory: give fewer rows, or close other programs", 1)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        return 1
    except Exception as error:  # our own fault: say so in one line, show the trace on request
        if "-v" in arguments or "--verbose" in arguments:
            traceback.print_exc()
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return _say(f"internal error, please report it: {reason} (-v shows the trace)", 1)
    return code if isinstance(code, int) else 0


def _say(line: str, code: int) -> int:
    print(f"justright: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
