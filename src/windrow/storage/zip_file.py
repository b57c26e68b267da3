"""Writes a few files to a zip archive that any tool opens, and reads one from an untrusted source.

Knows nothing of what the files hold: every check of the zip format itself is made here.
"""

import io
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import BinaryIO

from windrow.domain.errors import InvalidArchive

# Source of the layout: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 (before each file), 4.3.12 (directory), 4.3.16 (end).
_BEFORE = struct.Struct("<4s5H3I2H")
_LISTED = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_BEFORE_MARK, _LISTED_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x2041  # bits 0, 6 and 13
_STREAMED = 0x0008  # the sizes follow the content
_HARMLESS = 0x0806  # how hard it was packed, and names in UTF-8
_IN_ZIP64_16, _IN_ZIP64_32 = 0xFFFF, 0xFFFFFFFF
_FOLDER = 0x10  # in the attributes of DOS

_MADE_BY, _NEEDED = 0x0314, 20  # on Unix, by version 2.0 of the format
_MODE = (stat.S_IFREG | 0o644) << 16
_TIME, _DATE = 0, 0x21  # 1980-01-01, the first that a zip can say: equal contents give equal bytes

_MAX_ENTRIES = 16
_MAX_COMMENT_BYTES = 0xFFFF
_CHUNK_BYTES = 2**18
_MAX_TEXT_CHARS = 300
_AGAIN = "Export the classifier again and give that file as it is."


@dataclass(frozen=True, slots=True, eq=False)
class Zip:
    """A zip that is to be sent or saved.

    Args:
        size_bytes: Its size.
        chunks: Its bytes, in pieces, to be taken once.
    """

    size_bytes: int
    chunks: Iterator[bytes]


def write_zip(contents: Mapping[str, bytes | Sequence[bytes | memoryview]]) -> Zip:
    """Return files as a zip, in their order and as they are: uncompressed, so that a search of the zip sees all of it.

    Args:
        contents: By name, in ASCII, whole or in pieces; less than 4 GiB in all.
    """
    pieces: list[bytes | memoryview] = []
    directory: list[bytes] = []
    at = 0
    for name, content in contents.items():
        parts = (content,) if isinstance(content, bytes) else content
        size, crc32 = sum(map(len, parts)), reduce(lambda crc, part: zlib.crc32(part, crc), parts, 0)
        about = (_NEEDED, 0, _STORED, _TIME, _DATE, crc32, size, size, len(name), 0)
        before = _BEFORE.pack(_BEFORE_MARK, *about) + name.encode("ascii")
        directory.append(_LISTED.pack(_LISTED_MARK, _MADE_BY, *about, 0, 0, 0, _MODE, at) + name.encode("ascii"))
        pieces += before, *parts
        at += len(before) + size
    count, listed = len(directory), b"".join(directory)
    pieces += listed, _END.pack(_END_MARK, 0, 0, count, count, len(listed), at, 0)
    return Zip(sum(map(len, pieces)), _chunks(pieces))


def read_zip(file: BinaryIO, most_bytes: Mapping[str, int], max_bytes: int) -> dict[str, bytes]:
    """Return the files of a stranger's zip; nothing is written, and no more is read than the zip may hold.

    Every byte must belong to one file, to the directory or to the end, in this order: so no two programs can see
    different files in it. What the directory says of a file must stand before its content too.

    Args:
        file: The zip, open for reading at any place.
        most_bytes: Which files it may hold, and how large each may be.
        max_bytes: How large the zip, and its files together, may be.

    Raises:
        InvalidArchive: It is no such zip.
    """
    size_bytes = file.seek(0, io.SEEK_END)
    if size_bytes == 0:
        raise refused("not_a_zip", "is empty", "Give the exported file itself.")
    if size_bytes > max_bytes:
        raise _too_large(size_bytes, max_bytes)
    directory_at, count = _read_end(file, size_bytes)
    directory = _read(file, directory_at, size_bytes - _END.size - directory_at)
    entries = _read_directory(directory, count)
    _check_names(entries, most_bytes)
    _check_sizes(entries, most_bytes, max_bytes)
    contents: dict[str, bytes] = {}
    at = 0
    for entry in sorted(entries, key=lambda entry: entry.at):
        _check_border(at, entry.at)
        at = _content_at(file, entry, directory_at)
        contents[entry.display_name] = _unpacked(entry, _read(file, at, entry.packed_bytes))
        at += entry.packed_bytes
    _check_border(at, directory_at)
    return contents


