"""Find the columns of an open file by their names; what is missing or not clear is an error that names the file."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Final

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files.columns import (
    Columns,
    FoundColumns,
    UnresolvedColumn,
    find_columns,
    listed,
    look_for_columns,
    names_label_columns,
)
from windrow.files.decoding import Source
from windrow.files.delimited import NumberedRow
from windrow.files.formats.label_place import LOOKED_AT_ROWS, LabelPlace, find_label_place
from windrow.files.json_values import shown_value
from windrow.files.label_hints import find_label_hints
from windrow.files.row_ids import find_id_column

# So many rows tell what the cells of a column look like.
_HINTED_ROWS: Final = 1_000
# A text, and a label.
_FEWEST_COLUMNS: Final = 2


def columns_of(source: Source, names: Sequence[str], options: ReadOptions, *, labelled: bool) -> Columns:
    """Return the text and label columns among a file's columns.

    Raises:
        InvalidFile: One of them is missing or ambiguous.
    """
    try:
        return find_columns(names, options, labelled=labelled)
    except UnresolvedColumn as error:
        raise source.error(f"{error.template}.", None, **error.facts) from error


def place_labels(
    names: Sequence[str], rows: Iterator[NumberedRow], options: ReadOptions
) -> tuple[LabelPlace | None, Iterator[NumberedRow]]:
    """Return where text and label stand in a table of which the user said that it has no header, and all its rows.

    Args:
        names: Its columns, which are called by their numbers.
        rows: Its rows.
        options: The read options; where they name a column, nothing is looked at.
    """
    is_named = options.text_column or options.label_column or names_label_columns(options)
    if options.header is not False or is_named or len(names) < _FEWEST_COLUMNS:
        return None, rows
    first = list(islice(rows, LOOKED_AT_ROWS))
    cells = [[shown_value(value) for value in values.values()] for _, values in first]
    return find_label_place(cells), chain(first, rows)


def id_column_of(
    source: Source, names: Sequence[str], options: ReadOptions, columns: Columns | FoundColumns
) -> str | None:
    """Return the column by which rows are known; ``None`` where there is none.

    Raises:
        InvalidFile: There is no column of the name that the user gave.
    """
    taken = (*columns.text, columns.label or "", *(() if columns.labels is None else columns.labels.names))
    try:
        return find_id_column(names, options.id_column, taken)
    except UnresolvedColumn as error:
        raise source.error(f"{error.template}.", None, **error.facts) from error


def no_split_column(source: Source, column: str, names: Sequence[str]) -> InvalidFile:
    """Return the error for a column of splits that a file does not have."""
    words = "there is no column {column!r}; there is {names}. Correct {arg:split_column}, or leave it out."
    return source.error(words, None, column=column, names=listed(names), parameter="split_column")


def with_hints(
    error: InvalidFile, names: Sequence[str], options: ReadOptions, rows: Iterator[NumberedRow]
) -> InvalidFile:
    """Return the error for labels that are not found, with the columns that may hold them."""
    texts = look_for_columns(names, options).text
    cells: dict[str, set[str]] = {name: set() for name in names if name not in texts}
    with suppress(InvalidFile):  # what is wrong with a row, the next reading tells
        for _, values in islice(rows, _HINTED_ROWS):
            for name, seen in cells.items():
                seen.update(filter(None, (shown_value(values.get(name)).strip(),)))
    hints = list(find_label_hints(cells))
    template = " ".join([error.template, *(hint.template for hint in hints)])
    return InvalidFile(template, {**error.facts, **{name: each for hint in hints for name, each in hint.facts.items()}})
