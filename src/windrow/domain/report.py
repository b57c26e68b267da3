"""A report: how a classifier did on labelled rows, and what that is worth."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from windrow.domain.classifier import TestScore
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidParameter
from windrow.domain.interval import Interval
from windrow.domain.labelled_rows import TestRows
from windrow.domain.names import ModelReference, read_reference
from windrow.domain.prediction import Kind, check_share
from windrow.domain.threshold import ProposedThreshold
from windrow.domain.values import Schema, Value, computed, recast

# Of the thresholds in a report, those that a few lines show.
SHOWN_THRESHOLDS: Final = (0.5, 0.8, 0.9, 0.95)
# Below, half of the answers may be wrong, and a threshold has no point.
MIN_TARGET_PRECISION = 0.5
# Below, a label is hardly ever given.
MIN_TARGET_RECALL = 0.01


@dataclass(frozen=True, slots=True)
class LabelReport(Value):
    """How a classifier did on one label."""

    label: str
    """The label."""
    correct: int
    """Rows of this label that were given it."""
    total: int
    """Rows of this label."""
    predicted: int
    """Rows that were given this label, rightly or not."""
    precision: float | None
    """``correct`` / ``predicted``; ``None`` where nothing was given this label."""
    recall: float | None
    """``correct`` / ``total``; ``None`` where no row has this label."""
    f1: float | None
    """Harmonic mean of the two; 0 where nothing is right, ``None`` where no row has or was given this label."""

    recall_text: str = computed(
        lambda self: f"{'-' if self.recall is None else f'{self.recall:.2f}'} ({self.correct}/{self.total})", ""
    )
    """Its recall, and the rows that it rests on, for people: ``0.83 (5/6)``, with ``-`` where no row has this label."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin(Value):
    """Rows whose best score lies in one range; of a multi-label classifier, pairs of a row and a label."""

    low: float
    """Lower end of the range, not in it except for 0."""
    high: float
    """Upper end, in it."""
    rows: int
    """How many rows, at least 1; of a multi-label classifier, how many pairs of a row and a label."""
    mean_score: float
    """The mean of their best scores, or of the pairs' scores."""
    accuracy: float
    """The share of them that were classified correctly; of pairs, of those whose row has the label."""


@dataclass(frozen=True, slots=True)
class Calibration(Value):
    """How well scores agree with accuracy: of the predictions with a score of 0.8, 80 % should be correct."""

    ece: float
    """Expected calibration error in [0, 1]: the mean distance of score and accuracy over the bins, by rows."""
    bins: tuple[ReliabilityBin, ...]
    """Those with rows, ascending."""


@dataclass(frozen=True, slots=True)
class CoveragePoint(Value):
    """What a threshold would do on these rows: how much is answered, and how much of that is wrong."""

    threshold: float
    """The threshold, from 0 to 1: no label is given where the best score is below it."""
    answered: int
    """Rows whose best score is not below it."""
    wrong: int
    """Rows of these that are given a wrong label."""
    share: float
    """``answered`` by all rows."""
    error: float | None
    """``wrong`` / ``answered``; ``None`` where no row is answered."""
    error_interval: Interval | None
    """Where the error on all rows like these lies: Wilson's, of 95 %; ``None`` where no row is answered."""


@dataclass(frozen=True, slots=True)
class Misclassified(Value):
    """A row that was misclassified."""

    row: int
    """Its number in the test data, from 0."""
    text: str
    """Its text."""
    label: str
    """Its label."""
    predicted: str
    """The label that it was given."""
    score: float
    """That label's score."""


@dataclass(frozen=True, slots=True)
class MajorityBaseline(Value):
    """What one would get right by always giving the most frequent label."""

    label: str
    """That label; the first one by code point where several are as frequent."""
    accuracy: float
    """Its share of the rows."""

    @property
    def answer(self) -> str:
        """What is always given, for a sentence."""
        return repr(self.label)


