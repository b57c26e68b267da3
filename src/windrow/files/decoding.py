"""Decode a file or standard input to blocks of text: decompress gzip, detect the encoding, and locate errors by line.

Knows nothing of rows or columns. Holds one block of the file in memory at a time.
"""

import codecs
import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

from windrow.disk import reason
from windrow.domain.errors import InvalidFile, InvalidParameter, LimitExceeded
from windrow.files.decoding_errors import decoding_error, nul_error, unreadable_error

STANDARD_INPUT = "-"
# Large enough for fast reading, small enough that the rows of a slow pipe arrive without delay.
_BLOCK_BYTES = 1 << 16
# A longer line is no plausible text; it would only fill the memory.
MAX_LINE_CHARS = 1 << 24
_GZIP_MAGIC = b"\x1f\x8b"
# How files begin that are no text.
_SPREADSHEET = "a spreadsheet (Excel or the like) or another packed file"
_PACKED_OBJECT = "what a program packed for itself (a pickle, spaCy's DocBin or the like)"
_MAGIC = (
    (b"PK\x03\x04", _SPREADSHEET),  # .xlsx and .ods are zip files
    (b"PK\x05\x06", _SPREADSHEET),
    (b"\xd0\xcf\x11\xe0", _SPREADSHEET),  # .xls
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF87a", "a picture"),
    (b"GIF89a", "a picture"),
    (b"SQLite format 3\0", "a database"),
    (b"PAR1\x15", "a Parquet file"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a file that was packed twice"),  # once it is unpacked
    (b"BZh91AY", "a packed file"),
    (b"\xfd7zXZ", "a packed file"),
    (b"7z\xbc\xaf", "a packed file"),
    (b"\x28\xb5\x2f\xfd", "a packed file"),
    (b"x\x9c", _PACKED_OBJECT),  # zlib, as in files of spaCy
    *((bytes((0x80, protocol, opcode)), _PACKED_OBJECT) for protocol in (2, 3, 4, 5) for opcode in b"\x95]}cq"),
)
# What to do with such a file.
_SAVE_AS_CSV = "Save it as CSV with the program that made it, and use that file."
_OF_OTHER_KINDS = {
    **dict.fromkeys(("a picture", "a program"), "Name a file with rows."),
    _PACKED_OBJECT: "Have that program write its rows as JSONL or CSV, and use that file.",
    **dict.fromkeys(("a packed file", "a file that was packed twice"), "Unpack it, and use the file in it."),
}
# So much of what a row is known by is told.
_MAX_ID_CHARS = 80
# So many bytes are there before it is looked how a file begins.
_BEGINNING_BYTES = 4
# So much of the text says how it is written; a file may begin with as much white space, and is then taken for plain.
_BEGINNING_CHARS = 1 << 12
# Some programs save an HTML page or XML under the name .xls.
_MARKUP = re.compile(r"\ufeff?\s*<(?:!doctype html|html|head|meta|table|\?xml)\b", re.IGNORECASE)
# Where lines end: in Windows, elsewhere, and on old Macs.
LINE_END = re.compile(r"\r\n?|\n")
_ENCODING_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,39}")
# Codecs of text that no file is written in; those of domain names take very long for long texts.
_NO_FILE_ENCODINGS = frozenset(("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"))
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class _Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class Listener(Protocol):
    """Is told what is wrong with single rows and what is not clear, so that the rest of a file is read all the same."""

    @property
    def takes_questions(self) -> bool:
        """Whether what is not clear is noted, so that all of the file is looked at; otherwise it refuses the file."""
        ...

    def note_problem(self, error: InvalidFile) -> None:
        """Take note of a row that is left out."""
        ...

    def note_question(self, error: InvalidFile) -> None:
        """Take note of what is not clear; ``facts["parameter"]`` is the read option that decides it."""
        ...


