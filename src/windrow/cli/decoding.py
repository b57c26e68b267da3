"""From bytes of a file or of standard input to text: gzip, encodings, and where in the file something is wrong.

Owns bytes, their encoding and line numbers; knows nothing of rows or columns. Holds one block of the file at a time.
"""

import codecs
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from windrow.disk import reason
from windrow.domain.errors import InvalidParameter

STANDARD_INPUT = "-"
# Enough that reading costs little, and little enough that a slow pipe's rows come soon.
_BLOCK_BYTES = 1 << 16
# A longer line holds no text that anyone could mean; it would only fill the memory.
MAX_LINE_CHARS = 1 << 24
_GZIP = b"\x1f\x8b"
# Of .xlsx and .ods, which are zip files, and of .xls: what those who keep their texts in a table often have.
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# What programs save under the name .xls too: a page with a table, or a table in XML.
_PAGES = re.compile(r"\ufeff?\s*<(?:!doctype html|html|head|meta|table|\?xml)\b", re.IGNORECASE)
# Where lines end: in Windows, elsewhere, and on old Macs.
LINE_END = re.compile(r"\r\n?|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class _Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class Source:
    """A file that is being read.

    Args:
        name: What it is called in messages.
        file: Its bytes, as they lie on the disk.
        size_bytes: Its size, if that is known.
        encoding: The encoding that somebody named, if anyone did.
        bytes_read: How many of its bytes were read by now.
    """

    name: str
    file: BinaryIO
    size_bytes: int | None = None
    encoding: str | None = None
    bytes_read: int = field(default=0)

    def read1(self, size: int, /) -> bytes:
        """Return some of the next bytes, as many as are there, and none at the end."""
        block = cast(_Readable, self.file).read1(size)
        self.bytes_read += len(block)
        return block

    def wrong(self, template: str, line: int | None = None, **facts: object) -> InvalidParameter:
        """Return an error that names the file, and the line where there is one.

        Args:
            template: What is wrong and what to do, from a small letter to a full stop.
            line: Counted from 1.
            **facts: What it names.
        """
        where = "{file}" if line is None else "{file}, line {line}"
        return InvalidParameter(f"{where}: {template}", {**facts, "file": self.name, "line": line})


def source_name(path: Path | str) -> str:
    """Return what a file, or standard input, is called in messages."""
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


@contextmanager
def opened(path: Path | str, encoding: str | None = None) -> Iterator[Source]:
    """Open a file, or standard input where the path is ``-``.

    Args:
        path: The file.
        encoding: The encoding of its text; ``None`` for UTF-8, or what a byte-order mark says.

    Raises:
        InvalidParameter: There is no such file, it cannot be read, or nobody knows the encoding.
    """
    if encoding is not None:
        _check_encoding(encoding)
    if str(path) == STANDARD_INPUT:
        yield Source(source_name(path), sys.stdin.buffer, encoding=encoding)
        return
    path = Path(path)
    if path.is_dir():
        raise InvalidParameter("{file} is a folder. Name a file in it.", {"file": str(path)})
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InvalidParameter("There is no file {file}. Check its name.", {"file": str(path)}) from error
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        facts = {"file": str(path), "reason": why}
        raise InvalidParameter("{file} cannot be read: {reason}. Name another file.", facts) from error
    with file:
        # A pipe or a device has no size that says anything.
        size_bytes = path.stat().st_size if path.is_file() else None
        yield Source(source_name(path), file, size_bytes, encoding)


def text_blocks(source: Source) -> Iterator[str]:
    """Yield a file's text in blocks of any length; gzip is undone, and a byte-order mark left out.

    Raises:
        InvalidParameter: The bytes are not of the encoding, hold NUL characters, or are damaged gzip.
    """
    blocks = _plain_blocks(source)
    first = b""
    for each in blocks:
        first += each
        if len(first) >= len(codecs.BOM_UTF8):
            break
    encoding, mark = _encoding_of(source, first)
    # ``utf-8-sig`` and the like would hide where an error lies, so the mark is cut off here.
    # What this one adds is that a line end of two characters never falls between two blocks.
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=False)
    done, line = len(mark), 1
    # No block waits for the next one, so that the rows of a slow pipe are answered as they come.
    for block in chain((first[len(mark) :],), blocks, (None,)):
        try:
            text = decoder.decode(block or b"", final=block is None)
        except UnicodeDecodeError as error:
            raise _undecodable(source, error, done + len(block or b""), (encoding, line)) from error
        except ValueError as error:
            raise _no_text(source, line, encoding) from error
        if "\0" in text:
            raise _nul(source, line + count_line_ends(text[: text.index("\0")]), encoding)
        done += len(block or b"")
        line += count_line_ends(text)
        if text:
            yield text


def count_line_ends(text: str) -> int:
    """Return how many lines end in a text."""
    return text.count("\n") if "\r" not in text else len(LINE_END.findall(text))


