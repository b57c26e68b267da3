"""The options for reading a file of rows: format, columns, header, quoting and encoding."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from windrow.domain.errors import InvalidParameter

Quoting = Literal["csv", "none"]
Format = Literal["csv", "tsv", "jsonl", "json", "txt"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
QUOTINGS: Final[tuple[Quoting, ...]] = get_args(Quoting)


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


# Those that say where labels are: what needs no labels has none of them.
LABEL_OPTIONS: Final = ("label_column", "labels_column", "label_separator", "indicator_columns")
# The default: detect every option.
DETECT_ALL: Final = ReadOptions()


def check_read_options(options: ReadOptions) -> None:
    """Refuse options of reading that do not exist.

    Raises:
        InvalidParameter: The format or the way of quoting is none, or the separator is empty.
    """
    for name, known in (("format", FORMATS), ("quoting", QUOTINGS)):
        if getattr(options, name) not in (None, *known):
            raise InvalidParameter(
                "{arg:{parameter}} is none of {allowed:joined}. {Send} one of them, or leave it out.",
                {"parameter": name, "allowed": list(known)},
            )
    if options.label_separator == "":
        raise InvalidParameter(
            "{arg:label_separator} is empty. {Send} what stands between two labels, such as ;, or leave it out.",
            {"parameter": "label_separator"},
        )
