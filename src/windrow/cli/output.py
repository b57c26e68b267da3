"""Where words go: data to standard output, everything else to standard error.

Owns the two consoles, and JSON; knows nothing of what is shown. Rich is loaded only when something is.
"""

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# Where there is no terminal that a table must fit, nothing of it is cut.
_WIDE = 100_000


class Shape(Protocol):
    """A shape of ``wire``."""

    def model_dump_json(self, *, by_alias: bool) -> str:
        """Return it as JSON."""
        ...


def data_console() -> "Console":
    """Return what prints data for people; a table fits the terminal, and is whole where there is none."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDE
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def notes_console() -> "Console":
    """Return what prints remarks and progress, so that standard output holds nothing but data."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def new_table(*columns: str, right: tuple[str, ...] = (), title: str | None = None) -> "Table":
    """Return an empty table without lines, so that it reads well and is easy to copy.

    Args:
        right: Which columns hold numbers, which stand at the right.
        title: What it shows, if that is not plain.
        columns: The headings.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def print_json(shape: Shape) -> None:
    """Print one JSON document and a line's end."""
    sys.stdout.write(shape.model_dump_json(by_alias=True) + "\n")
