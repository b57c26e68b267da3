"""The head: a linear layer on an encoder's features, and how it is fitted.

Owns the head's arithmetic and the choice of its strength; knows nothing of texts, encoders or files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from windrow.domain.classifier import HeadReport

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

STRENGTHS = (1.0, 4.0, 16.0, 64.0)
DEFAULT_STRENGTH = 16.0
# On a tuned encoder the last layer says most. Source: docs/adr/0009, measured.
TUNED_STRENGTH = 30.0
TUNED_LAYER_WEIGHTS = (0.5, 0.5, 1.0)
MAX_FOLDS = 5
MAX_CV_ROWS = 5_000
# Rows x width x labels up to which the strength is chosen by cross-validation; twenty fits of that size take about half
# a minute. Beyond, the default is as good as any: what many rows or labels say does not hang on it.
MAX_CV_WORK = 100_000_000
_MAX_SOLVER_STEPS = 1_000
_SMALLEST_SCORE = 1e-9


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
        logits = features @ self.weights.T + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        exponentials = np.exp(logits)
        scores: Floats = exponentials / exponentials.sum(axis=1, keepdims=True)
        return scores


def score_together(heads: Sequence[LinearHead], features: Floats) -> list[Floats]:
    """Return what :meth:`LinearHead.scores` of each head would, in few large steps instead of many small ones.

    Args:
        heads: At least one, all of the same width.
        features: Shape [rows, features], float32.

    Returns:
        One array a head, shape [rows, labels], float32.
    """
    if len(heads) == 1:
        return [heads[0].scores(features)]
    counts = np.array([len(head.bias) for head in heads])
    ends = counts.cumsum()
    starts = ends - counts
    logits = features @ np.concatenate([head.weights for head in heads]).T
    logits += np.concatenate([head.bias for head in heads])
    logits -= np.repeat(np.maximum.reduceat(logits, starts, axis=1), counts, axis=1)
    scores = np.exp(logits)
    scores /= np.repeat(np.add.reduceat(scores, starts, axis=1), counts, axis=1)
    return [scores[:, start:end] for start, end in zip(starts, ends, strict=True)]


def fit_tuned_head(features: Floats, label_ids: Ids) -> tuple[LinearHead, HeadReport]:
    """Fit a logistic regression on features of an encoder that was trained on the same rows.

    Its strength is fixed: cross-validation would judge an encoder by rows that it saw.

    Args:
        features: Shape [rows, features], float32: equally wide parts, one a layer, the last layer last.
        label_ids: Shape [rows], int64, every id from 0 to its maximum at least once, at least two of them.

    Source: docs/adr/0009.
    """
    weights = np.repeat(TUNED_LAYER_WEIGHTS, -(-features.shape[1] // len(TUNED_LAYER_WEIGHTS)))[-features.shape[1] :]
    narrow, back = _rotate(features * weights.astype(np.float32))
    head = _solve(narrow, label_ids, TUNED_STRENGTH)
    return LinearHead(np.ascontiguousarray(head.weights @ back) * weights.astype(np.float32), head.bias), HeadReport(
        TUNED_STRENGTH, None, 0
    )


def fit_head(features: Floats, label_ids: Ids, seed: int, anchors: int = 0) -> tuple[LinearHead, HeadReport]:
    """Fit a logistic regression whose strength is chosen by stratified cross-validation.

    Args:
        features: Shape [rows, features], float32.
        label_ids: Shape [rows], int64, every id from 0 to its maximum at least once, at least two of them.
        seed: Deals the rows to the folds.
        anchors: So many rows at the end are no examples (label names, say): they train, but are never held out.

    Returns:
        The head on all rows, and how its strength was chosen: the lowest log loss on held-out rows, which is less
        easily fooled by a handful of rows than accuracy is.

    Source: docs/adr/0003.
    """
    # A few rows span a small subspace, and L2 regularisation is blind to rotation: solving in that subspace gives
    # the same head in a fraction of the time.
    narrow, back = _rotate(features)
    report = _choose_strength(narrow, label_ids, seed, anchors)
    head = _solve(narrow, label_ids, report.strength)
    return LinearHead(np.ascontiguousarray(head.weights @ back), head.bias), report


def deal_folds(label_ids: Ids, seed: int) -> Ids:
    """Deal rows to folds so that each label is spread evenly and none is ever missing from the other folds.

    Args:
        label_ids: Shape [rows], int64.
        seed: Shuffles the rows of each label.

    Returns:
        Each row's fold, shape [rows], int64; -1 for a label's only row, which is never held out. There are at most
        ``MAX_FOLDS`` folds.
    """
    generator = np.random.default_rng(seed)
    counts = np.bincount(label_ids)
    fold_count = min(MAX_FOLDS, int(counts.max()))
    folds = np.full(len(label_ids), -1, dtype=np.int64)
    dealt = 0
    for label_id in np.flatnonzero(counts > 1):
        rows = generator.permutation(np.flatnonzero(label_ids == label_id))
        folds[rows] = (dealt + np.arange(len(rows))) % fold_count
        dealt += len(rows)
    return folds


def splits(folds: Ids) -> Iterator[tuple[Ids, Ids]]:
    """Yield the rows to train on and the rows held out, fold by fold.

    Args:
        folds: Each row's fold, as :func:`deal_folds` returns them.
    """
    for fold in range(int(folds.max()) + 1):
        held_out = np.flatnonzero(folds == fold)
        if len(held_out):
            yield np.flatnonzero(folds != fold), held_out


def _choose_strength(features: Floats, label_ids: Ids, seed: int, anchors: int) -> HeadReport:
    examples = len(label_ids) - anchors
    sampled = _sample(label_ids[:examples], seed)
    rows = np.concatenate([sampled, np.arange(examples, len(label_ids))])
    folds = np.concatenate([deal_folds(label_ids[sampled], seed), np.full(anchors, -1)])
    features, label_ids = features[rows], label_ids[rows]
    fold_splits = list(splits(folds))
    if not fold_splits or features.size * int(label_ids.max() + 1) > MAX_CV_WORK:
        return HeadReport(DEFAULT_STRENGTH, None, 0)
    results = []
    for strength in STRENGTHS:
        losses: list[float] = []
        hits = 0
        for train, held_out in fold_splits:
            scores = _solve(features[train], label_ids[train], strength).scores(features[held_out])
            truth = label_ids[held_out]
            own = scores[np.arange(len(truth)), truth]
            losses.extend(-np.log(np.maximum(own, _SMALLEST_SCORE)))
            hits += int((scores.argmax(axis=1) == truth).sum())
        results.append((float(np.mean(losses)), strength, hits / len(losses)))
    _, strength, accuracy = min(results)
    return HeadReport(strength, accuracy, len(fold_splits))


def _sample(label_ids: Ids, seed: int) -> Ids:
    """Return at most ``MAX_CV_ROWS`` rows, one of each label at least: enough to tell strengths apart."""
    if len(label_ids) <= MAX_CV_ROWS:
        return np.arange(len(label_ids))
    order = np.random.default_rng(seed).permutation(len(label_ids))
    _, first_of_label = np.unique(label_ids[order], return_index=True)
    return np.union1d(order[:MAX_CV_ROWS], order[first_of_label])


def _rotate(features: Floats) -> tuple[Floats, Floats]:
    """Return features in the coordinates of the space that they span, and the matrix that leads back."""
    rows, width = features.shape
    if rows >= width:
        return features, np.eye(width, dtype=np.float32)
    left, sizes, back = np.linalg.svd(features.astype(np.float64), full_matrices=False)
    return (left * sizes).astype(np.float32), back.astype(np.float32)


def _solve(features: Floats, label_ids: Ids, strength: float) -> LinearHead:
    # Only the training process fits heads; a server that merely predicts never loads scikit-learn.
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=_MAX_SOLVER_STEPS)
    # Double precision ends in fewer steps; above this size its memory is what counts.
    exact = features.astype(np.float64) if len(features) <= MAX_CV_ROWS else features
    model.fit(exact, label_ids)
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        # scikit-learn keeps one row for two labels: the difference of two softmax rows.
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return LinearHead(weights.astype(np.float32), bias.astype(np.float32))
