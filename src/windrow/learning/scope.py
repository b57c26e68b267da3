"""Measure how similar texts are to a classifier's training data, to detect out-of-scope texts."""

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Floats, Halves, Labels
from windrow.learning.label_sets import are_label_ids, as_sets

# Quantiles of the held-out rows' similarities that are kept at most: the lowest separates one text in 65 from the
# others, and they take 256 bytes.
MAX_QUANTILES = 64
# The similarities of a handful of held-out rows may by chance lie so close together that every other text would seem
# out of scope.
MIN_DEVIATION = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The label centroids of a classifier's training data, and the similarities of held-out rows. Made by :meth:`of`.

    Args:
        centroids: The mean direction of each label's rows in the encoder's last layer, of length 1, and with label sets
            that of the rows without labels; shape [labels, hidden] or [labels + 1, hidden], float16.
        similarities: Similarities of held-out rows to their nearest centroid (:func:`similarity_to_nearest`), or
            quantiles of them; ascending, at least two.
        deviation: The standard deviation of ``similarities``, at least ``MIN_DEVIATION``.

    Source: docs/adr/0017.
    """

    centroids: Halves
    similarities: tuple[float, ...]
    deviation: float

    @classmethod
    def of(cls, centroids: Halves, similarities: Floats) -> "Scope":
        """Return a scope, with the deviation computed.

        Args:
            centroids: As for the class.
            similarities: As for the class; shape [quantiles], float32.
        """
        return cls(centroids, tuple(similarities.tolist()), max(MIN_DEVIATION, float(similarities.std(ddof=1))))

    def in_scope(self, features: Floats) -> Floats:
        """Return the fraction of in-scope texts that are less similar to the training data, for each text.

        Args:
            features: Shape [n, width], float32; the last layer is the last part of each row.

        Returns:
            Shape [n], float32, in [0, 1].
        """
        return np.array(self.fractions_below(similarity_to_nearest(features, self.centroids)), np.float32)

    def fractions_below(self, similarities: Floats) -> list[float | None]:
        """Return :meth:`fraction_below` of each; shape [n]."""
        return [*map(self.fraction_below, similarities.tolist())]

    def fraction_below(self, similarity: float) -> float:
        """Return the fraction of in-scope texts that are less similar to the training data than this.

        Between the quantiles it is interpolated linearly; below the first and above the last, exponentially, so that a
        less similar text always has a smaller fraction.
        """
        quantiles, fraction = self.similarities, 1 / (len(self.similarities) + 1)
        rank = bisect(quantiles, similarity)
        if rank == 0:
            return fraction * math.exp((similarity - quantiles[0]) / self.deviation)
        if rank == len(quantiles):
            return 1 - fraction * math.exp((quantiles[-1] - similarity) / self.deviation)
        before, after = quantiles[rank - 1], quantiles[rank]  # after is larger, since bisect passes over equals
        return fraction * (rank + (similarity - before) / (after - before))


def score_scopes(scopes: Sequence[Scope | None], features: Floats) -> list[list[float | None]]:
    """Return :meth:`Scope.in_scope` of several scopes, in one matrix product.

    Args:
        scopes: All of the same width; ``None`` for a classifier without a scope.
        features: Shape [n, width], float32.

    Returns:
        For each scope a number for each row; ``None`` for each row where there is no scope.
    """
    known = [scope for scope in scopes if scope is not None]
    if not known:
        return [[None] * len(features) for _ in scopes]
    if len(scopes) == 1:  # the most frequent case, and it needs no index arithmetic
        return [known[0].fractions_below(similarity_to_nearest(features, known[0].centroids))]
    starts = np.cumsum([0, *(len(scope.centroids) for scope in known[:-1])])
    centroids = np.concatenate([scope.centroids for scope in known]).astype(np.float32)
    nearest = np.maximum.reduceat(features[:, -centroids.shape[1] :] @ centroids.T, starts, axis=1)
    fractions = (scope.fractions_below(similarities) for scope, similarities in zip(known, nearest.T, strict=True))
    return [[None] * len(features) if scope is None else next(fractions) for scope in scopes]


def label_centroids(features: Floats, labels: Labels, hidden: int) -> Halves:
    """Return the mean direction of each label's rows.

    Args:
        features: Shape [rows, width], float32; the last ``hidden`` numbers of a row are the last layer's.
        labels: Each row's label, every id from 0 to its maximum at least once; or its label set.
        hidden: The width of a layer.

    Returns:
        Shape [labels, hidden], float16, each row of length 1. Where there are rows without labels, one row more: the
        mean direction of those. A label without rows has zeros.
    """
    if are_label_ids(labels):
        order = np.argsort(labels, kind="stable")
        starts = np.searchsorted(labels[order], np.arange(int(labels.max()) + 1))
        sums = np.add.reduceat(features[order, -hidden:], starts, axis=0)
    else:
        sets = as_sets(labels)
        has_none = ~sets.any(axis=1, keepdims=True)
        members = np.concatenate([sets, has_none], axis=1) if has_none.any() else sets
        sums = members.T.astype(np.float32) @ features[:, -hidden:]
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    centroids: Halves = (sums / np.maximum(lengths, 1e-9)).astype(np.float16)
    return centroids


def similarity_to_nearest(features: Floats, centroids: Halves) -> Floats:
    """Return each text's cosine similarity to the nearest centroid.

    Args:
        features: Shape [n, width], float32; the last layer, of length 1, is the last part of each row.
        centroids: As :func:`label_centroids` returns them.

    Returns:
        Shape [n], float32, in [-1, 1].
    """
    similarities = features[:, -centroids.shape[1] :] @ centroids.T.astype(np.float32)
    nearest: Floats = np.maximum.reduce(similarities, axis=1)  # as its method ``max``, at half the cost
    return nearest


def measure_scope(centroids: Halves, held_out: Floats) -> Scope | None:
    """Return the scope from the similarities of held-out rows.

    Args:
        centroids: The centroid of each label, from all rows.
        held_out: Similarities of held-out rows to centroids that were computed without them; shape [m], float32.

    Returns:
        ``None`` where there are fewer than two held-out rows.
    """
    if len(held_out) < 2:
        return None
    if len(held_out) > MAX_QUANTILES:
        held_out = np.quantile(held_out, np.arange(1, MAX_QUANTILES + 1) / (MAX_QUANTILES + 1)).astype(np.float32)
    return Scope.of(centroids, np.sort(held_out))
