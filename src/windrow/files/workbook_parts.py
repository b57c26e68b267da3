"""Unpack what is read of a workbook (.xlsx) into memory, within limits, before anything else looks at it.

A few kilobytes may unpack to gigabytes, and two cells far apart span billions of empty ones. Standard library only.
"""

import io
import re
import zipfile
from collections.abc import Collection, Iterator
from typing import Final

from windrow.domain.errors import LimitExceeded
from windrow.files.decoding import Source
from windrow.files.formats.beginning import UNREADABLE_ZIP, ZIP_MAGIC, head_of, is_seekable

COMPOUND_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The most that a workbook holds, packed and unpacked; a million rows with two short columns take a third.
MAX_BYTES: Final = 1 << 28
# The most cells of a sheet, the empty ones between others too, of which each takes 32 bytes.
MAX_CELLS: Final = 1 << 23
# More files in it have no rows: they are pictures, comments and the like.
_MAX_PARTS: Final = 10_000
_BLOCK_BYTES: Final = 1 << 16
_WORKBOOK: Final = "xl/workbook.xml"
# Folders with files that hold no cells.
_NO_CELLS: Final = re.compile(
    r"xl/(?:media|drawings|charts|theme|embeddings|pivotCache|pivotTables|externalLinks|printerSettings|ctrlProps"
    r"|calcChain|comments|threadedComments|persons|richData|customXml|queryTables|slicers|webextensions)",
    re.IGNORECASE,
)
# By which file in it a packed document is known, in lower case, and what it is.
_KINDS: Final = {
    _WORKBOOK: "a workbook (.xlsx)",
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument file (.ods or the like)",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a presentation",
    "index/document.iwa": "a document of Numbers or Pages",
}
_SAVE_AS: Final = "Save it as .xlsx or CSV with the program that made it, and use that file."
# A number of things that follow, for which the reader sets room aside before it has seen any; and any tag.
_LONG_COUNT: Final = re.compile(rb"""ount\s*+=\s*+["'][^"']{8}""")
_ANY_TAG: Final = re.compile(rb"""<[^\s<>/!?]++(?:"[^"]*+"|'[^']*+'|[^"'<>])*+""")
# The tag at which a row or a cell begins, with the place that it names, and how it ends. One that names its place twice
# or not as Excel does has no end here: a reader may take another of two places, or wrap a number around.
_OTHER_ATTRIBUTES: Final = rb"""(?:\s++(?!r\s*+=)[^\s=<>"']++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'))*+"""
_TAG: Final = re.compile(
    rb"""<(?:[^\s<>/!?:]++:)?(?:(c)|row)(?=[\s/>])(?:"""
    + _OTHER_ATTRIBUTES
    + rb"""(?:\s++r\s*+=\s*+["']([A-Za-z]{0,3})([1-9][0-9]{0,8})["'])?+"""
    + _OTHER_ATTRIBUTES
    + rb"""\s*+(/?>))?"""
)
# A cell with an error, of which the reader would say nothing.
_ERROR_CELL: Final = re.compile(rb"""(<(?:[^\s<>/!?:]+:)?c\s(?:[^<>]*?\s)?t\s*=\s*["'])e(?=["'])""")


def is_spreadsheet(source: Source, format_: str | None) -> bool:
    """Whether a file is a workbook or a spreadsheet of another kind, by its bytes; nothing of it is read.

    Args:
        source: The file.
        format_: What the user says that it is; ``None`` to tell it from the file.
    """
    if format_ is not None:
        return format_ == "xlsx"
    head = head_of(source)
    if head.startswith(COMPOUND_MAGIC):
        return True
    if not head.startswith(ZIP_MAGIC):
        return False
    if not is_seekable(source.file):
        return True  # no other zip file can be read from a pipe
    start = source.file.tell()
    try:
        with zipfile.ZipFile(source.file) as archive:
            return _kind_of(_names_in(archive)) is not None
    except UNREADABLE_ZIP:
        return source.name.lower().endswith((".xlsx", ".xlsm"))
    finally:
        source.file.seek(start)


def read_packed(source: Source) -> bytes:
    """Return all bytes of a file.

    Raises:
        InvalidFile: It is larger than any workbook.
        LimitExceeded: It is larger than the source's limit.
    """
    packed = io.BytesIO()
    while block := source.read1(_BLOCK_BYTES):
        packed.write(block)
        _check_size(source, packed.tell())
    return packed.getvalue()


def unpack(source: Source, packed: bytes) -> bytes:
    """Return a workbook as a zip file that is not compressed, and holds nothing but its cells and their styles.

    Args:
        source: The file, for messages.
        packed: Its bytes.

    Raises:
        InvalidFile: It is another kind of file, damaged or encrypted, or has far too many cells.
        LimitExceeded: It holds more than the source's limit.
    """
    checked = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive, zipfile.ZipFile(checked, "w") as kept:
            if (kind := _kind_of(_names_in(archive))) != _WORKBOOK:
                raise _another_kind(source, kind)
            num_bytes = 0
            for part in _parts_with_cells(source, archive):
                num_bytes += part.file_size
                _check_size(source, num_bytes)
                content = archive.read(part)
                if _LONG_COUNT.search(content) and any(
                    _LONG_COUNT.search(tag[0]) for tag in _ANY_TAG.finditer(content)
                ):
                    raise damaged(source, "a count in it is too large")
                if b"<sheetData" in content or b":sheetData" in content:
                    _check_cells(source, content)
                    if b'"e"' in content or b"'e'" in content:
                        content = _ERROR_CELL.sub(rb"\1str", content)
                kept.writestr(zipfile.ZipInfo(part.filename), content)
    except UNREADABLE_ZIP as error:
        raise damaged(source, str(error)) from error
    except RuntimeError as error:  # the zip file itself has a password
        raise _encrypted(source) from error
    return checked.getvalue()


