"""Where words go: data to standard output, everything else to standard error.

Owns the two consoles, and JSON; knows nothing of what is shown. Rich is loaded only when something is.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from windrow.cli.tables import Column, Listed
from windrow.domain.errors import StorageFailed

if TYPE_CHECKING:
    from rich.console import Console

# Where there is no terminal that a table must fit, nothing of it is cut.
_WIDE = 100_000


class Shape(Protocol):
    """A shape of ``wire``."""

    def model_dump_json(self, *, by_alias: bool) -> str:
        """Return it as JSON."""
        ...


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


def new_table(
    *columns: str,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
    cut: Sequence[str] = (),
    spare: Sequence[str] = (),
) -> Listed:
    """Return an empty table.

    Args:
        right: Which columns hold numbers, which stand at the right and are never broken.
        whole: Which others are never broken.
        cut: Which take one line, and are cut where there is no room.
        spare: Which are left out where there is no room, the first one first.
        columns: The headings.
    """
    order = {name: len(spare) - place for place, name in enumerate(spare)}
    return Listed(
        [
            Column(name, name in right, name in right or name in whole, name in cut, order.get(name, 0))
            for name in columns
        ]
    )


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
    return StorageFailed(f"Standard output cannot be written: {why}. Make room, or write to another place.")


def print_json(shape: Shape) -> None:
    """Print one JSON document and a line's end."""
    sys.stdout.write(shape.model_dump_json(by_alias=True) + "\n")
