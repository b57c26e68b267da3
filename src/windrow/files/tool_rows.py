"""Read the rows of a labelling tool's file as those of a table: examples, and what is left out with the reason."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from windrow.domain.errors import InvalidFile
from windrow.domain.prediction import Kind
from windrow.domain.read_options import ReadOptions
from windrow.files.bad_rows import without_place
from windrow.files.columns import Columns, LabelColumns
from windrow.files.decoding import Listener, Source
from windrow.files.format_mismatch import check_form, plain_format, with_look
from windrow.files.formats.beginning import head_of, is_seekable, is_zip
from windrow.files.formats.document import FileDocument, open_document, open_folder
from windrow.files.formats.form import CERTAIN, NO, Example, FileFormat, LeftOut, Reading, Split
from windrow.files.formats.recognition import recognise
from windrow.files.formats.registry import format_called
from windrow.files.left_out_rows import LeftOutRows
from windrow.files.table_opening import check_needs_no_sheet
from windrow.files.workbook_parts import is_spreadsheet

TEXT: Final = "text"
LABEL: Final = "label"
LABELS: Final = "labels"
_NO_PROJECT: Final = (
    "its files are no project of a known tool. Name the one with rows, unpacked, or say what they are with "
    "{arg:format}."
)
_SEVERAL: Final = (
    "it has {count} labels, and rows of this file have one each. Correct that row, or name where any number of labels "
    "are with {arg:labels_column}."
)


@dataclass(frozen=True, slots=True)
class ToldFile:
    """A file of a labelling tool that nothing has been read of but its beginning."""

    format: FileFormat
    """The format."""
    certainty: float
    """How sure it is that the file is its own, from 0 to 1; 1 where the user said so."""
    document: FileDocument
    """The file."""

    @property
    def is_own(self) -> bool:
        """Whether it may be its own by how it begins; otherwise it is its own only because the user said so."""
        return self.format.sniff(self.document.beginning) > NO


@dataclass(frozen=True, slots=True)
class ToolRow:
    """A row of a tool's file, to be trained on or to be classified."""

    place: int
    """Its line, or the number of its record, from 1."""
    text: str
    """Its text; empty where it has none."""
    labels: tuple[str, ...] | None
    """Its labels; ``None`` where it has none that a training would take."""
    split: Split | None = None
    """The part of the data that the file says it belongs to."""
    id: str = ""
    """What the tool calls it."""
    own: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The row in the tool's own form."""
    left_out: LeftOut | None = field(default=None, repr=False)
    """Why it is no example; ``None`` where it may be one."""


@dataclass(slots=True)
class ToolRows:
    """The rows of a file of a labelling tool; read once."""

    format: FileFormat
    """The format."""
    certainty: float
    """How sure it is that the file is its own, from 0 to 1; 1 where the user said so."""
    document: FileDocument
    """The file."""
    reading: Reading
    """What it holds."""
    kind: Kind
    """Whether its rows have one label each or any number."""
    rows: Iterator[Example | LeftOut]
    """Its rows."""
    left_out: LeftOutRows = field(default_factory=LeftOutRows)
    """Those that have been left out so far."""

    @property
    def columns(self) -> Columns:
        """The columns that its rows have as those of a table."""
        if self.kind == "multi_label":
            return Columns((TEXT,), labels=LabelColumns(LABELS))
        return Columns((TEXT,), LABEL)

    @property
    def names(self) -> tuple[str, ...]:
        """All these columns."""
        return ("id", TEXT, LABELS if self.kind == "multi_label" else LABEL, "split")

    def examples(self) -> Iterator[ToolRow]:
        """Yield the rows that somebody has labelled; what is left out is noted.

        Raises:
            InvalidFile: A row is broken, and the source has no listener.
        """
        for row in self.rows:
            if isinstance(row, LeftOut):
                if row.is_wrong:
                    self.reject(row.place, row.template, row.facts, row.id)
                else:
                    self.left_out.add(row)
            elif row.labels is None:
                self.left_out.num_unlabelled += 1
            elif self.kind == "single_label" and len(row.labels) != 1:
                self.reject(row.place, _SEVERAL, {"count": len(row.labels)}, row.id)
            else:
                yield ToolRow(row.place, row.text, row.labels, row.split, row.id, row.values)

    def texts(self) -> Iterator[ToolRow]:
        """Yield all rows, those without a text too, as they are to be classified."""
        for row in self.rows:
            if isinstance(row, LeftOut):
                yield ToolRow(row.place, row.text, None, None, row.id, row.values, row)
            else:
                yield ToolRow(row.place, row.text, row.labels, row.split, row.id, row.values)

    def reject(self, place: int, template: str, facts: Mapping[str, object], id_: str = "") -> None:
        """Refuse the file for a row, or tell the source's listener.

        Args:
            place: Its line, or the number of its record.
            template: Why, as of a row that is left out.
            facts: The values for its placeholders.
            id_: What the tool calls it.

        Raises:
            InvalidFile: The source has no listener.
        """
        self.document.source.row = (place, id_)
        self.document.source.reject(template, place, **facts)

    def values_of(self, row: ToolRow) -> dict[str, object]:
        """Return the columns of a row."""
        labels: object = row.labels
        if self.kind == "single_label":
            labels = row.labels[0] if row.labels else None
        elif row.labels is not None:
            labels = list(row.labels)
        return dict(zip(self.names, (row.id, row.text, labels, row.split), strict=True))