def compound_error(source: Source, packed: bytes) -> Exception:
    """Return the error for a file of the old form, which is a binary spreadsheet or an encrypted workbook."""
    if "EncryptedPackage".encode("utf-16-le") in packed:
        return _encrypted(source)
    return source.error(
        f"it is a spreadsheet of Excel 97 (.xls) or another old Office document. {_SAVE_AS}", parameter="format"
    )


def _encrypted(source: Source) -> Exception:
    """Return the error for a workbook with a password."""
    return source.error("it is encrypted with a password. Save it without one, or as CSV, and use that file.")


def damaged(source: Source, why: str) -> Exception:
    """Return the error for a workbook that cannot be read."""
    return source.error(
        "it is a damaged workbook ({reason}). Fetch it again, or open it in Excel, save it as .xlsx or CSV, and use "
        "that file.",
        reason=why.strip().rstrip(".") or "it ends too early",
    )


def _names_in(archive: zipfile.ZipFile) -> set[str]:
    return {each.filename.replace("\\", "/").lstrip("/").lower() for each in archive.infolist()}


def _kind_of(names: Collection[str]) -> str | None:
    """Return the file by which a packed document is known; ``None`` where it is no document."""
    return next((name for name in _KINDS if name in names), None)


def _another_kind(source: Source, kind: str | None) -> Exception:
    if kind is None:
        return source.error(
            "it is a packed file without a workbook in it. Unpack it, and name a file with rows.", parameter="format"
        )
    return source.error(f"it is {{kind}}. {_SAVE_AS}", kind=_KINDS[kind], parameter="format")


def _parts_with_cells(source: Source, archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    parts = archive.infolist()
    if len(parts) > _MAX_PARTS:
        raise damaged(source, f"it has {len(parts):,} parts")
    seen: set[str] = set()
    for part in parts:
        name = part.filename.replace("\\", "/").lstrip("/")
        if not name.lower().endswith((".xml", ".rels")) or _NO_CELLS.match(name):
            continue
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise damaged(source, f"{name!r} is packed in an unusual way")
        if name in seen:
            raise damaged(source, f"{name!r} is in it twice")
        seen.add(name)
        yield part


def _check_size(source: Source, num_bytes: int) -> None:
    if source.limit is not None and num_bytes > source.limit[0]:
        limit, setting = source.limit
        raise LimitExceeded(
            "{file}: it has more than {limit} bytes once it is unpacked; more are not taken here. Save it as CSV, "
            "which is smaller, {send} less, or raise {setting}.",
            {"file": source.name, "limit": limit, "setting": setting},
        )
    if num_bytes > MAX_BYTES:
        raise source.error(
            "it has more than {limit:,} bytes once it is unpacked, too much for a workbook. Save it as CSV, which is "
            "read row by row, and use that file.",
            limit=MAX_BYTES,
        )


def _check_cells(source: Source, sheet: bytes) -> None:
    """Refuse a sheet whose cells span too many, the empty ones included, since each takes room."""
    num_rows, num_columns = _extent(source, sheet)
    if num_rows * num_columns > MAX_CELLS:
        raise source.error(
            "a sheet spans {rows:,} rows and {columns:,} columns, more than {limit:,} cells. Clear what stands far "
            "from the others, or save the sheet as CSV, and use that file.",
            rows=num_rows,
            columns=num_columns,
            limit=MAX_CELLS,
        )


def _extent(source: Source, sheet: bytes) -> tuple[int, int]:
    """Return how many rows and columns a sheet has, counted from its first ones; cells may leave out their places."""
    num_rows = num_columns = row = column = 0
    numbers = _ColumnNumbers()
    for tag in _TAG.finditer(sheet):
        is_cell, letters, digits, end = tag.groups()
        if end is None or (digits and bool(letters) != bool(is_cell)):
            raise damaged(source, "a row or a cell in it is no XML, or says not where it stands")
        if is_cell is None:
            row, column = int(digits) if digits else row + 1, 0
            num_rows = max(num_rows, row)
            continue
        column = numbers[letters] if letters else column + 1
        num_columns = max(num_columns, column)
        if digits and int(digits) > num_rows:
            num_rows = int(digits)
    return num_rows, num_columns


class _ColumnNumbers(dict[bytes, int]):
    """The numbers of columns, from 1, by their letters."""

    def __missing__(self, letters: bytes) -> int:
        number = 0
        for letter in letters.upper():
            number = number * 26 + letter - ord("A") + 1
        self[letters] = number
        return number
