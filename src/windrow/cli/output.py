"""Prints data to standard output, and all else to standard error. Rich is loaded only when something is printed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from windrow.disk import reason
from windrow.domain.errors import InvalidParameter, StorageFailed

if TYPE_CHECKING:
    from rich.console import Console

# Where there is no terminal that a table must fit, nothing of it is cut.
NO_TERMINAL_CELLS = 100_000
# What a table takes all the same, if its names and numbers leave it the choice: a pager or a mail shows no more.
PIPED_CELLS = 120


def data_console() -> "Console":
    """Return what prints data for people; a table fits the terminal, and is whole where there is none."""
    return _console(file=sys.stdout, width=None if sys.stdout.isatty() else NO_TERMINAL_CELLS, soft_wrap=False)


def notes_console() -> "Console":
    """Return what prints remarks and progress, so that standard output holds nothing but data."""
    return _console(file=sys.stderr, soft_wrap=True)


def _console(**more: Any) -> "Console":
    from rich.console import Console

    class Plain(Console):
        """Leaves a closed pipe to the edge of the command line, and cuts nothing off that is too wide."""

        def on_broken_pipe(self) -> NoReturn:
            raise  # noqa: PLE0704 - Rich calls it while it handles the error

        def print(self, *objects: Any, **how: Any) -> None:
            super().print(*objects, **{"crop": False, **how})

    return Plain(highlight=False, markup=False, emoji=False, **more)


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Tell in a plain sentence that a file cannot be read or written.

    Raises:
        InvalidParameter: It cannot.
    """
    try:
        yield
    except OSError as error:
        facts = {"parameter": "file", "file": str(path), "reason": reason(error)}
        raise InvalidParameter("{file}: {reason}. Name another file, or mend that.", facts) from error


def output_failed(error: OSError) -> StorageFailed:
    """Return the error for standard output that cannot be written."""
    return StorageFailed(
        "Standard output cannot be written: {reason}. Make room, or write to another place.",
        {"reason": reason(error).lower()},
    )
