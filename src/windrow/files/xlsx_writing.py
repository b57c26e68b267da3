"""Write rows with their predictions as XLSX; whoever does needs XlsxWriter (``windrow[xlsx]``).

A row is written as soon as it is there, so that memory does not depend on their number. Text is written as text: no
cell is ever a formula or a link.
"""

import datetime
import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.files.decoding import Source
from windrow.files.reading import Record
from windrow.files.workbook import CellText
from windrow.files.writing import LABEL_SEPARATOR, Gained, PredictionColumns

MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 16_384
MAX_CELL_CHARS: Final = 32_767
# What XlsxWriter is kept from: to take text for something else.
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "nan_inf_to_errors": False,
}
_DATE: Final = "yyyy-mm-dd"
_TIME: Final = "yyyy-mm-dd hh:mm:ss"
# Larger integers would lose digits, since a cell holds a float of 64 bits.
_MAX_WHOLE: Final = 1 << 53


@dataclass(slots=True)
class XlsxWriter:
    """Writes one sheet: the columns of the file, then the new ones; a header first.

    Args:
        file: The output.
        prediction_columns: The new columns.
        source: The file that is read, for messages.
        columns: Its columns; ``None`` to take those of the first row.
        has_header: Whether the first row names the columns.
    """

    file: BinaryIO
    prediction_columns: PredictionColumns
    source: Source
    columns: tuple[str, ...] | None = None
    has_header: bool = True
    _sheet: "_Sheet | None" = field(default=None, init=False)

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with their predictions.

        Raises:
            InvalidFile: A row has a column that the rows before do not have, a cell that is too long, or there are too
                many rows.
        """
        if not records:
            return
        if self.columns is None:
            self.columns = tuple(records[0].values)
        sheet = self._begun(self.columns)
        for record, gained in zip(records, predictions, strict=True):
            if not record.values.keys() <= set(self.columns):
                column = next(name for name in record.values if name not in self.columns)
                words = "{column!r} stands in no row before, so the table has no column for it. Add --to jsonl."
                raise self.source.error(words, record.line, column=column)
            values = (*map(record.values.get, self.columns), *self.prediction_columns.values(gained))
            sheet.add(values, record.line)

    def end(self) -> None:
        """Write the file."""
        book = self._begun(self.columns or ()).book
        self._sheet = None
        book.close()

    def close(self) -> None:
        """Remove what is kept of rows beside the output, if it was not written to its end."""
        if self._sheet is not None:
            book, self._sheet = self._sheet.book, None
            # The end of a file that nobody wants removes it, the only way to do so.
            with suppress(Exception):
                book.close()

    def _begun(self, columns: tuple[str, ...]) -> "_Sheet":
        if self._sheet is None:
            self.prediction_columns.check(columns, self.source)
            names = (*columns, *self.prediction_columns.names)
            if len(names) > MAX_COLUMNS:
                words = (
                    "a sheet has no more than {limit:,} columns; with the new ones there are {found:,}. Add --to csv."
                )
                raise self.source.error(words, limit=MAX_COLUMNS, found=len(names))
            book = _open(self.file, self.source.name)
            self._sheet = _Sheet(book, book.add_worksheet(self.source.sheet), self.source)
            if self.has_header:
                self._sheet.add(names, None)
        return self._sheet


@dataclass(slots=True)
class _Sheet:
    """A sheet that is being written, row by row."""

    book: Any
    sheet: Any
    source: Source
    rows: int = 0
    formats: dict[str, Any] = field(default_factory=dict)

    def add(self, values: Sequence[object], line: int | None) -> None:
        """Write a row.

        Raises:
            InvalidFile: There are too many, or a cell is too long.
        """
        if self.rows >= MAX_ROWS:
            words = "a sheet has no more than {limit:,} rows. Add --to csv."
            raise self.source.error(words, line, limit=MAX_ROWS)
        for place, value in enumerate(values):
            self._write(place, value, line)
        self.rows += 1

    def _write(self, place: int, value: object, line: int | None) -> None:
        at = (self.rows, place)
        if isinstance(value, CellText):
            value = value.value
        if value is None or value == "":
            return
        if isinstance(value, bool):
            self.sheet.write_boolean(*at, value)
        elif isinstance(value, int | float) and math.isfinite(value) and abs(value) <= _MAX_WHOLE:
            self.sheet.write_number(*at, value)
        elif isinstance(value, datetime.datetime) and value.tzinfo is None:
            self.sheet.write_datetime(*at, value, self._format(_TIME))
        elif isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            self.sheet.write_datetime(*at, value, self._format(_DATE))
        else:
            self._write_text(at, _text_of(value), line)

    def _write_text(self, at: tuple[int, int], text: str, line: int | None) -> None:
        # Excel counts what UTF-16 has.
        if len(text) > MAX_CELL_CHARS // 2 and len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_CELL_CHARS:
            raise self._too_long(line)
        self.sheet.write_string(*at, text)

    def _too_long(self, line: int | None) -> InvalidFile:
        words = "a cell has more than {limit:,} characters, more than one of XLSX holds. Add --to csv."
        return self.source.error(words, line, limit=MAX_CELL_CHARS)

    def _format(self, shown: str) -> Any:
        if shown not in self.formats:
            self.formats[shown] = self.book.add_format({"num_format": shown})
        return self.formats[shown]


def check_xlsx_writer(name: str) -> None:
    """Refuse to begin what XlsxWriter is needed for where it is not installed.

    Args:
        name: The file whose rows are to be written.

    Raises:
        InvalidParameter: It is not installed.
    """
    _workbook(name)


def _open(file: BinaryIO, name: str) -> Any:
    return _workbook(name)(file, dict(_OPTIONS))


def _workbook(name: str) -> Callable[..., Any]:
    try:
        from xlsxwriter import Workbook
    except ImportError as error:
        raise InvalidParameter(
            "XLSX is written by XlsxWriter, which is not installed, so the rows of {file} cannot be written so. "
            'Install it with: pip install "windrow[xlsx]". Or write csv.',
            {"parameter": "to", "file": name},
        ) from error
    found: Callable[..., Any] = Workbook
    return found


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return LABEL_SEPARATOR.join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
