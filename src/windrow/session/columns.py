"""Columns: what people have in a notebook (lists, arrays, columns and tables of pandas or polars) as texts and rows.

No library of tables is ever imported: a column is known by what it can do.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from numbers import Integral
from typing import Any

from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidInput, InvalidParameter, InvalidTestData, InvalidText, InvalidTrainingData
from windrow.domain.figures import counted

# How a column says that it gives its values as a list: pandas and polars, NumPy, Arrow.
_AS_LIST = ("to_list", "tolist", "to_pylist")
# The methods that compute a lazy table or column: polars and Spark, Dask, Ibis.
_COMPUTING = ("collect", "compute", "execute")
_FIELDS = ("text", "label")
# What is raised where the values of a parameter cannot be used; the others are rows to judge by.
_REFUSALS: Mapping[str, type[InvalidInput]] = {
    "training_data": InvalidTrainingData,
    "texts": InvalidText,
    "model_names": InvalidParameter,
    "tags": InvalidParameter,
}


def read_rows(name: str, texts: Iterable[Any], labels: Iterable[Any] | None = None) -> tuple[Row, ...]:
    """Return labelled rows from two columns, or from rows or a table that have both.

    Args:
        name: The parameter that they are for (``training_data``).
        texts: A column of texts; without ``labels``, pairs ``(text, label)``, mappings with ``text`` and ``label``, or
            a table with columns of these names.
        labels: A column of labels, as long as ``texts``; whole numbers are taken as their text.

    Raises:
        InvalidInput: The form is none of these, the lengths differ, a value is missing or is no string;
            ``facts["row"]`` names the first such row, from 0.
    """
    check_computed(name, texts)
    if labels is None and _is_table(texts):
        texts, labels = (_column_of(name, texts, field) for field in _FIELDS)
    if labels is None:
        pairs = [_pair(name, number, row) for number, row in enumerate(read_values(name, texts))]
    else:
        columns = [read_values(name, column) for column in (texts, labels)]
        if len(columns[0]) != len(columns[1]):
            texts_and_labels = f"{counted(len(columns[0]), 'text')} and {counted(len(columns[1]), 'label')}"
            problem = f"has {texts_and_labels}. {{Send}} one label for each text."
            raise _refuse(name, problem, texts=len(columns[0]), labels=len(columns[1]))
        pairs = list(zip(*columns, strict=True))
    for number, pair in enumerate(pairs):
        for field, value in zip(_FIELDS, pair, strict=True):
            if not isinstance(value, str) and not (field == "label" and _is_whole_number(value)):
                raise _not_a_string(name, value, "Correct or remove that row.", {"row": number, "field": field})
    return tuple(Row(str(text), str(label)) for text, label in pairs)


def read_texts(texts: Iterable[Any], first: int = 0) -> list[str]:
    """Return a column of texts as strings.

    Args:
        texts: The column.
        first: The number of its first text in messages.

    Raises:
        InvalidText: It is no column, or a value is missing or no string; ``facts["index"]`` names the first such one.
    """
    values = read_values("texts", texts)
    for index, value in enumerate(values, first):
        if not isinstance(value, str):
            raise _not_a_string("texts", value, "Correct it or leave it out.", {"index": index})
    return [str(value) for value in values]


def read_values(name: str, column: Iterable[Any]) -> list[Any]:
    """Return a column of anything as a list.

    Args:
        name: The parameter that it is for.
        column: The column.

    Raises:
        InvalidInput: It is no column.
    """
    if isinstance(column, str | bytes):
        raise _refuse(name, "is one string. {Send} a list of strings.")
    check_computed(name, column)
    if _is_table(column):
        raise _refuse(name, "is a table where a column is wanted. {Send} one column, such as table['text'].")
    if isinstance(column, Set):
        raise _refuse(name, "is a set, which has no order. {Send} a list.")
    for method in _AS_LIST:
        if callable(as_list := getattr(column, method, None)):
            column = as_list()
            break
    if not isinstance(column, Iterable):
        problem = "is of type {given_type}. {Send} a list or another column of values."
        raise _refuse(name, problem, given_type=type(column).__name__)
    return list(column)


def check_computed(name: str, values: object) -> None:
    """Refuse a table or column that is a plan of what to compute, and so has no length and no values.

    Args:
        name: The parameter that it is for.
        values: A table or column of any kind.

    Raises:
        InvalidInput: It is such a plan, as a ``LazyFrame`` of polars is; the method that computes it is named.
    """
    kind = type(values)
    method = next((each for each in _COMPUTING if callable(getattr(kind, each, None))), None)
    if method is not None and not hasattr(kind, "__len__"):
        problem = "is of type {given_type}, which holds no values before they are computed. {Send} what .{method}() "
        raise _refuse(name, problem + "returns.", given_type=kind.__name__, method=method)


def is_missing(value: object) -> bool:
    """Whether a value stands for none: ``None``, a NaN, or the mark that pandas has for it."""
    # A NaN differs from itself; pandas' own mark is known by the name of its type.
    is_nan = isinstance(value, float) and value != value  # noqa: PLR0124
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def _is_whole_number(value: object) -> bool:
    """Whether a value is a whole number, also one of NumPy."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_table(values: object) -> bool:
    """Whether values are a table: a mapping of columns, or a frame of pandas or polars."""
    return isinstance(values, Mapping) or hasattr(values, "columns")


def _column_of(name: str, table: Any, field: str) -> Iterable[Any]:
    known = list(table) if isinstance(table, Mapping) else list(table.columns)
    if field not in known:
        raise _refuse(
            name,
            "has no column {column!r}; its columns are: {columns}. Rename one, or {send} the two columns themselves: "
            "table['…'], table['…'].",
            column=field,
            columns=", ".join(map(str, known)) or "none",
        )
    column: Iterable[Any] = table[field]
    return column


def _pair(name: str, number: int, row: object) -> tuple[Any, Any]:
    if isinstance(row, Row):
        return row.text, row.label
    if isinstance(row, Mapping) and all(field in row for field in _FIELDS):
        return row["text"], row["label"]
    if isinstance(row, Sequence) and not isinstance(row, str | bytes) and len(row) == len(_FIELDS):
        return row[0], row[1]
    if isinstance(row, str):
        problem = "is a text without a label. {Send} the labels too, or rows of (text, label)."
    else:
        problem = "is neither a pair (text, label) nor a mapping with 'text' and 'label'. Correct or remove that row."
    raise _refusal(name)(f"{{place:{name}}} {problem}", {"row": number})


def _refusal(name: str) -> type[InvalidInput]:
    return _REFUSALS.get(name, InvalidTestData)


def _refuse(name: str, problem: str, **facts: object) -> InvalidInput:
    return _refusal(name)(f"{{arg:{name}}} {problem}", {"parameter": name, **facts})


def _not_a_string(name: str, value: object, advice: str, facts: Mapping[str, object]) -> InvalidInput:
    if is_missing(value):
        return _refusal(name)(f"{{place:{name}}} is missing. {advice}", facts)
    words = f"{{place:{name}}} is of type {{given_type}}, not a string. {advice}"
    return _refusal(name)(words, {**facts, "given_type": type(value).__name__})