def open_tool(
    source: Source, options: ReadOptions, *, labelled: bool, folder: Path | None = None
) -> tuple[ToolRows | None, Iterator[str] | None]:
    """Look whether an open file is one of a labelling tool, and begin to read it as such.

    Args:
        source: The file.
        options: The options that the user gave.
        labelled: Whether its rows must have labels.
        folder: The folder that it lies in, whose files may belong to it; ``None`` where it came alone.

    Returns:
        Its rows, or ``None`` where it is a table; and what was begun to be read of its text then.

    Raises:
        InvalidFile: It is not clear what it is, or it is damaged.
    """
    told, blocks = tell_tool(source, options, labelled=labelled, folder=folder)
    return None if told is None else read_tool_rows(told, settles_kind=labelled), blocks


def tell_tool(
    source: Source, options: ReadOptions, *, labelled: bool, folder: Path | None = None
) -> tuple[ToldFile | None, Iterator[str] | None]:
    """Look whether an open file is one of a labelling tool; the arguments, errors and the rest as :func:`open_tool`.

    The one file in a zip file that is nothing else takes its place.

    Returns:
        What it is, or ``None`` where it is a table; and what was begun to be read of its text then.
    """
    asked = plain_format(options.format)
    is_packed = is_zip(head_of(source)) and is_seekable(source.file)
    if asked == "xlsx" or (asked is not None and not is_packed):
        return None, None
    if (asked is not None or options.format is None) and is_spreadsheet(source, None):
        return None, None
    document = open_document(source, options, folder=folder)
    names = document.member_names() if document.is_container else ()
    if len(names) == 1 and options.format is not None and not _may_be_packed(options.format):
        _unpack_only(document, names[0])
        return tell_tool(source, options, labelled=labelled)
    found = None if asked is not None else _told_format(document, labelled=labelled)
    if found is not None:
        return ToldFile(*found, document), None
    if not document.is_container:
        return None, document.blocks
    if len(names) != 1:
        raise source.error(_NO_PROJECT, parameter="format")
    _unpack_only(document, names[0])
    return tell_tool(source, options, labelled=labelled)


def _may_be_packed(name: str) -> bool:
    """Return whether a format's files may be a zip file or a folder, so that not the only file in it is meant."""
    found = format_called(name)
    return found is not None and "container" in found.forms


def _unpack_only(document: FileDocument, name: str) -> None:
    """Have a source read the only file in its zip file.

    Raises:
        InvalidFile: It is damaged, encrypted or another zip file, or too large.
        LimitExceeded: It is larger than the source's limit.
    """
    source = document.source
    unpacked = document.open_bytes(name)
    source.name, source.file, source.place = f"{source.name}: {name}", unpacked, "line"
    source.size_bytes = unpacked.seek(0, io.SEEK_END)
    unpacked.seek(0)


