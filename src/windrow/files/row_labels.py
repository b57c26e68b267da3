"""Read the labels of a row that may have any number of them: a list, a text with separators, or columns of 1 and 0.

Knows nothing of files. What is wrong is a template and its facts, which whoever reads the file tells with the line.
"""

import ast
import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from windrow.codec.shape import is_too_deep
from windrow.domain.multi_label import MAX_LABELS_PER_ROW
from windrow.domain.read_options import ReadOptions
from windrow.files.columns import LabelColumns, names_label_columns

_INDICATED: Final[Mapping[object, bool]] = {
    **dict.fromkeys((1, "1", "1.0", "true"), True),
    **dict.fromkeys((0, "0", "0.0", "false"), False),
}
# In a text of labels: nobody has said yet which they are. An empty text says that there are none.
UNLABELLED: Final = "?"
# What stands between labels where a column that is called so is one text.
_LIKELY_SEPARATORS: Final = ";|,"
# A longer cell is no list of labels.
_MAX_LIST_CHARS: Final = 10_000
_REMOVE: Final = "Correct or remove that row."


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """What is wrong with the labels of a row.

    Args:
        template: A sentence about it.
        facts: What it names.
        parameter: The read option that decides it; ``None`` where the row is wrong.
    """

    template: str
    facts: Mapping[str, object]
    parameter: str | None = None


@dataclass(frozen=True, slots=True)
class UnnamedLabel:
    """A label that is to have a name, and has none.

    Args:
        label: The label as the file has it.
    """

    label: str


def name_label(value: object, names: Mapping[str, str]) -> object:
    """Return the name of a label; what is blank or no label stays as it is.

    Args:
        value: What the file has, or a whole number as 1.0, as programs write a column with gaps.
        names: The names by label.
    """
    if isinstance(value, float) and value.is_integer():
        value = str(int(value))
    if not isinstance(value, str) or not value.strip():
        return value
    label = value.strip()
    if label not in names and label.endswith(".0"):
        label = label.removesuffix(".0")
    return names.get(label, UnnamedLabel(value))


def read_labels(
    values: Mapping[str, object], where: LabelColumns, as_label: Callable[[object], object]
) -> list[object] | LabelProblem:
    """Return the labels of a row, each still to be checked.

    Args:
        values: All columns of the row.
        where: The columns with labels.
        as_label: Returns what a value says as a label.
    """
    if where.column is None:
        return _indicated(values, where)
    value = values.get(where.column)
    if not isinstance(value, list):
        value = _split(value, where)
    if isinstance(value, LabelProblem):
        return value
    if len(value) > MAX_LABELS_PER_ROW:
        words = f"{{column!r}} holds {{found}} labels; a row has at most {{limit}}. {_REMOVE}"
        return LabelProblem(words, {"column": where.column, "found": len(value), "limit": MAX_LABELS_PER_ROW})
    # A list in it is no label, not even one with a single value.
    return _distinct([each if isinstance(each, list) else as_label(each) for each in value], where.column)


def find_label_problem(
    value: object, column: str, options: ReadOptions, *, is_mixed: bool = False
) -> LabelProblem | None:
    """Return the problem with a value that is not, or may not be, one label.

    It is a list of another number of labels; or, in a column ``labels`` of which no option says what it holds, a text
    that may be several labels, or stands for labels that nobody has said yet.

    Args:
        value: What a row has in the column.
        column: The column with one label of each row.
        options: The read options; a column that they name holds what they say.
        is_mixed: Whether another row has a label that is no list, so that a list of several is wrong anyway.
    """
    is_guessed = not options.label_column and not names_label_columns(options)
    if isinstance(value, list) and len(value) != 1:
        facts = {"column": column, "found": len(value)}
        if is_mixed or not is_guessed:
            return LabelProblem(f"{{column!r}} holds {{found}} labels; a row has exactly one label. {_REMOVE}", facts)
        words = (
            "{column!r} holds {found} labels here. If rows have any number of labels, add "
            "{set:labels_column={column}}; if each has exactly one, correct or remove that row."
        )
        return LabelProblem(words, facts, "labels_column")
    if not is_guessed or not isinstance(value, str) or column.strip().casefold() != "labels":
        return None
    return _unlabelled(column) if value.strip() == UNLABELLED else _perhaps_several(value, column)


