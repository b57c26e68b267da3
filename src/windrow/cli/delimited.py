"""Rows of CSV and TSV: what splits them, whether the first one names the columns, and what makes one wrong.

Owns delimiters, quotation marks and headers; knows nothing of which column means what. Holds one row at a time.
"""

import csv
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

from windrow.cli.columns import Evidence, NotClear, distinct, find_columns, header_evidence, listed, may_be_values
from windrow.cli.decoding import LINE_END, MAX_LINE_CHARS, Source, lines
from windrow.cli.read_options import Reading

if TYPE_CHECKING:
    import _csv

_DELIMITERS = (",", ";", "\t", "|")
# What Excel writes before the header, and reads, to say what splits the rows.
_SAID = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)
_HOW_QUOTED = (
    "If quotation marks are characters like any other in this file, add --quoting none; if they enclose values, add "
    "--quoting csv"
)
_THOUSANDS = re.compile(r"\d,\d{3}\b")
# A row as it stands in a file: the line where it begins, from 1, and its values by column.
Numbered = tuple[int, dict[str, object]]


@dataclass(frozen=True, slots=True)
class _Dialect:
    """What splits a file into rows and values."""

    delimiter: str
    quoting: Literal[0, 3]
    has_blanks: bool
    """Whether a blank follows each delimiter."""
    is_quoting_said: bool

    def split(self, text_lines: Iterable[str]) -> "_csv.Reader":
        """Return what reads rows; where quotation marks are not closed, it raises."""
        return csv.reader(
            text_lines,
            delimiter=self.delimiter,
            quoting=self.quoting,
            skipinitialspace=self.has_blanks,
            strict=True,
        )


def read_delimited(
    source: Source, blocks: Iterator[str], how: Reading, *, labelled: bool = False
) -> Generator[Numbered, None, tuple[str, ...]]:
    """Yield the rows of CSV or TSV; those with nothing in them, or with nothing but delimiters, are left out.

    Args:
        source: The file, for messages.
        blocks: Its text.
        how: What somebody said about it.
        labelled: Whether its rows have labels that are needed.

    Returns:
        The columns, which a file without rows has too.

    Raises:
        InvalidParameter: A row or the header is wrong, or it is not clear how to read it; the words name its line.
    """
    text_lines = lines(source, blocks)
    first, start, said = next(text_lines, ""), 1, ""
    while first.isspace() or (not said and delimiter_said(first)):
        said = said or delimiter_said(first)
        first, start = next(text_lines, ""), start + 1
    rows = _rows(source, chain((first,), text_lines), _dialect(first, how, said), start)
    line, row = next(rows, (start, []))
    if not row:
        raise source.wrong("there is nothing in it. Name a file with rows.")
    if how.header is False:
        names, first_rows = tuple(str(number) for number in range(1, len(row) + 1)), [(line, row)]
    else:
        names, first_rows = _header(source, line, row, how, labelled), []
    in_doubt = may_be_values(row, how) if how.header is None else {}
    for line, row in chain(first_rows, rows):
        if len(row) != len(names):
            raise source.wrong(
                "there are {found} fields, where the first line has {wanted}. Is a text with a delimiter, a "
                "quotation mark or a line's end in it not quoted? Correct that row.",
                line,
                found=len(row),
                wanted=len(names),
            )
        for place, name in in_doubt.items():
            if row[place] == name:
                raise _header_comes_again(source, line, name)
        yield line, dict(zip(names, row, strict=True))
    return names


def delimiter_said(line: str) -> str:
    """Return what a line such as ``sep=;`` says that the rows are split by; nothing for any other line."""
    found = _SAID.fullmatch(line)
    return found[1] if found is not None else ""


def evidence_of(line: str, how: Reading) -> tuple[Evidence, list[str]]:
    """Return how sure it is that a line names columns, and what it holds."""
    values = _split(line, _delimiter(line, how), how)
    return header_evidence(values, how), values


def _header(source: Source, line: int, row: Sequence[str], how: Reading, labelled: bool) -> tuple[str, ...]:
    """Return the columns that the first row names.

    Raises:
        InvalidParameter: It is not clear whether it does, or two that are wanted have the same name.
    """
    if how.header is None:
        evidence = header_evidence(row, how)
        if evidence is Evidence.NONE and not _has_wanted(source, line, row, how):
            raise source.wrong(
                "the first line, {names}, names no column that is known to hold texts. If it names the columns, say "
                "which one with --text-column; if it is a row, add --no-header.",
                line,
                names=listed(row),
            )
        if evidence is Evidence.LABEL:
            raise source.wrong(
                "it is not clear whether the first line, {names}, names the columns. If it does, add --header; if it "
                "is a row, add --no-header, and say where the parts stand: --text-column 1, --label-column 2.",
                line,
                names=listed(row),
            )
    names = distinct(row)
    _check_repeated(source, line, row, names, find_how=(how, labelled))
    return names


