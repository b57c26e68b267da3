"""Read all labelled rows or texts of a file into memory, with their line numbers."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from windrow.domain.dataset import Row
from windrow.domain.figures import counted, listed
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import source_name
from windrow.files.reading import Record, is_rejected, read_rows

T = TypeVar("T")
_SHOWN_LINES = 10


@dataclass(frozen=True, slots=True)
class FileRows(Generic[T]):
    """The rows of a file."""

    name: str
    """The file's name in error messages."""
    rows: tuple[T, ...]
    """Its rows or texts, in order."""
    lines: tuple[int, ...]
    """The line at which each begins, from 1."""


def read_labelled(path: Path, options: ReadOptions) -> FileRows[LabelledRow]:
    """Return all labelled rows of a file.

    Raises:
        InvalidParameter: The file or a row is wrong; the message names its line.
    """
    rejected: list[int] = []
    kept = (row for row in read_rows(path, options, labelled=True) if not _is_rejected(row, options, rejected))
    file_rows = _collected(path, ((_labelled(row), row.line) for row in kept))
    if rejected:
        lines = listed(map(str, rejected), _SHOWN_LINES)
        left_out = f"{counted(len(rejected), 'row')} of {file_rows.name}, of the lines {lines}"
        print(f"Left out, since their answer is reject or ignore: {left_out}.", file=sys.stderr)
    return file_rows


def read_texts(path: Path, options: ReadOptions) -> FileRows[str]:
    """Return all texts of a file.

    Raises:
        InvalidParameter: The file or a row is wrong; the message names its line.
    """
    return _collected(path, ((row.text, row.line) for row in read_rows(path, options)))


def _labelled(row: Record) -> LabelledRow:
    return Row(row.text, row.label) if row.labels is None else MultiLabelRow(row.text, row.labels)


def _is_rejected(row: Record, options: ReadOptions, rejected: list[int]) -> bool:
    """Return whether an annotator rejected or ignored a row in Prodigy, and append its line to ``rejected`` if so."""
    if is_rejected(row.values, options):
        rejected.append(row.line)
        return True
    return False


def _collected(path: Path, read: Iterable[tuple[T, int]]) -> FileRows[T]:
    rows: list[T] = []
    lines: list[int] = []
    for row, line in read:
        rows.append(row)
        lines.append(line)
    return FileRows(source_name(path), tuple(rows), tuple(lines))
