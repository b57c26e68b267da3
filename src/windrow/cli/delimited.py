"""Rows of CSV and TSV: what splits them, whether the first one names the columns, and what makes one wrong.

Owns delimiters, quotation marks and headers; knows nothing of which column means what. Holds one row at a time.
"""

import csv
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain

from windrow.cli.columns import NotClear, find_columns, listed, looks_like_header
from windrow.cli.decoding import MAX_LINE_CHARS, Source, lines
from windrow.cli.read_options import Reading

_DELIMITERS = (",", ";", "\t", "|")
# A row as it stands in a file: the line where it begins, from 1, and its values by column.
Numbered = tuple[int, dict[str, object]]


def read_delimited(source: Source, blocks: Iterator[str], how: Reading) -> Generator[Numbered, None, tuple[str, ...]]:
    """Yield the rows of CSV or TSV; lines without anything in them are left out.

    Args:
        source: The file, for messages.
        blocks: Its text.
        how: What somebody said about it.

    Returns:
        The columns, which a file without rows has too.

    Raises:
        InvalidParameter: A row or the header is wrong; the words name its line.
    """
    text_lines = lines(source, blocks)
    first, start = next(text_lines, ""), 1
    while first and first.isspace():
        first, start = next(text_lines, ""), start + 1
    delimiter = "\t" if how.format == "tsv" else _delimiter(first, how)
    rows = _rows(source, chain((first,), text_lines), delimiter, start)
    line, row = next(rows)
    if how.header:
        names = _header(source, line, row, how)
    else:
        names = tuple(str(number) for number in range(1, len(row) + 1))
        rows = chain(((line, row),), rows)
    for line, row in rows:
        if len(row) != len(names):
            raise source.wrong(
                "there are {found} fields, where the first line has {wanted}. Is a text with a delimiter, a "
                "quotation mark or a line's end in it not quoted? Correct that row.",
                line,
                found=len(row),
                wanted=len(names),
            )
        yield line, dict(zip(names, row, strict=True))
    return names


def begins_with_header(line: str, how: Reading) -> bool:
    """Whether a line names columns that are known."""
    return looks_like_header(_split(line, _delimiter(line, how)), how)


def _header(source: Source, line: int, names: Sequence[str], how: Reading) -> tuple[str, ...]:
    if not looks_like_header(names, how) and not _has_wanted(source, line, names, how):
        raise source.wrong(
            "the first line, {names}, names no column that is known to hold texts. If it names the columns, say which "
            "one with --text-column; if it is a row, add --no-header.",
            line,
            names=listed(names),
        )
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise source.wrong("two columns are called {name!r}. Give each one a name of its own.", line, name=twice[0])
    return tuple(names)


def _has_wanted(source: Source, line: int, names: Sequence[str], how: Reading) -> bool:
    """Whether a line holds the columns that somebody named, in whatever case."""
    if not (how.text_column or how.label_column):
        return False
    try:
        find_columns(names, how, labelled=bool(how.label_column))
    except NotClear as error:
        template = f"{error.template}. If the first line is a row, add --no-header."
        raise source.wrong(template, line, **error.facts) from error
    return True


def _rows(source: Source, text_lines: Iterable[str], delimiter: str, start: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line where it begins."""
    csv.field_size_limit(MAX_LINE_CHARS)
    rows = csv.reader(text_lines, delimiter=delimiter, strict=True)
    line = start
    try:
        for row in rows:
            if row:
                yield line, row
            line = start + rows.line_num
    except csv.Error as error:
        raise source.wrong(_problem(str(error)), line, reason=str(error)) from error


def _problem(error: str) -> str:
    if "unexpected end" in error or "field limit" in error:
        return "a quotation mark is opened here and never closed. Close it, or double it if it belongs to the text."
    if "expected after" in error:
        return "something follows a closing quotation mark. Double each quotation mark inside a quoted text."
    if "new-line" in error:
        return "lines end with a bare carriage return. Save the file with the line ends of Windows or Unix."
    return "it is no CSV ({reason}). Correct that row."


def _delimiter(line: str, how: Reading) -> str:
    """Return what splits a file's first line: what splits it into known names, else into several fields."""
    several = [each for each in _DELIMITERS if len(_split(line, each)) > 1]
    named = [each for each in several if looks_like_header(_split(line, each), how)]
    if named or len(several) == 1:
        return (named or several)[0]
    try:
        return csv.Sniffer().sniff(line, "".join(several or _DELIMITERS)).delimiter
    except csv.Error:
        return _DELIMITERS[0]


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
