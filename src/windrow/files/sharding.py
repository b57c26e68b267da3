"""Cut a file of rows into shards, ranges of its rows that others read without what stands before them.

The file is read once by the reader that reads it everywhere, so that a row means the same in a shard, and a quoted
line's end never begins one. Where each shard begins is told in bytes of the unpacked file.
"""

import gzip
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BufferedReader, BytesIO
from typing import BinaryIO, Final, Literal, cast

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files.columns import Columns
from windrow.files.decoding import LINE_END, Source, check_encoding, count_line_ends
from windrow.files.format_mismatch import look_of
from windrow.files.formats.beginning import beginning_of, head_of, is_zip
from windrow.files.formats.registry import format_called
from windrow.files.reading import Record, Table, read_plain_table
from windrow.files.table_opening import open_rows
from windrow.files.text_form import PLAIN, TextForm, find_text_form
from windrow.files.workbook_parts import is_spreadsheet

ShardedFormat = Literal["csv", "tsv", "jsonl", "parquet"]
# Whoever classifies a shard holds it in memory, so one with long rows has fewer of them.
MAX_SHARD_BYTES: Final = 64_000_000
GZIP_MAGIC: Final = b"\x1f\x8b"
# What is behind a row is forgotten after so many rows, and whoever waits is told.
_ROWS_BETWEEN: Final = 2_000
CHANGED: Final = (
    "it has other rows than when this run began. Put it back as it was, or begin anew with {set:overwrite}."
)


