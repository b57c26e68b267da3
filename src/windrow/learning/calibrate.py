"""Calibration: making scores mean what they say, by rows that did not take part in what is judged."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Floats, Ids
from windrow.domain.classifier import Estimate
from windrow.domain.interval import Interval
from windrow.learning.evaluate import wilson
from windrow.learning.head import LinearHead

_LOG_TEMPERATURE_RANGE = (-2.0, 4.0)
# Folds share most of their rows, and each training has fewer than the one that is judged, so that what they say errs
# more than as many independent rows would. Source: docs/adr/0016 (Bates, Hastie and Tibshirani 2023, and measured).
WIDENED_BY = math.sqrt(2)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is usual for temperatures, before any row is seen: a normal distribution of the logarithm.

    Args:
        mean: Of the logarithm.
        deviation: Its standard deviation, more than 0.
    """

    mean: float
    deviation: float

    @property
    def temperature(self) -> float:
        """What is used where no row could be held out."""
        return math.exp(self.mean)


# Mean (with an adapter: of the sets, the middle one) and deviation of the best temperatures over five public sets with
# 8 rows a label. An encoder that was trained on the rows makes a head too sure of itself; a head alone, whose strength
# has the least log loss, is rather too humble.
# Source: docs/adr/0015, measured.
TUNED_PRIOR = Prior(0.1, 0.17)
HEAD_PRIOR = Prior(-0.24, 0.42)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Rows, each judged by a training that did not see it.

    Args:
        logits: Of each label; shape [m, labels], float32.
        label_ids: The labels that the rows have; shape [m], int64.
        likeness: To the centers of that training (``learning.scope``); shape [m], float32.
        folds: Trainings that judged them.
    """

    logits: Floats
    label_ids: Ids
    likeness: Floats
    folds: int


def join(parts: Sequence[HeldOut]) -> HeldOut:
    """Put what several trainings judged together.

    Args:
        parts: At least one.
    """
    return HeldOut(
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.label_ids for part in parts]),
        np.concatenate([part.likeness for part in parts]),
        sum(part.folds for part in parts),
    )


def fit_temperature(logits: Floats, label_ids: Ids, prior: Prior) -> float:
    """Return what to divide logits by, so that scores are as often right as they say.

    The temperature is that with the lowest log loss on held-out rows, pulled towards what is usual: a dozen rows say
    little about it. Each row counts as wrong by one part in m + 2, or else m right ones would ask for certainty.

    Args:
        logits: Of rows that did not train what is judged; shape [m, labels], float32.
        label_ids: Their labels; shape [m], int64.
        prior: What is usual for such trainings.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks"; the part: Platt 1999, "Probabilistic outputs
    for support vector machines"; the prior: docs/adr/0015.
    """
    from scipy.optimize import minimize_scalar  # a server loads it with the first report, not when it starts

    exact = logits.astype(np.float64)
    weight = 1 / (2 * prior.deviation**2)
    rows, labels = exact.shape
    own, doubt = exact[np.arange(rows), label_ids], 1 / (rows + 2)
    wanted = (1 - doubt) * own + doubt * (exact.sum(axis=1) - own) / (labels - 1)

    def cost(log_temperature: float) -> float:
        scale = math.exp(-log_temperature)
        peak = exact.max(axis=1) * scale
        losses = peak + np.log(np.exp(exact * scale - peak[:, None]).sum(axis=1)) - wanted * scale
        return float(losses.sum()) + weight * (log_temperature - prior.mean) ** 2

    found = minimize_scalar(cost, bounds=_LOG_TEMPERATURE_RANGE, method="bounded", options={"xatol": 1e-6})
    return float(math.exp(found.x))


def cool(head: LinearHead, temperature: float) -> LinearHead:
    """Return a head whose logits are divided by a temperature: softmax of a scaled head needs nothing at predict time.

    Which label is the first never changes.
    """
    return LinearHead(head.weights / np.float32(temperature), head.bias / np.float32(temperature))


def estimate_of(held_out: HeldOut) -> Estimate:
    """Return what held-out rows say about a training on all rows."""
    correct, total = int((held_out.logits.argmax(axis=1) == held_out.label_ids).sum()), len(held_out.label_ids)
    return Estimate(correct, total, held_out.folds, widened(correct, total))


def widened(correct: int, total: int) -> Interval:
    """Return where an accuracy on new rows lies, judged by rows that were held out in turn.

    Args:
        correct: Rows that were placed right.
        total: Rows that were judged, at least 1.
    """
    accuracy, narrow = correct / total, wilson(correct, total)
    return Interval(
        max(0.0, accuracy - WIDENED_BY * (accuracy - narrow.low)),
        min(1.0, accuracy + WIDENED_BY * (narrow.high - accuracy)),
    )