@dataclass(slots=True)
class Source:
    """An open file, how much of it has been read, and how it turned out to be written.

    Args:
        name: The file's name in error messages.
        file: The raw bytes, possibly compressed.
        size_bytes: The size on disk; ``None`` if unknown, as for a pipe.
        encoding: The encoding that the user gave; ``None`` to detect it.
        limit: The most bytes that are read of it, unpacked, and the setting that says so; ``None`` for any number.
        listener: Is told of wrong rows; ``None`` to refuse the file for the first one.
        bytes_read: The number of raw bytes read so far.
        found_encoding: The encoding of its text, once that is read.
        delimiter: What stands between its fields, once a row of CSV or TSV is read.
        has_header: Whether its first line names the columns; ``None`` where it cannot, or where it is not clear.
        mark_bytes: The length of its byte-order mark, once its text is read.
        beginning: The beginning of its text, once that is read: whole lines, if they are not very long.
        on_text: Is told each block of its text as it is decoded; ``None`` for nobody.
        place: What a row is counted by in messages.
        row: The row that is being looked at: where it begins, and what it is known by, if anything.
        sheets: The sheets of a workbook, once that is read.
        sheet: The one that is read of them.
    """

    name: str
    file: BinaryIO
    size_bytes: int | None = None
    encoding: str | None = None
    limit: tuple[int, str] | None = field(default=None, kw_only=True)
    listener: Listener | None = field(default=None, kw_only=True)
    bytes_read: int = field(default=0, kw_only=True)
    found_encoding: str = field(default="", kw_only=True)
    delimiter: str | None = field(default=None, kw_only=True)
    has_header: bool | None = field(default=None, kw_only=True)
    mark_bytes: int = field(default=0, kw_only=True)
    beginning: str = field(default="", kw_only=True, repr=False)
    on_text: Callable[[str], None] | None = field(default=None, kw_only=True)
    place: Literal["line", "row"] = field(default="line", kw_only=True)
    row: tuple[int, str] = field(default=(0, ""), kw_only=True)
    sheets: tuple[str, ...] = field(default=(), kw_only=True)
    sheet: str | None = field(default=None, kw_only=True)

    def read1(self, size: int, /) -> bytes:
        """Return up to ``size`` of the next raw bytes, as soon as some are available; empty at the end."""
        block = cast(_Readable, self.file).read1(size) if hasattr(self.file, "read1") else self.file.read(size)
        self.bytes_read += len(block)
        return block

    def reject(self, template: str, line: int, **facts: object) -> None:
        """Tell the listener that a row is left out.

        Raises:
            InvalidFile: There is no listener.
        """
        error = self.error(template, line, **facts)
        if self.listener is None:
            raise error
        self.listener.note_problem(error)

    @property
    def takes_questions(self) -> bool:
        """Whether what is not clear is noted in place of refusing the file."""
        return self.listener is not None and self.listener.takes_questions

    def ask(self, parameter: str, template: str, line: int | None = None, **facts: object) -> None:
        """Tell the listener what is not clear.

        Args:
            parameter: The read option that decides it.
            template: As of :meth:`error`.
            line: The line, counted from 1.
            **facts: As of :meth:`error`.

        Raises:
            InvalidFile: There is no listener.
        """
        error = self.error(template, line, **facts, parameter=parameter)
        if self.listener is None:
            raise error
        self.listener.note_question(error)

    def error(self, template: str, line: int | None = None, **facts: object) -> InvalidFile:
        """Return an error that names the file, and the line where there is one.

        Args:
            template: The problem and what to do about it; begins in lower case and ends with a full stop.
            line: The line, counted from 1.
            **facts: The values for the template's placeholders.
        """
        where = "{file}" if line is None else f"{{file}}, {self.place} {{line}}"
        if line is not None and self.row[0] == line and (id_ := self.row[1].strip()[:_MAX_ID_CHARS]):
            where, facts = f"{where} ({{id}})", {"id": id_, **facts}
        return InvalidFile(f"{where}: {template}", {**facts, "file": self.name, "line": line})