def open_tool_folder(
    folder: Path, options: ReadOptions, *, labelled: bool, listener: Listener | None = None
) -> ToolRows | Path:
    """Begin to read a folder that a labelling tool has written.

    Args:
        folder: The folder.
        options: The options that the user gave.
        labelled: Whether its rows must have labels.
        listener: Is told of wrong rows; ``None`` to refuse the folder for the first one.

    Returns:
        Its rows; or its only file, where no tool knows the folder, as of a zip file.

    Raises:
        InvalidFile: It is not clear what it is.
    """
    document = open_folder(folder, options)
    document.source.listener = listener
    names = document.member_names()
    only = folder / names[0] if len(names) == 1 else None
    if only is not None and options.format is not None and not _may_be_packed(options.format):
        return only
    found = _told_format(document, labelled=labelled)
    if found is None:
        if only is not None:
            return only
        raise document.error(_NO_PROJECT, parameter="format")
    return read_tool_rows(ToldFile(*found, document), settles_kind=labelled)


def _told_format(document: FileDocument, *, labelled: bool) -> tuple[FileFormat, float] | None:
    asked = document.options.format
    if asked is None:
        return recognise(document, labelled=labelled)
    found = format_called(asked)
    if found is None:
        raise document.error("{format} is read as a table alone. Leave out {arg:format}.", format=asked)
    check_form(document.source, found, document.beginning, is_container=document.is_container)
    return found, CERTAIN


def read_tool_rows(told: ToldFile, *, settles_kind: bool) -> ToolRows:
    """Begin to read a file of a labelling tool.

    Args:
        told: The file, and what it is.
        settles_kind: Whether labels are wanted, so that it matters if rows have one each. Where the format does not say
            so, all rows are held in memory then, without their form in the tool.

    Raises:
        InvalidFile: It is damaged, or it is not clear where its texts and labels are.
    """
    check_needs_no_sheet(told.document.source, told.document.options)
    told.document.wants_labels = settles_kind
    reading = told.format.read(told.document) if told.is_own else _read_doubtfully(told, settles_kind=settles_kind)
    kind, rows = reading.kind, reading.rows
    if kind is None and settles_kind:
        held = [replace(row, values={}) for row in rows]
        kind = "multi_label" if any(_is_several(row) for row in held) else "single_label"
        rows = iter(held)
    return ToolRows(told.format, told.certainty, told.document, reading, kind or "multi_label", rows)


def _read_doubtfully(told: ToldFile, *, settles_kind: bool) -> Reading:
    """Begin to read a file that does not begin as the tool's own files do: what is wrong may be that it is none.

    Raises:
        InvalidFile: It cannot be read; the message says what it looks like.
    """
    try:
        reading = told.format.read(told.document)
    except InvalidFile as error:
        raise with_look(error, told.document.beginning, told.format) from error
    return replace(reading, rows=_doubtful_rows(told, reading.rows, settles_kind=settles_kind))


def _doubtful_rows(
    told: ToldFile, rows: Iterator[Example | LeftOut], *, settles_kind: bool
) -> Iterator[Example | LeftOut]:
    """Yield rows; an error before the first one that is whole says what the file looks like.

    Raises:
        InvalidFile: A row cannot be read, or labels are wanted and no row has any.
    """
    document, is_read, num_wrong = told.document, False, 0
    try:
        for row in rows:
            if isinstance(row, LeftOut) and row.is_wrong and not is_read:
                num_wrong += 1
                wrong = with_look(document.error(row.template, row.place, **row.facts), document.beginning, told.format)
                facts = {**row.facts, "look": wrong.facts.get("look")}
                yield replace(row, template=without_place(wrong.template), facts=facts)
                continue
            is_read = is_read or (isinstance(row, Example) and (row.labels is not None or not settles_kind))
            yield row
    except InvalidFile as error:
        raise error if is_read else with_look(error, document.beginning, told.format) from error
    if not is_read and not num_wrong:
        words = "no row has a text with a label, as {title} has them."
        missing = document.error(words, title=told.format.title)
        raise with_look(missing, document.beginning, told.format)


def _is_several(row: Example | LeftOut) -> bool:
    return isinstance(row, Example) and row.labels is not None and len(row.labels) != 1
