"""Columns: what people have in a notebook (lists, arrays, columns and tables of pandas or polars) as texts and rows.

No library of tables is ever imported: a column is known by what it can do.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from numbers import Integral, Number
from typing import Any

from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidInput, InvalidParameter, InvalidTestData, InvalidText, InvalidTrainingData
from windrow.domain.figures import counted
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.multi_label import MultiLabelRow

# How a column says that it gives its values as a list: pandas and polars, NumPy, Arrow.
_AS_LIST = ("to_list", "tolist", "to_pylist")
# The methods that compute a lazy table or column: polars and Spark, Dask, Ibis.
_COMPUTING = ("collect", "compute", "execute")
_FIELDS = ("text", "label")
_INDICATED: Mapping[object, bool] = {1: True, 0: False}
# What is raised where the values of a parameter cannot be used; the others are rows to judge by.
_REFUSALS: Mapping[str, type[InvalidInput]] = {
    "training_data": InvalidTrainingData,
    "texts": InvalidText,
    "model_names": InvalidParameter,
    "tags": InvalidParameter,
}


def read_rows(name: str, texts: Iterable[Any], labels: Iterable[Any] | None = None) -> tuple[LabelledRow, ...]:
    """Return labelled rows from two columns, or from rows or a table that have both.

    Args:
        name: The parameter that they are for (``training_data``).
        texts: A column of texts; without ``labels``, pairs ``(text, label)``, mappings with ``text`` and ``label``, or
            a table with columns of these names; with ``labels`` in place of ``label`` for any number of them.
        labels: A column of labels, as long as ``texts``; whole numbers are taken as their text. For any number of
            labels, each value is a list, tuple or set of them; or this is a table of 1 and 0, with a column for each
            label that is called like it.

    Raises:
        InvalidInput: The form is none of these, the lengths differ, a value is missing or is no string;
            ``facts["row"]`` names the first such row, from 0.
    """
    check_computed(name, texts)
    if labels is None and _is_table(texts):
        label_field = _label_field(name, texts)
        texts, labels = (_column_of(name, texts, field) for field in ("text", label_field))
    if labels is None:
        pairs = [_pair(name, number, row) for number, row in enumerate(read_values(name, texts))]
    else:
        columns = [read_values(name, texts), read_label_values(name, labels)]
        if len(columns[0]) != len(columns[1]):
            texts_and_labels = f"{counted(len(columns[0]), 'text')} and {counted(len(columns[1]), 'label')}"
            problem = f"has {texts_and_labels}. {{Send}} one label for each text."
            raise _refuse(name, problem, texts=len(columns[0]), labels=len(columns[1]))
        pairs = list(zip(*columns, strict=True))
    return tuple(_row(name, pairs, number) for number in range(len(pairs)))


def read_label_values(name: str, labels: Iterable[Any]) -> list[Any]:
    """Return a column of labels as a list; of a table of 1 and 0, each row's labels.

    Args:
        name: The parameter that they are for.
        labels: The column, or the table.

    Raises:
        InvalidInput: It is neither, or a matrix whose columns have no names.
    """
    check_computed(name, labels)
    if _is_table(labels):
        return _indicated(name, labels)
    if getattr(labels, "ndim", 1) != 1:
        raise _refuse(
            name,
            "has a matrix of labels, which does not say what its columns are called. {Send} a table of it, such as "
            "pandas.DataFrame(matrix, columns=names), or a list of labels for each text.",
        )
    return read_values(name, labels)


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


def _row(name: str, pairs: Sequence[tuple[Any, Any]], number: int) -> LabelledRow:
    """Return a row of the form that its label has.

    Args:
        name: The parameter that it is for.
        pairs: The texts of all rows, each with its label or labels.
        number: Which of them it is.

    Raises:
        InvalidInput: A value is missing or is no string.
    """
    text, label = pairs[number]
    if not isinstance(text, str):
        raise _not_a_string(name, text, "Correct or remove that row.", {"row": number, "field": "text"})
    labels = _several(label)
    for place, each in enumerate([label] if labels is None else labels):
        if not isinstance(each, str) and not _is_whole_number(each):
            field = f"labels[{place}]" if labels is not None else _missing_field(pairs) if is_missing(each) else "label"
            raise _not_a_string(name, each, "Correct or remove that row.", {"row": number, "field": field})
    return Row(str(text), str(label)) if labels is None else MultiLabelRow(str(text), tuple(map(str, labels)))


def _missing_field(pairs: Sequence[tuple[Any, Any]]) -> str:
    """Return what a row without labels lacks: ``labels`` where the first row that has any has a list of them."""
    known = next((label for _, label in pairs if not is_missing(label)), None)
    return "label" if _several(known) is None else "labels"


def _several(label: object) -> list[Any] | None:
    """Return the labels in a value that may hold any number of them; ``None`` for a value that is one label."""
    if isinstance(label, str | bytes):
        return None
    if isinstance(label, Set):
        return sorted(label, key=str)
    if isinstance(label, Sequence):
        return list(label)
    as_list = next((each for method in _AS_LIST if callable(each := getattr(label, method, None))), None)
    values = None if as_list is None else as_list()
    return values if isinstance(values, list) else None


def _indicated(name: str, table: Any) -> list[list[str]]:
    """Return each row's labels in a table of 1 and 0 with a column for each label."""
    names = list(table) if isinstance(table, Mapping) else list(table.columns)
    if len({str(label) for label in names}) < len(names):
        raise _refuse(name, "has a table of labels with two columns of one name. Give each label a column of its own.")
    columns = {str(label): read_values(name, table[label]) for label in names}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        raise _refuse(name, "has a table of labels with columns of different lengths. Correct it.")
    rows: list[list[str]] = [[] for _ in range(lengths.pop())]
    for label, column in columns.items():
        for number, value in enumerate(column):
            is_given = _INDICATED.get(value) if isinstance(value, Number) else None
            if is_given is None:
                raise _refusal(name)(
                    f"{{place:{name}}} has neither 1 nor 0 for the label {{label!r}}. Correct or remove that row; for "
                    "texts with one label each, {send} one column of labels.",
                    {"row": number, "field": "labels", "label": label},
                )
            if is_given:
                rows[number].append(label)
    return rows


