"""The JSON shape of labelled rows, and how many of them are read where some are wrong.

Owns a row's fields; knows nothing of what the rows are for, or of the rules that their texts and labels must follow.
"""

import itertools
from collections.abc import Iterable
from typing import ClassVar, Self

from pydantic import Field

from windrow.domain.dataset import DataLimits, Row, check_row_count
from windrow.wire.shapes import EXAMPLE_ROWS, Wire

EXAMPLE_DATA = [{"text": text, "label": label} for text, label in EXAMPLE_ROWS]
_SHOWN_WRONG_ROWS = 10
_SHOWN_FIELDS = 12


class LabelledRow(Wire):
    """One labelled example."""

    text: str = Field(description="The text, at most 20,000 characters.", examples=[EXAMPLE_ROWS[0][0]])
    label: str = Field(description="Its label, at most 256 characters.", examples=[EXAMPLE_ROWS[0][1]])


class RowsBody(Wire):
    """What every body with labelled rows keeps to: they are counted, and mostly trimmed, before they are read."""

    row_field: ClassVar[str] = "test_data"

    @classmethod
    def read(cls, document: object, limits: DataLimits) -> Self:
        """Read a parsed JSON document.

        Args:
            document: Anything.
            limits: On the number of rows.

        Raises:
            LimitExceeded: There are too many rows.
            pydantic.ValidationError: The document has another shape.
        """
        return cls.model_validate(trim_rows(document, cls.row_field, limits))


def of_rows(rows: Iterable[Row]) -> list[LabelledRow]:
    """Show rows."""
    # A training may have a hundred thousand of them, and our own values need no validation.
    return [LabelledRow.model_construct(text=row.text, label=row.label) for row in rows]


def to_rows(shown: Iterable[LabelledRow]) -> tuple[Row, ...]:
    """Return rows as the domain has them; their values are not checked yet."""
    return tuple(Row(row.text, row.label) for row in shown)


def trim_rows(document: object, field: str, limits: DataLimits) -> object:
    """Return a parsed JSON document with little behind the first wrong row of a field.

    Rows are counted first. pydantic describes every problem that it finds, and a body of a hundred thousand wrong rows
    would cost gigabytes.

    Args:
        document: Anything; it is not changed.
        field: Where its rows stand, if it has any: a key, or keys joined by dots (``require.test_data``).
        limits: On the number of rows.

    Raises:
        LimitExceeded: There are too many rows.
    """
    return _trimmed(document, field.split("."), field, limits)


def _trimmed(value: object, keys: list[str], field: str, limits: DataLimits) -> object:
    if keys:
        if not isinstance(value, dict) or keys[0] not in value:
            return value
        return {**value, keys[0]: _trimmed(value[keys[0]], keys[1:], field, limits)}
    if not isinstance(value, list):
        return value
    check_row_count(len(value), limits, field)
    wrong = next((number for number, row in enumerate(value) if not _is_plain_row(row)), len(value))
    return [*value[:wrong], *map(_shortened, value[wrong : wrong + _SHOWN_WRONG_ROWS])]


def _is_plain_row(row: object) -> bool:
    return isinstance(row, dict) and row.keys() == {"text", "label"} and all(type(row[key]) is str for key in row)


def _shortened(row: object) -> object:
    return dict(itertools.islice(row.items(), _SHOWN_FIELDS)) if isinstance(row, dict) else row
