"""Rows with any number of labels each: the rules that they must follow, and their digest."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from windrow.domain.dataset import (
    CANONICAL_JSON,
    MAX_LABEL_CHARS,
    DataLimits,
    Label,
    LabelledTexts,
    Text,
    check_label_count,
    check_not_empty,
    check_row_count,
    label_too_long,
    text_problem,
    text_too_long,
    wrong_row,
)
from windrow.domain.errors import InvalidTestData, InvalidTrainingData
from windrow.domain.figures import counted
from windrow.domain.values import Schema

MAX_LABELS_PER_ROW = 1_000
# There is something to tell apart where rows differ in their labels.
_MIN_LABEL_SETS = 2


@dataclass(frozen=True, slots=True)
class MultiLabelRow:
    """One example with any number of labels."""

    text: Text
    """The text, at most 20,000 characters."""
    labels: Annotated[tuple[Label, ...], Schema(uniqueItems=True, maxItems=MAX_LABELS_PER_ROW)]
    """Its labels, at most 1,000 in any order, each at most 256 characters; none for a text that none of the labels
    fits.
    """


@dataclass(frozen=True)
class MultiLabelDataset(LabelledTexts[MultiLabelRow]):
    """Checked rows with any number of labels each. Made by :func:`check_multi_label_rows`."""

    @property
    def kind(self) -> Literal["multi_label"]:
        """The kind of a classifier that learns from such rows."""
        return "multi_label"

    @cached_property
    def rows_per_label(self) -> dict[str, int]:
        """How many rows each label has, in the order of :attr:`labels`."""
        counts = Counter(label for row in self.rows for label in row.labels)
        return {label: counts[label] for label in sorted(counts)}

    @cached_property
    def label_sets(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each row's labels in :attr:`labels`, ascending."""
        ids = {label: position for position, label in enumerate(self.labels)}
        return tuple(tuple(sorted(ids[label] for label in row.labels)) for row in self.rows)

    @property
    def row_labels(self) -> Sequence[Hashable]:
        """The same as :attr:`label_sets`."""
        return self.label_sets

    @cached_property
    def jsonl(self) -> bytes:
        """The rows in their canonical form (:func:`multi_label_rows_as_jsonl`)."""
        return multi_label_rows_as_jsonl(self.rows)

    @cached_property
    def rows_without_labels(self) -> tuple[int, ...]:
        """The rows that have no label, by number from 0."""
        return tuple(number for number, row in enumerate(self.rows) if not row.labels)

    @property
    def majority_accuracy(self) -> float:
        """The share of the rows that have the most frequent set of labels."""
        return max(Counter(self.label_sets).values()) / len(self.rows)


def check_multi_label_rows(rows: Iterable[MultiLabelRow], limits: DataLimits) -> MultiLabelDataset:
    """Check training rows against every rule and return them as a dataset.

    Raises:
        InvalidTrainingData: A row breaks a rule (``facts["row"]`` counts from 0), or there is nothing to tell apart:
            no row has a label, or all have the same ones.
        LimitExceeded: Too many rows, too many labels, or a text that is too long.
    """
    checked = tuple(rows)
    check_row_count(len(checked), limits)
    check_each_multi_label_row("training_data", checked, limits)
    return check_label_sets(MultiLabelDataset(checked), limits)


def check_label_sets(dataset: MultiLabelDataset, limits: DataLimits) -> MultiLabelDataset:
    """Return training rows if a classifier can learn their labels.

    Raises:
        InvalidTrainingData: No row has a label, or all have the same ones.
        LimitExceeded: There are too many labels.
    """
    facts = {"labels": len(dataset.labels), "rows": len(dataset.rows)}
    rows = counted(len(dataset.rows), "row")
    if not dataset.labels:
        raise InvalidTrainingData(
            f"{{arg:training_data}} has no label in {rows}; a multi-label classifier needs at least one label that "
            "some rows have. Add rows with labels.",
            facts,
        )
    if len(set(dataset.label_sets)) < _MIN_LABEL_SETS:
        raise InvalidTrainingData(
            f"{{arg:training_data}} has the same labels in {rows}, so that there is nothing to tell apart. Add rows "
            "with other labels, or with none.",
            facts,
        )
    check_label_count("training_data", len(dataset.labels), limits)
    return dataset


def check_multi_label_test_rows(field: str, rows: Sequence[MultiLabelRow], limits: DataLimits) -> MultiLabelDataset:
    """Check test rows, of which one is enough, and which may all have the same labels, or none.

    Args:
        field: What the caller knows them by (``test_data``).
        rows: Any rows.
        limits: The limits on training rows hold for them too.

    Raises:
        InvalidTestData: There is none, or one breaks a rule (``facts["row"]`` counts from 0).
        LimitExceeded: Too many rows, too many labels, or a text that is too long.
    """
    check_row_count(len(rows), limits, field)
    check_not_empty(field, rows)
    check_each_multi_label_row(field, rows, limits, InvalidTestData)
    dataset = MultiLabelDataset(tuple(rows))
    check_label_count(field, len(dataset.labels), limits)
    return dataset


def check_each_multi_label_row(
    name: str,
    rows: Sequence[MultiLabelRow],
    limits: DataLimits,
    refusal: type[InvalidTrainingData | InvalidTestData] = InvalidTrainingData,
) -> None:
    """Refuse rows of which one breaks a rule. See :func:`windrow.domain.dataset.check_each_row`.

    Raises:
        InvalidTrainingData: A text or a label is empty, blank or no valid Unicode, a label is too long or stands twice
            in its row, or a row has too many.
        LimitExceeded: A text is too long.
    """
    place = f"{{place:{name}}}"
    checked: set[str] = set()
    for number, row in enumerate(rows):
        if problem := text_problem(row.text):
            raise wrong_row(refusal, place, problem, {"row": number, "field": "text"})
        if len(row.text) > limits.max_text_chars:
            raise text_too_long(place, len(row.text), limits.max_text_chars, {"row": number, "field": "text"})
        # Most rows have labels that others had before.
        if not checked.issuperset(row.labels):
            _check_labels(place, number, row.labels, refusal)
            checked.update(row.labels)
        if len(row.labels) > MAX_LABELS_PER_ROW:
            raise refusal(
                f"{place} holds {{count}} labels; a row has at most {{limit}}. Remove some.",
                {"row": number, "field": "labels", "count": len(row.labels), "limit": MAX_LABELS_PER_ROW},
            )
        if len(row.labels) > 1 and len(set(row.labels)) < len(row.labels):
            repeated = next(label for label, count in Counter(row.labels).items() if count > 1)
            raise refusal(
                f"{place} holds {{label!r}} more than once. {{Send}} each label of a row once.",
                {"row": number, "field": "labels", "label": repeated},
            )


def _check_labels(
    place: str, row: int, labels: Sequence[str], refusal: type[InvalidTrainingData | InvalidTestData]
) -> None:
    for position, label in enumerate(labels):
        facts = {"row": row, "field": f"labels[{position}]"}
        if problem := text_problem(label):
            raise wrong_row(refusal, place, problem, facts)
        if len(label) > MAX_LABEL_CHARS:
            raise label_too_long(refusal, place, len(label), facts)


def multi_label_rows_as_jsonl(rows: Iterable[MultiLabelRow]) -> bytes:
    r"""Return rows in their canonical form: as that of other rows, with the labels sorted by code point.

    Source: docs/explanation/format.md, "Training rows".
    """
    lines = (CANONICAL_JSON.encode({"labels": sorted(row.labels), "text": row.text}) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()
