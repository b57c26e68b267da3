"""What rows with their predictions become: the form of what came, unless another one is asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from windrow.domain.errors import InvalidParameter
from windrow.domain.output_options import OutputEncoding, ResultFormat
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import Source
from windrow.files.parquet import ParquetWriter, check_pyarrow
from windrow.files.reading import Record, Table
from windrow.files.text_form import PLAIN, TextForm, check_written_labels, find_text_form, with_encoding
from windrow.files.tool_results import ToolContext, ToolWriter
from windrow.files.writing import (
    CsvWriter,
    JsonLinesWriter,
    JsonListWriter,
    KeysShape,
    PredictionColumns,
    RowWriter,
    check_labels_for_csv,
)
from windrow.files.xlsx_writing import XlsxWriter, check_xlsx_writer

TABLES: Final = ("csv", "tsv", "xlsx", "parquet")
DELIMITED: Final = ("csv", "tsv")
BINARY: Final = ("xlsx", "parquet")
# Those that can be gone on with behind their last whole row.
RESUMABLE: Final = ("csv", "tsv", "jsonl", "json")
# The ending of the name of each; tools import JSON or JSONL.
ENDINGS: Final[Mapping[ResultFormat, str]] = {
    "csv": ".csv",
    "tsv": ".tsv",
    "jsonl": ".jsonl",
    "json": ".json",
    "xlsx": ".xlsx",
    "parquet": ".parquet",
    "label_studio": ".json",
    "argilla": ".json",
    "doccano": ".jsonl",
    "prodigy": ".jsonl",
}
_OTHER_ENDINGS: Final[Mapping[str, ResultFormat]] = {".ndjson": "jsonl", ".tab": "tsv", ".parq": "parquet"}
# Tables of tools without names of columns: in the first, each row has as many cells; in the others, any number.
_NAMELESS: Final = ("comprehend",)
_RAGGED: Final = ("vertex", "watson")
# Whose rows are columns, so that any table holds them.
_FLAT: Final = ("hugging_face",)
_BY_ENDING: Final[Mapping[str, ResultFormat]] = {
    **{f".{each}": each for each in ("csv", "tsv", "jsonl", "json", "xlsx", "parquet")},
    **_OTHER_ENDINGS,
}


@dataclass(frozen=True, slots=True)
class ResultForm:
    """How rows with their predictions are written."""

    format: ResultFormat
    """What is written."""
    text: TextForm = PLAIN
    """How its text is written."""
    escape_formulas: bool = False
    """Whether cells that a spreadsheet might take for formulas get an apostrophe before them."""

    @property
    def is_binary(self) -> bool:
        """Whether it is no text."""
        return self.format in BINARY

    @property
    def is_resumable(self) -> bool:
        """Whether a run that broke off can be gone on with behind its last whole row."""
        return self.format in RESUMABLE


def default_format(table: Table) -> ResultFormat:
    """Return the format in which the rows of a file are written unless another one is asked for: its own.

    Plain text, which has no columns, becomes CSV; a format of which no results are written becomes JSONL, or CSV where
    it is a table.
    """
    found, delimiter = table.format, table.source.delimiter
    if delimiter is not None:
        return "tsv" if delimiter == "\t" else "csv"
    return found if found in ENDINGS else "csv" if found == "txt" else "jsonl"  # type: ignore[return-value]


def format_of_name(name: str, default: ResultFormat) -> ResultFormat:
    """Return the format that the name of an output asks for.

    Args:
        name: Its name.
        default: The format of the file that is read, where the name says nothing, or as much.
    """
    ending = Path(name).suffix.lower()
    found = _BY_ENDING.get(ending)
    return default if found is None or ENDINGS[default] == ENDINGS[found] else found


def is_text_or_workbook(name: str) -> bool:
    """Return whether a name is that of a file of results other than Parquet, by its ending."""
    return _BY_ENDING.get(Path(name).suffix.lower(), "parquet") != "parquet"


def find_result_form(
    table: Table,
    format_: ResultFormat,
    options: ReadOptions,
    encoding: OutputEncoding | None = None,
) -> ResultForm:
    """Return how the rows of an open file are written in a format.

    Args:
        table: The file, whose first row has been read.
        format_: The format.
        options: How the file is read.
        encoding: The encoding that is asked for; ``None`` for that of the file, where it is of the same format.
    """
    text = text_form_of(table.source, default_format(table), format_, options)
    if table.format in _NAMELESS and format_ == default_format(table):
        text = replace(text, has_header=False)
    return ResultForm(format_, with_encoding(text, encoding))


def text_form_of(source: Source, found: ResultFormat, wanted: ResultFormat, options: ReadOptions) -> TextForm:
    """Return how the text of results is written: as that of the file, if they are of its format.

    Args:
        source: The file, whose first row has been read.
        found: Its format.
        wanted: The format of the results.
        options: How the file is read.
    """
    if found != wanted:
        return replace(PLAIN, delimiter="\t") if wanted == "tsv" else PLAIN
    return find_text_form(source, options)


def check_result_labels(form: ResultForm, columns: PredictionColumns, labels: tuple[str, ...]) -> None:
    """Refuse labels that a form cannot hold, and what is not installed for it, before anything is written.

    Args:
        form: The form.
        columns: The new columns.
        labels: All labels of the classifier.

    Raises:
        InvalidParameter: A label cannot be written so, or no column for its score.
    """
    if form.format in ("csv", "tsv", "xlsx"):
        check_labels_for_csv(labels, columns.kind)
    if form.format in DELIMITED:
        check_written_labels((*labels, *columns.names), form.text)
        if form.text.quoting == "none" and columns.kind == "multi_label":
            check_written_labels((";".join(labels),), form.text)
    if columns.all_scores and form.format not in (*TABLES, "jsonl", "json"):
        raise InvalidParameter(
            "{arg:scores} goes with tables and JSON; what {to} imports has no place for all scores. Leave it out, or "
            "write csv or jsonl.",
            {"parameter": "scores", "to": form.format},
        )


def check_installed(form: ResultForm, name: str) -> None:
    """Refuse to begin what needs a package that is not installed.

    Args:
        form: The form.
        name: The file that is read.

    Raises:
        InvalidParameter: It is not installed.
    """
    if form.format == "xlsx":
        check_xlsx_writer(name)
    if form.format == "parquet":
        check_pyarrow(name)


def records_for(form: ResultForm, table: Table, records: Iterator[Record]) -> Iterator[Record]:
    """Yield rows as a form has them: those of a labelling tool in the tool's own form, unless a table is written.

    Args:
        form: The form.
        table: The file.
        records: Its rows.
    """
    if table.tool is None:
        return records
    if keeps_own_rows(form, table):
        return (replace(record, given=record.own) if record.own else record for record in records)
    return (replace(record, given=_without_labels(record.values)) for record in records)


def names_for(form: ResultForm, table: Table) -> tuple[str, ...] | None:
    """Return the columns of rows as a form has them; ``None`` to take those of the first row."""
    if table.tool is None:
        return table.names or None
    return None if keeps_own_rows(form, table) else tuple(_without_labels(dict.fromkeys(table.names)))


def keeps_own_rows(form: ResultForm, table: Table) -> bool:
    """Whether rows are written in the form of the labelling tool that the file is of.

    A table that is no table of the tool has columns of its own, and so has one whose rows differ in length.
    """
    if table.tool is None:
        return False
    if table.format in _FLAT:
        return True
    if form.format in TABLES and form.format != default_format(table):
        return False
    return form.format not in TABLES or table.format not in _RAGGED


def _without_labels(values: Mapping[str, object]) -> dict[str, object]:
    """Return the columns of a tool's row without that for labels, which are not read to classify it."""
    return {name: value for name, value in values.items() if name not in ("label", "labels")}


