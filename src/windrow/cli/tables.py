"""Tables that stay readable in a narrow terminal: names, ids and numbers whole, words folded, lists cut.

Where there is no terminal, all is shown.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from windrow.cli.formats import listed, one_line, several_lines
from windrow.cli.output import NO_TERMINAL_CELLS, PIPED_CELLS, data_console

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table

R = TypeVar("R")
# Between two columns.
GAP = 3
# Fewer cells of a sentence in each line cannot be read.
_MIN_CELLS = 12


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """A column of a table."""

    heading: str
    """What it holds."""
    cell: Callable[[R], str]
    """Returns what it shows of a row."""
    right: bool = False
    """Whether it holds numbers, which stand at the right and are never broken."""
    no_wrap: bool = False
    """Whether its cells are never broken: names, ids, states, times."""
    cut: bool = False
    """Whether its cells take one line, with an ellipsis where there is no room; otherwise words are folded."""
    lines: bool = False
    """Whether its cells may have several lines; otherwise their line ends are taken away."""
    spare: int = 0
    """How early it is left out where there is no room: the highest number first, and never with 0."""

    @property
    def never_wraps(self) -> bool:
        """Whether its cells are never broken."""
        return self.right or self.no_wrap

    def text(self, row: R) -> str:
        """Return what it shows of a row, without anything that a terminal would obey."""
        return (several_lines if self.lines else one_line)(self.cell(row))


def number(heading: str, cell: Callable[[R], str], spare: int = 0) -> Column[R]:
    """Return a column of numbers."""
    return Column(heading, cell, right=True, spare=spare)


def table_of(rows: Iterable[R], *columns: Column[R], title: str | None = None) -> "TextTable":
    """Return a table.

    Args:
        rows: What it shows, each in a row.
        title: What it shows, if that is not plain.
        columns: What is shown of each.
    """
    # A heading may be a label, and so hold anything.
    shown = [replace(column, heading=one_line(column.heading)) for column in columns]
    return TextTable(shown, title and one_line(title), [tuple(column.text(row) for column in columns) for row in rows])


def key_columns(rows: Iterable[Any], spare: int) -> tuple[Column[Any], ...]:
    """Return the column that names the API key which acted; none where no key did, as on a server without keys.

    Args:
        rows: Values with a ``key_name``.
        spare: As of :class:`Column`.
    """
    if all(row.key_name is None for row in rows):
        return ()
    return (Column("key", lambda row: row.key_name or "-", no_wrap=True, spare=spare),)


def print_table(rows: Iterable[R], *columns: Column[R]) -> None:
    """Print a table to standard output; see :func:`table_of`."""
    data_console().print(table_of(rows, *columns))


def print_facts(*facts: tuple[str, str]) -> None:
    """Print what is known about one thing, a fact a line: its name and its value; one without a value is left out."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        if value:
            table.add_row(one_line(name), several_lines(value))
    data_console().print(table)


@dataclass(frozen=True, slots=True)
class TextTable:
    """Rows for people, without lines around them, so that they read well and are easy to copy; Rich prints it."""

    columns: Sequence[Column[Any]]
    """The columns."""
    title: str | None = None
    """What it shows, if that is not plain."""
    rows: Sequence[tuple[str, ...]] = field(default=())
    """The cells of each row."""

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        """Yield the table, made for the room that there is."""
        natural = [self._natural(index) for index in range(len(self.columns))]
        min_widths = [_min_width(column, natural[index]) for index, column in enumerate(self.columns)]
        visible = self._visible(min_widths, options.max_width)
        fitting = options.max_width
        if fitting >= NO_TERMINAL_CELLS:
            # Without a terminal, nothing is left out, cut or broken, but a sentence need not be on one line.
            fitting, min_widths = PIPED_CELLS, [max(pair) for pair in zip(min_widths, self._unbroken(), strict=True)]
        widths = _widths([natural[index] for index in visible], [min_widths[index] for index in visible], fitting)
        # Names that are wider than the terminal are left to it to break, so that they can still be copied.
        room = max(_across(widths), options.max_width)
        yield from console.render(self._table(visible, widths), options.update(max_width=room))
        missed = [
            column.heading for index, column in enumerate(self.columns) if index not in visible and self._holds(index)
        ]
        if missed:
            from rich.text import Text

            yield Text(f"(Left out, for want of room: {', '.join(missed)}.)")

    def _visible(self, min_widths: Sequence[int], room: int) -> list[int]:
        """Return the indices of the columns that there is room for; one with nothing in it goes first."""
        spare = [index for index, column in enumerate(self.columns) if column.spare]
        spare.sort(key=lambda index: (self._holds(index), -self.columns[index].spare))
        visible, out = set(range(len(self.columns))), []
        for index in spare:
            if _across(min_widths[each] for each in visible) <= room:
                break
            visible.remove(index)
            out.append(index)
        # Where a wide one had to go too, there may be room again for a narrow one.
        for index in reversed(out):
            if self._holds(index) and _across(min_widths[each] for each in (*visible, index)) <= room:
                visible.add(index)
        return sorted(visible)

    def _holds(self, index: int) -> bool:
        return any(row[index] for row in self.rows)

    def _natural(self, index: int) -> int:
        return max(map(_cells, (self.columns[index].heading, *(row[index] for row in self.rows))))

    def _unbroken(self) -> list[int]:
        """Return the fewest cells of each column in which nothing is cut and no word broken."""
        return [
            self._natural(index)
            if column.cut
            else max((_cells(word) for row in self.rows for word in row[index].split()), default=0)
            for index, column in enumerate(self.columns)
        ]

    def _table(self, visible: Sequence[int], widths: Sequence[int]) -> "Table":
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, title=self.title, title_justify="left", pad_edge=False, show_edge=False)
        for index, width in zip(visible, widths, strict=True):
            column = self.columns[index]
            table.add_column(
                column.heading,
                justify="right" if column.right else "left",
                width=width,
                no_wrap=column.never_wraps or column.cut,
                overflow="ellipsis" if column.cut else "fold",
            )
        for row in self.rows:
            table.add_row(*(row[index] for index in visible))
        return table


def join_truncated(words: Sequence[str], max_cells: int = 60) -> str:
    """Return words as a list of a bounded length, with how many there are where some are left out; a dash for none."""
    text = listed(words)
    if _cells(text) <= max_cells:
        return text
    shown: list[str] = []
    for word in words:
        if _cells(", ".join([*shown, word])) > max_cells:
            break
        shown.append(word)
    return f"{', '.join([*shown, '…'])} ({len(words)} in all)"


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))


def _min_width(column: Column[Any], natural: int) -> int:
    """Return the fewest cells in which a column can be read."""
    if column.never_wraps:
        return natural
    # A heading may be a name too.
    return min(natural, max(_MIN_CELLS, *map(_cells, column.heading.split() or [""])))


def _across(widths: Iterable[int]) -> int:
    cells = list(widths)
    return sum(cells) + GAP * (len(cells) - 1)


def _widths(natural: Sequence[int], min_widths: Sequence[int], room: int) -> list[int]:
    """Return how wide each column becomes; of those that may be folded or cut, the widest gives way first."""
    widths = list(natural)
    over = _across(widths) - room
    while over > 0 and (soft := [index for index, width in enumerate(widths) if width > min_widths[index]]):
        widths[max(soft, key=lambda index: widths[index])] -= 1
        over -= 1
    return widths