def source_name(path: Path | str) -> str:
    """Return the name of a file, or of standard input, for error messages."""
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        InvalidParameter: There is no such file, or it cannot be read.
    """
    facts = {"parameter": "file", "file": str(path)}
    if path.is_dir():
        raise InvalidParameter("{file} is a folder. Name a file in it.", facts)
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise InvalidParameter("There is no file {file}. Check its name.", facts) from error
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        words = "{file} cannot be read: {reason}. Name another file."
        raise InvalidParameter(words, {**facts, "reason": why}) from error


@contextmanager
def open_source(path: Path | str, encoding: str | None = None, listener: Listener | None = None) -> Iterator[Source]:
    """Open a file, or standard input where the path is ``-``.

    Args:
        path: The file.
        encoding: The encoding of its text; ``None`` for that of the byte-order mark, else UTF-8.
        listener: Is told of wrong rows; ``None`` to refuse the file for the first one.

    Raises:
        InvalidParameter: There is no such file, it cannot be read, or the encoding is unknown.
    """
    check_encoding(encoding)
    if str(path) == STANDARD_INPUT:
        yield Source(source_name(path), sys.stdin.buffer, encoding=encoding, listener=listener)
        return
    path = Path(path)
    with open_bytes(path) as file:
        # The size of a pipe or a device means nothing.
        size_bytes = path.stat().st_size if path.is_file() else None
        yield Source(source_name(path), file, size_bytes, encoding, listener=listener)


def text_blocks(source: Source) -> Iterator[str]:
    """Yield a file's decoded text in blocks of any length, decompressed and without a byte-order mark.

    Raises:
        InvalidFile: It is no text, the bytes are not of the encoding, hold NUL characters, or are damaged gzip.
        LimitExceeded: It is larger than the source's limit.
    """
    blocks = _plain_blocks(source)
    first = b""
    for each in blocks:
        first += each
        if len(first) >= _BEGINNING_BYTES:
            break
    _check_is_text(source, first)
    encoding, mark = _encoding_of(source, first)
    source.found_encoding, source.mark_bytes = encoding, len(mark)
    # A codec such as ``utf-8-sig`` would shift the offsets in errors, so the mark is cut off here.
    # The newline decoder keeps a ``\r\n`` together in one block.
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=False)
    done, line = len(mark), 1
    # No block waits for the next one, so that the rows of a slow pipe are classified as soon as they arrive.
    for block in chain((first[len(mark) :],), blocks, (None,)):
        text = _decoded(source, decoder, block, (done, line))
        _check_has_whole_characters(source, text, line)
        done += len(block or b"")
        if source.limit is not None and done > source.limit[0]:
            raise too_large(source)
        line += count_line_ends(text)
        if text:
            if len(source.beginning) < _BEGINNING_CHARS:
                source.beginning += text
            if source.on_text is not None:
                source.on_text(text)
            yield text


def _decoded(source: Source, decoder: io.IncrementalNewlineDecoder, block: bytes | None, place: tuple[int, int]) -> str:
    """Decode a block; ``None`` for the end of the file.

    Args:
        source: The file, for messages.
        decoder: What decodes it.
        block: Its next bytes.
        place: Where they begin: the offset, and the line.

    Raises:
        InvalidFile: They are no text in the encoding of the file.
    """
    (done, line), encoding = place, source.found_encoding
    try:
        text = decoder.decode(block or b"", final=block is None)
    except UnicodeDecodeError as error:
        # The decoder's text may begin before the block.
        offset = done + len(block or b"") - len(error.object) + error.start
        raise decoding_error(source.error, error, offset, (encoding, line)) from error
    except ValueError as error:
        raise unreadable_error(source.error, line, encoding) from error
    if "\0" in text:
        line += count_line_ends(text[: text.index("\0")])
        raise nul_error(source.error, block or b"", line, encoding)
    return text


def count_line_ends(text: str) -> int:
    """Return how many lines end in a text."""
    ends = text.count("\n")
    return ends if "\r" not in text else ends + text.count("\r") - text.count("\r\n")


def is_markup(beginning: str) -> bool:
    """Return whether a text begins as HTML or XML does."""
    return _MARKUP.match(beginning) is not None


def check_not_markup(source: Source, beginning: str) -> None:
    """Refuse an HTML or XML file, whose lines are not texts.

    Raises:
        InvalidFile: The text begins as HTML or XML does.
    """
    if is_markup(beginning):
        raise source.error(
            "it is HTML or XML, as some programs save spreadsheets under the name .xls. Save it as CSV with the "
            "program that made it, and use that file; or add {set:format=txt} if each line of it is a text.",
            parameter="format",
        )


def _plain_blocks(source: Source) -> Iterator[bytes]:
    """Yield a file's bytes, decompressed if they begin as gzip does."""
    try:
        first = source.read1(_BLOCK_BYTES)
        while first and len(first) < _BEGINNING_BYTES and (more := source.read1(_BLOCK_BYTES)):
            first += more
        if not first.startswith(_GZIP_MAGIC):
            yield first
            while block := source.read1(_BLOCK_BYTES):
                yield block
            return
        with gzip.GzipFile(fileobj=cast(BinaryIO, _PrefixedReader(first, source))) as unzipped:
            while block := unzipped.read1(_BLOCK_BYTES):
                yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise source.error("it is damaged gzip ({reason}). Fetch or compress it again.", reason=str(error)) from error
    except OSError as error:
        raise source.error("it cannot be read: {reason}. Name another file.", reason=reason(error)) from error


