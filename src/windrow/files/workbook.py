"""Read the rows of a workbook (.xlsx), each cell as the text that Excel shows; whoever does needs ``windrow[xlsx]``.

A workbook is read into memory whole; ``workbook_parts`` sees to it that there is room for it.
"""

import datetime
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from windrow.domain.errors import InvalidParameter
from windrow.files.columns import listed
from windrow.files.decoding import Source
from windrow.files.workbook_parts import COMPOUND_MAGIC, compound_error, damaged, read_packed, unpack

# Of so many sheets, each is looked at to find the one with the columns.
_MOST_SHEETS: Final = 20
# Excel counts with so many digits, and people write whole numbers in full up to here.
_DIGITS: Final = 15
_MAX_IN_FULL: Final = 1e21
# What Excel shows where a formula has no value.
CELL_ERRORS: Final = frozenset(
    ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)
# A row of a sheet: its number, from 1, and the texts of its cells.
SheetRow = tuple[int, list[str]]


def read_workbook(
    source: Source, sheet: str | None, has_columns: Callable[[Sequence[str]], bool]
) -> Iterator[SheetRow]:
    """Yield the rows of a sheet in which something stands, all equally long.

    Args:
        source: The file; is told its sheets, and asks which one is meant where several could be.
        sheet: The sheet that the user named; ``None`` for the only one with rows, or the only one with the columns.
        has_columns: Whether the first row of a sheet names the columns that are needed.

    Raises:
        InvalidFile: It is no workbook, is damaged or encrypted, has no such sheet, several, or far too many cells.
        InvalidParameter: What reads workbooks is not installed.
        LimitExceeded: It holds more than the source's limit.
    """
    calamine = _calamine(source.name)
    packed = read_packed(source)
    if packed.startswith(COMPOUND_MAGIC):
        raise compound_error(source, packed)
    unpacked = unpack(source, packed)
    del packed
    source.found_encoding, source.place = "utf-8", "row"
    with _told(source, calamine):
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(unpacked))
        del unpacked
        shown = (calamine.SheetVisibleEnum.Visible, calamine.SheetTypeEnum.WorkSheet)
        source.sheets = tuple(each.name for each in book.sheets_metadata if (each.visible, each.typ) == shown)
        source.sheet = _chosen(source, book, sheet, has_columns)
        yield from _rows(book, source.sheet)


class CellText(str):
    """What a cell shows, with the value that it has: a number or a date, for a workbook of results."""

    __slots__ = ("value",)

    value: object
    """The value."""

    @classmethod
    def of(cls, value: object) -> "CellText":
        """Return the text of a value."""
        text = cls(cell_text(value))
        text.value = value
        return text


def cell_text(value: object) -> str:
    """Return what a cell shows: 1 for 1.0, TRUE for true, and dates as 2027-03-01 or 2027-03-01 14:30:00."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _MAX_IN_FULL else format(value, f".{_DIGITS}g")
    if isinstance(value, datetime.datetime):
        whole_seconds = value.replace(microsecond=0)
        return str(value.date() if whole_seconds.time() == datetime.time() else whole_seconds)
    return "" if value is None else str(value)


def _chosen(source: Source, book: Any, sheet: str | None, has_columns: Callable[[Sequence[str]], bool]) -> str:
    """Return the sheet to read.

    Raises:
        InvalidFile: There is no such sheet, or none with rows, or several could be meant and nobody listens.
    """
    if sheet is not None:
        wanted = sheet.strip().casefold()
        alike = [name for name in book.sheet_names if name == sheet] or [
            name for name in book.sheet_names if name.strip().casefold() == wanted
        ]
        if len(alike) != 1:
            words = "there is no sheet {sheet!r}. Its sheets are {names}; name one with {arg:sheet}."
            raise source.error(words, sheet=sheet, names=listed(source.sheets), parameter="sheet")
        return str(alike[0])
    if len(source.sheets) > _MOST_SHEETS:
        filled = dict.fromkeys(source.sheets, False)
    else:
        first = ((name, next(_rows(book, name), None)) for name in source.sheets)
        filled = {name: has_columns(row[1]) for name, row in first if row is not None}
    with_columns = [name for name, has in filled.items() if has]
    if not filled:
        raise source.error("there is nothing in it. Name a file with rows.")
    if len(filled) > 1 and len(with_columns) != 1:
        source.ask(
            "sheet",
            "it has several sheets with rows, {names}. Name the one to read with {arg:sheet}.",
            names=listed(with_columns or list(filled)),
        )
    return (with_columns or list(filled))[0]


def _rows(book: Any, name: str) -> Iterator[SheetRow]:
    for number, row in enumerate(book.get_sheet_by_name(name).iter_rows(), 1):
        texts = [each if type(each) is str else CellText.of(each) for each in row]
        if any(texts):
            yield number, texts


@contextmanager
def _told(source: Source, calamine: Any) -> Iterator[None]:
    """Turn what calamine says of a file into an error that names it."""
    try:
        yield
    except calamine.PasswordError as error:
        raise source.error("it is encrypted with a password. Save it without one, and use that file.") from error
    except calamine.CalamineError as error:
        raise damaged(source, str(error)) from error


def _calamine(name: str) -> Any:
    try:
        import python_calamine
    except ImportError as error:
        raise InvalidParameter(
            "Workbooks (.xlsx) are read by python-calamine, which is not installed, so {file} cannot be read. Install "
            'it with: pip install "windrow[xlsx]", or save the sheet as CSV.',
            {"parameter": "file", "file": name},
        ) from error
    return python_calamine
