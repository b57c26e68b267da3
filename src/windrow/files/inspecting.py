"""Look at a file of rows without doing anything with it: what it is, what each row says, and what is wrong or unclear.

Reads with the readers that trainings and predictions use. A row with a problem is left out and named, where those
refuse the file.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, BinaryIO, Final

from windrow.domain.data_warnings import find_data_warnings, with_every_row
from windrow.domain.dataset import MAX_LABEL_CHARS, DataLimits, DataWarning, Row
from windrow.domain.errors import InvalidFile, LimitExceeded
from windrow.domain.inspection import (
    InspectedColumn,
    InspectedRow,
    Inspection,
    InspectRequest,
    OpenQuestion,
    check_inspect,
    file_note,
    row_problem,
)
from windrow.domain.label_names import parse_label_names
from windrow.domain.labelled_rows import LabelledDataset, LabelledRow, dataset_of
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.words import render
from windrow.files.columns import (
    Columns,
    FoundColumns,
    LabelColumns,
    UnresolvedColumn,
    lacks_labels,
    look_for_columns,
    with_list_of_labels,
)
from windrow.files.decoding import Source, check_encoding
from windrow.files.delimited import MAX_COLUMNS, NumberedRow, too_many_columns
from windrow.files.formats.beginning import is_seekable
from windrow.files.label_hints import find_label_hints
from windrow.files.reading import Record, Table, is_rejected
from windrow.files.row_limits import find_length_problem
from windrow.files.seen_rows import Notes, SeenColumn, SeenRows, choices_of
from windrow.files.table_columns import id_column_of, no_split_column, place_labels
from windrow.files.table_opening import open_rows
from windrow.files.text_form import find_text_form
from windrow.files.tool_rows import ToldFile, read_tool_rows, tell_tool

UNNAMED: Final = "the file"
# How much larger than the file its rows may be once each repeats the names of all columns.
_MAX_GROWTH: Final = 4
# What a value inside another one counts for besides its characters: ``[]`` takes this many times its room in memory.
_NESTED_CHARS: Final = 30
# The questions about which rows there are, and what their columns are called.
_TABLE_QUESTIONS: Final = frozenset(("header", "sheet"))
_READ_AS: Final = "it is not UTF-8, and was read as {candidate}, in which line {line} has {reading!r}. Is that right?"
# The options that name a part of a tool's rows, and all that answer the same question.
_PARTS: Final[Mapping[object, Sequence[str]]] = {
    "text_column": ("text_column",),
    "label_column": ("label_column", "labels_column"),
    "labels_column": ("label_column", "labels_column"),
}
# The questions about how labels are written in their column.
_UNCLEAR_LABELS: Final = frozenset(("label_separator", "labels_column"))


@dataclass(frozen=True, slots=True)
class InspectionLimits:
    """The most that is inspected.

    Args:
        rows: Rows and texts, as of a training.
        max_bytes: Bytes of the file, unpacked.
        setting: The variable that sets ``max_bytes``.
    """

    rows: DataLimits
    max_bytes: int
    setting: str


def inspect_file(file: BinaryIO, request: InspectRequest, limits: InspectionLimits) -> Inspection:
    """Read a whole file of rows.

    Args:
        file: The file, at its beginning.
        request: How to read it, and what to tell of it.
        limits: The most that it may hold.

    Raises:
        InvalidParameter: An option of reading does not exist.
        InvalidFile: It is no table, or a column that the request names is not in it.
        LimitExceeded: It is larger, or has more rows, than is taken here.
    """
    check_inspect(request)
    check_encoding(request.encoding)
    start = file.tell() if is_seekable(file) else None
    try:
        return _inspected_from(start, file, request, limits)
    except InvalidFile as error:
        candidate = error.facts.get("candidate")
        if start is None or request.encoding is not None or not isinstance(candidate, str):
            raise
        file.seek(start)
        asked = OpenQuestion("encoding", render(_READ_AS, error.facts))
        with _or_else(error):
            found = _inspected_from(start, file, replace(request, encoding=candidate), limits)
    return replace(found, questions=(asked, *found.questions))


def _inspected_from(start: int | None, file: BinaryIO, request: InspectRequest, limits: InspectionLimits) -> Inspection:
    """Read a whole file of rows; again without its labels where rows need none, and it is not clear where those are.

    Args:
        start: Where it begins; ``None`` where it can be read once only.
        file: The file, there.
        request: How to read it.
        limits: The most that it may hold.
    """
    try:
        return _inspected(file, request, limits)
    except _LabelsUnclear as unclear:
        if start is None:
            raise unclear.error from unclear
        file.seek(start)
        return _inspected(file, request, limits, wants_labels=False)


class _LabelsUnclear(Exception):  # noqa: N818 - no error: the file is read again without its labels
    """It is not clear which part of a tool's rows has the labels, of rows that need none."""

    def __init__(self, error: InvalidFile) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def _or_else(first: InvalidFile) -> Iterator[None]:
    """Raise an earlier error where a second attempt fails for the encoding too."""
    try:
        yield
    except InvalidFile as error:
        raise first if error.facts.get("parameter") == "encoding" else error from error


