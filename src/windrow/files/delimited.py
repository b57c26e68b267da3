"""Read the rows of CSV and TSV: detect the delimiter, quoting and header, and check each row.

Does not know which column holds the text. Holds one row in memory at a time.
"""

import csv
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal, Self

from windrow.domain.errors import InvalidFile
from windrow.domain.figures import counted
from windrow.domain.read_options import ReadOptions
from windrow.files.columns import (
    Columns,
    Evidence,
    FoundColumns,
    UnresolvedColumn,
    ambiguous_header_names,
    distinct,
    find_columns,
    header_evidence,
    listed,
    look_for_columns,
    names_label_columns,
)
from windrow.files.decoding import LINE_END, MAX_LINE_CHARS, Source
from windrow.files.lines import BLANK_LINES, Lines
from windrow.files.row_text import RowText

if TYPE_CHECKING:
    import _csv

_DELIMITERS = (",", ";", "\t", "|")
# The line that Excel writes before the header to declare the delimiter.
_SEP_LINE = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)
_HOW_QUOTED = (
    "If quotation marks are characters like any other in this file, add {set:quoting=none}; if they enclose values, "
    "add {set:quoting=csv}"
)
_SNIFFED_CHARS = 4_096
# So much of a first line says how it is written; a hostile one may have millions of fields.
_DETECTED_CHARS = 1 << 16
# More columns have no table with a text in each row, and each takes room in an inspection.
MAX_COLUMNS = 1_000
_THOUSANDS = re.compile(r"\d,\d{3}\b")
# A row of a file: the line at which it begins, from 1, and its values by column.
NumberedRow = tuple[int, dict[str, object]]
# The same without the names of the columns.
NumberedCells = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class _Dialect:
    """The delimiter and quoting of a file."""

    delimiter: str
    quoting: Literal[0, 3]
    has_leading_spaces: bool
    """Whether a space follows each delimiter."""
    is_quoting_given: bool
    """Whether the user gave ``--quoting``."""

    def split(self, text_lines: Iterable[str]) -> "_csv.Reader":
        """Return a strict CSV reader, which raises ``csv.Error`` for an unclosed quotation mark."""
        return csv.reader(
            text_lines,
            delimiter=self.delimiter,
            quoting=self.quoting,
            skipinitialspace=self.has_leading_spaces,
            strict=True,
        )


