"""Read all examples of a file into memory, with what the file says of them, and what is left out of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from windrow.domain.dataset import DataWarning, Row
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.read_options import Format, ReadOptions, Split
from windrow.domain.words import PYTHON, Words
from windrow.files.bad_rows import BadRows
from windrow.files.decoding import Source, source_name
from windrow.files.formats.form import CERTAIN, LeftOut, Note
from windrow.files.left_out_rows import LeftOutRows, left_out_warnings
from windrow.files.reading import Record, Table, is_rejected, open_table, read_table
from windrow.files.row_limits import find_length_problem

# What a training takes where a file has parts.
_TRAINED: Final[tuple[Split | None, ...]] = (None, "train", "validation")


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

    def warnings(self, words: Words = PYTHON) -> tuple[DataWarning, ...]:
        """Return what a training on it warns of: the rows that are left out.

        Args:
            words: How parameters are called.
        """
        return left_out_warnings(self.name, self.left_out, self.place, words)

    @property
    def rows_per_split(self) -> dict[Split, int]:
        """How many examples each part of the data has; empty where the file names no parts."""
        counts: dict[Split, int] = {}
        for each in self.examples:
            if each.split is not None:
                counts[each.split] = counts.get(each.split, 0) + 1
        return counts

    def for_training(self, splits: Collection[Split] = ()) -> "tuple[LabelledFile, LabelledFile | None]":
        """Return what is trained on, and what that is evaluated on; ``None`` where there is nothing of that.

        Args:
            splits: The parts of the data to train on, where the file has some; none for train and validation.
        """
        if not self.rows_per_split:
            return self, None
        test = self.only(("test",))
        return self.only(splits or _TRAINED), test if test.examples and "test" not in splits else None

    def for_evaluation(self, splits: Collection[Split] = ()) -> "LabelledFile":
        """Return what a classifier is evaluated on.

        Args:
            splits: The parts of the data, where the file has some; none for test, or for all rows without that.
        """
        if splits or "test" in self.rows_per_split:
            return self.only(splits or ("test",))
        return self

    def only(self, splits: Iterable[Split | None]) -> "LabelledFile":
        """Return the examples of some parts of the data, ``None`` for those of which the file says nothing."""
        wanted = set(splits)
        return replace(self, examples=tuple(each for each in self.examples if each.split in wanted))


def read_labelled_file(path: Path | str, options: ReadOptions, bad: BadRows | None = None) -> LabelledFile:
    """Read all examples of a file.

    Args:
        path: The file, a folder that a tool has written, or ``-`` for standard input.
        options: How to read it.
        bad: Says whether wrong rows are left out, and collects them; ``None`` to refuse the file for the first one.

    Raises:
        InvalidParameter: There is no such file, or it cannot be read.
        InvalidFile: It is not clear what it is, or a row is wrong; the message names its line.
    """
    bad = BadRows() if bad is None else bad
    with bad.noted(), open_table(path, options, labelled=True, listener=bad) as table:
        return collect_examples(table, source_name(path), bad)


def read_text_file(path: Path | str, options: ReadOptions, bad: BadRows) -> LabelledFile:
    """Read the texts of all rows of a file, of those too that nobody has labelled; each has the label that is empty.

    Args:
        path: The file, a folder that a tool has written, or ``-`` for standard input.
        options: How to read it.
        bad: Says whether wrong rows are left out, and collects them.

    Raises:
        InvalidParameter: There is no such file, or it cannot be read.
        InvalidFile: It is not clear what it is, or a row is wrong; the message names its line.
    """
    with bad.noted(), open_table(path, options, listener=bad) as table:
        return collect_examples(table, source_name(path), bad)


def read_labelled_source(source: Source, options: ReadOptions, bad: BadRows) -> LabelledFile:
    """Read all examples of a file that is open; otherwise as :func:`read_labelled_file`."""
    source.listener = bad
    with bad.noted():
        return collect_examples(read_table(source, source.name, options, labelled=True), source.name, bad)


def collect_examples(table: Table, name: str, bad: BadRows) -> LabelledFile:
    """Read all examples of a table.

    Args:
        table: The table, which no row has been read of.
        name: What messages call the file.
        bad: What its source tells of wrong rows.

    Raises:
        InvalidFile: It is damaged, or it is not clear how to read it.
    """
    tool = table.tool
    left_out = LeftOutRows() if tool is None else tool.left_out
    examples: list[FileExample] = []
    is_labelled = table.columns is not None and table.columns.has_labels
    for record in table.records():
        if bad.refuses:
            # The file is refused, so that its rows are only counted on.
            bad.count_on()
            continue
        if is_labelled and tool is None and is_rejected(record.values, table.options):
            words = "its answer is {answer}, so it is no example."
            left_out.add(LeftOut(record.line, words, {"answer": record.values["answer"]}, record.id))
            continue
        if bad.max_text_chars is not None and (problem := find_length_problem(record, bad.max_text_chars)) is not None:
            table.source.row = record.line, record.id
            table.source.reject(problem[0], record.line, **problem[1])
            continue
        examples.append(FileExample(_row_of(record), record.line, record.split, record.id))
    left_out.add_bad(bad)
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
