"""Read tables of hosted services, which have no header: find text and labels, and a line that is a header after all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, Literal

from windrow.domain.read_options import DETECT_ALL
from windrow.files.columns import Evidence, header_evidence
from windrow.files.decoding import LINE_END
from windrow.files.delimited import MAX_COLUMNS
from windrow.files.formats.form import Document, LeftOut, Note
from windrow.files.formats.label_place import LOOKED_AT_ROWS, find_label_place

NumberedCells = tuple[int, list[str]]
_NAMES_COLUMNS: Final = "it names the columns."


@dataclass(frozen=True, slots=True)
class HeaderlessTable:
    """A table without a header, of which the first rows have been looked at."""

    first: Sequence[Sequence[str]]
    """The cells of its first rows."""
    rows: Iterator[NumberedCells]
    """All rows but the header, each with its line."""
    header: LeftOut | None
    """The line that names the columns all the same."""


def open_headerless(document: Document) -> HeaderlessTable:
    """Read the first rows of a table.

    Raises:
        InvalidFile: A row cannot be read.
    """
    first_line = LINE_END.split(document.beginning.text.lstrip(), 1)[0]
    # A comma it is, though labels may have other delimiters between; a table without any is written otherwise.
    rows = document.rows(delimiter="," if "," in first_line else None)
    first = list(islice(rows, LOOKED_AT_ROWS))
    header = None
    if first and _is_header(document, first[0][1]):
        (line, cells), *first = first
        header = LeftOut(line, _NAMES_COLUMNS, values=cells_by_number(cells))
    return HeaderlessTable([cells for _, cells in first], chain(first, rows), header)


def find_place(
    document: Document, rows: Sequence[Sequence[str]], usual: Literal["first", "last"]
) -> tuple[int, int, list[Note]]:
    """Return the columns of text and label, from 0, and what is told of how they were found.

    Args:
        document: The file, whose options may name columns by their numbers.
        rows: The first rows.
        usual: Where the format has its labels.

    Raises:
        InvalidFile: An option names no column.
    """
    width = max(map(len, rows), default=2)
    label, text = document.options.label_column, next(iter(document.options.text_column), None)
    if label is None and text is None:
        found = find_label_place(rows, usual)
        if found is not None:
            return found.text, found.label, [found.note]
        return (1, 0, []) if usual == "first" else (0, 1, [])
    label_at = None if label is None else _column(document, "label_column", label, width)
    text_at = None if text is None else _column(document, "text_column", text, width)
    if text_at is None:
        text_at = 1 if label_at == 0 else 0
    if label_at is None:
        label_at = width - 1 if text_at == 0 else 0
    return text_at, label_at, []


def cells_by_number(cells: Sequence[str]) -> dict[str, object]:
    """Return the cells of a row by the numbers of their columns, from 1."""
    return {str(number): cell for number, cell in enumerate(cells, start=1)}


def _is_header(document: Document, cells: Sequence[str]) -> bool:
    if document.options.header is not None:
        return document.options.header
    # One known name alone may be a short text, or a label.
    known = sum(header_evidence([cell], DETECT_ALL) is not Evidence.NONE for cell in cells[:MAX_COLUMNS])
    return known > 1 and header_evidence(cells, DETECT_ALL) is Evidence.SURE


def _column(document: Document, parameter: str, value: str, width: int) -> int:
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:6]) <= width:
        words = "this format has no header, so its columns are called 1 to {width}, and none is called {value!r}. "
        words += "{Send} a number with {arg:{parameter}}."
        raise document.error(words, parameter=parameter, width=width, value=value[:40])
    return int(value) - 1
