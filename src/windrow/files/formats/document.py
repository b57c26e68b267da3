"""A file as formats read it: text, lines, JSON values, cells, or the files in a zip file or a folder.

Each part of a document is read once, as a stream where its form allows that, and within limits where it does not.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import STANDARD_INPUT, Source, source_name, text_blocks, too_large
from windrow.files.delimited import read_cells
from windrow.files.formats.beginning import (
    begin_text,
    beginning_of,
    begins_with_line_of_json,
    head_of,
    is_seekable,
    is_zip,
)
from windrow.files.formats.form import Beginning
from windrow.files.formats.members import FolderMembers, Members, NoMembers, ZipMembers
from windrow.files.json_values import document_values, json_lines
from windrow.files.lines import filled_lines

# What has to be in memory as a whole: a document as one text.
MAX_TEXT_CHARS: Final = 1 << 26
# More of a file that cannot be read from any place is kept on the disk while it is read.
_IN_MEMORY_BYTES: Final = 1 << 24
_COPIED_BYTES: Final = 1 << 20


@dataclass(slots=True)
class FileDocument:
    """An open file; implements :class:`~windrow.files.formats.form.Document`."""

    source: Source
    """The file."""
    options: ReadOptions
    """The options that the user gave."""
    beginning: Beginning
    """What its format was told by."""
    blocks: Iterator[str]
    """Its text, the beginning too; to be read once."""
    members: Members = field(default_factory=NoMembers)
    """The files in it, or beside it."""
    is_container: bool = False
    """Whether it is a zip file or a folder, which has members and no text of its own."""
    wants_labels: bool = True
    """Whether its labels are wanted; otherwise its texts alone, so that nothing is asked about labels."""

    @property
    def name(self) -> str:
        """What it is called, without its folder."""
        return Path(self.source.name).name

    def text(self) -> str:
        """Return the whole text, decoded, without a byte-order mark."""
        return self._whole(self.blocks)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield each line that is not blank, without its end, and its number from 1."""
        return ((number, line.rstrip("\r\n")) for number, line in filled_lines(self.source, self.blocks))

    def values(self) -> Iterator[tuple[int, Any]]:
        """Yield the items of a JSON list or the values of JSONL, or the one JSON object, each with its line."""
        text = self.beginning.text
        if begins_with_line_of_json(text):
            return json_lines(self.source, self.blocks)
        values = document_values(self.source, self.blocks)
        if text.lstrip().startswith("[") and "\n" not in text.strip():
            self.source.place = "row"  # all of them stand in one line
            return ((number, value) for number, (_, value) in enumerate(values, 1))
        return values

    def rows(self, *, delimiter: str | None = None) -> Iterator[tuple[int, list[str]]]:
        """Yield the cells of each row of CSV or TSV, the first one too, with the line at which it begins."""
        return read_cells(self.source, self.blocks, self.options, delimiter=delimiter)

    def member_names(self) -> tuple[str, ...]:
        """Return the paths of the files beside it, or in it where it is a zip file or a folder, sorted."""
        return self.members.names()

    def member_text(self, name: str) -> str:
        """Return the text of such a file."""
        with self.open_bytes(name) as file:
            source = replace(self.source, name=f"{self.source.name}: {name}", file=file, size_bytes=None, limit=None)
            return self._whole(text_blocks(source))

    def open_bytes(self, name: str = "") -> BinaryIO:
        """Open the bytes of the file, or of one of its members, to be read from any place and closed."""
        return self.members.open(name) if name else _seekable(self.source)

    def error(self, template: str, line: int | None = None, **facts: object) -> InvalidFile:
        """Return the error that refuses the file, to be raised."""
        return self.source.error(template, line, **facts)

    def _whole(self, blocks: Iterator[str]) -> str:
        parts, size = [], 0
        for block in blocks:
            parts.append(block)
            size += len(block)
            if size > MAX_TEXT_CHARS:
                words = "it has more than {limit} characters, more than is read of such a file. Cut it into several."
                raise self.source.error(words, limit=MAX_TEXT_CHARS)
        return "".join(parts)


def open_document(source: Source, options: ReadOptions, *, folder: Path | None = None) -> FileDocument:
    """Look at how an open file begins.

    Args:
        source: The file.
        options: The options that the user gave.
        folder: The folder that it lies in, whose files may belong to it; ``None`` where it came alone.

    Raises:
        InvalidFile: It is damaged, or no text in the encoding that it seems to have.
        LimitExceeded: It is larger than the source's limit.
    """
    head = head_of(source)
    members: Members = NoMembers() if folder is None else FolderMembers(folder, source.error)
    is_container = is_zip(head) and is_seekable(source.file)
    if is_container:
        source.place = "row"
        members = ZipMembers(source)
    begun = begin_text(source, head)
    name = "" if source.name == source_name(STANDARD_INPUT) else Path(source.name).name
    beginning = beginning_of(name, begun.beginning, head, members.names() if is_container else ())
    return FileDocument(source, options, beginning, begun.blocks, members, is_container)


def open_folder(folder: Path, options: ReadOptions) -> FileDocument:
    """Look at a folder, all files of which are one document.

    Raises:
        InvalidFile: It holds too many files.
    """
    source = Source(str(folder), io.BytesIO(), encoding=options.encoding, place="row")
    members = FolderMembers(folder, source.error)
    beginning = beginning_of(folder.name, "", b"", members.names())
    return FileDocument(source, options, beginning, iter(()), members, is_container=True)


def _seekable(source: Source) -> BinaryIO:
    """Return the bytes of a file from its beginning, as a file that can be closed without closing the source's."""
    copy = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
    if is_seekable(source.file):
        source.file.seek(0)
    while block := source.read1(_COPIED_BYTES):
        copy.write(block)
        if source.limit is not None and copy.tell() > source.limit[0]:
            copy.close()
            raise too_large(source)
    copy.seek(0)
    return cast(BinaryIO, copy)