def _check_repeated(
    source: Source, line: int, row: Sequence[str], names: Sequence[str], find_how: tuple[Reading, bool]
) -> None:
    """Make sure that no column that is wanted has the name of another one."""
    if len(set(row)) == len(row):
        return
    how, labelled = find_how
    try:
        found = find_columns(names, how, labelled=labelled)
    except NotClear:
        return  # who asks for the columns tells it
    for field, wanted in (("text", found.text), ("label", found.label)):
        if wanted is not None and row.count(wanted) > 1:
            raise source.wrong(
                "two columns are called {name!r}. Give each one a name of its own, or choose another column with "
                "--{field}-column; the second one of that name is {second!r}.",
                line,
                name=wanted,
                field=field,
                second=names[row.index(wanted, row.index(wanted) + 1)],
            )


def _header_comes_again(source: Source, line: int, name: str) -> Exception:
    return source.wrong(
        "{name!r}, which stands in the first line, comes again in its column, so it is not clear whether that line "
        "names the columns. If it is a row, add --no-header, and say where the parts stand: --text-column 1, "
        "--label-column 2; if it names the columns, add --header.",
        line,
        name=name,
    )


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


def _rows(
    source: Source, text_lines: Iterable[str], dialect: _Dialect, start: int
) -> Generator[tuple[int, list[str]], None, None]:
    """Yield each row with the line where it begins."""
    csv.field_size_limit(MAX_LINE_CHARS)
    rows = dialect.split(text_lines)
    line, num_values = start, 0
    try:
        for row in rows:
            following = start + rows.line_num
            num_values = num_values or len(row)
            if not dialect.is_quoting_said and _is_several(row, dialect, following - line, num_values):
                raise source.wrong(f"a quotation mark holds together what may be several rows. {_HOW_QUOTED}.", line)
            if len(row) == 1 or any(row):
                yield line, row
            line = following
    except csv.Error as error:
        raise source.wrong(_problem(str(error)), line, reason=str(error)) from error


def _is_several(row: Sequence[str], dialect: _Dialect, num_lines: int, num_values: int) -> bool:
    """Whether a row may be several ones that a stray quotation mark holds together.

    In TSV, few programs quote; elsewhere, each line of a text would have to have as many values as a row.
    """
    if dialect.delimiter == "\t":
        return num_lines > 1 or any("\t" in value for value in row)
    return num_lines > 1 and any(
        _are_rows(value, place, dialect.delimiter, num_values) for place, value in enumerate(row)
    )


def _are_rows(text: str, place: int, delimiter: str, num_values: int) -> bool:
    """Whether each line of a text but the last one ends as a row does; in prose, a blank follows a comma."""
    *broken, _ = LINE_END.split(text)
    for number, line in enumerate(broken):
        _, *more = line.split(delimiter)
        if not all(more) or any(value[0] == " " for value in more) or _THOUSANDS.search(line):
            return False
        if len(more) + 1 + (place if number == 0 else 0) != num_values:
            return False
    return bool(broken)


def _problem(error: str) -> str:
    if "unexpected end" in error or "field limit" in error:
        return (
            "a quotation mark is opened here and never closed. Close it, double it if it belongs to the text, or add "
            "--quoting none if quotation marks are characters like any other in this file."
        )
    if "expected after" in error:
        return (
            "something follows a closing quotation mark. Double each quotation mark inside a quoted text, or add "
            "--quoting none if quotation marks are characters like any other in this file."
        )
    return "it is no CSV ({reason}). Correct that row."


def _dialect(line: str, how: Reading, said: str) -> _Dialect:
    """Return what splits a file that has this first line."""
    delimiter = said or ("\t" if how.format == "tsv" else _delimiter(line, how))
    more = _split(line, delimiter, how)[1:]
    has_blanks = (
        how.header is not False
        and delimiter != "\t"
        and bool(more)
        and all(value.startswith(" ") for value in more)
        and (how.header is True or evidence_of(line, how)[0] is not Evidence.NONE)
    )
    return _Dialect(delimiter, _quoting(how), has_blanks, how.quoting is not None)


def _quoting(how: Reading) -> Literal[0, 3]:
    return csv.QUOTE_NONE if how.quoting == "none" else csv.QUOTE_MINIMAL


def _delimiter(line: str, how: Reading) -> str:
    """Return what splits a file's first line: what splits it into known names, else into several fields."""
    several = [each for each in _DELIMITERS if len(_split(line, each, how)) > 1]
    named = [each for each in several if header_evidence(_split(line, each, how), how) is not Evidence.NONE]
    if named or len(several) == 1:
        return (named or several)[0]
    if "\t" in several:
        return "\t"  # which no text has, unlike the others
    try:
        return csv.Sniffer().sniff(line, "".join(several or _DELIMITERS)).delimiter
    except csv.Error:
        return _DELIMITERS[0]


def _split(line: str, delimiter: str, how: Reading) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, quoting=_quoting(how)), [])
    except csv.Error:
        return []
