"""Runs the command line, and turns errors into messages and exit codes. Loads nothing heavy."""

import errno
import io
import os
import signal
import sys
import traceback as tracebacks
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from windrow import __version__
from windrow.cli.command_group import CommandGroup, OutputClosed
from windrow.cli.exits import FAILED, INTERRUPTED, OK, SIGPIPE, WRONG_INPUT, Interrupted, exit_code_of
from windrow.cli.output import output_failed
from windrow.cli.surface import CliWords
from windrow.cli.usage_errors import usage_text
from windrow.domain.errors import WindrowError

# Typer names it nowhere in public.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]

# No room, the device, and a standard output that is closed.
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)

app = typer.Typer(
    name="windrow",
    cls=CommandGroup,
    help="Train, keep and serve few-shot text classifiers on one small machine.",
    epilog="`windrow demo` shows it at work. `windrow COMMAND --help` shows a command's options and an example.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"windrow {__version__}")
        raise typer.Exit


@app.callback()
def windrow(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback is what does it
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    traceback: Annotated[  # noqa: ARG001 - ``main`` looks for it
        bool, typer.Option("--traceback", help="Show where in Windrow an unexpected error came from.")
    ] = False,
) -> None:
    """Train, keep and serve few-shot text classifiers on one small machine."""
    # A server has a way of its own to end.
    if context.invoked_subcommand != "serve":
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - Python calls it
    """End a verb as Ctrl-C does, so that `timeout` leaves no training behind on a server."""
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; whatever goes wrong is one plain line and an exit code of ``exits``."""
    words = CliWords()
    try:
        _run(words)
    except WindrowError as error:
        _end(error.told(words), exit_code_of(error))
    except UsageError as error:
        _refuse_usage(error)
    except Interrupted as stopped:
        _end(f"stopped; {stopped.detail}", INTERRUPTED)
    except (KeyboardInterrupt, typer.Abort):
        _end("stopped; nothing is left half done.", INTERRUPTED)
    except (OutputClosed, BrokenPipeError):
        _forget_output()
        sys.exit(SIGPIPE)
    except Exception as error:  # noqa: BLE001 - the outermost edge: a user never sees a traceback unasked
        if isinstance(error, OSError) and _is_of_output(error):
            _forget_output()
            _end(output_failed(error).told(words), FAILED)
        if "--traceback" in sys.argv:
            tracebacks.print_exc()
        what = " ".join(f"{type(error).__name__}: {error}".split())
        hint = "`windrow --traceback COMMAND …` shows where it came from; please report that."
        _end(f"this is a defect of Windrow: {what}. {hint}", FAILED)


def _run(words: CliWords) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal shows what it can; piped data is UTF-8, whatever the locale.
        is_shown = sys.stdout.isatty()
        sys.stdout.reconfigure(encoding=None if is_shown else "utf-8", errors="replace" if is_shown else "strict")
    at_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        code = app(prog_name="windrow", standalone_mode=False, obj=words)
    finally:
        signal.signal(signal.SIGTERM, at_sigterm)
        sys.stdout.flush()
    sys.exit(code if isinstance(code, int) else OK)


def _refuse_usage(error: Any) -> NoReturn:
    """Say in a line what is wrong with the words after ``windrow``; without any, that is the help."""
    words = error.format_message()
    if words.startswith("Usage: "):
        print(words, file=sys.stderr)
        sys.exit(WRONG_INPUT)
    path = error.ctx.command_path if error.ctx is not None else "windrow"
    words = usage_text(error)
    _end(f"{words.rstrip('.?')}{'?' if words.endswith('?') else '.'} See `{path} --help`.", WRONG_INPUT)


def _end(words: str, code: int) -> NoReturn:
    if code == INTERRUPTED:
        # A second Ctrl-C while Python exits must not print a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Names of files and labels may hold what a terminal would obey.
    shown = "".join(char if char.isprintable() else " " for char in words)
    print(f"windrow: {shown}", file=sys.stderr)
    sys.exit(code)


def _is_of_output(error: OSError) -> bool:
    """Whether an error is one of writing standard output; those of files have a name, or are told by their owners."""
    return error.filename is None and error.errno in _OUTPUT_ERRORS


def _forget_output() -> None:
    """Let what is still to be written go nowhere, since Python flushes standard output once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
