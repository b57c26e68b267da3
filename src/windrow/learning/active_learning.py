"""Choose the texts of a pool that are most worth labelling."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Floats, Ids
from windrow.domain.suggestion import SuggestionReason
from windrow.learning.attribution import last_layer

# Below, a text counts as new: 95 % of in-scope texts are more similar to the training data.
NEW_BELOW = 0.05
# Cosine from which on two texts are similar: on the bundled encoder, half of the pairs within an intent of banking77
# and 1 % of those across intents. Of 3 intents left out of 18, ten suggestions found 2.8 (30 draws); with 0.7, 2.6.
MIN_SIMILARITY = 0.6
# Similar new texts that make a group. With pairs, one suggestion more in ten went to new texts; of the intents left
# out, as many were found, give or take 0.1 (banking77 fewer, clinc150 more).
MIN_GROUP = 3
# Texts that are compared with each other, so that a pool of 100,000 takes no matrix of 100,000 x 100,000.
MAX_NEW_CANDIDATES = 4_000
MAX_UNCERTAIN_CANDIDATES = 10_000
_BLOCK_ROWS = 1_024
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen text.

    Args:
        position: Its position in the pool.
        reason: ``new`` or ``uncertain``.
        num_similar: The number of similar texts in the pool, itself included.
    """

    position: int
    reason: SuggestionReason
    num_similar: int


def margins_of_best(scores: Floats) -> Floats:
    """Return by how much the best label of each text is ahead of the next one.

    Args:
        scores: Of a single-label classifier; shape [texts, labels], float32, at least two labels.

    Returns:
        Shape [texts], float32, in [0, 1].
    """
    best_two = np.partition(scores, -2, axis=1)[:, -2:]
    margins: Floats = best_two[:, 1] - best_two[:, 0]
    return margins


def threshold_margins(scores: Floats, thresholds: Floats) -> Floats:
    """Return how far each label's score is from deciding otherwise: 0 at its threshold, 1 at the scores 0 and 1.

    Args:
        scores: Of a multi-label classifier; shape [texts, labels], float32, in [0, 1].
        thresholds: The score from which each label is given; shape [labels], float32, between 0 and 1.

    Returns:
        Shape [texts, labels], float32, in [0, 1]; a text's own margin is that of its least certain label.
    """
    room = np.where(scores >= thresholds, 1 - thresholds, thresholds)
    margins: Floats = (np.abs(scores - thresholds) / room).astype(np.float32)
    return margins


def choose(features: Floats, margins: Floats, in_scope: Floats | None, n: int) -> list[Choice]:
    """Choose the texts whose labels would help a classifier most, the most useful first.

    First one text of each group of similar new texts, the largest group first: they may well be a missing class. Then
    other new texts, which may be mere outliers, for at most half of the remaining number. Then texts with a small
    margin, if they differ from those already chosen. The choice is deterministic.

    Args:
        features: Features of the pool's distinct texts; shape [texts, width], float32, the last third is the last
            layer's.
        margins: How certain the classifier is of each text; shape [texts], float32, in [0, 1].
        in_scope: The fraction of in-scope texts less similar to the training data, in [0, 1]; shape [texts], float32;
            ``None`` where the classifier has no scope, and then no text is new.
        n: The number of texts to choose.

    Returns:
        ``n`` distinct positions, or all of fewer texts.
    """
    embeddings = last_layer(features)
    is_new = np.zeros(len(embeddings), np.bool_) if in_scope is None else in_scope < NEW_BELOW
    chosen = [] if in_scope is None else _choose_new_texts(embeddings, in_scope, np.flatnonzero(is_new), n)
    # New texts that were not chosen so far come last.
    for pool in (np.flatnonzero(~is_new), np.flatnonzero(is_new)):
        left = pool[~np.isin(pool, chosen)]
        chosen += _choose_uncertain_texts(embeddings, margins, left, embeddings[chosen], n - len(chosen))
    similar = _count_similar(embeddings, embeddings[chosen])
    return [
        Choice(position, "new" if is_new[position] else "uncertain", count)
        for position, count in zip(chosen, similar.tolist(), strict=True)
    ]