def _is_whole_number(value: object) -> bool:
    """Whether a value is a whole number, also one of NumPy."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_table(values: object) -> bool:
    """Whether values are a table: a mapping of columns, or a frame of pandas or polars."""
    return isinstance(values, Mapping) or hasattr(values, "columns")


def _label_field(name: str, table: Any) -> str:
    """Return which column of a table has the labels: ``label``, or ``labels`` for any number of them."""
    known = list(table) if isinstance(table, Mapping) else list(table.columns)
    if "label" in known and "labels" in known:
        raise _refuse(name, "has the columns 'label' and 'labels'. Leave one of them out.")
    return "labels" if "labels" in known else "label"


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
    if isinstance(row, MultiLabelRow):
        return row.text, row.labels
    if isinstance(row, Mapping) and "text" in row and ("label" in row) != ("labels" in row):
        return row["text"], _labels_in(name, number, row)
    if isinstance(row, Sequence) and not isinstance(row, str | bytes) and len(row) == len(_FIELDS):
        return row[0], row[1]
    if isinstance(row, str):
        problem = "is a text without a label. {Send} the labels too, or rows of (text, label)."
    elif isinstance(row, Mapping) and "label" in row and "labels" in row:
        problem = "has label and labels. {Send} one of them, which is labels for any number of labels."
    else:
        problem = (
            "is neither a pair (text, label) nor a mapping with 'text' and 'label', or 'labels'. Correct or remove "
            "that row."
        )
    raise _refusal(name)(f"{{place:{name}}} {problem}", {"row": number})


def _labels_in(name: str, number: int, row: Mapping[Any, Any]) -> object:
    """Return the label or labels of a mapping, of which a list with one ``label`` is that label."""
    if "labels" in row:
        several = _several(row["labels"])
        if several is None:
            words = f"{{place:{name}}} is no list of labels, such as ['billing']. Correct or remove that row."
            raise _refusal(name)(words, {"row": number, "field": "labels"})
        return several
    several = _several(row["label"])
    if several is not None and len(several) != 1:
        raise _refusal(name)(
            f"{{place:{name}}} is a list of {{count}} labels; rows with any number of labels have them as labels, "
            "each of them. Rename it in each row.",
            {"row": number, "field": "label", "count": len(several)},
        )
    return row["label"] if several is None else several[0]


def _refusal(name: str) -> type[InvalidInput]:
    return _REFUSALS.get(name, InvalidTestData)


def _refuse(name: str, problem: str, **facts: object) -> InvalidInput:
    return _refusal(name)(f"{{arg:{name}}} {problem}", {"parameter": name, **facts})


def _not_a_string(name: str, value: object, advice: str, facts: Mapping[str, object]) -> InvalidInput:
    if is_missing(value):
        return _refusal(name)(f"{{place:{name}}} is missing. {advice}", facts)
    words = f"{{place:{name}}} is of type {{given_type}}, not a string. {advice}"
    return _refusal(name)(words, {**facts, "given_type": type(value).__name__})
