"""Assign rows to cross-validation folds, stratified by label and grouped by text."""

from collections.abc import Iterator

import numpy as np

from windrow.arrays import Ids, Labels
from windrow.learning.label_sets import are_label_ids, as_sets
from windrow.learning.multi_label_folds import assign_folds_of_sets

MAX_FOLDS = 5


def assign_folds(labels: Labels, groups: Ids, seed: int, max_folds: int = MAX_FOLDS) -> Ids:
    """Assign rows to folds so that each label is spread evenly and no training lacks a label.

    Args:
        labels: Each row's label or label set.
        groups: Rows of one group (such as one text) go to one fold, so that no training sees a held-out row's
            duplicate; shape [rows], int64, any numbers.
        seed: Shuffles the groups of each label.
        max_folds: The maximum number of folds.

    Returns:
        Each row's fold, shape [rows], int64; -1 for rows that are never held out: a label's only group. There are
        fewer than ``max_folds`` where no label has as many groups.
    """
    if not are_label_ids(labels):
        return assign_folds_of_sets(as_sets(labels), groups, seed, max_folds)
    return _assign_folds_of_ids(labels, groups, seed, max_folds)


def _assign_folds_of_ids(label_ids: Ids, groups: Ids, seed: int, max_folds: int) -> Ids:
    generator = np.random.default_rng(seed)
    _, first_rows, group_of = np.unique(groups, return_index=True, return_inverse=True)
    group_labels = label_ids[first_rows]
    counts = np.bincount(group_labels)
    fold_count = min(max_folds, int(counts.max()))
    folds = np.full(len(group_labels), -1, dtype=np.int64)
    num_assigned = 0
    for label_id in np.flatnonzero(counts > 1):
        of_label = generator.permutation(np.flatnonzero(group_labels == label_id))
        folds[of_label] = (num_assigned + np.arange(len(of_label))) % fold_count
        num_assigned += len(of_label)
    of_rows = folds[group_of]
    # A text with two labels was assigned by the first of them: the other label may have all its rows in one fold.
    for label_id in np.unique(label_ids):
        own = label_ids == label_id
        if len(np.unique(of_rows[own])) == 1:
            of_rows[np.isin(group_of, group_of[own])] = -1
    return of_rows


def splits(folds: Ids) -> Iterator[tuple[Ids, Ids]]:
    """Yield the training rows and the held-out rows of each fold.

    Args:
        folds: Each row's fold, as :func:`assign_folds` returns them.
    """
    for fold in range(int(folds.max()) + 1):
        held_out = np.flatnonzero(folds == fold)
        if len(held_out):
            yield np.flatnonzero(folds != fold), held_out
