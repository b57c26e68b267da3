"""The form of a format: how sure it is that a file is its own, and how it reads rows from it.

A format knows the shape of one tool's files and nothing else: a document gives it text, JSON values or the files of a
folder, whatever was packed or encoded how, and what it yields is told, checked and trained on in one place.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Literal, Protocol

from windrow.domain.prediction import Kind
from windrow.domain.read_options import ReadOptions, ToolFormat
from windrow.domain.read_options import Split as Split  # noqa: PLC0414 - formats take it from here

# How a file is written: JSON or JSON Lines; CSV or TSV; any other text, such as YAML; HTML or XML; a zip file or a
# folder; a workbook; Parquet or Arrow.
Form = Literal["json", "table", "text", "markup", "container", "workbook", "columnar"]
JSON: Final[frozenset[Form]] = frozenset(("json",))
JSON_OR_TEXT: Final[frozenset[Form]] = frozenset(("json", "text"))
# A table of one column is any text.
JSON_OR_TABLE: Final[frozenset[Form]] = frozenset(("json", "table", "text"))
JSON_OR_CONTAINER: Final[frozenset[Form]] = frozenset(("json", "container"))

# How sure a format is that a file is its own.
CERTAIN: Final = 1.0
LIKELY: Final = 0.6
POSSIBLE: Final = 0.3
NO: Final = 0.0


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known of a file before it is read: as much as fits into a block or two."""

    name: str
    """What it is called, without its folder; empty for standard input."""
    text: str
    """The beginning of its text, at most a million characters; empty where it is no text."""
    first: object = None
    """The first JSON value: the first item of a list, the first line of JSONL, or a whole object that ends within
    ``text``; ``None`` where it is no JSON, or goes on beyond that."""
    member_names: tuple[str, ...] = ()
    """The paths of the files in it, where it is a zip file or a folder."""
    head: bytes = b""
    """Its first bytes as they are on the disk, at least 16 of a file that has so many."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row as a tool wrote it."""

    place: int
    """Its line, or the number of its record where records have no lines, from 1."""
    text: str
    """Its text."""
    labels: tuple[str, ...] | None = None
    """Its labels, which may be none; ``None`` where nobody has labelled it."""
    split: Split | None = None
    """The part of the data that the file says it belongs to; ``None`` where it says nothing."""
    id: str = ""
    """What the tool calls it; empty where it has no name."""
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The row in the tool's own form, for a file of results in that form."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is no example, and why: a rejected annotation, an empty text, a label that is none."""

    place: int
    """Its line, or the number of its record, from 1."""
    template: str
    """Why, as a sentence with placeholders; begins in lower case and ends with a full stop."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """The values for the template's placeholders."""
    id: str = ""
    """What the tool calls it; empty where it has no name."""
    text: str = ""
    """Its text, where it has one: it teaches nothing, but can be classified."""
    is_wrong: bool = False
    """Whether it is broken, so that a training refuses the file unless it is to skip such rows; otherwise somebody
    decided that it is no example, or did not decide, and it is left out and told."""
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The row in the tool's own form, for a file of results in that form."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the user is told of a file as a whole: what was decided, or what in it are no rows."""

    template: str
    """The sentence with placeholders; begins in lower case and ends with a full stop."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """The values for the template's placeholders."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds."""

    rows: Iterator[Example | LeftOut]
    """Its rows, in file order."""
    kind: Kind | None = None
    """Whether its rows have one label each or any number, where the format or the file says so; ``None`` to tell it
    from the rows: several labels as soon as one row has more than one or none."""
    description: str = ""
    """What the file says the classifier is for, such as a system prompt."""
    label_descriptions: Mapping[str, str] = field(default_factory=dict)
    """What the file says labels mean."""
    notes: Sequence[Note] = ()
    """What the user is told of the file; complete once all rows are read."""


class DocumentFacts(Protocol):
    """What a format knows of a file before it reads any of it."""

    @property
    def name(self) -> str:
        """What it is called, without its folder."""
        ...

    @property
    def options(self) -> ReadOptions:
        """The options that the user gave."""
        ...

    @property
    def beginning(self) -> Beginning:
        """What was known of it before it is read."""
        ...

    @property
    def wants_labels(self) -> bool:
        """Whether its labels are wanted; otherwise its texts alone, so that nothing is asked about labels."""
        ...

    @property
    def is_container(self) -> bool:
        """Whether it is a zip file or a folder, which has members and no text of its own."""
        ...


class TextDocument(Protocol):
    """A file that is text, to be read once in one of several ways."""

    def text(self) -> str:
        """Return the whole text, decoded, without a byte-order mark."""
        ...

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield each line that is not blank, without its end, and its number from 1."""
        ...

    def values(self) -> Iterator[tuple[int, Any]]:
        """Yield the items of a JSON list or the values of JSONL, or the one JSON object, each with its line."""
        ...

    def rows(self, *, delimiter: str | None = None) -> Iterator[tuple[int, list[str]]]:
        """Yield the cells of each row of CSV or TSV, the first one too, with the line at which it begins.

        Args:
            delimiter: What stands between cells; ``None`` to tell it from the first line.
        """
        ...


class DocumentMembers(Protocol):
    """The files beside a file, or in a zip file or a folder, and the bytes of each."""

    def member_names(self) -> tuple[str, ...]:
        """Return the paths of the files beside it, or in it where it is a zip file or a folder, sorted."""
        ...

    def member_text(self, name: str) -> str:
        """Return the text of such a file.

        Args:
            name: One of :meth:`member_names`.
        """
        ...

    def open_bytes(self, name: str = "") -> BinaryIO:
        """Open the bytes of the file, or of one of :meth:`member_names`, to be read from any place and closed.

        Args:
            name: The member; empty for the file itself.
        """
        ...


class Document(DocumentFacts, TextDocument, DocumentMembers, Protocol):
    """A file that is open. What is wrong with it is raised as ``InvalidFile`` by its methods and by :meth:`error`."""

    def error(self, template: str, line: int | None = None, **facts: object) -> Exception:
        """Return the error that refuses the file, to be raised.

        Args:
            template: The problem and what to do about it; begins in lower case and ends with a full stop.
            line: The line, where there is one.
            **facts: The values for the template's placeholders.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format, as the registry holds it."""

    name: ToolFormat
    """What ``format`` calls it, such as ``label_studio``."""
    title: str
    """What people call it, such as ``Label Studio JSON``."""
    sniff: Callable[[Beginning], float]
    """Return how sure it is that a file is its own, from 0 to 1."""
    read: Callable[[Document], Reading]
    """Read a file of it."""
    forms: frozenset[Form] = JSON
    """How its files are written."""