@dataclass(frozen=True, slots=True)
class ConfusionMatrix(Value):
    """How many rows of each label were given which label."""

    labels: tuple[str, ...]
    """What rows and columns stand for: the classifier's labels, then those of the rows that it does not know."""
    counts: tuple[tuple[int, ...], ...]
    """A list for each label of a row; in it, how many of these rows were given each label."""

    def confusions(self) -> list[tuple[str, str, int]]:
        """Return label, label that was given instead and number of rows, the most frequent confusion first."""
        found = [
            (self.labels[right], self.labels[given], count)
            for right, counts in enumerate(self.counts)
            for given, count in enumerate(counts)
            if right != given and count
        ]
        return sorted(found, key=lambda pair: -pair[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedMetrics(Value):
    """The metrics on labelled rows that classifiers of both kinds have."""

    _summary = "correct total accuracy accuracy_interval macro_f1"

    correct: int
    """Rows that were classified correctly; by a multi-label classifier, those that were given all of their labels and
    no other one.
    """
    total: int
    """Rows in all, at least 1."""
    accuracy: float = computed(lambda self: self.correct / max(1, self.total), 0.0)
    """Share of the rows that were classified correctly."""
    accuracy_interval: Interval
    """Where the accuracy on all rows like these lies: Wilson's, of 95 %."""
    macro_f1: float
    """Mean F1 of the labels that rows have or were given, from 0 to 1: each label counts alike."""
    labels: tuple[LabelReport, ...]
    """The classifier's labels in their order, then those of the rows that it does not know, sorted."""
    calibration: Calibration
    """How well its scores agree with its accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationMetrics(SharedMetrics):
    """The metrics of a single-label classifier on labelled rows."""

    kind: Literal["single_label"] = "single_label"
    """That it gives one label."""
    confusion_matrix: ConfusionMatrix
    """How many rows of each label were given which label."""


# Without slots, so that Python can lay out its heirs, which have a second base class.
@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What was measured, when and on what."""

    model_name: str
    """The classifier that answered, by its own name."""
    revision: int
    """Its revision that answered."""
    alias: str | None
    """The alias in the request; ``None`` if the request named the classifier itself."""
    warnings: tuple[DataWarning, ...]
    """What makes the figures worth less, or was odd about the rows."""
    test_data_sha256: str
    """SHA-256 of the test rows, made like that of training rows."""
    measured_at: datetime
    """When it was measured, UTC."""
    saved: bool
    """Whether the score was kept with the classifier."""


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """Rows to evaluate a classifier on."""

    model_name: ModelReference
    """The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version."""
    test_data: TestRows
    """Labelled rows that the classifier was not trained on; at least one. A label that it does not know counts as
    placed wrong.
    """
    save: bool = True
    """Whether the score is kept with the classifier. What it answers does not change by that."""
    target_precision: Annotated[float | None, Schema(minimum=MIN_TARGET_PRECISION, maximum=1)] = None
    """Share of right answers, from 0.5 to 1, for which a threshold is proposed: the lowest score that can be trusted;
    of a multi-label classifier, one for each label. ``None`` asks for none, and of a multi-label classifier for those
    with the best F1. It is only proposed: no evaluation changes an answer.
    """
    target_recall: Annotated[float | None, Schema(minimum=MIN_TARGET_RECALL, maximum=1)] = None
    """Of a multi-label classifier, the share of each label's rows, from 0.01 to 1, that is to be given it: the highest
    threshold with which that is so is proposed for each label. It goes without ``target_precision``.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(ClassificationMetrics, Measurement):
    """How a single-label classifier did on labelled rows."""

    _summary = "model_name revision correct total accuracy warnings accuracy_interval macro_f1"

    majority_baseline: MajorityBaseline
    """What always giving the most frequent label would get right."""
    coverage: tuple[CoveragePoint, ...]
    """What each threshold would do, ascending: from 0, where every row is answered, to 1, with every step of 0.05
    between, the threshold in force and the proposed one. Between two scores of rows lies one more; of more than 180
    of these, some are left out evenly.
    """
    misclassified: tuple[Misclassified, ...]
    """The rows that were misclassified, those with the highest score first."""
    proposed_threshold: ProposedThreshold | None
    """The lowest threshold that reaches the requested precision, for ``set_threshold``, which sets it; ``None`` if no
    precision was requested, or no threshold reaches it (see ``warnings``).
    """

    def coverage_at(self, threshold: float) -> CoveragePoint:
        """Return the point at a threshold or, where there is none, at the next one above.

        Args:
            threshold: The threshold, from 0 to 1.
        """
        return next((point for point in self.coverage if point.threshold >= threshold), self.coverage[-1])

    @property
    def score(self) -> TestScore:
        """What of it is kept with the classifier."""
        return score_of(self)


def score_of(report: SharedMetrics) -> TestScore:
    """Return what of a report is kept with the classifier.

    Args:
        report: Of a classifier of any kind.
    """
    return recast(
        TestScore,
        report,
        ece=report.calibration.ece,
        correct_per_label={each.label: each.correct for each in report.labels if each.total},
        rows_per_label={each.label: each.total for each in report.labels if each.total},
    )


def check_evaluate_request(request: EvaluateRequest) -> None:
    """Refuse a request that cannot be answered; its rows are not looked at.

    Raises:
        InvalidName: The name breaks the grammar.
        InvalidParameter: ``target_precision`` or ``target_recall`` lies outside its range, or both are given.
    """
    read_reference(request.model_name)
    check_share("target_precision", request.target_precision, MIN_TARGET_PRECISION)
    check_share("target_recall", request.target_recall, MIN_TARGET_RECALL)
    if request.target_precision is not None and request.target_recall is not None:
        raise InvalidParameter(
            "{arg:target_recall} goes without {arg:target_precision}: a threshold is chosen for one of them. "
            "{Send} one of them; the report says what the other one is.",
            {"parameter": "target_recall"},
        )


def check_target_kind(request: EvaluateRequest, kind: Kind) -> None:
    """Refuse a target that classifiers of a kind do not have.

    Args:
        request: The request.
        kind: The classifier's kind.

    Raises:
        InvalidParameter: A recall is asked for, and it gives a single label.
    """
    if request.target_recall is not None and kind == "single_label":
        raise InvalidParameter(
            "{arg:target_recall} goes with a multi-label classifier, whose labels have a threshold each, and this one "
            "gives a single label. Leave it out; {arg:target_precision} proposes the score below which it gives none.",
            {"parameter": "target_recall"},
        )
