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
        InvalidTrainingData: A row breaks a rule (``facts["row"]`` counts from 0 within its own part), or there are
            fewer than 2 labels in all.
        LimitExceeded: There are too many rows or labels in all, or a text is too long.
    """
    given = tuple(given)
    check_each_row("training_data", given, limits)
    texts = {row.text for row in given}
    taken_over = tuple(row for row in kept if row.text not in texts)
    # Those of an import were never checked against the limits that hold here.
    check_each_row("extends", taken_over, limits)
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