def _perhaps_several(value: str, column: str) -> LabelProblem | None:
    """Return the question about a text that may be several labels; ``None`` where it looks like one."""
    if _list_in(value) is not None:
        words = (
            "{column!r} holds lists of labels as text. If rows have any number of labels, add "
            "{set:labels_column={column}}; if the text is one label, add {set:label_column={column}}."
        )
        return LabelProblem(words, {"column": column}, "labels_column")
    separator = next((each for each in _LIKELY_SEPARATORS if each in value.strip().strip(each)), None)
    if separator is None:
        return None
    return LabelProblem(
        "{column!r} may hold several labels here. If it does, add {set:label_separator={separator}}; if it is one "
        "label, add {set:label_column={column}}.",
        {"column": column, "separator": separator},
        "label_separator",
    )


def is_indicator(value: object) -> bool:
    """Whether a value says that a row has a label, or that it does not have it."""
    return _indicator(value) is not None


def _indicator(value: object) -> bool | None:
    return _INDICATED.get(value.strip().casefold() if isinstance(value, str) else _number(value))


def _indicated(values: Mapping[str, object], where: LabelColumns) -> list[object] | LabelProblem:
    labels: list[object] = []
    for column in where.indicators:
        known = _indicator(values.get(column))
        if known is None:
            return LabelProblem(f"{{column!r}} holds neither 1 nor 0. {_REMOVE}", {"column": column})
        if known:
            labels.append(column)
    return labels


def _number(value: object) -> object:
    """Return a number, which 1.0 and true are as well as 1; ``None`` for anything else."""
    return value if isinstance(value, int | float) else None


def _split(value: object, where: LabelColumns) -> list[object] | LabelProblem:
    """Return the labels in a value that is no list."""
    if not isinstance(value, str):
        return LabelProblem(f"{{column!r}} holds no list of labels. {_REMOVE}", {"column": where.column})
    if (listed := _list_in(value)) is not None:
        return listed
    given = value.split(where.separator) if where.separator else [value]
    parts: list[object] = [part for part in map(str.strip, given) if part]
    if UNLABELLED in parts:
        return _unlabelled(where.column)
    if where.separator is not None or not parts:
        return parts
    return LabelProblem(
        "{column!r} holds a text, and it is not said what stands between two labels in it. Add "
        "{set:label_separator=;}, or whatever it is.",
        {"column": where.column},
        "label_separator",
    )


def _list_in(cell: str) -> list[object] | None:
    """Return the labels of a cell that holds a list, as JSON or as Python writes it; ``None`` for any other cell."""
    text = cell.strip()
    if not (text.startswith("[") and text.endswith("]")) or len(text) > _MAX_LIST_CHARS or is_too_deep(text):
        return None
    # Python warns of a backslash that its strings do not know.
    parsers = (json.loads,) if "\\" in text else (json.loads, ast.literal_eval)
    for parse in parsers:
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            found = parse(text)
            return found if isinstance(found, list) and all(map(_is_plain, found)) else None
    return None


def _is_plain(value: object) -> bool:
    """Return whether a value in a list may be a label, or be refused as one; what holds others makes no list of it."""
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _unlabelled(column: str | None) -> LabelProblem:
    words = (
        "{column!r} holds {unlabelled}, which stands where nobody has said yet which labels fit. Write the labels in "
        "its place, or nothing where none of them fits; or remove that row."
    )
    return LabelProblem(words, {"column": column, "unlabelled": UNLABELLED})


def _distinct(labels: list[object], column: str) -> list[object] | LabelProblem:
    seen: set[object] = set()
    for label in labels:
        if not isinstance(label, str):  # which is no label, and may not fit in a set
            continue
        if label in seen:
            words = f"{{column!r}} holds the label {{label!r}} more than once. {_REMOVE}"
            return LabelProblem(words, {"column": column, "label": label})
        seen.add(label)
    return labels
