"""How a file of rows is to be read, as far as somebody said so."""

from dataclasses import dataclass
from typing import Final, Literal

Format = Literal["csv", "tsv", "jsonl", "json", "txt"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read: options of every verb that reads one. What is left out is found in the file."""

    format: Format | None = None
    """What the file is, if its name does not say so."""
    text_column: str | None = None
    """The column (in JSON: the key) with the text, if its name does not say so."""
    label_column: str | None = None
    """The column (in JSON: the key) with the label, if its name does not say so."""
    header: bool = True
    """Whether the first line of CSV and TSV names the columns; otherwise they are called 1, 2, …."""
    encoding: str | None = None
    """The encoding of the file, such as cp1252; UTF-8 if left out."""


# What is read where nobody said anything.
AS_FOUND: Final = Reading()
