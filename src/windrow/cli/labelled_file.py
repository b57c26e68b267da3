"""Read all labelled rows or texts of a file into memory, with their line numbers, and tell what is left out."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from windrow.domain.dataset import DataWarning
from windrow.domain.figures import counted
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.read_options import LabelledReadOptions, ReadOptions
from windrow.domain.words import Words, render
from windrow.files.bad_rows import BadRows
from windrow.files.decoding import source_name
from windrow.files.labelled_files import FileExample, LabelledFile, read_labelled_file, read_text_file
from windrow.files.left_out_rows import left_out_report
from windrow.files.reading import read_rows
from windrow.settings import read_settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FileRows(Generic[T]):
    """The rows of a file."""

    name: str
    """The file's name in error messages."""
    rows: tuple[T, ...]
    """Its rows or texts, in order."""
    lines: tuple[int, ...]
    """The line at which each begins, from 1."""
    test: "FileRows[T] | None" = None
    """Those that the file has for testing, where the others are for a training; ``None`` where it has none."""
    description: str = ""
    """What the file says that the classifier is for."""
    label_descriptions: Mapping[str, str] = field(default_factory=dict)
    """What the file says that labels mean."""
    warnings: tuple[DataWarning, ...] = ()
    """What to know about the rows that are left out of a training."""


def read_labelled(
    path: Path, options: LabelledReadOptions, *, for_training: bool = False, words: Words | None = None
) -> FileRows[LabelledRow]:
    """Return the labelled rows of a file, and say on standard error what is left out of it.

    Args:
        path: The file, or a folder that a labelling tool has written.
        options: How to read it, and which of its parts are taken.
        for_training: Whether rows for testing are to be kept apart; otherwise they alone are taken where there are any.
        words: How parameters are called; ``None`` for the names of Python.

    Raises:
        InvalidParameter: The file or a row is wrong; the message names its line.
    """
    file = read_examples_of(path, options)
    splits = options.splits
    taken, test = file.for_training(splits) if for_training else (file.for_evaluation(splits), None)
    tell_file(file, words or Words())
    if file.rows_per_split:
        print(f"{file.name} has {_split_text(file)}. {_taken_text(taken, test)}", file=sys.stderr)
    rows = _rows_of(taken.examples, file.name)
    return FileRows(
        file.name,
        rows.rows,
        rows.lines,
        None if test is None else _rows_of(test.examples, file.name),
        file.description,
        file.label_descriptions,
        file.warnings(words or Words()),
    )


def read_examples_of(path: Path, options: LabelledReadOptions) -> LabelledFile:
    """Return all examples of a file.

    Args:
        path: The file, or a folder that a labelling tool has written.
        options: How to read it, and whether rows that are wrong are left out.

    Raises:
        InvalidParameter: The file or a row is wrong; the message names its line.
    """
    return read_labelled_file(path, options, _bad_rows(options))


def read_texts_of(path: Path, options: LabelledReadOptions) -> LabelledFile:
    """Return all texts of a file as examples of the label that is empty.

    Args:
        path: The file, or a folder that a labelling tool has written.
        options: How to read it, and whether rows that are wrong are left out.

    Raises:
        InvalidParameter: The file or a row is wrong; the message names its line.
    """
    return read_text_file(path, options, _bad_rows(options))


def _bad_rows(options: LabelledReadOptions) -> BadRows:
    longest = read_settings().max_text_chars if options.skip_bad_rows else None
    return BadRows(options.skip_bad_rows, longest)


def read_texts(path: Path, options: ReadOptions) -> FileRows[str]:
    """Return all texts of a file.

    Raises:
        InvalidParameter: The file or a row is wrong; the message names its line.
    """
    read = [(row.text, row.line) for row in read_rows(path, options)]
    return FileRows(source_name(path), tuple(text for text, _ in read), tuple(line for _, line in read))


def _rows_of(examples: Iterable[FileExample], name: str) -> FileRows[LabelledRow]:
    held = tuple(examples)
    return FileRows(name, tuple(each.row for each in held), tuple(each.line for each in held))


def tell_file(file: LabelledFile, words: Words) -> None:
    """Say on standard error what was decided about a file, and what is left out of it."""
    for note in file.notes:
        print(f"{file.name}: {render(note.template, note.facts, words)}", file=sys.stderr)
    for line in left_out_report(file.name, file.left_out, file.place, words):
        print(line, file=sys.stderr)


def _split_text(file: LabelledFile) -> str:
    parts = [f"{counted(count, 'row')} for {split}" for split, count in file.rows_per_split.items()]
    if unnamed := sum(each.split is None for each in file.examples):
        parts.append(f"{counted(unnamed, 'row')} for none of these")
    return ", ".join(parts)


def _taken_text(taken: LabelledFile, test: LabelledFile | None) -> str:
    text = f"Taken: {counted(len(taken.examples), 'row')}"
    if test is not None:
        text += f"; then evaluated on {counted(len(test.examples), 'row')} for test"
    return f"{text}. --split takes other parts."
