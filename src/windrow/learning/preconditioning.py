"""Minimise the loss of a linear head; of many rows in coordinates in which it is about equally curved everywhere."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

# Up to this many rows L-BFGS needs few steps as it is, and least of all for many labels.
MAX_UNSCALED_ROWS = 500
# The second derivative of the log loss by a logit, of rows that a head knows well: a label's score times 1 minus it is
# 0.25 at most. 0.03 to 0.25 need about as many steps, the labels' shares in its place up to three times as many.
_CURVATURE = 0.1
# The relative gain of a step below which the minimum counts as found, too; as in scikit-learn.
_LEAST_GAIN = 64 * float(np.finfo(np.float64).eps)
_MAX_LINE_SEARCH_STEPS = 50
# The share of the gradient at the start that may be left.
_MAX_GRADIENT_LEFT = 0.3

AnyFloats = npt.NDArray[np.floating[Any]]
Exact = npt.NDArray[np.float64]
# From a table of weights, with the biases as its last column, to a loss and its gradient, of the table's shape.
Objective = Callable[[Exact], tuple[float, Exact]]


def minimize_scaled(objective: Objective, start: Exact, scales: Exact, tolerance: float, max_steps: int) -> Exact:
    """Minimise an objective by L-BFGS, which sees each parameter divided by its scale.

    Args:
        objective: To minimise.
        start: Where to begin; shape [labels, features + 1]. Unless it is all zeros, the gradient has to become a third
            of what it is there: else the minimum for another penalty may count as the one for this.
        scales: As :func:`parameter_scales` returns them; shape [features + 1].
        tolerance: The largest component of the scaled gradient at which the minimum counts as found.
        max_steps: The most steps.

    Returns:
        The table at the minimum; shape [labels, features + 1].

    Source: Nocedal and Wright 2006, "Numerical optimization", sections 5.1 (preconditioning) and 7.2 (L-BFGS).
    """
    from scipy.optimize import minimize  # only a training process fits heads

    def scaled(flat: Exact) -> tuple[float, Exact]:
        value, gradient = objective(flat.reshape(start.shape) * scales)
        return value, (gradient * scales).ravel()

    begin = (start / scales).ravel()
    value, gradient = scaled(begin)
    if begin.any():
        tolerance = min(tolerance, _MAX_GRADIENT_LEFT * float(np.abs(gradient).max()))

    def scaled_but_once(flat: Exact) -> tuple[float, Exact]:
        return (value, gradient) if np.array_equal(flat, begin) else scaled(flat)

    options = {
        "maxiter": max_steps,
        "maxfun": 2 * max_steps,
        "maxls": _MAX_LINE_SEARCH_STEPS,
        "gtol": tolerance,
        "ftol": _LEAST_GAIN,
    }
    found = minimize(scaled_but_once, begin, jac=True, method="L-BFGS-B", options=options)
    table: Exact = found.x.reshape(start.shape) * scales
    return table


def parameter_scales(features: AnyFloats, penalty: float) -> Exact:
    """Return the scales of a label's weights and bias, in which the mean log loss is about equally curved.

    They are the roots of the inverse diagonal of its second derivative. Where features lie in coordinates of their row
    space (``learning.head.rotate``), the rest of that is small, and a few dozen steps do what took hundreds: the rows'
    main direction varies ten thousand times as much as their last one.

    Args:
        features: Shape [rows, features].
        penalty: The factor of half the square of the weights in the mean log loss, above 0.

    Returns:
        Shape [features + 1], the bias last; 1 each for ``MAX_UNSCALED_ROWS`` rows and fewer.
    """
    rows, width = features.shape
    if rows <= MAX_UNSCALED_ROWS:
        return np.ones(width + 1)
    squares = np.einsum("ij,ij->j", features, features).astype(np.float64) / rows
    scales: Exact = 1 / np.sqrt(np.append(_CURVATURE * squares + penalty, _CURVATURE))
    return scales