def _inspected(
    file: BinaryIO, request: InspectRequest, limits: InspectionLimits, *, wants_labels: bool = True
) -> Inspection:
    """Read a whole file of rows in the encoding of its mark, of the request, or UTF-8; see :func:`inspect_file`.

    Args:
        file: The file.
        request: How to read it.
        limits: The most that it may hold.
        wants_labels: Whether the labels of a tool's rows are told where rows need none.

    Raises:
        _LabelsUnclear: It is not clear where they are.
    """
    notes = Notes(limits.rows.max_rows)
    name = request.filename or UNNAMED
    limit = (limits.max_bytes, limits.setting)
    source = Source(name, file, encoding=request.encoding, limit=limit, listener=notes)
    tool, blocks = tell_tool(source, request, labelled=request.labelled)
    if tool is not None:
        return _inspected_tool(tool, request, limits, notes, wants_labels=wants_labels)
    format_, names, rows = open_rows(source, request.filename or "", request, labelled=False, blocks=blocks)
    if len(names) > MAX_COLUMNS:
        raise too_many_columns(source, None)
    if request.split_column is not None and request.split_column not in names:
        raise no_split_column(source, request.split_column, names)
    place, rows = place_labels(names, rows, request) if request.labelled else (None, rows)
    if place is None:
        found = _found_columns(source, names, request, notes)
    else:
        found = FoundColumns((names[place.text],), names[place.label])
    seen = SeenRows(
        source, limits.rows.max_rows, {each: SeenColumn() for each in names}, is_json=format_ in ("json", "jsonl")
    )
    first, rows = _first_of(rows)
    found = _with_list_of_labels(found, request, first)
    table = Table(
        source,
        Columns(found.text, found.label, found.labels) if request.labelled else Columns(found.text),
        names,
        seen.counted(rows),
        is_delimited=format_ in ("csv", "tsv", "xlsx"),
        format=format_,
        options=request,
        keeps_blank_labels=True,
        id_column=id_column_of(source, names, request, found),
        label_names=parse_label_names(request.label_names),
    )
    kept = _settled(_kept_rows(table, found, request, limits), table, notes)
    is_table_clear = _TABLE_QUESTIONS.isdisjoint(notes.questions)
    if request.labelled and found.text and is_table_clear and lacks_labels(names, request):
        cells = {name: column.values for name, column in seen.columns.items() if name not in found.text}
        for hint in find_label_hints(cells):
            source.ask(str(hint.parameter), hint.template, None, **hint.facts)
    if not found.text or not _TABLE_QUESTIONS.isdisjoint(notes.questions):
        found, kept = FoundColumns((), found.label if _TABLE_QUESTIONS.isdisjoint(notes.questions) else None), []
    told = () if place is None else (file_note(place.note.template, place.note.facts),)
    inspection = _inspection(source, notes, found, kept, {"format": format_, "seen": seen})
    form = find_text_form(source, request)
    return replace(
        inspection,
        notes=told,
        id_column=table.id_column,
        split_column=request.split_column,
        has_byte_order_mark=form.has_mark,
        line_end=form.line_end,
        written_quoting=form.quoting,
        declaration=form.declaration,
    )


def _inspected_tool(
    told: ToldFile, request: InspectRequest, limits: InspectionLimits, notes: Notes, *, wants_labels: bool
) -> Inspection:
    """Read a whole file of a labelling tool; where one of its parts is to be chosen, ask which instead."""
    try:
        return _read_tool(told, request, limits, notes, wants_labels=wants_labels)
    except InvalidFile as error:
        parameter = error.facts.get("parameter")
        if (
            parameter not in _PARTS
            or not choices_of(error)
            or any(getattr(request, each) for each in _PARTS[parameter])
        ):
            raise
        if not request.labelled and parameter != "text_column":
            raise _LabelsUnclear(error) from error
        notes = Notes(limits.rows.max_rows)
        notes.note_question(error)
    source = told.document.source
    seen = SeenRows(source, limits.rows.max_rows, {}, is_json=False)
    found = _inspection(source, notes, FoundColumns((), None), [], {"format": told.format.name, "seen": seen})
    return replace(found, certainty=told.certainty)


