"""Labelled rows of either form: with one label each, or with any number of labels each."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from windrow.domain.dataset import (
    MIN_LABELS,
    DataLimits,
    Dataset,
    Row,
    check_labels,
    check_row_count,
    check_rows,
    check_test_rows,
    rows_as_jsonl,
)
from windrow.domain.errors import InvalidTestData, InvalidTrainingData
from windrow.domain.multi_label import (
    MultiLabelDataset,
    MultiLabelRow,
    check_label_sets,
    check_multi_label_rows,
    check_multi_label_test_rows,
    multi_label_rows_as_jsonl,
)
from windrow.domain.values import Schema

LabelledRow = Row | MultiLabelRow
LabelledDataset = Dataset | MultiLabelDataset
LabelledRows = tuple[LabelledRow, ...]
# A classifier tells two labels apart, or texts with a label from those without; one row is enough to evaluate.
TrainingRows = Annotated[LabelledRows, Schema(minItems=MIN_LABELS)]
TestRows = Annotated[LabelledRows, Schema(minItems=1)]


def check_training_rows(rows: Iterable[LabelledRow], limits: DataLimits) -> LabelledDataset:
    """Check training rows of either form, and return them as a dataset of that form.

    Raises:
        InvalidTrainingData: A row breaks a rule or has another form than those before it, or there are too few labels.
        LimitExceeded: Too many rows, too many labels, or a text that is too long.
    """
    given = tuple(rows)
    check_row_count(len(given), limits)
    single, several = rows_by_form("training_data", given)
    return check_multi_label_rows(several, limits) if several else check_rows(single, limits)


def check_evaluation_rows(field: str, rows: Sequence[LabelledRow], limits: DataLimits) -> LabelledDataset:
    """Check test rows of either form, of which one is enough, and return them as a dataset of that form.

    Args:
        field: What the caller knows them by (``test_data``).
        rows: Any rows.
        limits: The limits on training rows hold for them too.

    Raises:
        InvalidTestData: There is none, or one breaks a rule or has another form than those before it.
        LimitExceeded: Too many rows, too many labels, or a text that is too long.
    """
    check_row_count(len(rows), limits, field)
    single, several = rows_by_form(field, rows, InvalidTestData)
    return check_multi_label_test_rows(field, several, limits) if several else check_test_rows(field, single, limits)


def rows_by_form(
    field: str,
    rows: Iterable[LabelledRow],
    refusal: type[InvalidTrainingData | InvalidTestData] = InvalidTrainingData,
) -> tuple[tuple[Row, ...], tuple[MultiLabelRow, ...]]:
    """Return rows with one label each, and rows with any number of labels each, of which there may be only one form.

    Args:
        field: What the caller knows them by (``training_data``).
        rows: Any rows.
        refusal: What is raised for a row of another form.

    Raises:
        InvalidTrainingData: There are rows of both; ``facts["row"]`` names the first that differs, from 0.
    """
    given = tuple(rows)
    single = tuple(row for row in given if isinstance(row, Row))
    several = tuple(row for row in given if isinstance(row, MultiLabelRow))
    if single and several:
        other, own = ("label", "labels") if isinstance(given[0], Row) else ("labels", "label")
        raise refusal(
            f"{{place:{field}}} stands in rows of which earlier ones have {{expected}}; the rows of a request have "
            "the same form. {Send} labels in each row, of which a list with one label is a text that has just that "
            "one, or label in each row.",
            {"row": _first_of_other_form(given), "field": own, "expected": other},
        )
    return single, several


def dataset_of(rows: Sequence[LabelledRow]) -> LabelledDataset:
    """Return rows that were not checked as a dataset of the form that they all have.

    Raises:
        InvalidTrainingData: There are rows of both forms.
    """
    single, several = rows_by_form("training_data", rows)
    return MultiLabelDataset(several) if several else Dataset(single)


def check_label_count(dataset: LabelledDataset, limits: DataLimits) -> LabelledDataset:
    """Return training rows of either form if a classifier can learn their labels.

    Raises:
        InvalidTrainingData: There are too few labels: nothing to tell apart.
        LimitExceeded: There are too many.
    """
    if isinstance(dataset, MultiLabelDataset):
        return check_label_sets(dataset, limits)
    return check_labels(dataset, limits)


def labels_of(row: LabelledRow) -> tuple[str, ...]:
    """Return the labels of a row of either form."""
    return row.labels if isinstance(row, MultiLabelRow) else (row.label,)


def row_key(row: LabelledRow) -> tuple[str, frozenset[str]]:
    """Return what makes two rows of one form equal: their text and their labels, whatever the order of these."""
    return row.text, frozenset(labels_of(row))


def distinct_rows(rows: Iterable[LabelledRow]) -> LabelledRows:
    """Return each row once, in the order of first coming. See :func:`row_key`."""
    distinct: dict[tuple[str, frozenset[str]], LabelledRow] = {}
    for row in rows:
        distinct.setdefault(row_key(row), row)
    return tuple(distinct.values())


def labelled_rows_as_jsonl(rows: Iterable[LabelledRow]) -> bytes:
    """Return rows of either form in their canonical form. Source: docs/explanation/format.md, "Training rows"."""
    return b"".join(
        multi_label_rows_as_jsonl((row,)) if isinstance(row, MultiLabelRow) else rows_as_jsonl((row,)) for row in rows
    )


def _first_of_other_form(rows: Sequence[LabelledRow]) -> int:
    return next(number for number, row in enumerate(rows) if type(row) is not type(rows[0]))
