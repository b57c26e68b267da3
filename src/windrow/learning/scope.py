"""The scope: how like its training data a classifier finds a text, apart from which label it gives."""

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Floats, Halves, Ids

# Of how like the training data held-out rows are, so many steps are kept: the lowest tells one text in 65 from the
# others, and they take 256 bytes.
MAX_STEPS = 64
# A handful of held-out rows may lie so close together by chance that everything else would seem out of scope.
LEAST_DEVIATION = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Where a classifier's training data lie. Made by :meth:`of`.

    Args:
        centers: The mean direction of each label's rows in the encoder's last layer, of length 1; shape
            [labels, hidden], float16.
        likeness: How like the training data rows were that did not take part (:func:`likeness_of`): all of them, or
            even steps through them; ascending, at least two.
        deviation: The standard deviation of ``likeness``, at least ``LEAST_DEVIATION``.

    Source: docs/adr/0017.
    """

    centers: Halves
    likeness: tuple[float, ...]
    deviation: float

    @classmethod
    def of(cls, centers: Halves, likeness: Floats) -> "Scope":
        """Return a scope.

        Args:
            centers: As above.
            likeness: As above; shape [steps], float32.
        """
        return cls(centers, tuple(likeness.tolist()), max(LEAST_DEVIATION, float(likeness.std(ddof=1))))

    def in_scope(self, features: Floats) -> Floats:
        """Return how like the training data texts are: the share of texts of its kind that are less like it.

        Args:
            features: Shape [n, width], float32; the last layer is the last part of each row.

        Returns:
            Shape [n], float32, in [0, 1].
        """
        return np.array(self.shares_below(likeness_of(features, self.centers)), np.float32)

    def shares_below(self, likeness: Floats) -> list[float | None]:
        """Return :meth:`share_below` of each; shape [n]."""
        return [*map(self.share_below, likeness.tolist())]

    def share_below(self, likeness: float) -> float:
        """Return the share of texts in scope that are less like the training data than this.

        Between the steps it is a straight line. Beyond the first and the last it falls and rises exponentially, so that
        of two texts the one that is less like the data always has less.
        """
        steps, share = self.likeness, 1 / (len(self.likeness) + 1)
        place = bisect(steps, likeness)
        if place == 0:
            return share * math.exp((likeness - steps[0]) / self.deviation)
        if place == len(steps):
            return 1 - share * math.exp((steps[-1] - likeness) / self.deviation)
        before, after = steps[place - 1], steps[place]  # after is larger, since bisect passes over equals
        return share * (place + (likeness - before) / (after - before))


def in_scope_together(scopes: Sequence[Scope | None], features: Floats) -> list[list[float | None]]:
    """Return what :meth:`Scope.in_scope` of each would, in one large step instead of many small ones.

    Args:
        scopes: All of the same width; ``None`` for a classifier that cannot tell.
        features: Shape [n, width], float32.

    Returns:
        For each scope a number for each row; ``None`` throughout where there is no scope.
    """
    known = [scope for scope in scopes if scope is not None]
    if not known:
        return [[None] * len(features) for _ in scopes]
    starts = np.cumsum([0, *(len(scope.centers) for scope in known[:-1])])
    centers = np.concatenate([scope.centers for scope in known]).astype(np.float32)
    nearest = np.maximum.reduceat(features[:, -centers.shape[1] :] @ centers.T, starts, axis=1)
    shares = (scope.shares_below(likeness) for scope, likeness in zip(known, nearest.T, strict=True))
    return [[None] * len(features) if scope is None else next(shares) for scope in scopes]


def centers_of(features: Floats, label_ids: Ids, hidden: int) -> Halves:
    """Return the mean direction of each label's rows.

    Args:
        features: Shape [rows, width], float32; the last ``hidden`` numbers of a row are the last layer's.
        label_ids: Shape [rows], every id from 0 to its maximum at least once.
        hidden: Width of a layer.

    Returns:
        Shape [labels, hidden], float16, each row of length 1.
    """
    order = np.argsort(label_ids, kind="stable")
    starts = np.searchsorted(label_ids[order], np.arange(int(label_ids.max()) + 1))
    sums = np.add.reduceat(features[order, -hidden:], starts, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    centers: Halves = (sums / np.maximum(lengths, 1e-9)).astype(np.float16)
    return centers


def likeness_of(features: Floats, centers: Halves) -> Floats:
    """Return each text's cosine to the nearest center.

    Args:
        features: Shape [n, width], float32; the last layer, of length 1, is the last part of each row.
        centers: Shape [labels, hidden], float16.

    Returns:
        Shape [n], float32, in [-1, 1].
    """
    nearest: Floats = (features[:, -centers.shape[1] :] @ centers.T.astype(np.float32)).max(axis=1)
    return nearest


def measure_scope(centers: Halves, held_out: Floats) -> Scope | None:
    """Return the scope, by how like the training data rows were that took no part.

    Args:
        centers: Of every label, from all rows.
        held_out: Likeness of rows to centers that were made without them; shape [m], float32.

    Returns:
        ``None`` where there are fewer than two such rows.
    """
    if len(held_out) < 2:
        return None
    if len(held_out) > MAX_STEPS:
        held_out = np.quantile(held_out, np.arange(1, MAX_STEPS + 1) / (MAX_STEPS + 1)).astype(np.float32)
    return Scope.of(centers, np.sort(held_out))
