"""How the text of a file is written: its encoding, mark and line ends, and of a table delimiter, quoting and header.

Results are written in the form of what came, so that the program that made a file opens them as it opened that one.
"""

import codecs
import csv
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from windrow.domain.errors import InvalidParameter
from windrow.domain.output_options import OutputEncoding, WrittenQuoting
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import LINE_END, Source
from windrow.files.delimited import declared_delimiter

BYTE_ORDER_MARK: Final = "\ufeff"
# A first row that begins so has all its values in quotation marks.
_QUOTED: Final = '"'
_HOLDS_ALL: Final = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


@dataclass(frozen=True, slots=True)
class TextForm:
    """How the text of a file is written."""

    encoding: str = "utf-8"
    """Its encoding, as Python calls it; one of several bytes a unit names their order (``utf-16-le``)."""
    has_mark: bool = False
    """Whether it begins with a byte-order mark."""
    line_end: str = "\n"
    r"""What ends a row: ``\n``, ``\r\n`` or ``\r``."""
    delimiter: str = ","
    """What stands between two cells of a table."""
    quoting: WrittenQuoting = "minimal"
    """Which cells of a table stand in quotation marks: those that need them, all, or none."""
    declaration: str = ""
    """The line before the header in which Excel declares the delimiter (``sep=;``); empty where there is none."""
    has_header: bool = True
    """Whether the first row of a table names the columns."""
    decimal_comma: bool = False
    """Whether new numbers in a table have a comma before their decimals, as a German Excel reads them."""
    header: tuple[str, ...] = ()
    """That row, where two columns are called alike, which have different names in rows; otherwise empty."""

    @property
    def holds_all(self) -> bool:
        """Whether its encoding has all characters."""
        return self.encoding in _HOLDS_ALL

    @property
    def errors(self) -> str:
        """What becomes of a character that it does not hold, as Python calls it.

        Half of a surrogate pair, which no encoding has, is written as an escape that JSON understands.
        """
        return "backslashreplace" if self.holds_all else "strict"

    def beginning(self) -> str:
        """Return what stands before the first row of a table: the mark, and the line that declares the delimiter."""
        return self.mark() + (self.declaration + self.line_end if self.declaration else "")

    def mark(self) -> str:
        """Return the byte-order mark, where there is one."""
        return BYTE_ORDER_MARK if self.has_mark else ""

    def size_bytes(self, text: str) -> int:
        """Return how many bytes a text takes."""
        return len(text) if text.isascii() and self.encoding == "utf-8" else len(text.encode(self.encoding))

    def rows(self, cells: Iterable[Sequence[object]]) -> str:
        """Return rows of a table.

        Args:
            cells: The cells of each one.
        """
        lines: list[str] = []
        quoting = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL, "none": csv.QUOTE_NONE}[self.quoting]
        writer = csv.writer(
            _Lines(lines, self.line_end),
            delimiter=self.delimiter,
            quoting=quoting,  # type: ignore[arg-type] # it is one of those
            quotechar=None if self.quoting == "none" else '"',
        )
        writer.writerows(cells)
        return "".join(lines)

    def parsed(self, row: str) -> list[str]:
        """Return the cells of a row that was written by :meth:`rows`."""
        quoting: Literal[0, 3] = csv.QUOTE_NONE if self.quoting == "none" else csv.QUOTE_MINIMAL
        return next(csv.reader(io.StringIO(row, newline=""), delimiter=self.delimiter, quoting=quoting), [])


PLAIN: Final = TextForm()


@dataclass(frozen=True, slots=True)
class _Lines:
    r"""Ends each row with a line end of choice; ``csv.writer`` with ``\n`` would not quote a ``\r``."""

    lines: list[str]
    end: str

    def write(self, row: str) -> None:
        """Take a row."""
        self.lines.append(row.removesuffix("\r\n") + self.end)


