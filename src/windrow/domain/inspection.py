"""A file of rows, looked at before anything is done with it: the request, and what was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from windrow.domain.dataset import DataWarning
from windrow.domain.output_options import WrittenQuoting
from windrow.domain.prediction import Kind
from windrow.domain.read_options import Format, ReadOptions, Split, check_read_options
from windrow.domain.values import ListValue, Value
from windrow.domain.words import Words, is_same_everywhere, render

# So many problems are told one by one; a file with more is another kind of file.
MAX_PROBLEMS: Final = 100
MAX_EXAMPLES: Final = 3
MAX_EXAMPLE_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class InspectRequest(ReadOptions):
    """How to read a file of rows, and what to tell of it."""

    filename: str | None = field(default=None, kw_only=True)
    """What it is called: its ending says what it is (``mails.csv``, ``rows.jsonl.gz``), and messages name it."""
    include_values: bool = field(default=False, kw_only=True)
    """Whether each row also has all its columns."""
    labelled: bool = field(default=True, kw_only=True)
    """Whether rows are examples, which need a label where a column holds them; otherwise all rows with a text stay, and
    a label that no training would take is ``None``.
    """


@dataclass(frozen=True, slots=True)
class InspectedColumn(Value):
    """A column of a file; in JSON, a key of its objects."""

    _named_by = "name"

    name: str
    """What it is called; without a header, its number, from 1."""
    examples: tuple[str, ...]
    """Up to three different values, each cut to 200 characters; what is no string is JSON."""
    distinct: int
    """How many different values it has, blank ones left out."""


@dataclass(frozen=True, slots=True)
class InspectedRow(Value):
    """A row of a file that nothing is wrong with."""

    _named_by = "line"

    line: int
    """The line at which it begins, from 1."""
    text: str
    """Its text; of several columns, those that are not blank with a blank line between."""
    label: str | None
    """Its label; ``None`` where no column holds labels, where rows have any number of them, and, unless rows are
    ``labelled``, where it holds none that a training would take.
    """
    values: Mapping[str, Any] | None = None
    """All its columns, in their order; ``None`` unless ``include_values`` asks for them."""
    labels: tuple[str, ...] | None = None
    """Its labels where rows have any number of them; ``None`` where they have one, and, unless rows are ``labelled``,
    where it holds none that a training would take.
    """
    split: Split | None = None
    """The part of the data that the file says it belongs to: ``train``, ``validation`` or ``test``; ``None`` where it
    says nothing.
    """
    id: str = ""
    """What the file calls it: in the column of IDs, or as the labelling tool that wrote the file does; empty where it
    has no name.
    """


@dataclass(frozen=True, slots=True)
class RowProblem(Value):
    """A row that was left out."""

    _named_by = "line"
    _summary = "line detail id"

    line: int
    """The line at which it begins, from 1."""
    detail: str
    """What is wrong with it, and what to do about it."""
    id: str = ""
    """What the file calls it: in the column of IDs, or as the labelling tool that wrote the file does; empty where it
    has no name.
    """
    template: str = ""
    """The sentences of ``detail`` with places for the names of parameters, so that a program can tell them as its own
    options; empty where they name none.
    """
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The values for the template's places."""


@dataclass(frozen=True, slots=True)
class FileNote(Value):
    """What was decided about a file as a whole, or what in it are no rows."""

    _named_by = "detail"
    _summary = "detail"

    detail: str
    """The decision, and what to do where it is not the right one."""
    template: str = ""
    """The sentences of ``detail`` with places for the names of parameters, so that a program can tell them as its own
    options; empty where they name none.
    """
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The values for the template's places."""


def row_problem(line: int, template: str, facts: Mapping[str, Any], id_: str = "") -> RowProblem:
    """Return why a row was left out.

    Args:
        line: Its line, or the number of its record, from 1.
        template: The sentences, as of :mod:`windrow.domain.words`.
        facts: The values for their places.
        id_: What the labelling tool calls the row.
    """
    kept = ("", {}) if is_same_everywhere(template) else (template, dict(facts))
    return RowProblem(line, render(template, facts), id_, *kept)


def file_note(template: str, facts: Mapping[str, Any]) -> FileNote:
    """Return what was decided about a file.

    Args:
        template: The sentences, as of :mod:`windrow.domain.words`.
        facts: The values for their places.
    """
    kept = ("", {}) if is_same_everywhere(template) else (template, dict(facts))
    return FileNote(render(template, facts), *kept)


def told_in(words: Words, told: RowProblem | FileNote) -> str:
    """Return the sentences about a row or a file in a surface's own words."""
    return render(told.template, told.facts, words) if told.template else told.detail


