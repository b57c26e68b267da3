"""The options for reading a file of rows: format, columns, header, quoting and encoding."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from windrow.domain.errors import InvalidParameter
from windrow.domain.label_names import parse_label_names

Quoting = Literal["csv", "none"]
Split = Literal["train", "validation", "test"]
Annotators = Literal["majority", "refuse"]
# The files of people, whose columns are found by their names.
PlainFormat = Literal["csv", "tsv", "jsonl", "json", "txt", "xlsx"]
# The files of labelling tools and hosted classifiers, whose rows have one shape each; see files/formats/registry.py.
ToolFormat = Literal[
    "argilla",
    "azure",
    "clu",
    "cohere",
    "comprehend",
    "dialogflow",
    "doccano",
    "fasttext",
    "hugging_face",
    "label_studio",
    "luis",
    "mistral",
    "openai",
    "prodigy",
    "rasa",
    "snips",
    "spacy",
    "system_one",
    "vertex",
    "watson",
]
Format = Literal[PlainFormat, ToolFormat]
PLAIN_FORMATS: Final[tuple[PlainFormat, ...]] = get_args(PlainFormat)
TOOL_FORMATS: Final[tuple[ToolFormat, ...]] = get_args(ToolFormat)
FORMATS: Final[tuple[Format, ...]] = (*PLAIN_FORMATS, *TOOL_FORMATS)
QUOTINGS: Final[tuple[Quoting, ...]] = get_args(Quoting)
ANNOTATORS: Final[tuple[Annotators, ...]] = get_args(Annotators)
SPLITS: Final[tuple[Split, ...]] = get_args(Split)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a file of rows; ``None`` detects the value from the file."""

    format: Format | None = None
    """What the file is, if its name does not say so."""
    text_column: tuple[str, ...] = ()
    """The column (in JSON: the key) with the text, if its name does not say so; several, with commas between or each by
    itself, are joined by a blank line."""
    label_column: str | None = None
    """The column (in JSON: the key) with the label, if its name does not say so."""
    sheet: str | None = None
    """The sheet of a workbook (.xlsx) to read; the only one with rows, or the only one with the columns, if left
    out."""
    header: bool | None = None
    """Whether the first line of CSV and TSV names the columns, if its names do not say so; otherwise it is a row, and
    the columns are called 1, 2, …."""
    quoting: Quoting | None = None
    """How CSV and TSV have quotation marks: csv for those that enclose a value, none for characters like any other."""
    encoding: str | None = None
    """The encoding of the file, such as cp1252; UTF-8 if left out."""
    labels_column: str | None = None
    """The column (in JSON: the key) with any number of labels of each row, for a multi-label classifier; a list in JSON
    under the key ``labels`` is found by itself."""
    label_separator: str | None = None
    """What stands between the labels of a row where they are one text, such as ``;``; a row without labels has a blank
    one."""
    indicator_columns: tuple[str, ...] = ()
    """The columns of 1 and 0, each called like the label that rows with 1 in it have, for a multi-label classifier;
    several, with commas between or each by itself."""
    label_names: tuple[str, ...] = ()
    """What labels are called that the file numbers, such as 0=negative,1=positive; several, with commas between or each
    by itself, or a JSON object from labels to names."""
    id_column: str | None = None
    """The column (in JSON: the key) by which rows are known, told beside the line of a wrong one; one called ``id`` or
    the like is found by itself."""
    annotators: Annotators | None = None
    """What counts where several people labelled a text in a labelling tool and differ: majority (the default) for what
    most of them chose, a tie being left out; refuse to refuse the row."""
    split_column: str | None = None
    """The column (in JSON: the key) that says which part of the data a row belongs to: train, validation or test; a
    labelling tool's file says so by itself."""


@dataclass(frozen=True, slots=True)
class LabelledReadOptions(ReadOptions):
    """How to read a file of labelled rows, and which of them are taken."""

    splits: tuple[Split, ...] = ()
    """The part of the data that is taken, where the file has some: train, validation or test; several, each by itself.
    Left out, a training takes train and validation and is evaluated on test, and an evaluation takes test."""
    skip_bad_rows: bool = False
    """Leave out rows that are wrong, such as a broken line, a blank text or label, or one that is too long, and tell
    which; otherwise the first one refuses the file."""


# Those that say where labels are: what needs no labels has none of them.
LABEL_OPTIONS: Final = (
    "label_column",
    "labels_column",
    "label_separator",
    "indicator_columns",
    "label_names",
    "annotators",
    "split_column",
)
# The default: detect every option.
DETECT_ALL: Final = ReadOptions()


def check_read_options(options: ReadOptions) -> None:
    """Refuse options of reading that do not exist.

    Raises:
        InvalidParameter: The format, the way of quoting or a part of the data is none, the separator is empty, or names
            of labels are none.
    """
    for name, known in (("format", FORMATS), ("quoting", QUOTINGS), ("annotators", ANNOTATORS)):
        if getattr(options, name) not in (None, *known):
            raise InvalidParameter(
                "{arg:{parameter}} is none of {allowed:joined}. {Send} one of them, or leave it out.",
                {"parameter": name, "allowed": list(known)},
            )
    for split in options.splits if isinstance(options, LabelledReadOptions) else ():
        if split not in SPLITS:
            raise InvalidParameter(
                "{arg:splits} is {value}, none of {allowed:joined}. {Send} one of them, or leave it out.",
                {"parameter": "splits", "value": split, "allowed": list(SPLITS)},
            )
    if parse_label_names(options.label_names) and options.indicator_columns:
        raise InvalidParameter(
            "{arg:label_names} cannot be combined with {arg:indicator_columns}, whose columns are called like labels. "
            "Leave one of them out.",
            {"parameter": "label_names"},
        )
    if options.label_separator == "":
        raise InvalidParameter(
            "{arg:label_separator} is empty. {Send} what stands between two labels, such as ;, or leave it out.",
            {"parameter": "label_separator"},
        )
