"""Warnings about an evaluation: accuracies that say little, rows that were cut off or left out, labels withheld."""

from collections.abc import Iterable, Iterator

import numpy as np

from windrow.arrays import Bools
from windrow.domain.dataset import DataWarning
from windrow.domain.figures import counted
from windrow.domain.multi_label_report import MultiLabelBaseline
from windrow.domain.quality_warnings import warn_of_few_rows, warn_of_majority, warn_of_truncated
from windrow.domain.report import MajorityBaseline, SharedMetrics
from windrow.execution.batch_prediction import ClassifierOutputs
from windrow.storage.catalog import ResolvedModel


def accuracy_warnings(
    outcome: SharedMetrics, baseline: MajorityBaseline | MultiLabelBaseline, base_model: str
) -> Iterator[DataWarning]:
    """Yield one warning where an accuracy says little.

    Args:
        outcome: What was measured.
        baseline: What always giving the same answer gets right.
        base_model: The id of the classifier's base model.
    """
    interval = outcome.accuracy_interval
    by_majority = tuple(warn_of_majority(outcome.total, interval, baseline, base_model))
    yield from by_majority or warn_of_few_rows(outcome.total, interval)


def left_out_warnings(unseen: Bools) -> Iterator[DataWarning]:
    """Yield a warning where rows are left out of a comparison.

    Args:
        unseen: Whether each row counts; shape [rows].
    """
    if not unseen.all():
        left_out = np.flatnonzero(~unseen).tolist()
        message = (
            f"{counted(len(left_out), 'row is', 'rows are')} left out of pairs and recommendation, since one of the "
            "classifiers was trained on such a text, or nearly so."
        )
        yield DataWarning("seen_rows_left_out", message, tuple(left_out))


def truncation_warnings(outputs: Iterable[ClassifierOutputs]) -> Iterator[DataWarning]:
    """Yield a warning where test rows are longer than the encoder of one of the classifiers reads."""
    truncated = np.any([each.truncated for each in outputs], axis=0)
    return warn_of_truncated(int(truncated.sum()), len(truncated), np.flatnonzero(truncated).tolist())


def abstention_warnings(model: ResolvedModel, answers: ClassifierOutputs) -> Iterator[DataWarning]:
    """Yield a warning where a stored threshold keeps some of the labels back that are judged."""
    record = model.entry.record
    least = 0.0 if record.threshold is None else record.threshold.abstain_below
    if not (count := int(_withheld(answers, least).sum())):
        return
    message = (
        f"{record.name} has a threshold of {least:.3g}, below which {count} of {len(answers.scores)} rows get no "
        "label; these figures are of the best label, given or not."
    )
    if answers.given is not None:
        message = (
            f"{record.name} gives no label with a score below {least:.3g}, which keeps labels of {count} of "
            f"{len(answers.scores)} rows back; these figures are of each label's own threshold alone."
        )
    yield DataWarning("threshold_in_force", message)


def _withheld(answers: ClassifierOutputs, least: float) -> Bools:
    """Return whether a label of each text is kept back by a score below which no label is given; shape [texts]."""
    # As float64, like predictions: as float32, 0.7 is not below 0.7, though the score in the reply is.
    is_below: Bools = answers.scores.astype(np.float64) < least
    withheld: Bools
    withheld = np.all(is_below, axis=1) if answers.given is None else np.any(answers.given & is_below, axis=1)
    return withheld