def _choose_new_texts(embeddings: Floats, in_scope: Floats, new: Ids, n: int) -> list[int]:
    """Choose among the new texts: groups may take all of ``n``, other texts half of the rest.

    Groups are likely new classes. A single text below the bound says less: one in-scope text in twenty lies there, so
    single texts must not crowd out the uncertain ones.
    """
    new = _cut(new, in_scope[new], MAX_NEW_CANDIDATES)
    covers = {int(new[index]): count for index, count in _cover(embeddings[new], n)}
    groups = [position for position, count in covers.items() if count >= MIN_GROUP]
    others = [position for position, count in covers.items() if count < MIN_GROUP]
    return groups + others[: (n - len(groups)) // 2]


def _cover(embeddings: Floats, n: int) -> Iterator[tuple[int, int]]:
    """Yield up to ``n`` texts by greedy maximum coverage: each with the number of similar texts that it newly covers.

    Args:
        embeddings: Shape [k, width], each of length 1; of equals, the first is yielded first.
        n: The maximum number.
    """
    similar = np.empty((len(embeddings), len(embeddings)), np.bool_)
    for rows in _blocks(len(embeddings)):
        similar[rows] = embeddings[rows] @ embeddings.T >= MIN_SIMILARITY
    # A zero embedding is not similar even to itself, and would never be covered.
    np.fill_diagonal(similar, val=True)
    counts = similar.sum(axis=1)
    is_open = np.ones(len(embeddings), np.bool_)
    for _ in range(n):
        if not is_open.any():
            return
        # A covered text may have more uncovered neighbours than any other, but it belongs to a chosen group.
        index = int(np.where(is_open, counts, 0).argmax())
        covered = similar[index] & is_open
        yield index, int(covered.sum())
        is_open &= ~covered
        counts -= similar[covered].sum(axis=0)


def _choose_uncertain_texts(embeddings: Floats, margins: Floats, pool: Ids, chosen: Floats, n: int) -> list[int]:
    """Choose the texts with a small margin, each discounted by its similarity to the nearest one chosen before it."""
    if n < 1 or not len(pool):
        return []
    pool = _cut(pool, margins[pool], MAX_UNCERTAIN_CANDIDATES)
    candidates, doubt = embeddings[pool], 1 - margins[pool]
    similarity = np.zeros(len(pool), np.float32)
    for rows in _blocks(len(chosen)):
        np.maximum(similarity, (candidates @ chosen[rows].T).max(axis=1), out=similarity)
    indices: list[int] = []
    for _ in range(min(n, len(pool))):
        worth = doubt * (1 - similarity)
        worth[indices] = -np.inf
        index = int(worth.argmax())
        indices.append(index)
        np.maximum(similarity, candidates @ candidates[index], out=similarity)
    return [int(pool[index]) for index in indices]


def _cut(positions: Ids, values: Floats, limit: int) -> Ids:
    """Return the positions with the lowest values, at most ``limit``, ordered by value and then by position.

    Ties are broken evenly over the pool, since the pool may be sorted by class.
    """
    evenly = (positions * _GOLDEN) % 1
    kept = np.lexsort((evenly, values))[:limit]
    order = np.lexsort((positions[kept], values[kept]))
    return positions[kept[order]]


def _count_similar(embeddings: Floats, chosen: Floats) -> Ids:
    counts = np.zeros(len(chosen), np.int64)
    for rows in _blocks(len(embeddings)):
        counts += (embeddings[rows] @ chosen.T >= MIN_SIMILARITY).sum(axis=0)
    return np.maximum(counts, 1)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK_ROWS) for start in range(0, count, _BLOCK_ROWS))
