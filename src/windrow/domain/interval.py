"""An interval: where a figure lies that was measured on a few rows."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from windrow.domain.values import Value

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval(Value):
    """Where a figure lies with 95 % confidence."""

    low: float
    """Its lower end."""
    high: float
    """Its upper end."""


def wilson_interval(correct: int, total: int) -> Interval:
    """Return Wilson's 95 % confidence interval of an accuracy.

    Args:
        correct: Correct predictions, at most ``total``.
        total: Predictions, at least 1.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    # SciPy has it, too, in a module that takes most of a second to load, in the server and in the training process.
    accuracy, squared = correct / total, NormalDist().inv_cdf((1 + CONFIDENCE) / 2) ** 2
    center = accuracy + squared / (2 * total)
    margin = math.sqrt(squared * (accuracy * (1 - accuracy) + squared / (4 * total)) / total)
    stretch = 1 + squared / total
    low = 0.0 if correct == 0 else (center - margin) / stretch
    return Interval(low, 1.0 if correct == total else (center + margin) / stretch)