@dataclass(slots=True)
class NamedRows:
    """The rows of a table with the names of their columns; iterate over them, or over their cells alone."""

    names: tuple[str, ...]
    """The columns."""
    cells: Iterator[NumberedCells]
    """The cells of each row, as many as there are columns, with the line at which it begins."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> NumberedRow:
        """Return the next row by its columns.

        Raises:
            InvalidFile: It has fewer or more cells than the first one; the message names its line.
        """
        line, cells = next(self.cells)
        return line, dict(zip(self.names, cells))  # noqa: B905 - they are equally many


def read_delimited(source: Source, blocks: Iterator[str], options: ReadOptions, *, labelled: bool = False) -> NamedRows:
    """Return the rows of CSV or TSV, except empty rows and those of delimiters only.

    Args:
        source: The file, for messages.
        blocks: Its decoded text.
        options: The read options that the user gave.
        labelled: Whether the rows must have labels.

    Raises:
        InvalidFile: The header is wrong or ambiguous, or a row before it; the message names its line.
    """
    lines = Lines(source, blocks)
    first = _next_filled(lines)
    if declared := declared_delimiter(first):
        first = _next_filled(lines)
    if first:
        lines.put_back(first)
    dialect = _dialect(first, options, declared)
    source.delimiter = dialect.delimiter
    return name_cells(source, _rows(source, lines, dialect), options, labelled=labelled)


def name_cells(
    source: Source, rows: Iterator[NumberedCells], options: ReadOptions, *, labelled: bool = False
) -> NamedRows:
    """Return rows with the names of their columns, which the first one says unless that is a row itself.

    Args:
        source: The file, for messages.
        rows: The cells of each row, with the line at which it begins.
        options: The read options that the user gave.
        labelled: Whether the rows must have labels.

    Raises:
        InvalidFile: The first row is wrong, or it is not clear whether it is a header.
    """
    line, row = next(rows, (1, []))
    if not row:
        raise source.error("there is nothing in it. Name a file with rows.")
    if source.takes_questions and len(row) > MAX_COLUMNS:
        raise too_many_columns(source, line)
    source.has_header = options.header is not False
    if options.header is False:
        names, rows = tuple(str(number) for number in range(1, len(row) + 1)), chain([(line, row)], rows)
    else:
        names = _header(source, line, row, options, labelled)
    ambiguous_names = ambiguous_header_names(row, options) if options.header is None else {}
    return NamedRows(names, _whole_rows(source, rows, len(names), ambiguous_names))


def _whole_rows(
    source: Source, rows: Iterator[NumberedCells], width: int, ambiguous_names: Mapping[int, str]
) -> Iterator[NumberedCells]:
    """Yield the rows that have a cell for each column, and ask about the header where one repeats a name of it."""
    # Mostly there is one at most: the name of the column with the label.
    (first, name), *others = (*ambiguous_names.items(), (0, None))
    more = [each for each in others if each[1] is not None]
    for each in rows:
        line, row = each
        if len(row) != width:
            source.reject(
                "the first line has {wanted}, this row {found}. Is a text with a delimiter, a "
                "quotation mark or a line's end in it not quoted? Correct that row.",
                line,
                found=len(row),
                wanted=counted(width, "field"),
            )
            continue
        if row[first] == name:
            _ask_for_repeated_header(source, line, row[first])
        if more:
            for place, other in more:
                if row[place] == other:
                    _ask_for_repeated_header(source, line, row[place])
        yield each


def read_cells(
    source: Source, blocks: Iterator[str], options: ReadOptions, *, delimiter: str | None = None
) -> Iterator[NumberedCells]:
    """Yield the cells of each row of CSV or TSV, the first one too, except empty rows and those of delimiters only.

    Args:
        source: The file, for messages.
        blocks: Its decoded text.
        options: The read options that the user gave.
        delimiter: What stands between cells; ``None`` to tell it from the first line.

    Raises:
        InvalidFile: A row cannot be read; the message names its line.
    """
    lines = Lines(source, blocks)
    first = _next_filled(lines)
    if declared := declared_delimiter(first):
        first = _next_filled(lines)
    if first:
        lines.put_back(first)
    dialect = _dialect(first, options, delimiter or declared)
    source.delimiter = dialect.delimiter
    return _rows(source, lines, dialect)


def too_many_columns(source: Source, line: int | None) -> InvalidFile:
    """Return the error for a file with more columns than an inspection tells of."""
    return source.error(
        "it has more than {limit} columns; more are not taken here. Is it a table with a text in each row?",
        line,
        limit=MAX_COLUMNS,
    )


def _next_filled(lines: Lines) -> str:
    """Return the next line in which something is seen; empty at the end of the file."""
    lines.pass_over(BLANK_LINES)
    return next((line for line in lines if not line.isspace()), "")


def declared_delimiter(line: str) -> str:
    """Return the delimiter that a line such as ``sep=;`` declares; empty for any other line."""
    match = _SEP_LINE.fullmatch(line)
    return match[1] if match is not None else ""


def evidence_of(line: str, options: ReadOptions) -> tuple[Evidence, list[str]]:
    """Return the evidence that a line is a header, and its values."""
    values = _split(line, _delimiter(line, options), options)
    return header_evidence(values, options), values


def _header(source: Source, line: int, row: Sequence[str], options: ReadOptions, labelled: bool) -> tuple[str, ...]:
    """Return the columns of the header row, with repeated names made unique.

    Raises:
        InvalidFile: It is not clear whether the row is a header, or a needed column name is repeated.
    """
    if options.header is None:
        evidence = header_evidence(row, options)
        if evidence is Evidence.NONE and not _has_named_columns(source, line, row, options):
            source.ask("header", _no_header_words(len(row), labelled=labelled), line, names=listed(row))
        if evidence is Evidence.LABEL:
            source.ask(
                "header",
                "it is not clear whether the first line, {names}, names the columns. If it does, add {set:header}; if "
                "it is a row, add {unset:header}, and say where the parts stand: {set:text_column=1}, "
                "{set:label_column=2}.",
                line,
                names=listed(row),
            )
    names = distinct(row)
    _check_repeated(source, line, row, names, lookup=(options, labelled))
    return names


def _no_header_words(columns: int, *, labelled: bool) -> str:
    """Return the error for a first line without a known name, with all options that one reading of it needs."""
    named = (
        "which ones with {arg:text_column} and {arg:label_column}" if labelled else "which one with {arg:text_column}"
    )
    parts = (
        "the parts stand: {set:text_column=1}, {set:label_column=2}"
        if labelled
        else "the text stands: {set:text_column=1}"
    )
    numbered = f", and say where {parts}" if columns > 1 else ""
    return (
        "the first line, {names}, names no column that is known to hold texts. If it names the columns, say "
        f"{named}; if it is a row, add {{unset:header}}{numbered}."
    )


def _check_repeated(
    source: Source, line: int, row: Sequence[str], names: Sequence[str], lookup: tuple[ReadOptions, bool]
) -> None:
    """Refuse a header in which the name of the text or label column is repeated."""
    if len(set(row)) == len(row):
        return
    options, labelled = lookup
    try:
        if source.takes_questions:
            columns: Columns | FoundColumns = look_for_columns(names, options)
        else:
            columns = find_columns(names, options, labelled=labelled)
    except UnresolvedColumn:
        return  # the caller looks the columns up again and reports the error
    several = () if columns.labels is None else columns.labels.names
    parameter = "indicator_columns" if options.indicator_columns else "labels_column"
    for field, name in (
        *(("text_column", name) for name in columns.text),
        ("label_column", columns.label),
        *((parameter, name) for name in several),
    ):
        if name is not None and row.count(name) > 1:
            source.ask(
                field,
                "two columns are called {name!r}. Give each one a name of its own, or choose another column with "
                "{arg:{parameter}}; the second one of that name is {second!r}.",
                line,
                name=name,
                second=names[row.index(name, row.index(name) + 1)],
            )


def _ask_for_repeated_header(source: Source, line: int, name: str) -> None:
    source.ask(
        "header",
        "{name!r}, which stands in the first line, comes again in its column, so it is not clear whether that line "
        "names the columns. If it is a row, add {unset:header}, and say where the parts stand: {set:text_column=1}, "
        "{set:label_column=2}; if it names the columns, add {set:header}.",
        line,
        name=name,
    )


def _has_named_columns(source: Source, line: int, names: Sequence[str], options: ReadOptions) -> bool:
    """Return whether a line contains the columns named in the options, ignoring case; without options ``False``.

    Raises:
        InvalidParameter: A named column is missing.
    """
    is_labelled = bool(options.label_column) or names_label_columns(options)
    if not (options.text_column or is_labelled):
        return False
    try:
        find_columns(names, options, labelled=is_labelled)
    except UnresolvedColumn as error:
        template = f"{error.template}. If the first line is a row, add {{unset:header}}."
        raise source.error(template, line, **error.facts) from error
    return True


def _rows(source: Source, lines: Lines, dialect: _Dialect) -> Generator[tuple[int, list[str]], None, None]:
    """Yield each row with the line at which it begins."""
    csv.field_size_limit(MAX_LINE_CHARS)
    text = RowText(source, lines, dialect.delimiter)
    reader = text.reader = dialect.split(text.lines())
    is_quoting_open, num_values = not dialect.is_quoting_given, 0
    # More lines than these, and a row may be several; few programs quote in TSV, so there each row is looked at.
    most_lines = 0 if dialect.delimiter == "\t" else 1
    done = last = 0
    try:
        for row in reader:
            # Lines are counted by the reader, but for those that it has not seen.
            last, done = done, reader.line_num
            if not row or (not row[0] and len(row) > 1 and not any(row)):
                text.empty = done
                continue
            if done - last > most_lines and is_quoting_open:
                _check_is_one(source, row, dialect, (text.passed + last + 1, done - last, num_values or len(row)))
            num_values = num_values or len(row)
            yield text.passed + last + 1, row
    except csv.Error as error:
        line = text.passed + done + 1
        raise source.error(_problem(str(error)), line, reason=str(error), parameter="quoting") from error


def _check_is_one(source: Source, row: Sequence[str], dialect: _Dialect, place: tuple[int, int, int]) -> None:
    """Refuse a row that may be several ones.

    Args:
        source: The file, for messages.
        row: Its values.
        dialect: How the file is written.
        place: The line at which it begins, how many lines follow, and how many values rows have.

    Raises:
        InvalidFile: It may be.
    """
    line, num_lines, num_values = place
    if _is_several(row, dialect, num_lines, num_values):
        raise source.error(
            f"a quotation mark holds together what may be several rows. {_HOW_QUOTED}.", line, parameter="quoting"
        )


def _is_several(row: Sequence[str], dialect: _Dialect, num_lines: int, num_values: int) -> bool:
    """Return whether a row may be several rows that a stray quotation mark joins.

    Few programs quote in TSV, so any multi-line value is suspect there; in CSV, only one all lines of which look
    like rows.
    """
    if dialect.delimiter == "\t":
        return num_lines > 1 or any("\t" in value for value in row)
    return num_lines > 1 and any(
        _are_rows(value, (place, len(row) - 1 - place), dialect.delimiter, num_values)
        for place, value in enumerate(row)
    )


def _are_rows(text: str, beside: tuple[int, int], delimiter: str, num_values: int) -> bool:
    """Return whether each line of a value looks like a row: the first with what stands before, the last with the rest.

    In prose, a space follows a comma, so such a line does not look like a row.

    Args:
        text: The value.
        beside: How many values its row has before it, and behind it.
        delimiter: What stands between two values.
        num_values: How many values rows have.
    """
    lines = LINE_END.split(text)
    before, behind = beside
    for number, line in enumerate(lines):
        _, *more = line.split(delimiter)
        if not all(more) or any(value[0] == " " for value in more) or _THOUSANDS.search(line):
            return False
        others = (before if number == 0 else 0) + (behind if number == len(lines) - 1 else 0)
        if len(more) + 1 + others != num_values:
            return False
    return len(lines) > 1


def _problem(error: str) -> str:
    if "unexpected end" in error or "field limit" in error:
        return (
            "a quotation mark is opened here and never closed. Close it, double it if it belongs to the text, or add "
            "{set:quoting=none} if quotation marks are characters like any other in this file."
        )
    if "expected after" in error:
        return (
            "something follows a closing quotation mark. Double each quotation mark inside a quoted text, or add "
            "{set:quoting=none} if quotation marks are characters like any other in this file."
        )
    return "it is no CSV ({reason}). Correct that row."


def _dialect(line: str, options: ReadOptions, declared: str) -> _Dialect:
    """Detect the dialect of a file from its first line."""
    delimiter = declared or ("\t" if options.format == "tsv" else _delimiter(line, options))
    more = _split(line, delimiter, options)[1:]
    has_leading_spaces = (
        options.header is not False
        and delimiter != "\t"
        and bool(more)
        and all(value.startswith(" ") for value in more)
        and (options.header is True or evidence_of(line, options)[0] is not Evidence.NONE)
    )
    return _Dialect(delimiter, _quoting(options), has_leading_spaces, options.quoting is not None)


def _quoting(options: ReadOptions) -> Literal[0, 3]:
    return csv.QUOTE_NONE if options.quoting == "none" else csv.QUOTE_MINIMAL


def _delimiter(line: str, options: ReadOptions) -> str:
    """Return the delimiter that splits a first line into known column names, else into several fields."""
    several = [each for each in _DELIMITERS if len(_split(line, each, options)) > 1]
    named = [each for each in several if header_evidence(_split(line, each, options), options) is not Evidence.NONE]
    if named or len(several) == 1:
        return (named or several)[0]
    if "\t" in several:
        return "\t"  # which no text has, unlike the others
    try:
        # Of a longer line it would take long to say nothing else.
        return csv.Sniffer().sniff(line[:_SNIFFED_CHARS], "".join(several or _DELIMITERS)).delimiter
    except csv.Error:
        return _DELIMITERS[0]


def _split(line: str, delimiter: str, options: ReadOptions) -> list[str]:
    try:
        return next(csv.reader([line[:_DETECTED_CHARS]], delimiter=delimiter, quoting=_quoting(options)), [])
    except csv.Error:
        return []
