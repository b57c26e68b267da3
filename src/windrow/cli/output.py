"""Where words go: data to standard output, all else to standard error. Rich is loaded only when something is shown."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from windrow.domain.errors import StorageFailed

if TYPE_CHECKING:
    from rich.console import Console

# Where there is no terminal that a table must fit, nothing of it is cut.
_WIDE = 100_000


def data_console() -> "Console":
    """Return what prints data for people; a table fits the terminal, and is whole where there is none."""
    return _console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDE, soft_wrap=False)


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
def writing_data() -> Iterator[None]:
    """Tell in a plain sentence that standard output takes no more; what has gone to a closed pipe is no error.

    Raises:
        StorageFailed: It cannot be written.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise output_failed(error) from error


def output_failed(error: OSError) -> StorageFailed:
    """Return the error for standard output that cannot be written."""
    why = (error.strerror or str(error)).lower()
    return StorageFailed(
        "Standard output cannot be written: {reason}. Make room, or write to another place.", {"reason": why}
    )
