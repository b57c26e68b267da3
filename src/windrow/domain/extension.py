"""Rows to train on that are those of a request alone, or also those that were kept of an earlier training."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from windrow.domain.dataset import DataLimits, Dataset, Row, check_each_row, check_labels, check_row_count
from windrow.domain.errors import InvalidTrainingData, LimitExceeded
from windrow.domain.figures import counted


@dataclass(frozen=True, slots=True)
class FitRows:
    """What a training learns from, and where it comes from."""

    dataset: Dataset
    """All of it: rows that were taken over first, then those of the request."""
    extends: str | None = None
    """The revision whose kept rows were taken over (``tickets_v2@3``); ``None`` for none."""
    taken_over_rows: int = 0
    """Kept rows of that revision that are among the rows."""
    replaced_rows: int = 0
    """Kept rows of that revision that are not, since a row of the request has the same text."""


def extend_rows(extends: str, kept: Sequence[Row], given: Iterable[Row], limits: DataLimits) -> FitRows:
    """Return kept rows followed by given ones; a given row replaces all kept rows of the same text.

    Texts are the same as where duplicates and contradictions are counted: to the character.

    Args:
        extends: The revision that the rows were kept of, as an exact reference.
        kept: Its rows.
        given: Rows of a request; there may be none.
        limits: They hold for the rows together.

    Raises:
        InvalidTrainingData: A row breaks a rule (``facts["row"]`` counts from 0 within its own part; of kept rows,
            ``facts["extends"]`` says whose they are), or there are fewer than 2 labels in all.
        LimitExceeded: There are too many rows or labels in all, or a text is too long.
    """
    given = tuple(given)
    check_each_row("training_data", given, limits)
    texts = {row.text for row in given}
    numbers = [number for number, row in enumerate(kept) if row.text not in texts]
    taken_over = tuple(kept[number] for number in numbers)
    _check_kept(extends, numbers, taken_over, limits)
    rows = (*taken_over, *given)
    try:
        check_row_count(len(rows), limits)
        dataset = check_labels(Dataset(rows), limits)
    except (InvalidTrainingData, LimitExceeded) as error:
        raise type(error)(
            f"Together with {counted(len(taken_over), 'kept row')} of {{extends}}, {error.template}",
            {**error.facts, "extends": extends, "taken_over_rows": len(taken_over)},
        ) from error
    return FitRows(dataset, extends, len(taken_over), len(kept) - len(taken_over))


def _check_kept(extends: str, numbers: Sequence[int], rows: Sequence[Row], limits: DataLimits) -> None:
    """Check kept rows: those of an import, and of times with other limits, were never checked against these.

    Args:
        extends: The revision that they were kept of.
        numbers: The number of each among all that are kept of it, from 0.
        rows: The rows.
        limits: The limits.
    """
    try:
        check_each_row("extends", rows, limits)
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