def _read_tool(
    told: ToldFile, request: InspectRequest, limits: InspectionLimits, notes: Notes, *, wants_labels: bool
) -> Inspection:
    """Read a whole file of a labelling tool, and tell its rows as those of a table."""
    tool = read_tool_rows(told, settles_kind=wants_labels)
    source, columns = told.document.source, tool.columns
    seen = SeenRows(source, limits.rows.max_rows, {each: SeenColumn() for each in tool.names}, is_json=False)
    found = FoundColumns(columns.text, None)
    if wants_labels:
        found = FoundColumns(columns.text, columns.label, labels=columns.labels)
    wanted = columns if request.labelled else Columns(columns.text)
    table = Table(
        source,
        wanted,
        tool.names,
        iter(()),
        options=request,
        tool=tool,
        on_row=seen.count,
        label_names=parse_label_names(request.label_names),
    )
    kept = _kept_rows(table, found, request, limits)
    reading, left_out = tool.reading, tool.left_out
    seen.columns = {name: column for name, column in seen.columns.items() if column.values or name in columns.text}
    return replace(
        _inspection(source, notes, found, kept, {"format": tool.format.name, "seen": seen}),
        certainty=tool.certainty,
        left_out=tuple(row_problem(row.place, row.template, row.facts, row.id) for row in left_out.rows),
        num_left_out=left_out.num_rows,
        num_unlabelled=left_out.num_unlabelled,
        description=reading.description,
        label_descriptions=dict(reading.label_descriptions),
        notes=tuple(file_note(note.template, note.facts) for note in reading.notes),
    )


def _found_columns(source: Source, names: tuple[str, ...], request: InspectRequest, notes: Notes) -> FoundColumns:
    """Return the columns that are told, and take note of those that are not."""
    try:
        found = look_for_columns(names, request)
    except UnresolvedColumn as error:
        raise source.error(f"{error.template}.", None, **error.facts) from error
    if not _TABLE_QUESTIONS.isdisjoint(notes.questions):  # whether there are such columns at all is not clear
        if "header" in notes.questions:
            source.has_header = None
        return found
    for each in found.unresolved:
        notes.note_question(source.error(f"{each.template}.", None, **each.facts))
    # Of two columns of one name, which the reader has asked about.
    is_text_unclear, is_label_unclear = (f"{each}_column" in notes.questions for each in ("text", "label"))
    are_labels_unclear = any(each in notes.questions for each in ("labels_column", "indicator_columns"))
    return FoundColumns(
        () if is_text_unclear else found.text,
        None if is_label_unclear else found.label,
        labels=None if are_labels_unclear else found.labels,
    )


def _first_of(rows: Iterator[NumberedRow]) -> tuple[Mapping[str, object], Iterator[NumberedRow]]:
    """Return the values of the first row, and all rows."""
    first = next(rows, None)
    return ({}, iter(())) if first is None else (first[1], chain((first,), rows))


def _with_list_of_labels(found: FoundColumns, request: InspectRequest, first: Mapping[str, object]) -> FoundColumns:
    """Return columns of JSON whose key ``labels`` holds lists as such, as a training takes them."""
    columns = with_list_of_labels(Columns(found.text, found.label), request, first.get(found.label or ""))
    return found if columns.labels is None else replace(found, label=None, labels=columns.labels)


def _kept_rows(
    table: Table, found: FoundColumns, request: InspectRequest, limits: InspectionLimits
) -> list[InspectedRow]:
    """Return the rows that nothing but a blank label is wrong with, and tell the others to the listener.

    Raises:
        LimitExceeded: They would be far larger than the file, with all their columns.
    """
    assert table.columns is not None
    if not table.columns.text:
        for _ in table.rows:
            pass
        return []
    kept: list[InspectedRow] = []
    num_chars = 0
    for record in table.records():
        if (problem := _problem_of_row(record, request, limits.rows)) is not None:
            table.source.row = record.line, record.id
            template, facts = problem
            table.source.reject(template, record.line, **facts)
            continue
        if request.include_values:
            num_chars += sum(len(name) + _told_chars(value) for name, value in record.values.items())
            if num_chars > _MAX_GROWTH * limits.max_bytes:
                raise LimitExceeded(
                    "{file} is too large to be told with all columns of each row. Leave out {arg:include_values}, send "
                    "fewer rows, or raise {setting}.",
                    {"file": table.source.name, "limit": _MAX_GROWTH * limits.max_bytes, "setting": limits.setting},
                )
        label = record.label or _label_of(table, record, found.label, request)
        labels = _labels_of(table, record, found.labels, request) if record.labels is None else record.labels
        values = dict(record.values) if request.include_values else None
        kept.append(InspectedRow(record.line, record.text, label, values, labels, record.split, record.id))
    return kept


