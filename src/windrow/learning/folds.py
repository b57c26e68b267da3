"""Folds: which rows are judged by a training on which others."""

from collections.abc import Iterator

import numpy as np

from windrow.arrays import Ids

MAX_FOLDS = 5


def deal_folds(label_ids: Ids, groups: Ids, seed: int, most: int = MAX_FOLDS) -> Ids:
    """Deal rows to folds so that each label is spread evenly and none is ever missing from the other folds.

    Args:
        label_ids: Shape [rows], int64.
        groups: Rows of one group (one text, say) go to one fold, so that none is judged by a training that saw its
            like; shape [rows], int64, any numbers.
        seed: Shuffles the groups of each label.
        most: Folds at the most.

    Returns:
        Each row's fold, shape [rows], int64; -1 for rows that are never held out: a label's only group. There are
        fewer folds where no label has so many groups.
    """
    generator = np.random.default_rng(seed)
    _, first_rows, group_of = np.unique(groups, return_index=True, return_inverse=True)
    group_labels = label_ids[first_rows]
    counts = np.bincount(group_labels)
    fold_count = min(most, int(counts.max()))
    folds = np.full(len(group_labels), -1, dtype=np.int64)
    dealt = 0
    for label_id in np.flatnonzero(counts > 1):
        of_label = generator.permutation(np.flatnonzero(group_labels == label_id))
        folds[of_label] = (dealt + np.arange(len(of_label))) % fold_count
        dealt += len(of_label)
    of_rows = folds[group_of]
    # A text that stands under two labels was dealt by the first: the other label may have lost all its rows to a fold.
    for label_id in np.unique(label_ids):
        own = label_ids == label_id
        if len(np.unique(of_rows[own])) == 1:
            of_rows[np.isin(group_of, group_of[own])] = -1
    return of_rows


def splits(folds: Ids) -> Iterator[tuple[Ids, Ids]]:
    """Yield the rows to train on and the rows held out, fold by fold.

    Args:
        folds: Each row's fold, as :func:`deal_folds` returns them.
    """
    for fold in range(int(folds.max()) + 1):
        held_out = np.flatnonzero(folds == fold)
        if len(held_out):
            yield np.flatnonzero(folds != fold), held_out
