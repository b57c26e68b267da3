"""Rows to train on that are those of a request alone, or also those that were kept of an earlier training."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from windrow.domain.dataset import DataLimits, DataWarning, check_each_row, check_row_count
from windrow.domain.errors import InvalidTrainingData, LimitExceeded
from windrow.domain.figures import counted
from windrow.domain.labelled_rows import (
    LabelledDataset,
    LabelledRow,
    check_label_count,
    dataset_of,
    rows_by_form,
)
from windrow.domain.multi_label import MultiLabelRow, check_each_multi_label_row


@dataclass(frozen=True, slots=True)
class FitRows:
    """What a training learns from, and where it comes from."""

    dataset: LabelledDataset
    """All of it: rows that were taken over first, then those of the request."""
    extends: str | None = None
    """The revision whose kept rows were taken over (``tickets_v2@3``); ``None`` for none."""
    taken_over_rows: int = 0
    """Kept rows of that revision that are among the rows."""
    replaced_rows: int = 0
    """Kept rows of that revision that are not, since a row of the request has the same text."""
    label_descriptions: Mapping[str, str] = field(default_factory=dict)
    """What the labels mean, by label: those of the request, and those of that revision for other labels."""
    warnings: tuple[DataWarning, ...] = ()
    """What was merged, what is odd about these descriptions, or changes for those who ask the name."""


def extend_rows(extends: str, kept: Sequence[LabelledRow], given: Iterable[LabelledRow], limits: DataLimits) -> FitRows:
    """Return kept rows followed by given ones; a given row replaces all kept rows of the same text.

    Texts are the same as where duplicates and contradictions are counted: to the character.

    Args:
        extends: The revision that the rows were kept of, as an exact reference.
        kept: Its rows.
        given: Rows of a request; there may be none.
        limits: They hold for the rows together.

    Raises:
        InvalidTrainingData: A row breaks a rule (``facts["row"]`` counts from 0 within its own part; of kept rows,
            ``facts["extends"]`` says whose they are), kept and given rows have different forms, or there are too few
            labels in all.
        LimitExceeded: There are too many rows or labels in all, or a text is too long.
    """
    given = tuple(given)
    _check_form(extends, kept, given)
    _check_each("training_data", given, limits)
    texts = {row.text for row in given}
    numbers = [number for number, row in enumerate(kept) if row.text not in texts]
    taken_over = tuple(kept[number] for number in numbers)
    _check_kept(extends, numbers, taken_over, limits)
    rows = (*taken_over, *given)
    try:
        check_row_count(len(rows), limits)
        dataset = check_label_count(dataset_of(rows), limits)
    except (InvalidTrainingData, LimitExceeded) as error:
        raise type(error)(
            f"Together with {counted(len(taken_over), 'kept row')} of {{extends}}, {error.template}",
            {**error.facts, "extends": extends, "taken_over_rows": len(taken_over)},
        ) from error
    return FitRows(dataset, extends, len(taken_over), len(kept) - len(taken_over))


def _check_form(extends: str, kept: Sequence[LabelledRow], given: Sequence[LabelledRow]) -> None:
    """Refuse given rows that have another form than the kept ones."""
    rows_by_form("training_data", given)
    if kept and given and type(kept[0]) is not type(given[0]):
        are_kept_multi_label = isinstance(kept[0], MultiLabelRow)
        raise InvalidTrainingData(
            "{place:training_data} does not fit the kept rows of {extends}, which have {expected}; all rows of a "
            "training have the same form. {Send} {expected} in each row, or leave {arg:extends} out.",
            {
                "row": 0,
                "field": "label" if are_kept_multi_label else "labels",
                "extends": extends,
                "expected": "labels" if are_kept_multi_label else "label",
            },
        )


def _check_each(name: str, rows: Sequence[LabelledRow], limits: DataLimits) -> None:
    single, several = rows_by_form(name, rows)
    check_each_row(name, single, limits)
    check_each_multi_label_row(name, several, limits)


def _check_kept(extends: str, numbers: Sequence[int], rows: Sequence[LabelledRow], limits: DataLimits) -> None:
    """Check kept rows: those of an import, and of times with other limits, were never checked against these.

    Args:
        extends: The revision that they were kept of.
        numbers: The number of each among all that are kept of it, from 0.
        rows: The rows.
        limits: The limits.
    """
    try:
        _check_each("extends", rows, limits)
    except (InvalidTrainingData, LimitExceeded) as error:
        number = error.facts["row"]
        assert isinstance(number, int)
        template = error.template.replace(
            "{place:extends}", "In kept row {row} of {extends}, counted from 0, the {field}"
        )
        raise type(error)(
            f"{template} If you cannot, leave {{arg:extends}} out, and {{send}} all rows from your own copy.",
            {**error.facts, "row": numbers[number], "extends": extends},
        ) from error
