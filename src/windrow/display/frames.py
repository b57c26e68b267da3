"""Values as tables of pandas or polars, whichever is installed. Nothing else here imports either."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final

from windrow.domain.classification import LabelChoice
from windrow.domain.comparison import Comparison
from windrow.domain.cross_validation import CurvePoint
from windrow.domain.explanation import Explanation
from windrow.domain.integrity import IntegrityReport
from windrow.domain.job import FitEstimate
from windrow.domain.listing import Listing
from windrow.domain.multi_label_comparison import MultiLabelComparison
from windrow.domain.prediction import Prediction
from windrow.domain.report import Calibration, ConfusionMatrix, SharedMetrics
from windrow.domain.shown import to_plain
from windrow.domain.usage import Usage
from windrow.domain.values import ListValue

# The field whose entries are the rows of a value's table; of any other class, the value itself is the only row.
_ROWS: Mapping[type, str] = {
    Calibration: "bins",
    SharedMetrics: "labels",
    Comparison: "models",
    MultiLabelComparison: "models",
    Explanation: "words",
    FitEstimate: "stages",
    IntegrityReport: "findings",
    Usage: "classifiers",
}
# Entries by key that are columns of their own, since the rows of a table have the same keys.
_BY_KEY: Mapping[type, str] = {Prediction: "scores", LabelChoice: "scores", CurvePoint: "recall"}


# The columns of a list of classifiers, of which all would be too many to read: paths to fields.
_MAIN: Final = (
    "name",
    "revision",
    "labels",
    "num_examples",
    "created_at",
    "test_accuracy",
    "report.estimate.accuracy",
    "base_model",
    "size_bytes",
    "tags",
    "description",
)


def to_frame(value: Any, *, all_fields: bool = False) -> Any:
    """Return a value, or a list of values, as a table of pandas or, where that is not installed, of polars.

    A row has a column for each field. What a field holds is columns of its own (``accuracy_interval.low``); so are a
    prediction's scores (``scores.refund``), and the counts of a confusion matrix. Lists and other entries by key stay
    whole.

    Args:
        value: A value with entries (a listing, a report with its labels, …), or any other one, which makes one row.
        all_fields: Whether a list of classifiers has a column for every field, and not only for the main ones.

    Raises:
        ImportError: Neither is installed.
    """
    rows = [_row(each) for each in rows_of(value)] if not isinstance(value, ConfusionMatrix) else _matrix(value)
    names = list(dict.fromkeys(name for row in rows for name in row))
    # A part that is missing in one row only is columns of its own all the same.
    whole = [name for name in names if not any(other.startswith(f"{name}.") for other in names)]
    if isinstance(value, Listing) and not all_fields:
        whole = list(_MAIN)
    columns = {name: [row.get(name) for row in rows] for name in whole}
    try:
        import pandas as pd

        return pd.DataFrame(columns)
    except ImportError:
        pass  # polars may be there
    try:
        import polars as pl
    except ImportError:
        raise ImportError(
            "to_frame() needs pandas or polars, and neither is installed. Install one: pip install pandas."
        ) from None
    return pl.DataFrame(columns, strict=False)


def rows_of(value: Any) -> Sequence[Any]:
    """Return what the rows of a value's table are."""
    if isinstance(value, list | ListValue):
        return list(value)
    field = next((name for kind, name in _ROWS.items() if isinstance(value, kind)), None)
    rows: Sequence[Any] = [value] if field is None else getattr(value, field)
    return rows


def _row(value: Any, before: str = "") -> dict[str, Any]:
    by_key = next((name for kind, name in _BY_KEY.items() if isinstance(value, kind)), None)
    row: dict[str, Any] = {}
    for each in fields(value):
        part, name = getattr(value, each.name), f"{before}{each.name}"
        if is_dataclass(part):
            row |= _row(part, f"{name}.")
        elif each.name == by_key:
            row |= {f"{name}.{key}": entry for key, entry in part.items()}
        else:
            row[name] = to_plain(part) if isinstance(part, tuple | Mapping) else part
    return row


def _matrix(matrix: ConfusionMatrix) -> list[dict[str, Any]]:
    return [
        {"label": label, **{f"given.{given}": count for given, count in zip(matrix.labels, counts, strict=True)}}
        for label, counts in zip(matrix.labels, matrix.counts, strict=True)
    ]
