"""Rows of a file that are left out: those that are no examples, and those that are wrong; what is told of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from windrow.domain.dataset import DataWarning
from windrow.domain.figures import counted
from windrow.domain.words import PYTHON, Words, render
from windrow.files.bad_rows import MAX_TOLD_ROWS, BadRows
from windrow.files.formats.form import LeftOut

# So many rows that are left out are told one by one, the others by count.
_SHOWN_ROWS: Final = 10


@dataclass(slots=True)
class LeftOutRows:
    """Rows of a file that are no examples, and those that are wrong where such rows are left out."""

    rows: list[LeftOut] = field(default_factory=list)
    """The first of them, with the reason."""
    num_rows: int = 0
    """How many there are."""
    num_unlabelled: int = 0
    """How many more rows nobody has labelled."""
    num_bad: int = 0
    """How many of them are wrong."""

    def __bool__(self) -> bool:
        """Return whether there is one."""
        return self.num_rows > 0 or self.num_unlabelled > 0

    def add(self, row: LeftOut) -> None:
        """Take note of a row."""
        self.num_rows += 1
        if len(self.rows) < MAX_TOLD_ROWS:
            self.rows.append(row)

    def add_bad(self, bad: BadRows) -> None:
        """Take note of all rows that are wrong, once the file is read."""
        self.num_rows += bad.num_rows
        self.num_bad += bad.num_rows
        self.rows = sorted((*self.rows, *bad.rows), key=lambda row: row.place)[:MAX_TOLD_ROWS]


def left_out_text(name: str, left_out: LeftOutRows) -> str:
    """Return in a sentence how many rows of a file are left out.

    Args:
        name: What messages call the file.
        left_out: The rows, of which there is one at least.
    """
    parts = []
    if left_out.num_rows == left_out.num_bad:
        rows = counted(left_out.num_rows, "row that is wrong", "rows that are wrong")
    else:
        wrong = f", {left_out.num_bad:,} of them wrong" if left_out.num_bad else ""
        rows = f"{counted(left_out.num_rows, 'row')}{wrong}"
    if left_out.num_rows:
        parts.append(rows)
    if left_out.num_unlabelled:
        parts.append(f"{counted(left_out.num_unlabelled, 'row')} that nobody has labelled")
    return f"Left out of {name}: {', and '.join(parts)}."


def left_out_lines(left_out: LeftOutRows, place: str, words: Words = PYTHON) -> Iterator[str]:
    """Yield where the first ten of the rows stand that are left out, and why; then how many more there are.

    Args:
        left_out: The rows.
        place: What the rows of the file are counted by.
        words: How parameters are called.
    """
    for row in left_out.rows[:_SHOWN_ROWS]:
        name = f" ({row.id})" if row.id else ""
        yield f"{place} {row.place}{name}: {render(row.template, row.facts, words)}"
    if left_out.num_rows > _SHOWN_ROWS:
        yield f"and {left_out.num_rows - _SHOWN_ROWS:,} more."


def left_out_report(name: str, left_out: LeftOutRows, place: str, words: Words = PYTHON) -> Iterator[str]:
    """Yield what people are told of the rows that are left out, line by line; nothing where there is none.

    Args:
        name: What messages call the file.
        left_out: The rows.
        place: What the rows of the file are counted by.
        words: How parameters are called.
    """
    if left_out:
        yield left_out_text(name, left_out)
        for line in left_out_lines(left_out, place, words):
            yield f"  {line}"


def left_out_warnings(name: str, left_out: LeftOutRows, place: str, words: Words = PYTHON) -> tuple[DataWarning, ...]:
    """Return the warning about the rows that are left out; none where there is no such row.

    Args:
        name: What messages call the file.
        left_out: The rows.
        place: What the rows of the file are counted by.
        words: How parameters are called.
    """
    if not left_out:
        return ()
    sentences = (f"{line[:1].upper()}{line[1:]}" for line in left_out_lines(left_out, place, words))
    return (DataWarning("rows_left_out", " ".join((left_out_text(name, left_out), *sentences))),)
