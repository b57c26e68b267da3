"""Consoles for data (standard output) and notes (standard error). Rich is imported only when something is printed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from windrow.domain.errors import InvalidParameter, StorageFailed

if TYPE_CHECKING:
    from rich.console import Console

# Without a terminal, tables are not cut.
NO_TERMINAL_CELLS = 100_000
# The preferred width of a piped table, if its names and numbers fit: a pager or a mail shows no more.
PIPED_CELLS = 120


def data_console() -> "Console":
    """Return the console for data on standard output; tables fit the terminal, or are uncut without one."""
    return _console(file=sys.stdout, width=None if sys.stdout.isatty() else NO_TERMINAL_CELLS, soft_wrap=False)


def notes_console() -> "Console":
    """Return the console for notes and progress on standard error, so that standard output holds only data."""
    return _console(file=sys.stderr, soft_wrap=True)


def _console(**more: Any) -> "Console":
    from rich.console import Console

    class Plain(Console):
        """Lets ``main`` handle a closed pipe, and does not crop wide lines."""

        def on_broken_pipe(self) -> NoReturn:
            raise  # noqa: PLE0704 - Rich calls it while it handles the error

        def print(self, *objects: Any, **options: Any) -> None:
            super().print(*objects, **{"crop": False, **options})

    return Plain(highlight=False, markup=False, emoji=False, **more)


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` into an error that names the file.

    Raises:
        InvalidParameter: The file cannot be read or written.
    """
    try:
        yield
    except OSError as error:
        facts = {"parameter": "file", "file": str(path), "reason": _reason(error)}
        raise InvalidParameter("{file}: {reason}. Name another file, or mend that.", facts) from error


def output_failed(error: OSError) -> StorageFailed:
    """Return the error for standard output that cannot be written."""
    return StorageFailed(
        "Standard output cannot be written: {reason}. Make room, or write to another place.",
        {"reason": _reason(error).lower()},
    )


def _reason(error: OSError) -> str:
    from windrow.disk import reason  # which the help needs not

    return reason(error)
