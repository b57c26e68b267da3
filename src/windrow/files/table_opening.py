"""Tell the format of an open table from its name and its beginning, and begin to read its rows."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final

from windrow.domain.read_options import Format, ReadOptions
from windrow.files.columns import (
    Evidence,
    UnresolvedColumn,
    find_columns,
    header_evidence,
)
from windrow.files.decoding import (
    LINE_END,
    STANDARD_INPUT,
    Source,
    check_not_markup,
    text_blocks,
)
from windrow.files.delimited import NamedRows, NumberedRow, name_cells
from windrow.files.format_detection import detect_format, detect_txt_format
from windrow.files.format_mismatch import NOTHING, check_kind, check_plain_format, plain_format
from windrow.files.nested_values import asked_paths, found_paths
from windrow.files.plain_rows import read_plain_rows
from windrow.files.workbook import read_workbook
from windrow.files.workbook_parts import is_spreadsheet

_FORMATS: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".tab": "tsv",
    ".text": "txt",
    ".tsv": "tsv",
    ".txt": "txt",
}
# A longer first line is taken for one JSON document.
_MAX_BEGINNING_CHARS = 1 << 20


def open_rows(
    source: Source,
    path: Path | str,
    options: ReadOptions,
    *,
    labelled: bool,
    blocks: Iterator[str] | None = None,
) -> tuple[Format, tuple[str, ...], Iterator[NumberedRow]]:
    """Detect the format of an open file from its beginning.

    Args:
        source: The file.
        path: What it is called; its ending says what it is.
        options: The read options that the user gave.
        labelled: Whether the rows must have labels.
        blocks: Its text, where somebody has begun to read it.

    Returns:
        The format; the columns, which are those of the first row, or of the header without rows; and the rows.

    Raises:
        InvalidFile: It is no table, is empty, or it is not clear what it is.
        LimitExceeded: It is larger than the source's limit.
    """
    asked = plain_format(options.format)
    if asked is not None and blocks is None:
        check_kind(source, asked)
    if is_spreadsheet(source, options.format):
        return _open_workbook(source, options, labelled=labelled)
    check_needs_no_sheet(source, options)
    blocks = text_blocks(source) if blocks is None else blocks
    format_ = options.format or _format_by_extension(path)
    first_blocks = _beginning(blocks, is_line_needed=format_ in (None, "txt"))
    beginning = "".join(first_blocks)
    if not beginning.strip():
        raise source.error(NOTHING)
    # Block by block again: millions of blank lines at once would take many times their room.
    blocks = chain(first_blocks, blocks)
    if (said := plain_format(format_)) is not None:
        check_plain_format(source, said, beginning)
    if options.format is None:
        check_not_markup(source, beginning)
        if format_ is None:
            format_ = detect_format(source, beginning, options, labelled=labelled)
        elif format_ == "txt":
            format_ = detect_txt_format(source, beginning, options, labelled=labelled)
    if labelled and format_ == "txt":
        raise source.error("plain text has no labels. Name a file with a column of labels, such as CSV or JSONL.")
    assert format_ is not None
    format_, names, rows = _begun(format_, read_plain_rows(source, blocks, replace(options, format=format_), labelled))
    if not isinstance(rows, chain) or not (paths := asked_paths(options)):
        return format_, names, rows
    first = next(rows)
    return format_, (*names, *found_paths(first[1], paths)), chain((first,), rows)


def check_needs_no_sheet(source: Source, options: ReadOptions) -> None:
    """Refuse the name of a sheet where the file is no workbook.

    Raises:
        InvalidFile: A sheet was named.
    """
    if options.sheet is not None:
        words = "it is no workbook, so it has no sheet {sheet}. Leave out {arg:sheet}, or name a workbook."
        raise source.error(words, parameter="sheet", sheet=options.sheet)


def _open_workbook(
    source: Source, options: ReadOptions, *, labelled: bool
) -> tuple[Format, tuple[str, ...], Iterator[NumberedRow]]:
    """Choose the sheet of a workbook, and begin to read it; see :func:`open_rows`."""

    def has_columns(names: Sequence[str]) -> bool:
        if options.header is False or header_evidence(names, options) is Evidence.NONE:
            return False
        with suppress(UnresolvedColumn):
            return bool(find_columns(names, options, labelled=labelled))
        return False

    rows = read_workbook(source, options.sheet, has_columns)
    return _begun("xlsx", name_cells(source, rows, options, labelled=labelled))


def _begun(format_: Format, rows: Iterator[NumberedRow]) -> tuple[Format, tuple[str, ...], Iterator[NumberedRow]]:
    """Return a format, the columns of the first row or else of the header, and all rows."""
    if isinstance(rows, NamedRows):
        begun = next(rows.cells, None)
        return format_, rows.names, iter(()) if begun is None else replace(rows, cells=chain((begun,), rows.cells))
    first = next(rows, None)
    return (format_, (), iter(())) if first is None else (format_, tuple(first[1]), chain((first,), rows))


def _format_by_extension(path: Path | str) -> Format | None:
    if str(path) == STANDARD_INPUT:
        return None
    name = Path(path).name.lower().removesuffix(".gz")
    return _FORMATS.get(Path(name).suffix)


def _beginning(blocks: Iterator[str], *, is_line_needed: bool) -> list[str]:
    """Return the first blocks up to the first non-blank text, or to the end of its line if detection needs it."""
    parts: list[str] = []
    num_chars, is_blank = 0, True
    for block in blocks:
        parts.append(block)
        num_chars += len(block)
        line = block.lstrip() if is_blank else block
        if is_blank and line:
            is_blank = False
            if line[0] == "[":
                break
        if not is_blank and (not is_line_needed or LINE_END.search(line) or num_chars > _MAX_BEGINNING_CHARS):
            break
    return parts
