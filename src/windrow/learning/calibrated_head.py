"""Calibrate a head with held-out rows, whether rows have one label or several."""

from dataclasses import dataclass

from windrow.arrays import Labels
from windrow.domain.training_report import Estimate
from windrow.learning.calibrate import HeldOut, Prior, apply_temperature, estimate_accuracy, fit_temperature
from windrow.learning.head import LinearHead, sigmoid
from windrow.learning.label_sets import are_label_ids, as_sets, count_labels
from windrow.learning.multi_label_calibrate import estimate_sets, fit_set_calibration, prior_calibration
from windrow.learning.multi_label_thresholds import PRIOR_THRESHOLD, choose_thresholds


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedHead:
    """A head that gives calibrated scores, and what held-out rows say about it.

    Args:
        head: The calibrated head.
        temperature: By which its logits were divided.
        estimate: The quality that is to be expected; ``None`` without held-out rows.
        label_thresholds: For label sets, the probability from which on a text is given each label, in (0, 1); ``None``
            for one label a text.
    """

    head: LinearHead
    temperature: float
    estimate: Estimate | None
    label_thresholds: tuple[float, ...] | None


def calibrate_head(
    head: LinearHead,
    labels: Labels,
    held_out: HeldOut | None,
    prior: Prior,
    usual_threshold: float | None = None,
) -> CalibratedHead:
    """Calibrate a head.

    Args:
        head: The fitted head.
        labels: The labels or label sets that it was fitted to.
        held_out: Held-out rows of like trainings; ``None`` where there are none.
        prior: What is usual for this kind of training.
        usual_threshold: As for ``choose_thresholds``; for label sets, the threshold where no row could be held out.
    """
    if not are_label_ids(labels):
        return _calibrate_for_sets(head, count_labels(labels), held_out, prior, usual_threshold)
    if held_out is None:
        return CalibratedHead(apply_temperature(head, prior.temperature), prior.temperature, None, None)
    truth = held_out.label_ids
    assert are_label_ids(truth), "held-out rows have labels of the same kind"
    temperature = fit_temperature(held_out.logits, truth, prior)
    return CalibratedHead(apply_temperature(head, temperature), temperature, estimate_accuracy(held_out), None)


def _calibrate_for_sets(
    head: LinearHead, labels: int, held_out: HeldOut | None, prior: Prior, usual_threshold: float | None
) -> CalibratedHead:
    if held_out is None:
        calibration = prior_calibration(labels, prior)
        estimate, thresholds = None, (usual_threshold or PRIOR_THRESHOLD,) * labels
    else:
        sets = as_sets(held_out.label_ids)
        calibration = fit_set_calibration(held_out.logits, sets, prior)
        estimate = estimate_sets(held_out, prior, usual_threshold)
        probabilities = sigmoid(calibration.apply(held_out.logits))
        thresholds = tuple(choose_thresholds(probabilities, sets, usual_threshold=usual_threshold).tolist())
    return CalibratedHead(calibration.apply_to_head(head), calibration.temperature, estimate, thresholds)