def _settled(rows: list[InspectedRow], table: Table, notes: Notes) -> list[InspectedRow]:
    """Return rows without labels where it is not clear how they are written, and otherwise those whose label is there.

    A blank cell says that a row has none of the labels, where rows may have any number of them.
    """
    if not _UNCLEAR_LABELS.isdisjoint(notes.questions):
        return [replace(row, label=None, labels=None) for row in rows]
    if table.columns is None or table.columns.label is None:
        return rows
    for row in rows:
        if not row.label:
            table.source.row = row.line, row.id
            table.source.reject("the label is blank. Fill it in or remove that row.", row.line)
    return [row for row in rows if row.label]


def _told_chars(value: object) -> int:
    """Return for how many characters a value counts where it is told whole."""
    return len(str(value)) + (_NESTED_CHARS * sum(1 for _ in _parts_of(value)) if isinstance(value, dict | list) else 0)


def _parts_of(value: object) -> Iterator[object]:
    """Yield all that is in a value, at any depth."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict | list):
            inside = part.values() if isinstance(part, dict) else part
            yield from inside
            waiting.extend(inside)


def _label_of(table: Table, record: Record, column: str | None, request: InspectRequest) -> str | None:
    """Return the label of a row that need not have one; ``None`` where a training would not take the row for it."""
    if column is None or is_rejected(record.values, request):
        return None
    label = table.label_of(record.values, column)
    return None if label is None or len(label) > MAX_LABEL_CHARS else label


def _labels_of(
    table: Table, record: Record, where: LabelColumns | None, request: InspectRequest
) -> tuple[str, ...] | None:
    """Return the labels of a row that need not have any; ``None`` where a training would not take the row for them."""
    if where is None or is_rejected(record.values, request):
        return None
    labels = table.labels_of(record.values, where)
    return None if labels is None or any(len(label) > MAX_LABEL_CHARS for label in labels) else labels


def _problem_of_row(
    record: Record, request: InspectRequest, limits: DataLimits
) -> tuple[str, Mapping[str, object]] | None:
    """Return why a row is left out, as a template and its facts: as no example, or as nothing to classify."""
    if request.labelled and is_rejected(record.values, request):
        return "its answer is {answer}, so it is no example.", {"answer": record.values["answer"]}
    return find_length_problem(record, limits.max_text_chars)


def _inspection(
    source: Source, notes: Notes, found: FoundColumns, kept: list[InspectedRow], read: Mapping[str, Any]
) -> Inspection:
    seen: SeenRows = read["seen"]
    labelled = [(number, row) for number, row in enumerate(map(_labelled, kept)) if row is not None]
    dataset = dataset_of([row for _, row in labelled]) if labelled else None
    return Inspection(
        format=read["format"],
        encoding=source.found_encoding,
        delimiter=source.delimiter,
        sheet=source.sheet if "sheet" not in notes.questions else None,
        sheets=source.sheets,
        has_header=source.has_header,
        columns=tuple(
            InspectedColumn(name, tuple(column.examples), len(column.values)) for name, column in seen.columns.items()
        ),
        text_columns=found.text,
        label_column=found.label,
        kind="single_label" if found.labels is None else "multi_label",
        labels_column=None if found.labels is None else found.labels.column,
        indicator_columns=() if found.labels is None else found.labels.indicators,
        rows_without_labels=sum(row.labels == () for row in kept),
        num_rows=len(kept) if found.text else seen.num_rows,
        rows=tuple(kept),
        rows_per_label={} if dataset is None else dataset.rows_per_label,
        questions=tuple(notes.questions.values()),
        problems=tuple(notes.problems),
        num_problems=notes.num_problems,
        rows_per_split=Counter(row.split for row in kept if row.split is not None),
        warnings=() if dataset is None else _warnings(dataset, [number for number, _ in labelled]),
        sha256=None if dataset is None else dataset.sha256,
    )


def _labelled(row: InspectedRow) -> LabelledRow | None:
    """Return a row as an example; ``None`` where it has no label that a training would take."""
    if row.labels is not None:
        return MultiLabelRow(row.text, row.labels)
    return None if row.label is None else Row(row.text, row.label)


def _warnings(dataset: LabelledDataset, numbers: Sequence[int]) -> tuple[DataWarning, ...]:
    """Return what a training would warn of.

    Args:
        dataset: The rows that have a label.
        numbers: The number of each among all rows, from 0.
    """
    return tuple(
        replace(each, rows=tuple(numbers[row] for row in each.rows))
        for each in with_every_row(find_data_warnings(dataset), dataset)
    )