def find_text_form(source: Source, options: ReadOptions) -> TextForm:
    """Return how a file is written, once its first row has been read.

    Args:
        source: The file.
        options: How it is read.
    """
    beginning = source.beginning
    filled = beginning.lstrip()
    lines = LINE_END.split(filled, 2)
    form = TextForm(
        encoding=_written_encoding(source),
        has_mark=source.mark_bytes > 0 or source.found_encoding in ("utf-16", "utf-32"),
        line_end=_line_end(filled, is_quoted=source.delimiter is not None and options.quoting != "none"),
    )
    if source.delimiter is None:
        return form
    declaration = lines[0] if declared_delimiter(lines[0]) else ""
    first = lines[1] if declaration and len(lines) > 1 else lines[0]
    form = replace(
        form,
        delimiter=source.delimiter,
        quoting=_quoting(first, source.delimiter, options),
        declaration=declaration,
        has_header=source.has_header is not False,
    )
    cells = form.parsed(first) if form.has_header else []
    return form if len(set(cells)) == len(cells) else replace(form, header=tuple(cells))


def with_encoding(form: TextForm, encoding: OutputEncoding | None) -> TextForm:
    """Return a form in another encoding.

    Args:
        form: The form.
        encoding: One that has all characters; ``None`` to leave it.
    """
    if encoding is None:
        return form
    if encoding == "utf-16":
        return replace(form, encoding="utf-16-le", has_mark=True)
    return replace(form, encoding="utf-8", has_mark=encoding == "utf-8-sig")


def check_written_labels(labels: Sequence[str], form: TextForm) -> None:
    """Refuse labels that a table of a form cannot hold, before anything is written.

    Args:
        labels: All labels of the classifier.
        form: The form.

    Raises:
        InvalidParameter: The encoding has no such character, or a file without quotation marks has no place for it.
    """
    for label in labels:
        if not form.holds_all and (character := _missing_character(label, form.encoding)):
            raise InvalidParameter(
                "The label {label!r} holds {character!r}, which the encoding of the file, {encoding}, does not have. "
                "Add {set:output_encoding=utf-8-sig}, which Excel reads too, or write jsonl.",
                {"label": label, "character": character, "encoding": form.encoding, "parameter": "output_encoding"},
            )
        if form.quoting == "none" and (form.delimiter in label or LINE_END.search(label)):
            raise InvalidParameter(
                "The label {label!r} holds {delimiter!r} or a line's end, and the file is without quotation marks, so "
                "a cell cannot hold it. Write jsonl.",
                {"label": label, "delimiter": form.delimiter, "parameter": "to"},
            )


def _missing_character(text: str, encoding: str) -> str:
    """Return the first character of a text that an encoding does not have; empty where it has them all."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        return text[error.start]
    return ""


def _written_encoding(source: Source) -> str:
    encoding = codecs.lookup(source.found_encoding or "utf-8").name.removesuffix("-sig")
    if encoding == "ascii":
        return "utf-8"
    if encoding in ("utf-16", "utf-32"):
        return f"{encoding}-{'le' if sys.byteorder == 'little' else 'be'}"
    return encoding


def _line_end(text: str, *, is_quoted: bool) -> str:
    """Return what ends the first row of a text, which may have other line ends in quotation marks."""
    start, quotes = 0, 0
    for found in LINE_END.finditer(text):
        quotes += text.count(_QUOTED, start, found.start()) if is_quoted else 0
        start = found.end()
        if quotes % 2 == 0:
            return found[0]
    return "\n"


def _quoting(first: str, delimiter: str, options: ReadOptions) -> WrittenQuoting:
    """Return how cells are quoted, by the first row: a program quotes names of columns only where it quotes all."""
    if options.quoting == "none":
        return "none"
    cells = first.strip().split(delimiter)
    is_all = all(len(cell) > 1 and cell[0] == _QUOTED and cell[-1] == _QUOTED for cell in cells)
    return "all" if is_all else "minimal"
