"""The linear classification head: logits, scores, and fitting by logistic regression."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Floats, Labels
from windrow.domain.prediction import Kind
from windrow.domain.training_report import HeadReport
from windrow.learning.label_sets import are_label_ids, as_sets, count_labels
from windrow.learning.multi_label_head import solve_sets
from windrow.learning.preconditioning import MAX_UNSCALED_ROWS, AnyFloats
from windrow.learning.softmax_head import solve_labels

# On an adapted encoder the last layer matters most. Source: docs/adr/0009, measured.
ADAPTED_C = 30.0
# For label sets, the best one differs between data: held-out rows choose it (``learning.model_selection``), the earlier
# one where they do not tell them apart. Source: docs/adr/0035, measured.
ADAPTED_CS_OF_SETS = (ADAPTED_C, 10.0, 5.0, 2.0)
ADAPTED_LAYER_WEIGHTS = (0.5, 0.5, 1.0)
# Rows x width x labels up to which double precision is affordable; above, it takes twice as long.
MAX_EXACT_WORK = 10_000_000
MAX_SOLVER_STEPS = 1_000


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A linear layer with softmax.

    Args:
        weights: Shape [labels, features], float32.
        bias: Shape [labels], float32.
    """

    weights: Floats
    bias: Floats

    def scores(self, features: Floats) -> Floats:
        """Return each label's score for each row.

        Args:
            features: Shape [rows, features], float32.

        Returns:
            Shape [rows, labels], float32; each row lies in [0, 1] and sums to 1.
        """
        return softmax(self.logits(features))

    def logits(self, features: Floats) -> Floats:
        """Return each label's logit for each row.

        Args:
            features: Shape [rows, features], float32.

        Returns:
            Shape [rows, labels], float32.
        """
        logits: Floats = features @ self.weights.T + self.bias
        return logits


def softmax(logits: Floats) -> Floats:
    """Return the scores of logits; both of shape [rows, labels], float32."""
    # The reductions are those of the methods ``max`` and ``sum``, which cost twice as much for a single row.
    scores: Floats = np.exp(logits - np.maximum.reduce(logits, axis=1, keepdims=True))
    scores /= np.add.reduce(scores, axis=1, keepdims=True)
    return scores


def sigmoid(logits: Floats) -> Floats:
    """Return each label's own score; both of shape [rows, labels], float32; NaN where a logit is not finite."""
    # As exact for the smallest scores as for the largest ones, and no logit overflows.
    with np.errstate(invalid="ignore"):
        scores: Floats = np.exp(-np.logaddexp(0, -logits))
    scores[~np.isfinite(logits)] = np.nan
    return scores


def scores_of_logits(logits: Floats, kind: Kind) -> Floats:
    """Return the scores of logits: of labels that exclude each other, or of labels that stand for themselves."""
    return sigmoid(logits) if kind == "multi_label" else softmax(logits)


def score_heads(heads: Sequence[LinearHead], features: Floats, kind: Kind = "single_label") -> list[Floats]:
    """Return the scores of several heads, in one matrix product.

    Args:
        heads: At least one, all of the same width.
        features: Shape [rows, features], float32.
        kind: That of all their classifiers.

    Returns:
        One array a head, shape [rows, labels], float32.
    """
    if len(heads) == 1:
        return [scores_of_logits(heads[0].logits(features), kind)]
    counts = np.array([len(head.bias) for head in heads])
    ends = counts.cumsum()
    starts = ends - counts
    logits = features @ np.concatenate([head.weights for head in heads]).T
    logits += np.concatenate([head.bias for head in heads])
    if kind == "multi_label":
        scores = sigmoid(logits)
        return [scores[:, start:end] for start, end in zip(starts, ends, strict=True)]
    logits -= np.repeat(np.maximum.reduceat(logits, starts, axis=1), counts, axis=1)
    scores = np.exp(logits)
    scores /= np.repeat(np.add.reduceat(scores, starts, axis=1), counts, axis=1)
    return [scores[:, start:end] for start, end in zip(starts, ends, strict=True)]


def fit_adapted_head(features: Floats, labels: Labels, c: float | None = None) -> tuple[LinearHead, HeadReport]:
    """Fit a logistic regression on features of an encoder whose adapter was trained on the same rows.

    C is not chosen here: cross-validation would evaluate the encoder on rows that trained it.

    Args:
        features: Shape [rows, features], float32: equally wide parts, one a layer, the last layer last.
        labels: As for :func:`solve`.
        c: The C that rows chose which trained neither; ``None`` for the usual one.

    Source: docs/adr/0009.
    """
    width = features.shape[1]
    layer_weights = np.array(ADAPTED_LAYER_WEIGHTS, np.float32)
    weights = np.repeat(layer_weights, -(-width // len(layer_weights)))[-width:]
    narrow, back = rotate(features * weights)
    c = c or ADAPTED_C
    head = solve(narrow, labels, c)
    head = LinearHead(np.ascontiguousarray(head.weights @ back) * weights, head.bias)
    return head, HeadReport(c, None, 0)


def rotate(features: Floats) -> tuple[Floats, Floats]:
    """Return features in coordinates of their row space, and the matrix that maps them back.

    A few rows span a small subspace, and L2 regularisation is blind to rotation: solving in that subspace gives the
    same head in a fraction of the time. Of many rows all columns are kept, but do not correlate any more, so that
    their scales say how curved the loss is (``learning.preconditioning``).

    Args:
        features: Shape [rows, width], float32.

    Returns:
        The rows in these coordinates, shape [rows, rank], and the matrix that leads back, shape [rank, width]; float32.

    Raises:
        ValueError: A feature is not finite.
    """
    if not np.isfinite(features).all():
        raise ValueError("A head needs features that are finite numbers.")
    rows, width = features.shape
    if width <= rows <= MAX_UNSCALED_ROWS:
        return features, np.eye(width, dtype=np.float32)
    if width <= rows:
        _, directions = np.linalg.eigh((features.T @ features).astype(np.float64))
        back = np.ascontiguousarray(directions.T, np.float32)
        return features @ back.T, back
    left, sizes, back = np.linalg.svd(features.astype(np.float64), full_matrices=False)
    return (left * sizes).astype(np.float32), back.astype(np.float32)


def solve(features: Floats, labels: Labels, c: float, start: LinearHead | None = None) -> LinearHead:
    """Fit a logistic regression; for label sets, one for each label.

    Args:
        features: Shape [rows, features], float32.
        labels: Each row's label, every id from 0 to its maximum at least once, at least two of them; or its label set.
        c: Inverse regularisation, scikit-learn's ``C``.
        start: The head from which the solver begins, such as that of another ``c``; ``None`` for none.
    """
    is_exact = features.size * count_labels(labels) <= MAX_EXACT_WORK
    numbers: AnyFloats = features.astype(np.float64) if is_exact else features
    table = None if start is None else np.column_stack([start.weights, start.bias]).astype(np.float64)
    if not are_label_ids(labels):
        return LinearHead(*solve_sets(numbers, as_sets(labels), c, table))
    weights, bias = solve_labels(numbers, labels, c, MAX_SOLVER_STEPS, table)
    if len(weights) == 1:
        # The differences of two softmax rows.
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return LinearHead(weights.astype(np.float32), bias.astype(np.float32))
