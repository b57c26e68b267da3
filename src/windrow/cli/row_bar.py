"""A bar for rows on standard error: how many, how fast, how long it still takes.

Owns what it looks like; knows nothing of what is done with the rows.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from windrow.cli.decoding import Source
from windrow.cli.output import notes_console
from windrow.cli.reading import Record

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass(slots=True)
class RowBar:
    """Counts rows, and draws them where somebody watches.

    Args:
        source: The file that is read, whose size tells about how many rows there are.
        bars: What draws; ``None`` to draw nothing.
        read: Rows that were read.
        done: Rows that are done.
    """

    source: Source
    bars: "Progress | None" = None
    read: int = field(default=0)
    done: int = field(default=0)

    def counted(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield rows as they are, and count them."""
        for record in records:
            self.read += 1
            yield record

    def advance(self, rows: int) -> None:
        """Say that so many more rows are done."""
        self.done += rows
        if self.bars is not None:
            task = self.bars.tasks[0]
            rate = f"{task.speed:,.0f} rows/s" if task.speed else ""
            self.bars.update(task.id, total=self._expected(), completed=self.done, rate=rate)

    def _expected(self) -> float | None:
        """Return about how many rows there are, judged by the bytes of those that were read."""
        size_bytes, bytes_read = self.source.size_bytes, self.source.bytes_read
        if not size_bytes or not bytes_read:
            return None
        return max(self.done, round(self.read * size_bytes / bytes_read))


@contextmanager
def row_bar(source: Source, *, is_shown: bool) -> Iterator[RowBar]:
    """Draw a bar until the end of the block, then take it away.

    Args:
        source: The file that is read.
        is_shown: Whether to draw it.
    """
    if not is_shown:
        yield RowBar(source)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("Predicting"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notes_console(), transient=True) as bars:
        bars.add_task("Predicting", total=None, rate="")
        yield RowBar(source, bars)
