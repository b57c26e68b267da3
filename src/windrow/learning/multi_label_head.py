"""Fit a logistic regression for each label of label sets, all of them in one minimisation."""

from dataclasses import dataclass

import numpy as np

from windrow.arrays import Bools, Floats
from windrow.learning.preconditioning import AnyFloats, Exact, minimize_scaled, parameter_scales

# The solver's tolerance on each component of the gradient of the mean loss. scikit-learn's default is ten times as
# large, and leaves logits of rare labels short of the minimum by 0.4.
_TOLERANCE = 1e-5
_MAX_SOLVER_STEPS = 1_000
# The cells, rows times labels, whose logits are computed at a time: of many rows and labels they would take gigabytes.
_MAX_CELLS = 4_000_000


def solve_sets(features: AnyFloats, sets: Bools, c: float) -> tuple[Floats, Floats]:
    """Fit a logistic regression for each label, and return their weights and biases.

    They are fitted together, since the matrix products of all labels take little longer than those of one: scikit-learn
    fits one label after another, which takes minutes for hundreds of labels on a busy machine.

    Args:
        features: Shape [rows, features]; computed in their type.
        sets: Each row's label set; shape [rows, labels].
        c: Inverse regularisation, scikit-learn's ``C``.

    Returns:
        Weights, shape [labels, features], float32, and biases, shape [labels], float32. A label that no row has, or
        every row, tells rows apart by nothing: it has weights of 0, and the bias of its smoothed share of the rows.
    """
    rows, counts = len(sets), sets.sum(axis=0)
    biases = np.log((counts + 0.5) / (rows - counts + 0.5))
    weights = np.zeros((sets.shape[1], features.shape[1]))
    varying = np.flatnonzero((counts > 0) & (counts < rows))
    if len(varying):
        solution = minimize_scaled(
            _Objective(features, sets[:, varying], c).value_and_gradient,
            np.concatenate([weights[varying], biases[varying, None]], axis=1),
            parameter_scales(features, 1 / (c * rows)),
            tolerance=_TOLERANCE,
            max_steps=_MAX_SOLVER_STEPS,
        )
        weights[varying], biases[varying] = solution[:, :-1], solution[:, -1]
    return weights.astype(np.float32), biases.astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Objective:
    """The regularised log loss of all labels, each label's as scikit-learn scales it.

    Args:
        features: Shape [rows, features].
        sets: Shape [rows, labels].
        c: Inverse regularisation.
    """

    features: AnyFloats
    sets: Bools
    c: float

    def value_and_gradient(self, table: Exact) -> tuple[float, Exact]:
        """Return the objective and its gradient for a table of weights, with the biases as its last column."""
        rows, labels = self.sets.shape
        weights, biases = table[:, :-1].astype(self.features.dtype), table[:, -1].astype(self.features.dtype)
        gradient, loss = np.zeros(table.shape), 0.0
        size = max(1, _MAX_CELLS // labels)
        for first in range(0, rows, size):
            features, sets = self.features[first : first + size], self.sets[first : first + size]
            logits = features @ weights.T + biases
            own_loss, residuals = sigmoid_loss(logits, sets)
            loss += own_loss
            gradient[:, :-1] += residuals.T @ features
            gradient[:, -1] += residuals.sum(axis=0)
        gradient[:, :-1] += table[:, :-1] / self.c
        penalty = float(np.square(table[:, :-1]).sum()) / (2 * self.c)
        return (loss + penalty) / rows, gradient / rows


def sigmoid_loss(logits: AnyFloats, sets: Bools) -> tuple[float, AnyFloats]:
    """Return the log loss of rows with label sets, over all labels, and its derivative by their logits.

    Args:
        logits: Shape [rows, labels].
        sets: Each row's label set; shape [rows, labels].

    Returns:
        The sum over all rows, and the derivatives, shape [rows, labels], in the type of the logits.
    """
    decay = np.exp(-np.abs(logits))
    signed = np.where(sets, -logits, logits)
    loss = float((np.maximum(signed, 0) + np.log1p(decay)).sum(dtype=np.float64))
    residuals: AnyFloats = np.where(logits >= 0, 1, decay) / (1 + decay) - sets
    return loss, residuals
