"""Calibrate a head's scores, and estimate its accuracy, with held-out rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Floats, Ids, Labels
from windrow.domain.interval import Interval, wilson_interval
from windrow.domain.training_report import Estimate
from windrow.learning.head import LinearHead

_LOG_TEMPERATURE_RANGE = (-2.0, 4.0)
# Folds share most of their rows, and each trains on fewer rows than the final training, so their estimate errs more
# than one from as many independent rows. Source: docs/adr/0016 (Bates, Hastie and Tibshirani 2023, and measured).
WIDENED_BY = math.sqrt(2)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is usual for a kind of training: its temperatures, a normal distribution of the logarithm.

    Args:
        mean: Of the logarithm.
        deviation: Its standard deviation, more than 0.
        pseudo_rows: The number of held-out rows for which the usual probabilities count where labels do not exclude
            each other.
    """

    mean: float
    deviation: float
    pseudo_rows: float = 2.0

    @property
    def temperature(self) -> float:
        """The temperature to use where no row could be held out."""
        return math.exp(self.mean)


# Mean (with an adapter: median) and deviation of the best temperatures over five public data sets with 8 rows a label.
# A head on an encoder that was trained on the same rows is overconfident; a head on the frozen encoder, whose C has the
# lowest log loss, is slightly underconfident. Source: docs/adr/0015, measured.
ADAPTED_PRIOR = Prior(0.1, 0.17)
HEAD_PRIOR = Prior(-0.24, 0.42)
# The zero-shot head is calibrated, and so is one that begins as it. Source of the rows: docs/adr/0044, measured.
DESCRIBED_PRIOR = Prior(0.0, 0.42, pseudo_rows=10.0)


def temperature_prior(*, is_adapted: bool, is_described: bool) -> Prior:
    """Return the prior of the temperature for a kind of training.

    Args:
        is_adapted: Whether it trains an adapter.
        is_described: Whether the head alone begins as the zero-shot head of described labels.
    """
    if is_adapted:
        return ADAPTED_PRIOR
    return DESCRIBED_PRIOR if is_described else HEAD_PRIOR


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Held-out rows, each with the output of a training that did not see it.

    Args:
        logits: The logits of each row; shape [m, labels], float32.
        label_ids: The rows' labels, shape [m], int64; or their label sets, shape [m, labels], bool.
        similarities: The rows' similarities to that training's centroids (``learning.scope``); shape [m], float32.
        folds: The number of trainings.
        by_c: With an adapter and label sets, the logits at each of ``ADAPTED_CS_OF_SETS``, shape [candidates, m,
            labels], float32; ``None`` where C is not chosen, or was.
        c: The head's C that these rows chose; ``None`` where they chose none.
    """

    logits: Floats
    label_ids: Labels
    similarities: Floats
    folds: int
    by_c: Floats | None = None
    c: float | None = None


def join(parts: Sequence[HeldOut]) -> HeldOut:
    """Concatenate the held-out rows of several trainings.

    Args:
        parts: At least one.
    """
    by_c = [part.by_c for part in parts if part.by_c is not None]
    return HeldOut(
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.label_ids for part in parts]),
        np.concatenate([part.similarities for part in parts]),
        sum(part.folds for part in parts),
        by_c=np.concatenate(by_c, axis=1) if len(by_c) == len(parts) else None,
    )


def fit_temperature(logits: Floats, label_ids: Ids, prior: Prior) -> float:
    """Fit the temperature by which to divide logits, so that scores match how often they are right.

    It minimises the log loss on held-out rows plus the prior's penalty, since a dozen rows say little. Labels are
    smoothed by 1 / (m + 2), or else m correct rows would ask for certainty.

    Args:
        logits: Out-of-fold logits; shape [m, labels], float32.
        label_ids: The rows' labels; shape [m], int64.
        prior: The prior for this kind of training.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks"; the smoothing: Platt 1999, "Probabilistic
    outputs for support vector machines"; the prior: docs/adr/0015.
    """
    from scipy.optimize import minimize_scalar  # a server loads it with the first report, not when it starts

    exact = logits.astype(np.float64)
    weight = 1 / (2 * prior.deviation**2)
    rows, labels = exact.shape
    own, doubt = exact[np.arange(rows), label_ids], 1 / (rows + 2)
    target_logits = (1 - doubt) * own + doubt * (exact.sum(axis=1) - own) / (labels - 1)

    def cost(log_temperature: float) -> float:
        scale = math.exp(-log_temperature)
        peak = exact.max(axis=1) * scale
        losses = peak + np.log(np.exp(exact * scale - peak[:, None]).sum(axis=1)) - target_logits * scale
        return float(losses.sum()) + weight * (log_temperature - prior.mean) ** 2

    solution = minimize_scalar(cost, bounds=_LOG_TEMPERATURE_RANGE, method="bounded", options={"xatol": 1e-6})
    return float(math.exp(solution.x))


def apply_temperature(head: LinearHead, temperature: float) -> LinearHead:
    """Return a head whose logits are divided by a temperature, so that predicting needs no further step.

    The best label never changes.
    """
    return LinearHead(head.weights / np.float32(temperature), head.bias / np.float32(temperature))


def estimate_accuracy(held_out: HeldOut) -> Estimate:
    """Estimate the accuracy of a training on all rows from held-out rows."""
    correct, total = int((held_out.logits.argmax(axis=1) == held_out.label_ids).sum()), len(held_out.label_ids)
    return Estimate(correct, total, held_out.folds, widened(correct, total))


def widened(correct: int, total: int) -> Interval:
    """Return the confidence interval of an accuracy that was estimated by cross-validation.

    Args:
        correct: Correctly classified rows.
        total: Held-out rows, at least 1.
    """
    accuracy, narrow = correct / total, wilson_interval(correct, total)
    return Interval(
        max(0.0, accuracy - WIDENED_BY * (accuracy - narrow.low)),
        min(1.0, accuracy + WIDENED_BY * (narrow.high - accuracy)),
    )