def refused(problem: str, what: str, advice: str = _AGAIN, **facts: object) -> InvalidArchive:
    """Return the error for a file that is no export.

    Args:
        problem: A stable word for programs.
        what: What is wrong, as the end of a sentence; a stranger's words in it are cut and made printable.
        advice: What to do.
        **facts: Further facts.
    """
    text = what.encode(errors="backslashreplace").decode()
    if len(text) > _MAX_TEXT_CHARS:
        text = f"{text[:_MAX_TEXT_CHARS]}\N{HORIZONTAL ELLIPSIS}"
    return InvalidArchive("The file {why}. {advice}", {"problem": problem, "why": text, "advice": advice, **facts})


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the directory says of a file."""

    name: bytes
    flags: int
    method: int
    crc32: int
    packed_bytes: int
    size_bytes: int
    at: int

    @property
    def display_name(self) -> str:
        return self.name.decode("ascii", "backslashreplace")


def _chunks(pieces: list[bytes | memoryview]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _CHUNK_BYTES):
            yield bytes(piece[start : start + _CHUNK_BYTES])


def _read_end(file: BinaryIO, size_bytes: int) -> tuple[int, int]:
    """Return where the directory begins, and how many files it lists."""
    end = _read(file, max(0, size_bytes - _END.size), _END.size)
    if len(end) < _END.size or not end.startswith(_END_MARK):
        raise _without_end(file, size_bytes)
    _, disk, directory_disk, count_here, count, directory_bytes, directory_at, comment_bytes = _END.unpack(end)
    if comment_bytes:
        raise refused("truncated", "ends before its comment does")
    if _IN_ZIP64_16 in (disk, directory_disk, count_here, count) or _IN_ZIP64_32 in (directory_bytes, directory_at):
        raise refused("zip64", "is a zip of the 64-bit kind, which no export is")
    if disk or directory_disk or count_here != count:
        raise refused("split", "is one part of a zip that was split")
    if count > _MAX_ENTRIES:
        raise refused("too_many_entries", f"holds {count} files; an export holds two or three")
    _check_border(directory_at + directory_bytes, size_bytes - _END.size)
    return directory_at, count


def _without_end(file: BinaryIO, size_bytes: int) -> InvalidArchive:
    """Say why the last bytes of a file are not a zip's."""
    last = _read(file, max(0, size_bytes - _END.size - _MAX_COMMENT_BYTES), _END.size + _MAX_COMMENT_BYTES)
    if 0 <= last.rfind(_END_MARK) <= len(last) - _END.size:
        return refused("trailing_data", "has a comment or other bytes after the end of the zip")
    if _read(file, 0, len(_BEFORE_MARK)) == _BEFORE_MARK:
        return refused("truncated", "is cut off", "Give the whole file.")
    return refused("not_a_zip", "is no zip, as each export is")


def _read_directory(directory: bytes, count: int) -> list[_Entry]:
    entries = []
    at = 0
    for _ in range(count):
        listed = directory[at : at + _LISTED.size]
        if len(listed) < _LISTED.size or not listed.startswith(_LISTED_MARK):
            raise refused("damaged", "has a directory that cannot be read")
        _, _, _, flags, method, _, _, crc32, packed_bytes, size_bytes, *rest = _LISTED.unpack(listed)
        name_bytes, extra_bytes, comment_bytes, disk, _, attributes, offset = rest
        at += _LISTED.size
        name = directory[at : at + name_bytes]
        at += name_bytes
        _check_plain(name, extra_bytes + comment_bytes)
        entry = _Entry(name, flags, method, crc32, packed_bytes, size_bytes, offset)
        _check_kind(entry, disk, attributes)
        entries.append(entry)
    if at != len(directory):
        raise refused("damaged", "has a directory of another length than it says")
    return entries


def _check_plain(name: bytes, more_bytes: int) -> None:
    """Refuse extra fields and comments: some programs take a file's name from there."""
    if more_bytes:
        raise refused("hidden_data", f"holds extra fields or a comment of {name.decode('ascii', 'backslashreplace')}")


