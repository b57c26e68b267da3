"""Rows from a file or from standard input, one by one: CSV, TSV, JSONL, JSON and plain text.

Owns formats and what makes a row wrong, with its line; knows nothing of classifiers. Memory is the same for any length.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

from windrow.cli.columns import Columns, NotClear, find_columns, listed
from windrow.cli.decoding import LINE_END, STANDARD_INPUT, Source, check_no_page, lines, opened, text_blocks
from windrow.cli.delimited import Numbered, read_delimited
from windrow.cli.guessing import format_of_text, guessed_format
from windrow.cli.json_values import listed_values
from windrow.cli.read_options import AS_FOUND, Format, Reading
from windrow.codec.strict import parse_value, why_refused
from windrow.domain.characters import is_blank

_FORMATS: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".tab": "tsv",
    ".text": "txt",
    ".tsv": "tsv",
    ".txt": "txt",
}
# A first line that is longer is taken for one JSON document.
_MAX_BEGINNING_CHARS = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """A row with everything that stands in it."""

    line: int
    """Where it begins, from 1."""
    text: str
    """Its text."""
    values: Mapping[str, object]
    """All of its columns, in their order; strings, or in JSON anything."""
    label: str = ""
    """Its label, where one is wanted."""


@dataclass(slots=True)
class Table:
    """A file whose rows are being read; iterate over it once."""

    source: Source
    """The file."""
    columns: Columns | None
    """Where the parts of a row stand; ``None`` where there is no row."""
    names: tuple[str, ...]
    """The columns of the first row, or of the header where there is no row."""
    rows: Iterator[Numbered] = field(repr=False)
    """What was not read yet."""
    is_delimited: bool = field(default=False, kw_only=True)
    """Whether it is CSV or TSV, where blanks around a label mean nothing."""

    def records(self, skip: Callable[[int], None] | None = None) -> Iterator[Record]:
        """Yield each row.

        Args:
            skip: Is told the line of each row whose text is blank, which then is left out.

        Raises:
            InvalidParameter: A row is wrong; the words name its line.
        """
        columns = self.columns
        for line, values in self.rows:
            assert columns is not None
            if skip is not None and _is_blank(values.get(columns.text, "no such column")):
                skip(line)
                continue
            text = self._part(line, values, columns.text, "text")
            label = "" if columns.label is None else self._part(line, values, columns.label, "label")
            yield Record(line, text, values, label)

    def _part(self, line: int, values: Mapping[str, object], column: str, field: str) -> str:
        """Return the text or the label of a row."""
        value = values.get(column)
        if field == "text" and isinstance(value, str) and value.isascii() and not is_blank(value):
            return value  # as nearly all are
        if column not in values:
            has = "it has {names}" if values else "it is empty"
            words = f"the {{field}} is missing: there is no {{column!r}}, {has}. Add it or remove the row."
            raise self.source.wrong(words, line, field=field, column=column, names=listed(tuple(values)))
        if field == "label":
            value = self._label(line, value, column)
        problem = _problem(value)
        if problem is not None:
            raise self.source.wrong(f"the {{field}} {problem}", line, field=field, kind=_kind(value))
        return str(value)

    def _label(self, line: int, value: object, column: str) -> object:
        """Return a label as it is meant, also where it is a number or the only one of a list."""
        if isinstance(value, list):
            if len(value) != 1:
                words = "{column!r} holds {found} labels; a row has exactly one label. Correct or remove that row."
                raise self.source.wrong(words, line, column=column, found=len(value))
            [value] = value
        # Classes are often numbered; in CSV nobody could tell the difference.
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return value.strip() if self.is_delimited and isinstance(value, str) else value


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and is_blank(value))


def _problem(value: object) -> str | None:
    if not isinstance(value, str):
        return "is {kind}, no string. Correct or remove that row."
    if _is_blank(value):
        return "is blank. Fill it in or remove that row."
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no character. Correct that row."
    return None


@contextmanager
def open_table(path: Path | str, how: Reading = AS_FOUND, *, labelled: bool = False) -> Iterator[Table]:
    """Open a file or, with ``-``, standard input, and find its format and columns; no more than its beginning is read.

    Args:
        path: The file.
        how: What somebody said about it.
        labelled: Whether its rows have labels that are needed.

    Raises:
        InvalidParameter: It cannot be read, is empty, or it is not clear which columns are meant.
    """
    with opened(path, how.encoding) as source:
        blocks = text_blocks(source)
        format_ = how.format or _format_of_name(path)
        beginning = _beginning(blocks, is_line_needed=format_ in (None, "txt"))
        if not beginning.strip():
            raise source.wrong("there is nothing in it. Name a file with rows.")
        blocks = chain((beginning,), blocks)
        if how.format is None:
            check_no_page(source, beginning)
            if format_ is None:
                format_ = guessed_format(source, beginning, how, labelled=labelled)
            elif format_ == "txt":
                format_ = format_of_text(source, beginning, how, labelled=labelled)
        if labelled and format_ == "txt":
            raise source.wrong("plain text has no labels. Name a file with a column of labels, such as CSV or JSONL.")
        rows = _rows(source, blocks, replace(how, format=format_), labelled)
        try:
            first = next(rows)
        except StopIteration as end:
            yield Table(source, None, end.value or (), iter(()))
            return
        try:
            columns = find_columns(tuple(first[1]), how, labelled=labelled)
        except NotClear as error:
            raise source.wrong(f"{error.template}.", None, **error.facts) from error
        is_delimited = format_ in ("csv", "tsv")
        yield Table(source, columns, tuple(first[1]), chain((first,), rows), is_delimited=is_delimited)


def read_rows(path: Path | str, how: Reading = AS_FOUND, *, labelled: bool = False) -> Iterator[Record]:
    """Yield each row of a file; see :func:`open_table`.

    Raises:
        InvalidParameter: The file or a row is wrong; the words name its line.
    """
    with open_table(path, how, labelled=labelled) as table:
        yield from table.records()


def _format_of_name(path: Path | str) -> Format | None:
    if str(path) == STANDARD_INPUT:
        return None
    name = Path(path).name.lower().removesuffix(".gz")
    return _FORMATS.get(Path(name).suffix)


def _beginning(blocks: Iterator[str], *, is_line_needed: bool) -> str:
    """Return the first blocks: up to what is not blank, or to the end of that line, which tells the format."""
    text = ""
    for block in blocks:
        text += block
        line = text.lstrip()
        if line and (not is_line_needed or line[0] == "[" or LINE_END.search(line) or len(text) > _MAX_BEGINNING_CHARS):
            break
    return text


def _rows(
    source: Source, blocks: Iterator[str], how: Reading, labelled: bool
) -> Generator[Numbered, None, tuple[str, ...] | None]:
    if how.format == "txt":
        return _read_plain(source, blocks)
    if how.format in ("json", "jsonl"):
        values = listed_values(source, blocks) if how.format == "json" else _json_lines(source, blocks)
        return ((line, _as_object(source, line, value, labelled)) for line, value in values)
    return read_delimited(source, blocks, how, labelled=labelled)


def _json_lines(source: Source, blocks: Iterator[str]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines(source, blocks), 1):
        if line.isspace():
            continue
        try:
            value, end = parse_value(line.strip())
            if end < len(line.strip()):
                raise json.JSONDecodeError("Extra data", line, end)
            yield number, value
        except (ValueError, RecursionError) as error:
            words = "the JSON is broken: {reason}. Correct that line."
            raise source.wrong(words, number, reason=why_refused(error)) from error


def _as_object(source: Source, line: int, value: object, labelled: bool) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and not labelled:
        return {"text": value}
    wanted = "an object with a text and a label" if labelled else "an object or a text"
    words = "a row is {kind}; it must be {wanted}. Correct or remove it."
    raise source.wrong(words, line, kind=_kind(value), wanted=wanted)


def _read_plain(source: Source, blocks: Iterator[str]) -> Generator[Numbered, None, None]:
    """Read a text a line. A blank line is no text, but at the end of the file it does no harm."""
    blank: list[int] = []
    for number, line in enumerate(lines(source, blocks), 1):
        text = line.rstrip("\r\n")
        if is_blank(text):
            blank.append(number)
            continue
        for before in blank:
            yield before, {"text": ""}
        blank = []
        yield number, {"text": text}


def _kind(value: object) -> str:
    kinds: dict[type, str] = {
        bool: "true or false",
        dict: "an object",
        float: "a number",
        int: "a number",
        list: "a list",
        str: "a string",
        type(None): "null",
    }
    return kinds.get(type(value), type(value).__name__)
