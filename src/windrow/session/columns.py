"""Columns: what people have in a notebook (lists, arrays, columns and tables of pandas or polars) as texts and rows.

Owns which forms are taken and how a bad value is named; knows nothing of what texts and rows are for. No library of
tables is ever imported: a column is known by what it can do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidInput, InvalidName, InvalidParameter, InvalidText

# How a column says that it gives its values as a list: pandas and polars, NumPy, Arrow.
_AS_LIST = ("to_list", "tolist", "to_pylist")
_FIELDS = ("text", "label")


@dataclass(frozen=True, slots=True)
class Given:
    """What a caller knows some values by, and what is raised where they cannot be used.

    Args:
        name: The name in messages (``training_data``).
        refusal: The error.
    """

    name: str
    refusal: type[InvalidInput]

    def refuse(self, problem: str, **facts: object) -> InvalidInput:
        """Return the error for a problem."""
        return self.refusal(f"{self.name}{problem}", facts or {"parameter": self.name})


def read_rows(given: Given, texts: Iterable[Any], labels: Iterable[Any] | None = None) -> tuple[Row, ...]:
    """Return labelled rows from two columns, or from rows or a table that have both.

    Args:
        given: What the caller knows them by.
        texts: A column of texts; without ``labels``, pairs ``(text, label)``, mappings with ``text`` and ``label``, or
            a table with columns of these names.
        labels: A column of labels, as long as ``texts``.

    Raises:
        InvalidInput: The refusal of ``given``: the form is none of these, the lengths differ, a value is missing or is
            no string; ``facts["row"]`` names the first such row, from 0.
    """
    if labels is None and _is_table(texts):
        texts, labels = (_column_of(given, texts, field) for field in _FIELDS)
    if labels is None:
        pairs = [_pair(given, number, row) for number, row in enumerate(_values(given, texts))]
    else:
        columns = [_values(given, column) for column in (texts, labels)]
        if len(columns[0]) != len(columns[1]):
            problem = f" has {len(columns[0])} text(s) and {len(columns[1])} label(s). Pass one label for each text."
            raise given.refuse(problem)
        pairs = list(zip(*columns, strict=True))
    for number, pair in enumerate(pairs):
        for field, value in zip(_FIELDS, pair, strict=True):
            if not isinstance(value, str):
                place = f"[{number}].{field} {_problem(value)}"
                raise given.refuse(f"{place} Correct or remove that row.", row=number, field=field)
    return tuple(Row(str(text), str(label)) for text, label in pairs)


def read_texts(texts: Iterable[Any], first: int = 0) -> list[str]:
    """Return a column of texts as strings.

    Args:
        texts: The column.
        first: The number of its first text in messages.

    Raises:
        InvalidText: It is no column, or a value is missing or no string; ``facts["index"]`` names the first such one.
    """
    given = Given("texts", InvalidText)
    values = _values(given, texts)
    for index, value in enumerate(values, first):
        if not isinstance(value, str):
            raise given.refuse(f"[{index}] {_problem(value)} Correct it or leave it out.", index=index)
    return [str(value) for value in values]


def read_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of classifiers.

    Raises:
        InvalidParameter: They are no list.
        InvalidName: One is no string.
    """
    return tuple(read_name(name) for name in _values(Given("model_names", InvalidParameter), names))


def read_name(name: str) -> str:
    """Return a name unchanged if it is a string.

    Raises:
        InvalidName: It is not.
    """
    if not isinstance(name, str):
        raise InvalidName(f"A name must be a string, not {type(name).__name__}. Pass the name itself.")
    return name


def is_missing(value: object) -> bool:
    """Whether a value stands for none: ``None``, a NaN, or the mark that pandas has for it."""
    # A NaN differs from itself; pandas' own mark is known by the name of its type.
    is_nan = isinstance(value, float) and value != value  # noqa: PLR0124
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def in_batches(texts: Iterator[Any], batch_size: int, max_chars: int) -> Iterator[list[Any]]:
    """Cut texts into batches, taking no more of them at a time than one batch.

    Args:
        texts: The texts.
        batch_size: The most texts in a batch, at least 1.
        max_chars: A batch ends with the text that takes it to so many characters.

    Yields:
        The batches, in order, none of them empty.
    """
    batch: list[Any] = []
    chars = 0
    for text in texts:
        batch.append(text)
        chars += len(text) if isinstance(text, str) else 0
        if len(batch) == batch_size or chars >= max_chars:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _values(given: Given, column: Iterable[Any]) -> list[Any]:
    if isinstance(column, str | bytes):
        raise given.refuse(" is one string. Pass a list of strings.")
    if _is_table(column):
        raise given.refuse(" is a table where a column is wanted. Pass one column, such as table['text'].")
    if isinstance(column, Set):
        raise given.refuse(" is a set, which has no order. Pass a list.")
    for name in _AS_LIST:
        if callable(method := getattr(column, name, None)):
            column = method()
            break
    if not isinstance(column, Iterable):
        raise given.refuse(f" is of type {type(column).__name__}. Pass a list or another column of values.")
    return list(column)


def _is_table(values: object) -> bool:
    """Whether values are a table: a mapping of columns, or a frame of pandas or polars."""
    return isinstance(values, Mapping) or hasattr(values, "columns")


def _column_of(given: Given, table: Any, field: str) -> Iterable[Any]:
    names = list(table) if isinstance(table, Mapping) else list(table.columns)
    if field not in names:
        shown = ", ".join(map(str, names)) or "none"
        raise given.refuse(
            f" has no column {field!r}; its columns are: {shown}. Rename one, or pass the two columns themselves: "
            "table['…'], table['…']."
        )
    column: Iterable[Any] = table[field]
    return column


def _pair(given: Given, number: int, row: object) -> tuple[Any, Any]:
    if isinstance(row, Row):
        return row.text, row.label
    if isinstance(row, Mapping) and all(field in row for field in _FIELDS):
        return row["text"], row["label"]
    if isinstance(row, Sequence) and not isinstance(row, str | bytes) and len(row) == len(_FIELDS):
        return row[0], row[1]
    if isinstance(row, str):
        problem = "is a text without a label. Pass the labels too, or rows of (text, label)."
    else:
        problem = "is neither a pair (text, label) nor a mapping with 'text' and 'label'. Correct or remove that row."
    raise given.refuse(f"[{number}] {problem}", row=number)


def _problem(value: object) -> str:
    """Say what is wrong with a value that is no string."""
    return "is missing." if is_missing(value) else f"is of type {type(value).__name__}, not a string."