def lines(source: Source, blocks: Iterator[str]) -> Iterator[str]:
    r"""Yield the lines of text blocks, each with its end (``\n``, ``\r\n`` or ``\r``), the last one as it is.

    Args:
        source: The file, for messages.
        blocks: Its text; no ``\r\n`` falls between two of them.

    Raises:
        InvalidParameter: A line is longer than ``MAX_LINE_CHARS``.
    """
    pending: list[str] = []
    pending_chars, number = 0, 1
    for block in blocks:
        whole = _whole_lines(block)
        rest = block[sum(map(len, whole)) :]
        if whole:
            yield "".join((*pending, whole[0]))
            yield from whole[1:]
            pending, pending_chars, number = [], 0, number + len(whole)
        pending.append(rest)
        pending_chars += len(rest)
        if pending_chars > MAX_LINE_CHARS:
            raise source.wrong(
                "the line has more than {limit:,} characters. Is it a file of another kind? Name the right kind with "
                "--format.",
                number,
                limit=MAX_LINE_CHARS,
            )
    if pending_chars:
        yield "".join(pending)


def _whole_lines(block: str) -> list[str]:
    """Return the lines that end in a block."""
    if "\r" in block:
        return _LINE.findall(block)
    return [f"{line}\n" for line in block.split("\n")[:-1]]


def check_no_page(source: Source, beginning: str) -> None:
    """Make sure that a file is no page of HTML or XML, whose lines are no texts.

    Raises:
        InvalidParameter: It begins as one.
    """
    if _PAGES.match(beginning):
        raise source.wrong(
            "it is HTML or XML, as some programs save spreadsheets under the name .xls. Save it as CSV with the "
            "program that made it, and name that file; or add --format txt if each line of it is a text."
        )


def _plain_blocks(source: Source) -> Iterator[bytes]:
    """Yield a file's bytes, uncompressed where they begin as gzip does."""
    try:
        first = source.read1(_BLOCK_BYTES)
        while first and len(first) < len(_SPREADSHEETS[0]) and (more := source.read1(_BLOCK_BYTES)):
            first += more
        if first.startswith(_SPREADSHEETS):
            raise source.wrong(
                "it is a spreadsheet (Excel or the like) or another packed file, no text. Save it as CSV with the "
                "program that made it, and name that file."
            )
        if not first.startswith(_GZIP):
            yield first
            while block := source.read1(_BLOCK_BYTES):
                yield block
            return
        with gzip.GzipFile(fileobj=cast(BinaryIO, _Rejoined(first, source))) as unzipped:
            while block := unzipped.read1(_BLOCK_BYTES):
                yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise source.wrong("it is damaged gzip ({reason}). Fetch or compress it again.", reason=str(error)) from error
    except OSError as error:
        raise source.wrong("it cannot be read: {reason}. Name another file.", reason=reason(error)) from error


class _Rejoined:
    """What was read of a file already, and then the rest of it."""

    def __init__(self, first: bytes, source: Source) -> None:
        self._first = first
        self._source = source

    def read(self, size: int = _BLOCK_BYTES, /) -> bytes:
        taken, self._first = self._first[:size], self._first[size:]
        return taken or self._source.read1(size)


def _check_encoding(encoding: str) -> None:
    try:
        codecs.getincrementaldecoder(encoding)().decode(b"", final=True)
        is_text = isinstance("".encode(encoding), bytes)
    except (LookupError, UnicodeError, TypeError, ValueError):
        is_text = False
    if not is_text:
        raise InvalidParameter(
            "{value} is no encoding of text. Name one such as utf-8, cp1252 or utf-16.",
            {"parameter": "encoding", "value": encoding},
        )


def _encoding_of(source: Source, first: bytes) -> tuple[str, bytes]:
    """Return the encoding of a file, and the byte-order mark with which it begins."""
    marked = next(((encoding, mark) for mark, encoding in _MARKS if first.startswith(mark)), None)
    if source.encoding is None:
        return marked or ("utf-8", b"")
    wanted = codecs.lookup(source.encoding).name
    if marked is not None and marked[0].startswith(wanted.removesuffix("-sig")):
        return marked
    return wanted, b""


def _undecodable(source: Source, error: UnicodeDecodeError, end: int, place: tuple[str, int]) -> InvalidParameter:
    """Return an error that says which byte it is.

    Args:
        source: The file.
        error: What the decoder said; it may hold bytes from before the last block.
        end: Where the last block ends in the file's bytes.
        place: The encoding, and the line with which the last block begins.
    """
    encoding, line = place
    offset = end - len(error.object) + error.start
    with suppress(ValueError):
        line += count_line_ends(error.object[: error.start].decode(encoding, "ignore"))
    advice = (
        "Name its encoding, often --encoding cp1252, or save the file as UTF-8."
        if encoding == "utf-8"
        else "Name its real encoding with --encoding."
    )
    return source.wrong(
        f"the byte 0x{{byte:02x}} at offset {{offset}} is not {{encoding}}. {advice}",
        line,
        byte=error.object[error.start],
        offset=offset,
        encoding=encoding.upper(),
    )


def _no_text(source: Source, line: int, encoding: str) -> InvalidParameter:
    """Return an error for bytes that an encoding refuses as a whole, such as UTF-16 without a byte-order mark."""
    if encoding in ("utf-16", "utf-32"):
        return source.wrong(
            "it does not begin with a byte order mark, so it is not clear how {encoding} orders its bytes. Name "
            "--encoding {encoding}-le, as Windows writes it, or --encoding {encoding}-be.",
            encoding=encoding,
        )
    return source.wrong("it is not {encoding}. Name its real encoding with --encoding.", line, encoding=encoding)


def _nul(source: Source, line: int, encoding: str) -> InvalidParameter:
    advice = "If it is UTF-16, add --encoding utf-16-le." if encoding == "utf-8" else "Remove it."
    return source.wrong(f"there is a NUL character, which no text has. Is it a text file? {advice}", line)