def _check_kind(entry: _Entry, disk: int, attributes: int) -> None:
    is_zip64 = disk == _IN_ZIP64_16 or _IN_ZIP64_32 in (entry.packed_bytes, entry.size_bytes, entry.at)
    is_file = stat.S_IFMT(attributes >> 16) in (0, stat.S_IFREG) and not attributes & _FOLDER
    unknown_flags = entry.flags & ~(_ENCRYPTED | _STREAMED | _HARMLESS)
    for is_so, problem, what in (
        (is_zip64, "zip64", "whose sizes take 64 bits"),
        (disk, "split", "which lies in another part of a split zip"),
        (entry.flags & _ENCRYPTED, "encrypted", "which is encrypted"),
        (entry.flags & _STREAMED, "streamed", "whose sizes stand after it"),
        (unknown_flags, "unknown_feature", f"which needs the unknown feature {unknown_flags:#06x}"),
        (entry.method not in (_STORED, _DEFLATED), "unknown_compression", f"which is packed by method {entry.method}"),
        (not is_file, "not_a_file", "which is a link, a folder or a device"),
    ):
        if is_so:
            raise refused(problem, f"holds {entry.display_name!r}, {what}")


def _check_names(entries: list[_Entry], known: Mapping[str, int]) -> None:
    for entry in entries:
        if entry.display_name not in known:
            is_path = any(mark in entry.name for mark in (b"/", b"\\", b":", b"\0")) or entry.name in (b"", b".", b"..")
            problem, kind = ("unsafe_path", "path") if is_path else ("unknown_entry", "file")
            raise refused(problem, f"holds the {kind} {entry.display_name!r}; an export holds only {', '.join(known)}")
    if len({entry.name for entry in entries}) < len(entries):
        raise refused("duplicate_entry", "holds two files of one name")


def _check_sizes(entries: list[_Entry], most_bytes: Mapping[str, int], max_bytes: int) -> None:
    if (size_bytes := sum(entry.size_bytes for entry in entries)) > max_bytes:
        raise _too_large(size_bytes, max_bytes)
    for entry in entries:
        if entry.size_bytes > (limit := most_bytes[entry.display_name]):
            raise refused(
                "entry_too_large", f"holds {entry.display_name} of {entry.size_bytes} bytes; at most {limit} may be"
            )


def _check_border(end: int, start: int) -> None:
    """Refuse two neighbours unless the first ends where the second starts."""
    if end > start:
        raise refused("overlap", "has parts that lie over each other")
    if end < start:
        raise refused("hidden_data", "has bytes that belong to none of its files")


def _content_at(file: BinaryIO, entry: _Entry, directory_at: int) -> int:
    """Return where a file's content begins, once what stands before it is what the directory says."""
    before = _read(file, entry.at, _BEFORE.size)  # whole, since directory and end are larger and come after it
    if not before.startswith(_BEFORE_MARK):
        raise refused("header_mismatch", f"has no {entry.display_name} where its directory says")
    _, _, flags, method, _, _, crc32, packed_bytes, size_bytes, name_bytes, extra_bytes = _BEFORE.unpack(before)
    name_at = entry.at + _BEFORE.size
    name = _read(file, name_at, name_bytes)
    _check_plain(name, extra_bytes)
    if _Entry(name, flags, method, crc32, packed_bytes, size_bytes, entry.at) != entry:
        raise refused(
            "header_mismatch", f"says of {entry.display_name} one thing in its directory and another before it"
        )
    content_at: int = name_at + name_bytes
    if content_at + packed_bytes > directory_at:
        raise refused("overlap", "has parts that lie over each other")
    return content_at


def _unpacked(entry: _Entry, packed: bytes) -> bytes:
    content, is_whole = packed, True
    if entry.method == _DEFLATED:
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = unpacking.decompress(packed, entry.size_bytes + 1)
        except zlib.error as error:
            raise refused("damaged", f"holds {entry.display_name}, which cannot be unpacked ({error})") from error
        is_whole = unpacking.eof and not unpacking.unused_data
    if len(content) != entry.size_bytes or not is_whole:
        raise refused("wrong_size", f"holds {entry.display_name} of another size than it says")
    if zlib.crc32(content) != entry.crc32:
        raise refused("wrong_checksum", f"holds {entry.display_name}, whose checksum is wrong")
    return content


def _read(file: BinaryIO, at: int, size_bytes: int) -> bytes:
    file.seek(at)
    return file.read(size_bytes)


def _too_large(size_bytes: int, max_bytes: int) -> InvalidArchive:
    advice = "Raise WINDROW_MAX_IMPORT_BYTES where it is to be imported."
    what = f"has {size_bytes} bytes, or unpacks to them; at most {max_bytes} may be"
    return refused("too_large", what, advice, limit=max_bytes, setting="WINDROW_MAX_IMPORT_BYTES")
