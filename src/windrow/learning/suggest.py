"""Suggesting: which texts of a pile are worth labelling, from what a classifier makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Floats, Ids
from windrow.domain.suggestion import Why
from windrow.learning.explain import last_layer

# Below, a text counts as new: of the texts that are like the training data, 95 % are more like it.
NEW_BELOW = 0.05
# Cosine from which on two texts are much alike: on the bundled encoder, half of the pairs within an intent of banking77
# and 1 % of those across intents. Of 3 intents left out of 18, ten suggestions found 2.8 (30 draws); with 0.7, 2.6.
ALIKE = 0.6
# New texts that are alike, from which on they count as a group. With pairs, one suggestion more in ten went to new
# texts; of the intents left out, as many were found, give or take 0.1 (banking77 fewer, clinc150 more).
MIN_GROUP = 3
# Texts that are weighed against each other, so that a pile of 100,000 takes no matrix of 100,000 x 100,000.
MAX_NEW_WEIGHED = 4_000
MAX_UNCERTAIN_WEIGHED = 10_000
_BLOCK_ROWS = 1_024
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Choice:
    """A text that was chosen.

    Args:
        position: Its position in the pile.
        why: ``new`` or ``uncertain``.
        alike: Texts of the pile that are much like it, itself included.
    """

    position: int
    why: Why
    alike: int


def choose(features: Floats, scores: Floats, in_scope: Floats | None, n: int) -> list[Choice]:
    """Choose the texts that would teach a classifier most, the most useful first.

    First one of each group of new texts, the largest group first: several texts that the training data do not know, and
    that are alike, may well be a class that is missing. Then other new texts, which may be just odd, for at most half
    of what is then left. Then those between whose best two labels the classifier hesitates, as long as they
    are unlike what was already chosen. The same pile always gets the same answer.

    Args:
        features: Of the different texts of a pile; shape [texts, width], float32, the last third is the last layer's.
        scores: Of each label; shape [texts, labels], float32, at least two labels.
        in_scope: How like the training data each text is, in [0, 1]; shape [texts], float32; ``None`` where the
            classifier cannot tell, and then no text is new.
        n: How many to choose.

    Returns:
        ``n`` different positions, or all of fewer texts.
    """
    points = last_layer(features)
    is_new = np.zeros(len(points), np.bool_) if in_scope is None else in_scope < NEW_BELOW
    margins = _margins(scores)
    chosen = [] if in_scope is None else _choose_new(points, in_scope, np.flatnonzero(is_new), n)
    # New texts that neither stand for a group nor were among the first others come last: there is nothing else.
    for pool in (np.flatnonzero(~is_new), np.flatnonzero(is_new)):
        left = pool[~np.isin(pool, chosen)]
        chosen += _choose_uncertain(points, margins, left, points[chosen], n - len(chosen))
    alike = _count_alike(points, points[chosen])
    return [
        Choice(position, "new" if is_new[position] else "uncertain", count)
        for position, count in zip(chosen, alike.tolist(), strict=True)
    ]


def _choose_new(points: Floats, in_scope: Floats, new: Ids, n: int) -> list[int]:
    """Choose among the new texts: groups may take all of the request, other texts half of what is left.

    Groups are what a person sends a pile for. Any other text below the border says less: one in twenty lies there
    though its class is known, so they must not crowd out the texts between two labels.
    """
    new = _cut(new, in_scope[new], MAX_NEW_WEIGHED)
    covers = {int(new[place]): count for place, count in _cover(points[new], n)}
    groups = [position for position, count in covers.items() if count >= MIN_GROUP]
    others = [position for position, count in covers.items() if count < MIN_GROUP]
    return groups + others[: (n - len(groups)) // 2]


def _cover(points: Floats, n: int) -> Iterator[tuple[int, int]]:
    """Yield up to ``n`` points, each the one with the most points like it that none before was like, and their number.

    Args:
        points: Shape [k, width], each of length 1; of equals, the first is yielded first.
        n: How many.
    """
    alike = np.empty((len(points), len(points)), np.bool_)
    for rows in _blocks(len(points)):
        alike[rows] = points[rows] @ points.T >= ALIKE
    # A text of which the encoder makes nothing is unlike even itself, and would stay open for ever.
    np.fill_diagonal(alike, val=True)
    counts = alike.sum(axis=1)
    is_open = np.ones(len(points), np.bool_)
    for _ in range(n):
        if not is_open.any():
            return
        # A covered point may have more open neighbours than any open one, but it belongs to a group that is chosen.
        place = int(np.where(is_open, counts, 0).argmax())
        covered = alike[place] & is_open
        yield place, int(covered.sum())
        is_open &= ~covered
        counts -= alike[covered].sum(axis=0)


def _choose_uncertain(points: Floats, margins: Floats, pool: Ids, chosen: Floats, n: int) -> list[int]:
    """Choose the texts with a small margin, each discounted by its likeness to the nearest one chosen before it."""
    if n < 1 or not len(pool):
        return []
    pool = _cut(pool, margins[pool], MAX_UNCERTAIN_WEIGHED)
    candidates, doubt = points[pool], 1 - margins[pool]
    likeness = np.zeros(len(pool), np.float32)
    for rows in _blocks(len(chosen)):
        np.maximum(likeness, (candidates @ chosen[rows].T).max(axis=1), out=likeness)
    places: list[int] = []
    for _ in range(min(n, len(pool))):
        worth = doubt * (1 - likeness)
        worth[places] = -np.inf
        place = int(worth.argmax())
        places.append(place)
        np.maximum(likeness, candidates @ candidates[place], out=likeness)
    return [int(pool[place]) for place in places]


def _margins(scores: Floats) -> Floats:
    best_two = np.partition(scores, -2, axis=1)[:, -2:]
    margins: Floats = best_two[:, 1] - best_two[:, 0]
    return margins


def _cut(positions: Ids, values: Floats, limit: int) -> Ids:
    """Return the positions with the lowest values, at most ``limit``, ordered by value and then by position.

    Of equal values, those are kept that lie evenly over the pile: it may be sorted, and a class stand at its end.
    """
    evenly = (positions * _GOLDEN) % 1
    kept = np.lexsort((evenly, values))[:limit]
    order = np.lexsort((positions[kept], values[kept]))
    return positions[kept[order]]


def _count_alike(points: Floats, chosen: Floats) -> Ids:
    counts = np.zeros(len(chosen), np.int64)
    for rows in _blocks(len(points)):
        counts += (points[rows] @ chosen.T >= ALIKE).sum(axis=0)
    return np.maximum(counts, 1)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK_ROWS) for start in range(0, count, _BLOCK_ROWS))
