"""The log loss of a linear head, as what a solver minimises."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Bools, Ids, Labels
from windrow.learning.label_sets import are_label_ids, as_sets
from windrow.learning.preconditioning import AnyFloats, Exact

# The cells, rows times labels, whose logits are computed at a time: of many rows and labels they would take gigabytes.
_MAX_CELLS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class LinearLoss:
    """The mean log loss of rows, and the penalty on weights, as a function of a table of weights.

    Args:
        features: Shape [rows, features]; computed in their type.
        labels: The rows' labels, or their label sets, shape [rows, labels].
        penalty: The factor of half the sum of the squares.
        prior_logits: What the table's logits are added to; shape [rows, labels]; ``None`` for nothing.
        is_bias_penalised: Whether biases are penalised as weights are.
    """

    features: AnyFloats
    labels: Labels
    penalty: float
    prior_logits: AnyFloats | None = None
    is_bias_penalised: bool = False

    def value_and_gradient(self, table: Exact) -> tuple[float, Exact]:
        """Return the loss and its gradient, of the table's shape.

        Args:
            table: A label's weights in each row, and their biases as the last column; shape [labels, features + 1]. Of
                two labels it may hold the second one alone: the first one's logits are then 0.
        """
        exact = table.astype(self.features.dtype, copy=False)
        loss, gradient = 0.0, np.zeros(table.shape)
        for part in self._parts(len(table)):
            features = self.features[part]
            logits = features @ exact[:, :-1].T
            logits += exact[:, -1]
            if self.prior_logits is not None:
                logits += self.prior_logits[part]
            own_loss, residuals = _loss_of_logits(logits, self.labels[part])
            loss += own_loss
            gradient[:, :-1] += residuals.T @ features
            gradient[:, -1] += residuals.sum(axis=0)
        gradient /= len(self.features)
        penalised = table if self.is_bias_penalised else table[:, :-1]
        gradient[:, : penalised.shape[1]] += self.penalty * penalised
        return loss / len(self.features) + self.penalty / 2 * float(np.vdot(penalised, penalised)), gradient

    def _parts(self, labels: int) -> Iterator[slice]:
        size = max(1, _MAX_CELLS // labels)
        return (slice(first, first + size) for first in range(0, len(self.features), size))


def _loss_of_logits(logits: AnyFloats, labels: Labels) -> tuple[float, AnyFloats]:
    """Return the sum of the rows' log losses, and its derivative by their logits, which may be overwritten."""
    if not are_label_ids(labels):
        return sigmoid_loss(logits, as_sets(labels))
    if logits.shape[1] > 1:
        return softmax_loss(logits, labels)
    loss, residuals = softmax_loss(np.concatenate([np.zeros_like(logits), logits], axis=1), labels)
    return loss, residuals[:, 1:]


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
