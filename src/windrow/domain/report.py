"""A report: how a classifier did on labelled rows, and what that is worth.

Owns the values, and the rules for what is asked; knows nothing of how a figure is computed.
"""

from dataclasses import dataclass
from datetime import datetime

from windrow.domain.classifier import TestScore, Threshold
from windrow.domain.dataset import DataWarning, Row
from windrow.domain.interval import Interval
from windrow.domain.names import read_reference
from windrow.domain.prediction import check_share

# Below, half of the answers may be wrong, and a threshold has no point.
MIN_TARGET_PRECISION = 0.5


@dataclass(frozen=True, slots=True)
class LabelReport:
    """How a classifier did on one label.

    Args:
        label: The label.
        correct: Rows of this label that were placed right.
        total: Rows of this label.
        predicted: Rows that were given this label, rightly or not.
        precision: ``correct / predicted``; ``None`` where nothing was given this label.
        recall: ``correct / total``; ``None`` where no row has this label.
        f1: Harmonic mean of the two; 0 where nothing is right, ``None`` where no row has or was given this label.
    """

    label: str
    correct: int
    total: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None

    @property
    def shown(self) -> str:
        """Its recall, and what that rests on, as a person reads it: ``0.83 (5/6)``."""
        return f"{'-' if self.recall is None else f'{self.recall:.2f}'} ({self.correct}/{self.total})"


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Rows whose best score lies in one range.

    Args:
        low: Lower end of the range, not in it except for 0.
        high: Upper end, in it.
        rows: How many rows, at least 1.
        mean_score: The mean of their best scores.
        accuracy: The share of them that were placed right.
    """

    low: float
    high: float
    rows: int
    mean_score: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether scores mean what they say: of the answers with a score of 0.8, 80 % should be right.

    Args:
        ece: Expected calibration error in [0, 1]: the mean distance of score and accuracy over the bins, by rows.
        bins: Those with rows, ascending.
    """

    ece: float
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class Misread:
    """A row that was placed wrong.

    Args:
        row: Its number in the test data, from 0.
        text: Its text.
        label: Its label.
        predicted: The label that it was given.
        score: That label's score.
    """

    row: int
    text: str
    label: str
    predicted: str
    score: float


@dataclass(frozen=True, slots=True)
class Majority:
    """What one would get right by always giving the most frequent label.

    Args:
        label: That label; the first one by code point where several are as frequent.
        accuracy: Its share of the rows.
    """

    label: str
    accuracy: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one classifier made of labelled rows.

    Args:
        correct: Rows that were placed right.
        total: Rows in all, at least 1.
        accuracy_interval: Wilson's, of 95 %.
        macro_f1: Mean F1 of the labels that rows have or were given.
        labels: The classifier's labels in their order, then those of the rows that it does not know, sorted.
        confusion: Rows of each label (outer) that were given each label (inner), both in the order of ``labels``.
        calibration: Whether its scores mean what they say.
    """

    correct: int
    total: int
    accuracy_interval: Interval
    macro_f1: float
    labels: tuple[LabelReport, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration: Calibration

    @property
    def accuracy(self) -> float:
        """Share of rows that were placed right."""
        return self.correct / self.total


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """Rows to judge a classifier by.

    Args:
        model_name: The classifier.
        rows: Labelled test rows.
        is_saved: Whether the score is kept with the classifier.
        target_precision: Share of right answers, in [0.5, 1], for which the score is wanted from which on an answer
            is to be trusted; ``None`` for none.
    """

    model_name: str
    rows: tuple[Row, ...]
    is_saved: bool = True
    target_precision: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """How a classifier did on labelled rows.

    Args:
        model_name: The classifier that answered.
        revision: Its revision that answered.
        alias: The alias by which it was asked; ``None`` where it was asked by its own name.
        outcome: The figures.
        majority: The baseline beside it.
        misread: The rows that were placed wrong, those with the highest score first.
        warnings: What makes the figures worth less.
        data_sha256: Digest of the rows, made like that of training rows.
        measured_at: UTC, whole seconds.
        is_saved: Whether the score was kept with the classifier.
        threshold: The score from which on answers reached the precision that was asked for; ``None`` where none was
            asked for, or none reaches it, which ``warnings`` says.
    """

    model_name: str
    revision: int
    alias: str | None
    outcome: Outcome
    majority: Majority
    misread: tuple[Misread, ...]
    warnings: tuple[DataWarning, ...]
    data_sha256: str
    measured_at: datetime
    is_saved: bool
    threshold: Threshold | None

    @property
    def score(self) -> TestScore:
        """What of it is kept with the classifier."""
        outcome = self.outcome
        return TestScore(
            correct=outcome.correct,
            total=outcome.total,
            data_sha256=self.data_sha256,
            measured_at=self.measured_at,
            macro_f1=outcome.macro_f1,
            ece=outcome.calibration.ece,
            correct_per_label={each.label: each.correct for each in outcome.labels if each.total},
            rows_per_label={each.label: each.total for each in outcome.labels if each.total},
        )


def check_evaluate_request(request: EvaluateRequest) -> EvaluateRequest:
    """Return ``request`` unchanged if it can be answered; its rows are not looked at.

    Raises:
        InvalidName: The name breaks the grammar.
        InvalidParameter: ``target_precision`` lies outside its range.
    """
    read_reference(request.model_name)
    check_share("target_precision", request.target_precision, MIN_TARGET_PRECISION)
    return request
