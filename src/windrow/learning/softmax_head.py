"""Fit a multinomial logistic regression."""

from dataclasses import dataclass

import numpy as np

from windrow.arrays import Ids
from windrow.learning.preconditioning import AnyFloats, Exact, minimize_scaled, parameter_scales

# As in scikit-learn.
_TOLERANCE = 1e-4


def solve_labels(features: AnyFloats, label_ids: Ids, c: float, max_steps: int) -> tuple[Exact, Exact]:
    """Fit a logistic regression, and return its weights and biases.

    The solution is that of scikit-learn's ``LogisticRegression``, from the same start by the same algorithm, of many
    rows in other coordinates. Of a few rows that one spends nine tenths of its time on checks, and choosing C takes
    twenty fits or more; of many it takes up to thirty times as many steps.

    Args:
        features: Shape [rows, features]; computed in their type.
        label_ids: Each row's label, every id from 0 to its maximum at least once, at least two of them.
        c: Inverse regularisation, scikit-learn's ``C``.
        max_steps: The most steps of the solver.

    Returns:
        Weights, shape [labels, features], and biases, shape [labels]; for two labels their differences, of one row.

    Raises:
        ValueError: There is a single label, or a feature is not finite; what came of it would mean nothing.
    """
    rows, labels = len(label_ids), int(label_ids.max()) + 1
    if labels < 2 or not np.isfinite(features).all():
        raise ValueError("A head needs at least two labels, and features that are finite numbers.")
    free, penalty = labels if labels > 2 else 1, 1 / (c * rows)
    table = minimize_scaled(
        _Objective(features, label_ids, labels, penalty).value_and_gradient,
        np.zeros((free, features.shape[1] + 1)),
        parameter_scales(features, penalty),
        tolerance=_TOLERANCE,
        max_steps=max_steps,
    )
    return table[:, :-1], table[:, -1]


@dataclass(frozen=True, slots=True, eq=False)
class _Objective:
    """The mean log loss, and the penalty on the weights.

    Args:
        features: Shape [rows, features].
        label_ids: Shape [rows].
        labels: The number of labels.
        penalty: The factor of half the square of the weights.
    """

    features: AnyFloats
    label_ids: Ids
    labels: int
    penalty: float

    def value_and_gradient(self, table: Exact) -> tuple[float, Exact]:
        """Return the objective and its gradient for a table of weights, with the biases as its last column.

        For two labels they are the second one's, and the first one's are 0.
        """
        rows, weights = len(self.features), table[:, :-1]
        exact = table.astype(self.features.dtype, copy=False)
        logits = self.features @ exact[:, :-1].T
        logits += exact[:, -1]
        if len(table) < self.labels:
            logits = np.concatenate([np.zeros((rows, 1), logits.dtype), logits], axis=1)
        loss, residuals = softmax_loss(logits, self.label_ids)
        residuals = residuals[:, self.labels - len(table) :]
        gradient = np.empty_like(table)
        gradient[:, :-1] = residuals.T @ self.features
        gradient[:, -1] = residuals.sum(axis=0)
        gradient /= rows
        gradient[:, :-1] += self.penalty * weights
        return loss / rows + self.penalty / 2 * float(np.vdot(weights, weights)), gradient


def softmax_loss(logits: AnyFloats, label_ids: Ids) -> tuple[float, AnyFloats]:
    """Return the log loss of rows with one label each, and its derivative by their logits, which it overwrites.

    Args:
        logits: Shape [rows, labels].
        label_ids: Shape [rows].

    Returns:
        The sum over all rows, and the derivatives, shape [rows, labels], in the type of the logits.
    """
    own = np.arange(len(logits)), label_ids
    logits -= logits.max(axis=1, keepdims=True)
    of_own_labels = logits[own].sum(dtype=np.float64)
    shares = np.exp(logits, out=logits)
    sums = shares.sum(axis=1, keepdims=True)
    loss = float(np.log(sums).sum(dtype=np.float64) - of_own_labels)
    shares /= sums
    shares[own] -= 1
    return loss, shares
