"""Read the rows of plain text, JSON, JSONL, CSV and TSV as objects, each with its line."""

from collections.abc import Generator, Iterator

from windrow.codec.strict import kind_of
from windrow.domain.characters import is_blank
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import Source
from windrow.files.delimited import NumberedRow, read_delimited
from windrow.files.json_values import json_lines, listed_values
from windrow.files.lines import filled_lines
from windrow.files.nested_values import NestedRow, asked_paths


def read_plain_rows(
    source: Source, blocks: Iterator[str], options: ReadOptions, labelled: bool
) -> Iterator[NumberedRow]:
    """Begin to read the rows of a table.

    Args:
        source: The file, for messages.
        blocks: Its text.
        options: The read options, with the format.
        labelled: Whether the rows must have labels.

    Returns:
        Each row with its line; at the end the columns, even of a file without rows, where it is CSV or TSV.

    Raises:
        InvalidFile: A row is wrong, and the source has no listener.
    """
    if options.format == "txt":
        return _read_plain(source, blocks)
    if options.format in ("json", "jsonl"):
        values = listed_values(source, blocks) if options.format == "json" else json_lines(source, blocks)
        objects = ((line, _as_object(source, line, value, labelled)) for line, value in values)
        as_row = NestedRow if asked_paths(options) else dict
        return ((line, as_row(row)) for line, row in objects if row is not None)
    return read_delimited(source, blocks, options, labelled=labelled)


def _as_object(source: Source, line: int, value: object, labelled: bool) -> dict[str, object] | None:
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and not labelled:
        return {"text": value}
    wanted = "an object with a text and a label" if labelled else "an object or a text"
    words = "a row is {kind}; it must be {wanted}. Correct or remove it."
    source.reject(words, line, kind=kind_of(value), wanted=wanted)
    return None


def _read_plain(source: Source, blocks: Iterator[str]) -> Generator[NumberedRow, None, None]:
    """Yield a text per line. A blank line is an empty text, except at the end of the file, where it is dropped."""
    done = 0
    for number, line in filled_lines(source, blocks):
        text = line.rstrip("\r\n")
        if is_blank(text):
            continue
        for before in range(done + 1, number):
            yield before, {"text": ""}
        done = number
        yield number, {"text": text}