@dataclass(frozen=True, slots=True)
class ResultContext:
    """What is the same for all rows of a file."""

    source: Source
    """The file that is read, for messages."""
    names: tuple[str, ...] | None
    """Its columns; ``None`` to take those of the first row."""
    columns: PredictionColumns
    """The new columns."""
    tool: ToolContext
    """What labelling tools are told."""

    def written_before(self, names: tuple[str, ...] | None) -> "ResultContext":
        """Return what holds for rows behind those of an output that was begun.

        Args:
            names: The columns of the output; ``None`` where nothing is there.
        """
        count = len(names or ()) - len(self.columns.names)
        if names is None or (self.names is not None and count == len(self.names)):
            return self
        return replace(self, names=names[:count])

    def text_writer(self, form: ResultForm, file: TextIO, *, has_begun: bool = False) -> RowWriter:
        """Return what writes rows as text.

        Args:
            form: The form.
            file: The output.
            has_begun: Whether what stands before the first row, or a row, has been written.
        """
        text = form.text
        if form.format in DELIMITED:
            return CsvWriter(file, self.columns, self.source, self.names, has_begun, text, form.escape_formulas)
        if form.format in ("jsonl", "json"):
            kind = JsonLinesWriter if form.format == "jsonl" else JsonListWriter
            return kind(file, KeysShape(self.columns, self.source), text, has_begun)
        assert form.format in ("label_studio", "argilla", "doccano", "prodigy")
        return ToolWriter(file, form.format, self.tool, text)

    def binary_writer(self, form: ResultForm, file: BinaryIO) -> RowWriter:
        """Return what writes rows as XLSX or Parquet.

        Args:
            form: The form.
            file: The output.
        """
        if form.format == "xlsx":
            return XlsxWriter(file, self.columns, self.source, self.names)
        return ParquetWriter(file, self.columns, self.source, None, self.names)


def close_writer(writer: RowWriter) -> None:
    """Remove what a writer keeps beside its output, if it was not written to its end."""
    if isinstance(writer, XlsxWriter):
        writer.close()
