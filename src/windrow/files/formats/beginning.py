"""Look at how a file begins, so that each format can say how sure it is; a slow pipe gives its first lines at once."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

from windrow.codec.strict import parse_value
from windrow.files.decoding import LINE_END, Source, text_blocks
from windrow.files.formats.form import Beginning

# What does not end within so many characters is not looked at any further.
MAX_BEGINNING_CHARS: Final = 1 << 20
_HEAD_BYTES: Final = 16
# How files begin that are no text but that a format may know: zip, Parquet, Arrow, and streams of Arrow.
ZIP_MAGIC: Final = b"PK\x03\x04"
_ZIP: Final = (ZIP_MAGIC, b"PK\x05\x06")
_BINARY: Final = (*_ZIP, b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
# What reading a zip file raises where it is damaged, which shows in many ways: a list of files may lead to a place
# before the beginning, which is a ValueError.
UNREADABLE_ZIP: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)


@dataclass(slots=True)
class BegunText:
    """The text of a file, of which the beginning has been read."""

    beginning: str
    """As much as was read; empty where the file is no text."""
    blocks: Iterator[str]
    """The whole text, the beginning too, in blocks."""


def head_of(source: Source) -> bytes:
    """Return the first bytes of a file without taking them, at least one of a pipe that gives so few at once."""
    file = source.file
    if is_seekable(file):
        start = file.tell()
        head = file.read(_HEAD_BYTES)
        file.seek(start)
        return head
    peek = getattr(file, "peek", None)
    return b"" if peek is None else bytes(peek(_HEAD_BYTES)[:_HEAD_BYTES])


def is_seekable(file: BinaryIO) -> bool:
    """Return whether a file can be read from any place, as a pipe cannot."""
    return hasattr(file, "seekable") and file.seekable()


def is_zip(head: bytes) -> bool:
    """Return whether a file begins as zip files do."""
    return head.startswith(_ZIP)


def begin_text(source: Source, head: bytes) -> BegunText:
    """Read the beginning of a text: its first line, and the first JSON value where it is JSON.

    Raises:
        InvalidFile: The bytes are no text.
        LimitExceeded: It is larger than the source's limit.
    """
    if head.startswith(_BINARY):
        return BegunText("", text_blocks(source))  # which says what it is, when it is read
    blocks = text_blocks(source)
    read: list[str] = []
    text, is_blank, size = "", True, 0
    for block in blocks:
        # Block by block: millions of blank lines at once would take many times their room.
        read.append(block)
        is_blank = is_blank and not block.strip()
        size += len(block)
        if size > MAX_BEGINNING_CHARS:
            break
        # Twice as much each time, so that a long value is not looked at over and over.
        if not is_blank and size >= 2 * len(text):
            text = "".join(read)
            if _has_begun(text):
                break
    return BegunText("".join(read)[:MAX_BEGINNING_CHARS].lstrip("\r\n"), chain(read, blocks))


def beginning_of(name: str, text: str, head: bytes = b"", member_names: tuple[str, ...] = ()) -> Beginning:
    """Return what formats are told of a file.

    Args:
        name: What it is called.
        text: The beginning of its text.
        head: Its first bytes.
        member_names: The files in it.
    """
    return Beginning(name, text, first_value(text), member_names, head)


def first_value(text: str) -> object:
    """Return the first JSON value in a text, of a list its first item; ``None`` where none is whole in it."""
    stripped = text.lstrip()
    if not stripped.startswith(("{", "[")):
        return None
    start = len(text) - len(stripped)
    if stripped[0] == "[":
        start += 1
        start += len(text[start:]) - len(text[start:].lstrip())
    with suppress(ValueError):
        return parse_value(text, start)[0]
    return None


def begins_with_line_of_json(text: str) -> bool:
    """Return whether the first line that is not blank is a whole JSON object, as in JSONL."""
    line = LINE_END.split(text.lstrip(), 1)[0].strip()
    if not line.startswith("{"):
        return False
    try:
        return parse_value(line)[1] == len(line)
    except json.JSONDecodeError:
        return False
    except ValueError:
        return True  # which is refused with its line


def _has_begun(text: str) -> bool:
    """Return whether enough of a text is known: its first line, and of JSON its first value."""
    stripped = text.lstrip()
    if stripped.startswith(("{", "[")):
        return first_value(text) is not None or begins_with_line_of_json(text)
    return LINE_END.search(stripped) is not None