class _PrefixedReader:
    """A file-like object that returns the bytes read in advance, then the rest of the source."""

    def __init__(self, first: bytes, source: Source) -> None:
        self._first = first
        self._source = source

    def read(self, size: int = _BLOCK_BYTES, /) -> bytes:
        taken, self._first = self._first[:size], self._first[size:]
        return taken or self._source.read1(size)


def check_encoding(encoding: str | None) -> None:
    """Refuse what is no encoding of text; ``None`` is to be detected.

    Raises:
        InvalidParameter: It is none.
    """
    if encoding is None:
        return
    try:
        if not _ENCODING_NAME.fullmatch(encoding) or codecs.lookup(encoding).name in _NO_FILE_ENCODINGS:
            raise LookupError(encoding)
        codecs.getincrementaldecoder(encoding)().decode(b"", final=True)
        is_text = isinstance("".encode(encoding), bytes)
    except (LookupError, UnicodeError, TypeError, ValueError):
        is_text = False
    if not is_text:
        raise InvalidParameter(
            "{value} is no encoding of text. Name one such as utf-8, cp1252 or utf-16.",
            {"parameter": "encoding", "value": encoding},
        )


def _check_is_text(source: Source, first: bytes) -> None:
    kind = next((kind for magic, kind in _MAGIC if first.startswith(magic)), None)
    if kind is not None:
        raise source.error(f"it is {{kind}}, no text. {_OF_OTHER_KINDS.get(kind, _SAVE_AS_CSV)}", kind=kind)


def _check_has_whole_characters(source: Source, text: str, line: int) -> None:
    """Refuse halves of surrogate pairs, which some encodings have and no character is."""
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line += count_line_ends(text[: error.start])
        raise source.error(
            "there is half of a surrogate pair, which is no character. Correct that line.", line
        ) from error


def too_large(source: Source) -> LimitExceeded:
    """Return the error that refuses a file for its size once it is unpacked; the source has a limit."""
    assert source.limit is not None
    limit, setting = source.limit
    return LimitExceeded(
        "{file}: it has more than {limit} bytes once it is unpacked; more are not taken here. {Send} less, or raise "
        "{setting}.",
        {"file": source.name, "limit": limit, "setting": setting},
    )


def _encoding_of(source: Source, first: bytes) -> tuple[str, bytes]:
    """Return the encoding of a file, and its byte-order mark (empty if it has none)."""
    marked = next(((encoding, mark) for mark, encoding in _BYTE_ORDER_MARKS if first.startswith(mark)), None)
    if source.encoding is None:
        return marked or ("utf-8", b"")
    wanted = codecs.lookup(source.encoding).name
    if marked is not None and marked[0].startswith(wanted.removesuffix("-sig")):
        return marked
    return wanted, b""