@dataclass(frozen=True, slots=True)
class Shard:
    """A range of a file's rows."""

    start: int
    """Where it begins: a byte of the unpacked file; in Parquet a row, from 0."""
    end: int
    """Where it ends, likewise; what is there is no part of it."""
    line: int
    """The line at which its first row begins, from 1; in Parquet the row."""
    rows: int
    """How many rows it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """What must be known of a file to read any of its shards alone."""

    format: ShardedFormat
    """What it is."""
    names: tuple[str, ...]
    """Its columns: those of its first row, or of the header."""
    text_columns: tuple[str, ...]
    """Those with the text; empty for a file without rows."""
    shards: tuple[Shard, ...]
    """All its rows, in their order; a file without rows has one shard without any."""
    encoding: str = ""
    """The encoding of its text."""
    head_bytes: int = 0
    """The bytes at its beginning that each shard needs to be read: a byte-order mark and the first row of CSV."""
    head_lines: int = 0
    """Lines in them."""
    is_gzip: bool = False
    """Whether it is packed."""
    text: TextForm = PLAIN
    """How its text is written."""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(shard.rows for shard in self.shards)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOptions:
    """How files are cut, and what becomes of their rows.

    Args:
        read: How to read the files.
        shard_rows: The most rows of a shard.
        keep_blank: Whether a row with a blank text is read, with an empty text; otherwise it is an error.
    """

    read: ReadOptions
    shard_rows: int
    keep_blank: bool = False


# What is read as a whole.
_WHOLE_FILES: Final = {"txt": "plain text", "json": "one JSON document", "xlsx": "a workbook"}
_NOT_CUT: Final = (
    "it is {found}, which cannot be cut into shards: a run that writes them reads CSV, TSV, JSONL and Parquet. "
    "Classify it as a whole, into one file, or make JSONL of it first, with windrow convert --texts-only."
)


def unpacked(file: BinaryIO) -> tuple[BinaryIO, bool]:
    """Return a file as it is unpacked, and whether it was packed.

    Args:
        file: A file at its beginning, in which any place can be gone to.
    """
    is_gzip = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    file.seek(0)
    if not is_gzip:
        return file, False
    return cast(BinaryIO, BufferedReader(gzip.GzipFile(fileobj=file))), True


def plan_shards(file: BinaryIO, name: str, options: ShardOptions, on_rows: Callable[[int], None]) -> FilePlan:
    """Read CSV, TSV or JSONL once and say where shards begin.

    Args:
        file: The file at its beginning.
        name: What it is called; its ending says what it is.
        options: How to read and cut it.
        on_rows: Called now and then with the number of rows found so far.

    Raises:
        InvalidFile: It is no such table, or a row is wrong; the message names its line.
    """
    check_encoding(options.read.encoding)
    file, is_gzip = unpacked(file)
    places = _LinePlaces()
    source = Source(name, file, encoding=options.read.encoding, on_text=places.add)
    places.source = source
    if (tool := format_called(options.read.format or "")) is not None:
        raise source.error(_NOT_CUT, parameter="format", found=tool.title)
    with _naming_tool(source, options.read):
        return _plan_of(source, is_gzip, places, options, on_rows)


def _plan_of(
    source: Source, is_gzip: bool, places: "_LinePlaces", options: ShardOptions, on_rows: Callable[[int], None]
) -> FilePlan:
    table = read_plain_table(source, source.name, options.read)
    if table.format not in ("csv", "tsv", "jsonl"):
        raise source.error(_NOT_CUT, found=_WHOLE_FILES.get(table.format or "", "a file of a labelling tool"))
    cut = _Cut(table, places, options)
    for rows in cut.read():
        on_rows(rows)
    end = places.end(source.bytes_read)
    starts = cut.starts or [(0, 1, 0)]
    ends = [*(start for start, _, _ in starts[1:]), end]
    counts = [*(first for _, _, first in starts[1:]), cut.rows]
    shards = [
        Shard(start, until, line, count - first)
        for (start, line, first), until, count in zip(starts, ends, counts, strict=True)
    ]
    return FilePlan(
        format=table.format,
        names=table.names,
        text_columns=() if table.columns is None else table.columns.text,
        shards=tuple(shards),
        encoding=source.found_encoding,
        head_bytes=cut.head[0],
        head_lines=cut.head[1],
        is_gzip=is_gzip,
        text=find_text_form(source, options.read),
    )


@contextmanager
def _naming_tool(source: Source, options: ReadOptions) -> Iterator[None]:
    """Tell a file that a labelling tool wrote as such, where it has no texts in a column at its beginning."""
    if is_zip(head_of(source)) and not is_spreadsheet(source, None):
        raise source.error(_NOT_CUT, found="a zip file")
    try:
        yield
    except InvalidFile as error:
        # What a tool wrote with a column of texts is a table like any other.
        look = look_of(beginning_of(source.name, source.beginning))
        is_at_beginning = error.facts.get("line") in (None, 1)
        if format_called(look.format or "") is None or options.text_column or not is_at_beginning:
            raise
        raise source.error(_NOT_CUT, parameter="format", found=look.title) from error


def read_shard(
    file: BinaryIO, plan: FilePlan, shard: Shard, name: str, options: ShardOptions
) -> tuple[Source, Iterator[Record]]:
    """Return the rows of one shard, each with its line in the file, and its source for messages.

    Args:
        file: The file, as it is stored, at its beginning.
        plan: The file's plan.
        shard: One of its shards.
        name: What the file is called.
        options: How the plan was made.

    Raises:
        InvalidFile: The rows are other ones than those of the plan.
    """
    if plan.is_gzip:
        file, _ = unpacked(file)
    head = b"" if shard.start == 0 else file.read(plan.head_bytes)
    file.seek(shard.start)
    content = file.read(shard.end - shard.start)
    source = Source(name, BytesIO(head + content), encoding=plan.encoding)
    return source, _checked(source, _records(source, plan, shard, options, is_first=shard.start == 0), shard.rows)


def _records(
    source: Source, plan: FilePlan, shard: Shard, options: ShardOptions, *, is_first: bool
) -> Iterator[Record]:
    if not plan.text_columns:
        return
    assert plan.format != "parquet"
    read_options = replace(options.read, format=plan.format, encoding=plan.encoding)
    _, names, rows = open_rows(source, source.name, read_options, labelled=False)
    # Not the columns of its own first row, which may lack some.
    columns, is_delimited = Columns(plan.text_columns), plan.format != "jsonl"
    records = Table(source, columns, names, rows, is_delimited=is_delimited).records(keep_blank=options.keep_blank)
    if is_first:
        yield from records
        return
    if is_delimited and options.read.header is False:
        next(records, None)  # the first row of the file stands before each shard, as a header does
    moved = shard.line - plan.head_lines - 1
    for record in records:
        yield replace(record, line=record.line + moved)


def _checked(source: Source, records: Iterator[Record], rows: int) -> Iterator[Record]:
    found = 0
    for record in records:
        found += 1
        if found <= rows:
            yield record
    if found != rows:
        raise source.error(CHANGED)


@dataclass(slots=True)
class _Cut:
    """Reads a table once and notes where its shards begin.

    Args:
        table: The table.
        places: Tells the places of its lines.
        options: How to cut it.
        starts: Of each shard, its first byte, its first line, and the number of the rows before it.
        rows: The number of rows.
        head: The bytes and the lines that each shard needs to be read.
    """

    table: Table
    places: "_LinePlaces"
    options: ShardOptions
    starts: list[tuple[int, int, int]] = field(default_factory=list)
    rows: int = 0
    head: tuple[int, int] = (0, 0)

    def read(self) -> Iterator[int]:
        """Read all rows, and yield their number now and then."""
        # Where nothing names the columns, the first row stands for them: it decides the delimiter.
        head_rows = 1 if self.table.is_delimited and self.options.read.header is False else 0
        in_shard, began = 0, 0
        for record in self.table.records(keep_blank=self.options.keep_blank):
            if self.rows == head_rows and self.table.is_delimited:
                self.head = self.places.byte_of(record.line), record.line - 1
            is_large = self.places.decoded - began > MAX_SHARD_BYTES
            if in_shard == self.options.shard_rows or is_large or not self.rows:
                start = self.places.byte_of(record.line) if self.rows else 0
                self.starts.append((start, record.line, self.rows))
                in_shard, began = 0, start
            in_shard, self.rows = in_shard + 1, self.rows + 1
            if self.rows % _ROWS_BETWEEN == 0:
                self.places.forget_before(record.line)
                yield self.rows
        yield self.rows


@dataclass(slots=True)
class _Block:
    """A block of decoded text: the line in which it begins, the lines that end in it, its first byte, and itself."""

    line: int
    ends: int
    start: int
    text: str


class _LinePlaces:
    """Tells at which byte a line of a file begins; keeps what has been decoded since the last line that was asked for.

    Attributes:
        source: The file.
        decoded: The first byte behind what was decoded.
    """

    source: Source

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._line = 1
        self.decoded = 0

    def add(self, text: str) -> None:
        """Take the next block."""
        self.decoded = self.decoded or self.source.mark_bytes
        ends = count_line_ends(text)
        self._blocks.append(_Block(self._line, ends, self.decoded, text))
        self._line += ends
        self.decoded += self._length(text)

    def forget_before(self, line: int) -> None:
        """Forget blocks that are not needed to find a line or one behind it."""
        while len(self._blocks) > 1 and self._blocks[0].line + self._blocks[0].ends < line:
            self._blocks.popleft()

    def byte_of(self, line: int) -> int:
        """Return the byte at which a line begins; no line before it is asked for any more."""
        self.forget_before(line)
        block = self._blocks[0]
        behind, end = line - block.line, 0
        if behind:
            end = next(found.end() for n, found in enumerate(LINE_END.finditer(block.text), 1) if n == behind)
        elif line == 1:
            return 0
        return block.start + self._length(block.text[:end])

    def end(self, bytes_read: int) -> int:
        """Return the byte behind the last one, once all is decoded.

        Args:
            bytes_read: How many bytes there were.

        Raises:
            InvalidFile: Places in the text do not tell those in the file.
        """
        if self.decoded != bytes_read:
            raise self._unplaceable()
        return self.decoded

    def _length(self, text: str) -> int:
        encoding = self.source.found_encoding
        if encoding == "utf-8" and text.isascii():
            return len(text)
        if encoding in ("utf-16", "utf-32"):  # without a mark, which would come again with each text
            encoding += "-le" if sys.byteorder == "little" else "-be"
        encoding = encoding.removesuffix("-sig")
        try:
            return len(text.encode(encoding))
        except UnicodeEncodeError as error:
            raise self._unplaceable() from error

    def _unplaceable(self) -> InvalidFile:
        return self.source.error(
            "in the encoding {encoding}, the same text can be written in several ways, so no shards can be found. Save "
            "it as UTF-8.",
            encoding=self.source.found_encoding,
        )
