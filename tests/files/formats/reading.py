"""Read files through a format, or through all of them, as tests of formats do."""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from windrow.domain.prediction import Kind
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import Source, open_source
from windrow.files.formats.document import FileDocument, open_document, open_folder
from windrow.files.formats.form import Example, LeftOut, Reading
from windrow.files.formats.registry import FORMATS, format_called

# The labels of an example that somebody looked at and gave none.
NONE: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """A small file of a format, and what is in it."""

    variant: str
    """What is particular about it, as the id of its tests."""
    filename: str
    """What it is called."""
    content: bytes
    """The whole file."""
    rows: list[tuple[Any, ...]]
    """Its examples: the text, its labels as a tuple, and the split, which may be left out where there is none."""
    num_left_out: int = 0
    """How many rows are left out."""
    kind: Kind | None = None
    """What the reading says of its kind."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The options that it needs; with ``format`` among them, it is not recognised by itself."""


@contextmanager
def opened(content: bytes | Path, filename: str = "file", **options: Any) -> Iterator[FileDocument]:
    """Open a file or a folder, or bytes that came without either."""
    read_options = ReadOptions(**options)
    if isinstance(content, bytes):
        yield open_document(Source(filename, io.BytesIO(content), encoding=read_options.encoding), read_options)
    elif content.is_dir():
        yield open_folder(content, read_options)
    else:
        with open_source(content, read_options.encoding) as source:
            yield open_document(source, read_options, folder=content.parent)


def read_whole(
    name: str, content: bytes | Path, filename: str = "file", **options: Any
) -> tuple[Reading, list[Example | LeftOut]]:
    """Read a file through a format, and return what it says of it and its rows."""
    found = format_called(name)
    assert found is not None, f"no format is called {name}"
    with opened(content, filename, **options) as document:
        reading = found.read(document)
        return reading, list(reading.rows)


def read_format(name: str, content: bytes | Path, filename: str = "file", **options: Any) -> list[Example | LeftOut]:
    """Read the rows of a file through a format."""
    return read_whole(name, content, filename, **options)[1]


def told(rows: Iterable[Example | LeftOut]) -> list[tuple[Any, ...]]:
    """Return text, labels and, where there is one, the split of each example."""
    return [
        (row.text, row.labels) if row.split is None else (row.text, row.labels, row.split)
        for row in rows
        if isinstance(row, Example)
    ]


def sniff_all(content: bytes | Path, filename: str = "file") -> dict[str, float]:
    """Return how sure each format is that a file is its own, those left out that say no."""
    with opened(content, filename) as document:
        sure = {each.name: each.sniff(document.beginning) for each in FORMATS}
    return {name: certainty for name, certainty in sure.items() if certainty}
