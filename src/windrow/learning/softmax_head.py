"""Fit a multinomial logistic regression."""

import numpy as np

from windrow.arrays import Ids
from windrow.learning.linear_loss import LinearLoss
from windrow.learning.preconditioning import AnyFloats, Exact, minimize_scaled, parameter_scales

# As in scikit-learn.
_TOLERANCE = 1e-4


def solve_labels(
    features: AnyFloats, label_ids: Ids, c: float, max_steps: int, start: Exact | None = None
) -> tuple[Exact, Exact]:
    """Fit a logistic regression, and return its weights and biases.

    The solution is that of scikit-learn's ``LogisticRegression``, from the same start by the same algorithm, of many
    rows in other coordinates. Of a few rows that one spends nine tenths of its time on checks, and choosing C takes
    twenty fits or more; of many it takes up to thirty times as many steps.

    Args:
        features: Shape [rows, features]; computed in their type.
        label_ids: Each row's label, every id from 0 to its maximum at least once, at least two of them.
        c: Inverse regularisation, scikit-learn's ``C``.
        max_steps: The most steps of the solver.
        start: Weights and, as the last column, biases from which it begins; shape [labels, features + 1]; ``None`` for
            zeros.

    Returns:
        Weights, shape [labels, features], and biases, shape [labels]; for two labels their differences, of one row.

    Raises:
        ValueError: There is a single label, or a feature is not finite; what came of it would mean nothing.
    """
    rows, labels = len(label_ids), int(label_ids.max()) + 1
    if labels < 2 or not np.isfinite(features).all():
        raise ValueError("A head needs at least two labels, and features that are finite numbers.")
    begin = np.zeros((labels, features.shape[1] + 1)) if start is None else start
    penalty = 1 / (c * rows)
    table = minimize_scaled(
        LinearLoss(features, label_ids, penalty).value_and_gradient,
        begin if labels > 2 else begin[1:] - begin[:1],
        parameter_scales(features, penalty),
        tolerance=_TOLERANCE,
        max_steps=max_steps,
    )
    return table[:, :-1], table[:, -1]
