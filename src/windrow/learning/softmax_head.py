"""Fit a multinomial logistic regression to a few rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from windrow.arrays import Ids

# scikit-learn's, so that few rows and many are fitted alike.
_TOLERANCE = 1e-4
_LEAST_GAIN = 64 * float(np.finfo(np.float64).eps)
_MAX_LINE_SEARCH_STEPS = 50

AnyFloats = npt.NDArray[np.floating[Any]]
_Exact = npt.NDArray[np.float64]


def solve_labels(features: _Exact, label_ids: Ids, c: float, max_steps: int) -> tuple[AnyFloats, AnyFloats]:
    """Fit a logistic regression, and return its weights and biases.

    The solution is that of scikit-learn's ``LogisticRegression``, from the same start by the same algorithm. Of a few
    rows that one spends nine tenths of its time on checks, and choosing C takes twenty fits or more.

    Args:
        features: Shape [rows, features].
        label_ids: Each row's label, every id from 0 to its maximum at least once, at least two of them.
        c: Inverse regularisation, scikit-learn's ``C``.
        max_steps: The most steps of the solver.

    Returns:
        Weights, shape [labels, features], and biases, shape [labels]; for two labels their differences, of one row.

    Raises:
        ValueError: There is a single label, or a feature is not finite; what came of it would mean nothing.
    """
    from scipy.optimize import minimize  # as ``learning.calibrate`` does

    rows, labels = len(label_ids), int(label_ids.max()) + 1
    if labels < 2 or not np.isfinite(features).all():
        raise ValueError("A head needs at least two labels, and features that are finite numbers.")
    with_bias = np.concatenate([features, np.ones((rows, 1))], axis=1)
    objective = _Objective(with_bias, np.eye(labels)[label_ids], 1 / (c * rows))
    free = labels if labels > 2 else 1
    options = {
        "maxiter": max_steps,
        "maxls": _MAX_LINE_SEARCH_STEPS,
        "gtol": _TOLERANCE,
        "ftol": _LEAST_GAIN,
    }
    start = np.zeros(free * with_bias.shape[1])
    found = minimize(objective.value_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
    table = found.x.reshape(free, -1)
    return table[:, :-1], table[:, -1]


@dataclass(frozen=True, slots=True, eq=False)
class _Objective:
    """The mean log loss, and the penalty on the weights.

    Args:
        features: With a column of ones for the biases; shape [rows, features + 1].
        truth: 1 for each row's label; shape [rows, labels].
        penalty: The factor of half the square of the weights.
    """

    features: _Exact
    truth: _Exact
    penalty: float

    def value_and_gradient(self, parameters: _Exact) -> tuple[float, _Exact]:
        """Return the objective and its gradient for weights and a bias of each label, flattened.

        For two labels they are the second one's, and the first one's are 0.
        """
        rows, labels = self.truth.shape
        table = parameters.reshape(-1, self.features.shape[1])
        logits = self.features @ table.T
        if len(table) < labels:
            logits = np.concatenate([np.zeros((rows, 1)), logits], axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        sums = shares.sum(axis=1, keepdims=True)
        loss = float((np.log(sums).sum() - (logits * self.truth).sum()) / rows)
        shares /= sums
        shares -= self.truth
        gradient = shares[:, labels - len(table) :].T @ self.features / rows
        weights = table[:, :-1]
        gradient[:, :-1] += self.penalty * weights
        return loss + self.penalty / 2 * float(np.vdot(weights, weights)), gradient.ravel()
