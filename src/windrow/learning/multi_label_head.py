"""Fit a logistic regression for each label of label sets, all of them in one minimisation."""

import numpy as np

from windrow.arrays import Bools, Floats
from windrow.learning.linear_loss import LinearLoss
from windrow.learning.preconditioning import AnyFloats, Exact, minimize_scaled, parameter_scales

# The solver's tolerance on each component of the gradient of the mean loss. scikit-learn's default is ten times as
# large, and leaves logits of rare labels short of the minimum by 0.4.
_TOLERANCE = 1e-5
_MAX_SOLVER_STEPS = 1_000


def solve_sets(features: AnyFloats, sets: Bools, c: float, start: Exact | None = None) -> tuple[Floats, Floats]:
    """Fit a logistic regression for each label, and return their weights and biases.

    They are fitted together, since the matrix products of all labels take little longer than those of one: scikit-learn
    fits one label after another, which takes minutes for hundreds of labels on a busy machine.

    Args:
        features: Shape [rows, features]; computed in their type.
        sets: Each row's label set; shape [rows, labels].
        c: Inverse regularisation, scikit-learn's ``C``.
        start: Weights and, as the last column, biases from which the solver begins; shape [labels, features + 1];
            ``None`` for no weights and the labels' shares.

    Returns:
        Weights, shape [labels, features], float32, and biases, shape [labels], float32. A label that no row has, or
        every row, tells rows apart by nothing: it has weights of 0, and the bias of its smoothed share of the rows.
    """
    rows, counts = len(sets), sets.sum(axis=0)
    biases = np.log((counts + 0.5) / (rows - counts + 0.5))
    weights = np.zeros((sets.shape[1], features.shape[1]))
    varying = np.flatnonzero((counts > 0) & (counts < rows))
    if len(varying):
        penalty = 1 / (c * rows)
        solution = minimize_scaled(
            LinearLoss(features, sets[:, varying], penalty).value_and_gradient,
            (np.column_stack([weights, biases]) if start is None else start)[varying],
            parameter_scales(features, penalty),
            tolerance=_TOLERANCE,
            max_steps=_MAX_SOLVER_STEPS,
        )
        weights[varying], biases[varying] = solution[:, :-1], solution[:, -1]
    return weights.astype(np.float32), biases.astype(np.float32)
