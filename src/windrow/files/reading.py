"""Read rows one by one from a file or standard input: CSV, TSV, JSONL, JSON and plain text.

Checks each row and names the line of a wrong one. Memory does not depend on the length of the file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import Final

from windrow.codec.strict import kind_of
from windrow.domain.characters import is_blank
from windrow.domain.errors import InvalidFile
from windrow.domain.label_names import parse_label_names
from windrow.domain.read_options import DETECT_ALL, Format, ReadOptions, check_read_options
from windrow.files.columns import (
    Columns,
    LabelColumns,
    lacks_labels,
    listed,
    with_list_of_labels,
)
from windrow.files.decoding import (
    STANDARD_INPUT,
    Listener,
    Source,
    open_source,
)
from windrow.files.delimited import NamedRows, NumberedCells, NumberedRow
from windrow.files.format_mismatch import with_look
from windrow.files.formats.beginning import beginning_of
from windrow.files.formats.form import LeftOut, Note, Split
from windrow.files.formats.raw_rows import as_label
from windrow.files.row_ids import shown_id
from windrow.files.row_labels import LabelProblem, UnnamedLabel, find_label_problem, name_label, read_labels
from windrow.files.splits import UNASSIGNED, find_split
from windrow.files.table_columns import columns_of, id_column_of, no_split_column, place_labels, with_hints
from windrow.files.table_opening import open_rows
from windrow.files.tool_rows import TEXT, ToolRows, open_tool, open_tool_folder
from windrow.files.workbook import CELL_ERRORS

# An error of a workbook begins so.
_ERROR_BEGINS: Final = "#"
# Texts that sort between these begin with a character of ASCII that is seen, and are no error of a workbook.
_FIRST_SEEN: Final = chr(ord(_ERROR_BEGINS) + 1)
_AFTER_SEEN: Final = "\x7f"
# Labels repeat; of so many different ones it is remembered what they are.
_MOST_KNOWN: Final = 10_000
# The keys of JSON with one label, or any number of them.
_FORMS: Final = ("label", "labels")


# Not frozen, as other values are: to make a frozen one takes five times as long, and a file may have millions.
@dataclass(slots=True, eq=False)
class Record:
    """A row of a file, with all its columns."""

    line: int
    """The line at which it begins, from 1."""
    text: str
    """Its text."""
    given: Mapping[str, object] | tuple[Sequence[str], Sequence[str]] = field(repr=False)
    """All columns as :attr:`values`, or their names and cells, of which these are made where they are asked for."""
    label: str = ""
    """Its label; empty if labels are not read, rows have any number of them, or it is blank or not clear."""
    labels: tuple[str, ...] | None = None
    """Its labels where rows have any number of them; otherwise ``None``."""
    split: Split | None = None
    """The part of the data that the file says it belongs to."""
    id: str = ""
    """What it is known by: as the labelling tool calls it that wrote the file, or what its column of ids holds."""
    own: Mapping[str, object] | None = field(default=None, repr=False)
    """The row in the form of the labelling tool that wrote the file; ``None`` in a table."""

    @property
    def values(self) -> Mapping[str, object]:
        """All columns in file order: strings, or any JSON value in JSON and JSONL."""
        if isinstance(self.given, tuple):
            names, cells = self.given
            self.given = dict(zip(names, cells, strict=True))
        return self.given

    def __eq__(self, other: object) -> bool:
        """Return whether another record says the same."""
        if not isinstance(other, Record):
            return NotImplemented
        names = (each.name for each in fields(Record) if each.name != "given")
        return self.values == other.values and all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = None  # type: ignore[assignment]


@dataclass(slots=True)
class Table:
    """A file whose rows are being read; iterate over it once."""

    source: Source
    """The file."""
    columns: Columns | None
    """The text and label columns; ``None`` without rows."""
    names: tuple[str, ...]
    """All columns: those of the first row, or of the header without rows."""
    rows: Iterator[NumberedRow] = field(repr=False)
    """The rows that have not been read yet."""
    is_delimited: bool = field(default=False, kw_only=True)
    """Whether it is CSV or TSV, where labels are stripped of surrounding blanks."""
    format: Format | None = field(default=None, kw_only=True)
    """What it is, where that has been detected."""
    options: ReadOptions = field(default=DETECT_ALL, kw_only=True, repr=False)
    """How it is read."""
    keeps_blank_labels: bool = field(default=False, kw_only=True)
    """Whether a row with a blank label, where rows have one each, is yielded in place of being refused."""
    tool: ToolRows | None = field(default=None, kw_only=True, repr=False)
    """Its rows where it is a file of a labelling tool; ``None`` where it is a table."""
    cells: Iterator[NumberedCells] | None = field(default=None, kw_only=True, repr=False)
    """The same rows as cells without names, in CSV, TSV and workbooks; read these or those."""
    on_row: Callable[[int, Mapping[str, object]], None] | None = field(default=None, kw_only=True, repr=False)
    """Is told the line and the columns of each row of such a file; ``None`` for nobody."""
    id_column: str | None = field(default=None, kw_only=True)
    """The column by which rows are known; ``None`` where there is none."""
    label_names: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False)
    """What labels are called that the file numbers; empty where they are names themselves."""
    notes: tuple[Note, ...] = field(default=(), kw_only=True, repr=False)
    """What was decided about it, and is to be told."""
    _has_plain_labels: bool = field(default=False, init=False, repr=False)

    def records(self, *, keep_blank: bool = False) -> Iterator[Record]:
        """Return each row that nothing is wrong with.

        Args:
            keep_blank: Whether a row with a blank text is one of them, with an empty text.

        Raises:
            InvalidFile: A row is wrong, and the source has no listener; the message names its line.
        """
        columns = self.columns
        if self.tool is not None:
            return self._records_of(self.tool, keep_blank=keep_blank)
        if columns is None:
            return iter(())
        if self.cells is not None and len(columns.text) == 1 and not (columns.labels or self.options.split_column):
            return self._records_of_cells(self.cells, columns, keep_blank=keep_blank)
        records = (self._record(line, values, columns, keep_blank=keep_blank) for line, values in self.rows)
        return (record for record in records if record is not None)

    def _records_of_cells(
        self, cells: Iterator[NumberedCells], columns: Columns, *, keep_blank: bool
    ) -> Iterator[Record]:
        """Yield each row of a table; nearly all are as they should be, so they are looked at in as few steps as can be.

        A row whose text begins with a character that is seen, and whose label was met before, has nothing wrong.
        """
        names = self.names
        text_at = names.index(columns.text[0])
        label_at = None if columns.label is None else names.index(columns.label)
        id_at = None if self.id_column is None else names.index(self.id_column)
        known: dict[str, str] = {}
        for line, row in cells:
            text = row[text_at]
            label = "" if label_at is None else known.get(row[label_at])
            if label is not None and _FIRST_SEEN <= text < _AFTER_SEEN:
                yield Record(line, text, (names, row), label, None, None, "" if id_at is None else row[id_at])
                continue
            values = dict(zip(names, row))  # noqa: B905 - they are equally many
            if (record := self._record(line, values, columns, keep_blank=keep_blank)) is None:
                continue
            if label_at is not None and record.label and len(known) < _MOST_KNOWN:
                known[row[label_at]] = record.label
            yield record

    def _record(
        self,
        line: int,
        values: Mapping[str, object],
        columns: Columns,
        *,
        keep_blank: bool,
    ) -> Record | None:
        """Return a row; ``None`` if it is left out."""
        id_ = "" if self.id_column is None else shown_id(values.get(self.id_column))
        self.source.row = line, id_
        if keep_blank and _has(values, columns) and _is_blank(columns.text_of(values)):
            return Record(line, "", values, id=id_)
        text = self._text(line, values, columns)
        if text is None:
            return None
        split, is_split = self._split(line, values)
        if not is_split:
            return None
        labels = None
        label: str | None = ""
        if columns.labels is not None:
            if (labels := self._labels(line, values, columns.labels)) is None:
                return None
        elif columns.label is not None:
            label = self._label(line, values, columns.label)
        return None if label is None else Record(line, text, values, label, labels, split, id_)

    def _records_of(self, tool: ToolRows, *, keep_blank: bool) -> Iterator[Record]:
        """Yield the rows of a labelling tool's file: the examples in it, or all of them where labels are not read."""
        is_labelled = self.columns is not None and self.columns.has_labels
        for row in tool.examples() if is_labelled else tool.texts():
            values = tool.values_of(row)
            if self.on_row is not None:
                self.on_row(row.place, values)
            if is_blank(row.text):
                if keep_blank:
                    yield Record(row.place, "", values, id=row.id, own=row.own)
                else:
                    why = row.left_out or LeftOut(row.place, "the text {why}", {"why": _problem("")})
                    tool.reject(row.place, why.template, why.facts, row.id)
                continue
            named = self._named(row.place, row.labels or ()) if is_labelled else ()
            if named is None:
                continue
            labels = named if is_labelled and tool.kind == "multi_label" else None
            label = named[0] if labels is None and named else ""
            yield Record(row.place, row.text, values, label, labels, row.split, row.id, row.own)

    def _named(self, line: int, labels: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return labels by their names; ``None`` if the row is left out, since one has none."""
        if not self.label_names:
            return labels
        checked = [self._checked(line, name_label(label, self.label_names), "label") for label in labels]
        return None if None in checked else tuple(label for label in checked if label is not None)

    def _split(self, line: int, values: Mapping[str, object]) -> tuple[Split | None, bool]:
        """Return the part of the data that a row belongs to, where a column says so; and whether the row stays."""
        if (column := self.options.split_column) is None:
            return None, True
        value = values.get(column)
        split = find_split(value)
        if split is None and not _is_blank(value) and value != UNASSIGNED:
            words = "{column!r} is {value!r}, no part of the data. Write train, validation or test, or leave it blank."
            self.source.reject(words, line, column=column, value=value)
            return None, False
        return split, True

    def _text(self, line: int, values: Mapping[str, object], columns: Columns) -> str | None:
        """Return a row's text; ``None`` if it has none and is left out."""
        value = columns.text_of(values)
        if isinstance(value, str) and value.isascii() and not is_blank(value) and value[0] != _ERROR_BEGINS:
            return value  # as nearly all are
        if not _has(values, columns):
            self._miss(line, values, "text", columns.text[0])
            return None
        return self._checked(line, value, "text")

    def _miss(self, line: int, values: Mapping[str, object], field: str, column: str) -> None:
        if field == "label" and column in _FORMS and not values.keys().isdisjoint(_FORMS):
            words = (
                "it has {other!r}, and the first row has {column!r}; all rows have the same form. Give each row "
                "'labels', of which a list with one label is a text that has just that one, or each row 'label'."
            )
            other = next(name for name in _FORMS if name in values)
            self.source.reject(words, line, field=field, column=column, other=other)
            return
        has = "it has {names}" if values else "it is empty"
        words = f"the {{field}} is missing: there is no {{column!r}}, {has}. Add it or remove the row."
        self.source.reject(words, line, field=field, column=column, names=listed(tuple(values)))

    def _checked(self, line: int, value: object, field: str) -> str | None:
        if isinstance(value, str) and value in CELL_ERRORS and self.format == "xlsx":
            words = "the {field} is {value}, which Excel shows where a formula has no value. Correct that cell."
            self.source.reject(words, line, field=field, value=value)
            return None
        if isinstance(value, UnnamedLabel):
            words = "the label {value!r} has no name in {arg:label_names}. Add it there, or correct that row."
            self.source.reject(words, line, field=field, value=value.label)
            return None
        if (problem := _problem(value)) is None:
            return str(value)
        self.source.reject(f"the {{field}} {problem}", line, field=field, kind=kind_of(value))
        return None

    def _label(self, line: int, values: Mapping[str, object], column: str) -> str | None:
        """Return a label, also if it is an integer or the only item of a list; ``None`` if the row is left out."""
        if column not in values:
            self._miss(line, values, "label", column)
            return None
        value = values[column]
        self._has_plain_labels = self._has_plain_labels or not isinstance(value, list)
        problem = find_label_problem(value, column, self.options, is_mixed=self._has_plain_labels)
        if problem is not None:
            return "" if self._is_asked(problem, line) else None
        label = self._as_label(value)
        if self.keeps_blank_labels and isinstance(label, str) and is_blank(label):
            return ""
        return self._checked(line, label, "label")

    def _labels(self, line: int, values: Mapping[str, object], where: LabelColumns) -> tuple[str, ...] | None:
        """Return all labels of a row; ``None`` if the row is left out."""
        if missing := [name for name in where.names if name not in values]:
            self._miss(line, values, "label", missing[0])
            return None
        read = read_labels(values, where, self._as_label)
        if isinstance(read, LabelProblem):
            return () if self._is_asked(read, line) else None
        checked = [self._checked(line, label, "label") for label in read]
        return None if None in checked else tuple(label for label in checked if label is not None)

    def _is_asked(self, problem: LabelProblem, line: int) -> bool:
        """Tell a problem, and return whether it is a question about the file, so that the row stays.

        Raises:
            InvalidFile: There is no listener.
        """
        if problem.parameter is None:
            self.source.reject(problem.template, line, **problem.facts)
            return False
        self.source.ask(problem.parameter, problem.template, line, **problem.facts)
        return True

    def label_of(self, values: Mapping[str, object], column: str) -> str | None:
        """Return the label of a row that need not have one; ``None`` where labelled rows are refused for it.

        Args:
            values: All columns of the row.
            column: The column of labels.
        """
        label = self._as_label(values.get(column))
        return label if isinstance(label, str) and _problem(label) is None else None

    def labels_of(self, values: Mapping[str, object], where: LabelColumns) -> tuple[str, ...] | None:
        """Return all labels of a row that need not have any; ``None`` where labelled rows are refused for them.

        Args:
            values: All columns of the row.
            where: The columns with labels.
        """
        read = read_labels(values, where, self._as_label)
        if isinstance(read, LabelProblem) or any(_problem(label) is not None for label in read):
            return None
        return tuple(map(str, read))

    def _as_label(self, value: object) -> object:
        """Return what a value says as a label, which may be none."""
        if isinstance(value, list) and len(value) == 1:
            [value] = value
        # Classes are often numbered, and CSV does not distinguish 1 from "1".
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = as_label(value)
        value = value.strip() if self.is_delimited and isinstance(value, str) else value
        return name_label(value, self.label_names) if self.label_names else value


def is_rejected(values: Mapping[str, object], options: ReadOptions) -> bool:
    """Return whether an annotator rejected or ignored a row in Prodigy, unless that is what labels it."""
    return options.label_column != "answer" and values.get("answer") in ("reject", "ignore")


def _has(values: Mapping[str, object], columns: Columns) -> bool:
    return any(column in values for column in columns.text)


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
def open_table(
    path: Path | str,
    options: ReadOptions = DETECT_ALL,
    *,
    labelled: bool = False,
    listener: Listener | None = None,
) -> Iterator[Table]:
    """Open a file or, with ``-``, standard input, and detect its format and columns from its beginning.

    Args:
        path: The file.
        options: The read options that the user gave.
        labelled: Whether the rows must have labels.
        listener: Is told of wrong rows; ``None`` to refuse the file for the first one.

    Raises:
        InvalidParameter: There is no such file, or it cannot be read, or an option of reading does not exist.
        InvalidFile: It is no table, is empty, or its columns are ambiguous.
    """
    check_read_options(options)
    path = Path(path) if str(path) != STANDARD_INPUT else STANDARD_INPUT
    if isinstance(path, Path) and path.is_dir():
        tool = open_tool_folder(path, options, labelled=labelled, listener=listener)
        if not isinstance(tool, Path):
            yield _table_of(tool, labelled=labelled)
            return
        path = tool
    with open_source(path, options.encoding, listener) as source:
        folder = path.parent if isinstance(path, Path) else None
        yield read_table(source, path, options, labelled=labelled, folder=folder)


def read_table(
    source: Source, path: Path | str, options: ReadOptions, *, labelled: bool = False, folder: Path | None = None
) -> Table:
    """Detect the format and the columns of an open file from its beginning, a labelling tool's too.

    Args:
        source: The file.
        path: What it is called; its ending says what it is.
        options: The read options that the user gave.
        labelled: Whether the rows must have labels.
        folder: The folder that it lies in, whose files may belong to it; ``None`` where it came alone.

    Raises:
        InvalidFile: It is empty, or it is not clear what it is, or which its columns are.
    """
    tool, blocks = open_tool(source, options, labelled=labelled, folder=folder)
    if tool is not None:
        return _table_of(tool, labelled=labelled)
    return read_plain_table(source, path, options, labelled=labelled, blocks=blocks)


def read_plain_table(
    source: Source,
    path: Path | str,
    options: ReadOptions,
    *,
    labelled: bool = False,
    blocks: Iterator[str] | None = None,
) -> Table:
    """Detect the format and the columns of an open file from its beginning.

    Args:
        source: The file.
        path: What it is called; its ending says what it is.
        options: The read options that the user gave.
        labelled: Whether the rows must have labels.
        blocks: Its text, where somebody has begun to read it.

    Raises:
        InvalidFile: It is no table, is empty, or its columns are ambiguous.
    """
    try:
        format_, names, rows = open_rows(source, path, options, labelled=labelled, blocks=blocks)
    except InvalidFile as error:
        raise _with_look(error, source, options) from error
    if options.split_column is not None and options.split_column not in names:
        raise no_split_column(source, options.split_column, names)
    if (first := next(rows, None)) is None:
        return Table(source, None, names, iter(()), format=format_)
    cells = None
    if isinstance(rows, NamedRows):
        cells = rows.cells = chain(
            ((first[0], [each if isinstance(each, str) else str(each) for each in first[1].values()]),), rows.cells
        )
    else:
        rows = chain((first,), rows)
    place, rows = place_labels(names, rows, options) if labelled else (None, rows)
    try:
        columns = (
            columns_of(source, names, options, labelled=labelled)
            if place is None
            else Columns((names[place.text],), names[place.label])
        )
    except InvalidFile as error:
        if labelled and lacks_labels(names, options) and error.facts["parameter"] == "label_column":
            raise with_hints(error, names, options, rows) from error
        raise _with_look(error, source, options) from error
    if columns.label is not None:
        columns = with_list_of_labels(columns, options, first[1].get(columns.label))
    is_delimited = format_ in ("csv", "tsv", "xlsx")
    table = Table(source, columns, names, rows, is_delimited=is_delimited, format=format_)
    if place is not None:
        table.notes = (place.note,)
    else:
        table.cells = cells
    table.options = options
    table.id_column = id_column_of(source, names, options, columns)
    table.label_names = parse_label_names(options.label_names)
    return table


def _with_look(error: InvalidFile, source: Source, options: ReadOptions) -> InvalidFile:
    """Return an error with what the file looks like, where the user said that it is something else."""
    if options.format is None:
        return error
    return with_look(error, beginning_of(source.name, source.beginning), options.format)


def _table_of(tool: ToolRows, *, labelled: bool) -> Table:
    columns = tool.columns if labelled else Columns((TEXT,))
    options = tool.document.options
    return Table(
        tool.document.source,
        columns,
        tool.names,
        iter(()),
        format=tool.format.name,
        options=options,
        tool=tool,
        label_names=parse_label_names(options.label_names),
    )


def read_rows(path: Path | str, options: ReadOptions = DETECT_ALL, *, labelled: bool = False) -> Iterator[Record]:
    """Yield each row of a file; see :func:`open_table`.

    Raises:
        InvalidFile: The file or a row is wrong; the message names its line.
    """
    with open_table(path, options, labelled=labelled) as table:
        yield from table.records()
