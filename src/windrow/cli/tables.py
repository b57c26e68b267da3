"""Tables that stay readable in a narrow terminal: names, ids and numbers whole, words folded, lists cut.

Owns which column gives way and how far; knows nothing of what a table shows. Where there is no terminal, all is shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table

# Between two columns.
GAP = 3
# Fewer cells of a sentence in each line cannot be read.
_LEAST_CELLS = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        heading: What it holds.
        is_right: Whether it holds numbers, which stand at the right.
        is_whole: Whether its cells are never broken: numbers, names, ids, states, times.
        is_cut: Whether its cells take one line, with an ellipsis where there is no room; otherwise words are folded.
        spare: How early it is left out where there is no room: the highest number first, and never with 0.
    """

    heading: str
    is_right: bool = False
    is_whole: bool = False
    is_cut: bool = False
    spare: int = 0


@dataclass(slots=True)
class Listed:
    """Rows for people, without lines around them, so that they read well and are easy to copy; Rich prints it.

    Args:
        columns: The columns.
        title: What it shows, if that is not plain.
        rows: The cells of each row.
    """

    columns: Sequence[Column]
    title: str | None = None
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add_row(self, *cells: str) -> None:
        """Add a row."""
        assert len(cells) == len(self.columns)
        self.rows.append(cells)

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        """Yield the table, made for the room that there is."""
        natural = [self._natural(place) for place in range(len(self.columns))]
        least = [_least(column, natural[place]) for place, column in enumerate(self.columns)]
        kept = self._kept(least, options.max_width)
        widths = _widths([natural[place] for place in kept], [least[place] for place in kept], options.max_width)
        # Names that are wider than the terminal are left to it to break, so that they can still be copied.
        room = max(_across(widths), options.max_width)
        yield from console.render(self._table(kept, widths), options.update(max_width=room))
        missed = [
            column.heading for place, column in enumerate(self.columns) if place not in kept and self._holds(place)
        ]
        if missed:
            from rich.text import Text

            yield Text(f"(Left out, for want of room: {', '.join(missed)}.)")

    def _kept(self, least: Sequence[int], room: int) -> list[int]:
        """Return the places of the columns that there is room for; one with nothing in it goes first."""
        spare = [place for place, column in enumerate(self.columns) if column.spare]
        spare.sort(key=lambda place: (self._holds(place), -self.columns[place].spare))
        kept, out = set(range(len(self.columns))), []
        for place in spare:
            if _across(least[each] for each in kept) <= room:
                break
            kept.remove(place)
            out.append(place)
        # Where a wide one had to go too, there may be room again for a narrow one.
        for place in reversed(out):
            if self._holds(place) and _across(least[each] for each in (*kept, place)) <= room:
                kept.add(place)
        return sorted(kept)

    def _holds(self, place: int) -> bool:
        return any(row[place] for row in self.rows)

    def _natural(self, place: int) -> int:
        return max(map(_cells, (self.columns[place].heading, *(row[place] for row in self.rows))))

    def _table(self, kept: Sequence[int], widths: Sequence[int]) -> "Table":
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, title=self.title, title_justify="left", pad_edge=False, show_edge=False)
        for place, width in zip(kept, widths, strict=True):
            column = self.columns[place]
            table.add_column(
                column.heading,
                justify="right" if column.is_right else "left",
                width=width,
                no_wrap=column.is_whole or column.is_cut,
                overflow="ellipsis" if column.is_cut else "fold",
            )
        for row in self.rows:
            table.add_row(*(row[place] for place in kept))
        return table


def briefly(words: Sequence[str], most_cells: int = 60) -> str:
    """Return words as a list of a bounded length, with how many there are where some are left out; a dash for none."""
    whole = ", ".join(words) or "-"
    if _cells(whole) <= most_cells:
        return whole
    shown: list[str] = []
    for word in words:
        if _cells(", ".join([*shown, word])) > most_cells:
            break
        shown.append(word)
    return f"{', '.join([*shown, '…'])} ({len(words)} in all)"


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))


def _least(column: Column, natural: int) -> int:
    """Return the fewest cells in which a column can be read."""
    if column.is_whole:
        return natural
    # A heading may be a name too.
    return min(natural, max(_LEAST_CELLS, *map(_cells, column.heading.split() or [""])))


def _across(widths: Iterable[int]) -> int:
    cells = list(widths)
    return sum(cells) + GAP * (len(cells) - 1)


def _widths(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return how wide each column becomes; of those that may be folded or cut, the widest gives way first."""
    widths = list(natural)
    over = _across(widths) - room
    while over > 0 and (soft := [place for place, width in enumerate(widths) if width > least[place]]):
        widths[max(soft, key=lambda place: widths[place])] -= 1
        over -= 1
    return widths
