"""Calibrate the probabilities of several labels with held-out rows, and estimate how well they are told."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from windrow.arrays import Bools, Floats
from windrow.domain.training_report import Estimate
from windrow.learning.calibrate import HeldOut, Prior, widened
from windrow.learning.head import LinearHead, sigmoid
from windrow.learning.label_sets import as_sets
from windrow.learning.multi_label_thresholds import PRIOR_THRESHOLD, choose_thresholds

# The standard deviations of the shift of all labels, and of how far a label's own differs from it.
SHARED_SHIFT_DEVIATION = 1.0
OWN_SHIFT_DEVIATION = 0.5
# Calibration and thresholds of a part of the held-out rows are fitted to the others, so that they are not tried on the
# rows that chose them.
_ESTIMATE_PARTS = 5

_Exact = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SetCalibration:
    """How logits become those of calibrated probabilities: divided by a temperature, then shifted.

    Args:
        temperature: Shared by all labels, more than 0.
        shifts: What is added to each label's logits; shape [labels], float32.
    """

    temperature: float
    shifts: Floats

    def apply(self, logits: Floats) -> Floats:
        """Return calibrated logits; both of shape [rows, labels], float32."""
        calibrated: Floats = logits / np.float32(self.temperature) + self.shifts
        return calibrated

    def apply_to_head(self, head: LinearHead) -> LinearHead:
        """Return a head with calibrated logits, so that predicting needs no further step."""
        temperature = np.float32(self.temperature)
        return LinearHead(head.weights / temperature, head.bias / temperature + self.shifts)


def fit_set_calibration(logits: Floats, sets: Bools, prior: Prior) -> SetCalibration:
    """Fit a temperature of all labels, and a shift of each, so that probabilities match how often labels apply.

    They minimise the log loss on held-out rows plus the penalties of their priors, so that a rare label keeps what all
    labels share, and few rows keep what is usual. Decisions are smoothed towards the probabilities that are usual, or
    else rows that are all decided correctly would ask for certainty. To smooth them towards 1/2, as one does where two
    classes are alike frequent, would make every label of a few rows too probable.

    Args:
        logits: Out-of-fold logits; shape [m, labels], float32.
        sets: The rows' label sets; shape [m, labels].
        prior: What is usual for this kind of training.

    Source: Platt 1999, "Probabilistic outputs for support vector machines"; the priors: docs/adr/0015 and 0044.
    """
    from scipy.optimize import minimize  # a server loads it with the first report, not when it starts

    exact = logits.astype(np.float64)
    targets = _smoothed(sets, exact / prior.temperature, prior.pseudo_rows)
    variances = np.array([prior.deviation, SHARED_SHIFT_DEVIATION, OWN_SHIFT_DEVIATION]) ** 2

    def cost(parameters: _Exact) -> tuple[float, _Exact]:
        log_temperature, shared, own = parameters[0], parameters[1], parameters[2:]
        scaled = exact * math.exp(-log_temperature)
        calibrated = scaled + (shared + own)
        losses = np.logaddexp(0, calibrated) - targets * calibrated
        residuals = np.exp(-np.logaddexp(0, -calibrated)) - targets
        distances = np.concatenate([[log_temperature - prior.mean, shared], own])
        precisions = 1 / np.concatenate([variances[:2], np.full(len(own), variances[2])])
        gradient = np.concatenate([[-(residuals * scaled).sum(), residuals.sum()], residuals.sum(axis=0)])
        value = float(losses.sum()) + float((distances**2 * precisions).sum()) / 2
        return value, gradient + distances * precisions

    start = np.concatenate([[prior.mean], np.zeros(1 + sets.shape[1])])
    found = minimize(cost, start, jac=True, method="L-BFGS-B").x
    return SetCalibration(math.exp(float(found[0])), (found[1] + found[2:]).astype(np.float32))


def prior_calibration(labels: int, prior: Prior) -> SetCalibration:
    """Return the calibration where no row could be held out: the usual temperature."""
    return SetCalibration(prior.temperature, np.zeros(labels, np.float32))


def estimate_sets(held_out: HeldOut, prior: Prior, usual_threshold: float | None = None) -> Estimate:
    """Estimate from held-out rows how often whole sets are right, and the F1 of labels, at thresholds.

    Args:
        held_out: Rows with label sets.
        prior: What is usual for this kind of training.
        usual_threshold: As for :func:`choose_thresholds`.
    """
    sets = as_sets(held_out.label_ids)
    given = given_by_others(held_out.logits, sets, prior, usual_threshold)
    hits, totals, predicted = (given & sets).sum(axis=0), sets.sum(axis=0), given.sum(axis=0)
    correct, total, decided = int((given == sets).all(axis=1).sum()), len(sets), totals + predicted
    known = decided > 0
    return Estimate(
        correct,
        total,
        held_out.folds,
        widened(correct, total),
        micro_f1=float(2 * hits.sum() / max(1, int(decided.sum()))),
        macro_f1=float((2 * hits[known] / decided[known]).mean()) if known.any() else 0.0,
    )


def given_by_others(logits: Floats, sets: Bools, prior: Prior, usual_threshold: float | None = None) -> Bools:
    """Return the labels that held-out rows are given, each by a calibration and thresholds that other rows chose.

    Args:
        logits: Of the held-out rows; shape [m, labels], float32.
        sets: Their label sets; shape [m, labels].
        prior: What is usual for this kind of training.
        usual_threshold: As for :func:`choose_thresholds`.

    Returns:
        Shape [m, labels], bool.
    """
    rows, given = np.arange(len(sets)), np.zeros_like(sets)
    for part in range(_ESTIMATE_PARTS):
        own, others = rows % _ESTIMATE_PARTS == part, rows % _ESTIMATE_PARTS != part
        if not own.any():
            continue
        if others.any():
            calibration = fit_set_calibration(logits[others], sets[others], prior)
            probabilities = sigmoid(calibration.apply(logits[others]))
            thresholds = choose_thresholds(probabilities, sets[others], usual_threshold=usual_threshold)
        else:
            calibration = prior_calibration(sets.shape[1], prior)
            thresholds = np.full(sets.shape[1], usual_threshold or PRIOR_THRESHOLD)
        given[own] = sigmoid(calibration.apply(logits[own])) >= thresholds
    return given


def _smoothed(sets: Bools, usual_logits: _Exact, pseudo_rows: float) -> _Exact:
    """Return the target of each decision: a little towards its usual probability from 1 or 0."""
    usual = np.exp(-np.logaddexp(0, -usual_logits))
    targets: _Exact = (len(sets) * sets + pseudo_rows * usual) / (len(sets) + pseudo_rows)
    return targets
