"""Say what a format told of a file, as tests compare it."""

from pathlib import Path
from typing import Any

import pytest

from tests.files.formats.reading import read_format, read_whole
from windrow.domain.errors import InvalidFile
from windrow.domain.words import render
from windrow.files.formats.form import LeftOut


def left_out(name: str, content: bytes | Path, filename: str = "file", **options: Any) -> list[tuple[int, str, bool]]:
    """Return the place of each row that is left out, why it is, and whether it is broken."""
    rows = read_format(name, content, filename, **options)
    return [(row.place, render(row.template, row.facts), row.is_wrong) for row in rows if isinstance(row, LeftOut)]


def notes(name: str, content: bytes | Path, filename: str = "file", **options: Any) -> list[str]:
    """Return what is told of a file as a whole."""
    reading, _ = read_whole(name, content, filename, **options)
    return [render(note.template, note.facts) for note in reading.notes]


def refusal(name: str, content: bytes | Path, filename: str = "file", **options: Any) -> str:
    """Return what is said of a file that is refused."""
    with pytest.raises(InvalidFile) as refused:
        read_whole(name, content, filename, **options)
    return str(refused.value)
