"""What became of the rows of a file: how many were given each label, and how sure that was."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from windrow.domain.dataset import DataWarning
from windrow.domain.prediction import Prediction
from windrow.domain.values import ListValue, Value

# Below such a likeness, a text is unlike the training data: no more than 5 % of that is so little like the rest.
UNLIKE_BELOW: Final = 0.05
_SCORE_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSummary(Value):
    """The rows that were given one label."""

    _named_by = "label"

    label: str
    """The label."""
    rows: int
    """How many rows were given it."""
    mean_score: float
    """The mean of its scores in them, from 0 to 1."""
    file: str | None = None
    """The file with these rows, without its folder; ``None`` where they have no file of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionSummary(ListValue[LabelSummary]):
    """What became of the rows of a file, by label."""

    _items = "labels"
    _summary = "model_name revision rows abstained out_of_scope"

    model_name: str
    """The classifier that answered, by its own name."""
    revision: int
    """Its revision that answered."""
    rows: int
    """The rows that were answered."""
    labels: tuple[LabelSummary, ...]
    """The labels that were given, the most frequent one first."""
    abstained: int
    """Rows without a label, since the best score or the likeness to the training data was too low."""
    without_labels: int
    """Rows that were given none of the labels; 0 where a row has one label."""
    out_of_scope: int
    """Rows whose likeness to the training data is below ``min_in_scope``, or below 0.05 where that is not asked for."""
    truncated: int
    """Rows whose text was longer than the encoder reads."""
    output: str | None = None
    """The file or the folder with the rows; ``None`` for standard output."""
    abstained_file: str | None = None
    """The file with the rows without a label; ``None`` where they have no file of their own."""
    without_labels_file: str | None = None
    """The file with the rows that were given none of the labels; ``None`` where they have no file of their own."""
    warnings: tuple[DataWarning, ...] = ()
    """What to know about the rows: those that were left out, since they are wrong."""


@dataclass(slots=True)
class SummaryCounts:
    """Counts answers."""

    min_in_scope: float | None = None
    """The likeness to the training data that was asked for; ``None`` for none."""
    rows: int = 0
    """All answers."""
    abstained: int = 0
    """Those without a label."""
    without_labels: int = 0
    """Those that give none of the labels."""
    out_of_scope: int = 0
    """Those for texts that are unlike the training data."""
    truncated: int = 0
    """Those for texts that were longer than the encoder reads."""
    labels: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By label, how many rows have it, and the sum of their scores."""

    def add(self, predictions: Iterable[Prediction]) -> None:
        """Count answers."""
        for each in predictions:
            self.rows += 1
            self.truncated += each.truncated
            likeness = each.in_scope
            limit = UNLIKE_BELOW if self.min_in_scope is None else self.min_in_scope
            self.out_of_scope += likeness is not None and likeness < limit
            if each.abstained:
                self.abstained += 1
                continue
            self.without_labels += not each.given
            for label in each.given:
                rows, total = self.labels.get(label, (0, 0.0))
                self.labels[label] = rows + 1, total + each.scores.get(label, 0.0)


def added_up(
    some: Mapping[str, tuple[int, float]], more: Mapping[str, tuple[int, float]]
) -> dict[str, tuple[int, float]]:
    """Return the sums of rows and scores of two counts, by label."""
    sums = dict(some)
    for label, (rows, total) in more.items():
        before = sums.get(label, (0, 0.0))
        sums[label] = before[0] + rows, before[1] + total
    return sums


def label_summaries(
    counts: Mapping[str, tuple[int, float]], files: Mapping[str, str] | None = None
) -> tuple[LabelSummary, ...]:
    """Return what was counted of each label, the most frequent one first.

    Args:
        counts: By label, how many rows have it, and the sum of their scores.
        files: The file of each label; ``None`` where they have none.
    """
    found = sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(
        LabelSummary(
            label=label,
            rows=rows,
            mean_score=round(total / rows, _SCORE_DECIMALS),
            file=(files or {}).get(label),
        )
        for label, (rows, total) in found
    )
