"""Read all examples of a file into memory, with what the file says of them, and what is left out of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from windrow.domain.dataset import Row
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.read_options import Format, ReadOptions, Split
from windrow.files.decoding import source_name
from windrow.files.formats.form import CERTAIN, LeftOut, Note
from windrow.files.reading import Record, Table, is_rejected, open_table
from windrow.files.tool_rows import LeftOutRows


@dataclass(frozen=True, slots=True)
class FileExample:
    """An example, and where it stands."""

    row: LabelledRow
    """Its text and its label or labels."""
    line: int
    """Its line, or the number of its record, from 1."""
    split: Split | None = None
    """The part of the data that the file says it belongs to."""
    id: str = ""
    """What the tool calls it."""


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """The examples of a file."""

    name: str
    """What messages call the file."""
    format: Format | None
    """What it is; ``None`` where it has no rows."""
    certainty: float
    """How sure that is, from 0 to 1."""
    examples: tuple[FileExample, ...]
    """Its examples, in file order."""
    left_out: LeftOutRows = field(default_factory=LeftOutRows)
    """Its rows that are no examples."""
    description: str = ""
    """What it says that the classifier is for."""
    label_descriptions: Mapping[str, str] = field(default_factory=dict)
    """What it says that labels mean."""
    notes: tuple[Note, ...] = ()
    """What was decided about the file as a whole."""
    place: str = "line"
    """What its rows are counted by."""

    @property
    def rows_per_split(self) -> dict[Split, int]:
        """How many examples each part of the data has; empty where the file names no parts."""
        counts: dict[Split, int] = {}
        for each in self.examples:
            if each.split is not None:
                counts[each.split] = counts.get(each.split, 0) + 1
        return counts

    def only(self, splits: Iterable[Split | None]) -> "LabelledFile":
        """Return the examples of some parts of the data, ``None`` for those of which the file says nothing."""
        wanted = set(splits)
        return replace(self, examples=tuple(each for each in self.examples if each.split in wanted))


def read_labelled_file(path: Path | str, options: ReadOptions) -> LabelledFile:
    """Read all examples of a file.

    Args:
        path: The file, a folder that a tool has written, or ``-`` for standard input.
        options: How to read it.

    Raises:
        InvalidParameter: There is no such file, or it cannot be read.
        InvalidFile: It is not clear what it is, or a row is wrong; the message names its line.
    """
    with open_table(path, options, labelled=True) as table:
        return collect_examples(table, source_name(path))


def collect_examples(table: Table, name: str) -> LabelledFile:
    """Read all examples of a table.

    Args:
        table: The table, which no row has been read of.
        name: What messages call the file.

    Raises:
        InvalidFile: A row is wrong; the message names its line.
    """
    tool = table.tool
    left_out = LeftOutRows() if tool is None else tool.left_out
    examples: list[FileExample] = []
    for record in table.records():
        if tool is None and is_rejected(record.values, table.options):
            words = "its answer is {answer}, so it is no example."
            left_out.add(LeftOut(record.line, words, {"answer": record.values["answer"]}))
            continue
        examples.append(FileExample(_row_of(record), record.line, record.split, record.id))
    place = table.source.place
    file = LabelledFile(name, table.format, CERTAIN, tuple(examples), left_out, notes=table.notes, place=place)
    if tool is None:
        return file
    reading = tool.reading
    return replace(
        file,
        certainty=tool.certainty,
        description=reading.description,
        label_descriptions=reading.label_descriptions,
        notes=tuple(reading.notes),
    )


def _row_of(record: Record) -> LabelledRow:
    return Row(record.text, record.label) if record.labels is None else MultiLabelRow(record.text, record.labels)