@dataclass(frozen=True, slots=True)
class OpenQuestion(Value):
    """What a file does not say, so that whoever knows it has to."""

    _named_by = "parameter"

    parameter: str
    """The read option that answers it: ``text_column``, ``label_column``, ``labels_column``, ``label_separator``,
    ``indicator_columns``, ``header``, ``sheet``, or ``encoding`` where one was proposed and read with."""
    detail: str
    """What is not clear."""
    choices: tuple[str, ...] = ()
    """The parts of a labelling tool's rows that the answer may name, such as its controls; none for tables, whose
    columns the inspection has.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection(ListValue[InspectedRow]):
    """A file of rows as it was understood. Nothing was guessed: what is not clear is among its questions."""

    _items = "rows"
    _summary = "format text_columns kind label_column num_rows num_problems rows_per_label questions"

    format: Format
    """What it is."""
    encoding: str
    """The encoding of its text (``utf-8``)."""
    delimiter: str | None
    """What stands between the fields of CSV and TSV; ``None`` for other formats."""
    has_header: bool | None
    """Whether its first line names the columns; ``None`` for other formats than CSV, TSV and workbooks, and where it is
    not clear: the columns are then called as that line has it.
    """
    sheet: str | None = None
    """The sheet that was read of a workbook; ``None`` for other formats, and where it is not clear which one it is."""
    sheets: tuple[str, ...] = ()
    """The sheets of a workbook; none for other formats."""
    has_byte_order_mark: bool = False
    """Whether its text begins with a byte-order mark."""
    line_end: str = "\n"
    r"""What ends its first row: ``\n``, ``\r\n`` or ``\r``."""
    written_quoting: WrittenQuoting = "minimal"
    """Which cells of CSV and TSV stand in quotation marks: those that need them (``minimal``), ``all``, or ``none``."""
    declaration: str = ""
    """The line before the header in which Excel declares the delimiter (``sep=;``); empty where there is none."""
    columns: tuple[InspectedColumn, ...]
    """Its columns, in order; none where a labelling tool's file is not read before a question is answered."""
    text_columns: tuple[str, ...]
    """The columns that make the texts; none where it is not clear which they are."""
    label_column: str | None
    """The column that holds one label of each row; ``None`` where there is none, or where it is not clear which it
    is.
    """
    kind: Kind = "single_label"
    """The kind of a classifier that learns from these rows: ``multi_label`` where they have any number of labels."""
    labels_column: str | None = None
    """The column that holds any number of labels of each row; ``None`` where there is none."""
    indicator_columns: tuple[str, ...] = ()
    """The columns of 1 and 0, each called like its label; none where labels are not told so."""
    id_column: str | None = None
    """The column by which rows are known; ``None`` where there is none."""
    split_column: str | None = None
    """The column that the request names for the part of the data of each row; ``None`` where it names none."""
    rows_without_labels: int = 0
    """How many of the rows have none of the labels; 0 where rows have one label each."""
    num_rows: int
    """How many rows it has, without those with a problem; 0 where it has no ``columns``."""
    rows: tuple[InspectedRow, ...]
    """Those rows, in order; none where it is not clear which column holds the text."""
    rows_per_label: Mapping[str, int]
    """How many of them have each label, by label."""
    questions: tuple[OpenQuestion, ...]
    """What is not clear; inspect the file again with the answers."""
    problems: tuple[RowProblem, ...]
    """What is wrong with the rows that were left out: the first hundred."""
    num_problems: int
    """How many there are."""
    certainty: float = 1.0
    """How sure ``format`` is, from 0 to 1; 1 where the request says what the file is, and for tables."""
    left_out: tuple[RowProblem, ...] = ()
    """The rows of a labelling tool's file that are no examples, though nothing is wrong with them, each with the
    reason: the first hundred.
    """
    num_left_out: int = 0
    """How many there are."""
    num_unlabelled: int = 0
    """How many more rows nobody has labelled yet."""
    rows_per_split: Mapping[str, int] = field(default_factory=dict)
    """How many rows each part of the data has, by part; empty where the file names no parts."""
    description: str = ""
    """What the file says that the classifier is for, such as a system prompt; empty where it says nothing."""
    label_descriptions: Mapping[str, str] = field(default_factory=dict)
    """What the file says that labels mean, by label."""
    notes: tuple[FileNote, ...] = ()
    """What was decided about the file as a whole, and what in it are no rows."""
    warnings: tuple[DataWarning, ...]
    """What a training on these rows would warn of, each with all the rows behind it, counted from 0 in ``rows``."""
    sha256: str | None
    """The SHA-256 of the rows that have a label, in hexadecimal, as classifiers and evaluations have it; ``None``
    without such rows.
    """


def check_inspect(request: InspectRequest) -> None:
    """Refuse options of reading that do not exist.

    Raises:
        InvalidParameter: The format or the way of quoting is none.
    """
    check_read_options(request)
