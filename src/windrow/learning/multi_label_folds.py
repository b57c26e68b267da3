"""Assign rows with label sets to cross-validation folds by iterative stratification, grouped by text."""

import numpy as np

from windrow.arrays import Bools, Ids, Integers


def assign_folds_of_sets(sets: Bools, groups: Ids, seed: int, max_folds: int) -> Ids:
    """Assign rows to folds so that each label, and the rows without labels, are spread evenly.

    The label with the fewest rows left is spread first, since there is the least freedom for it: each of its rows goes
    to the fold that lacks the most of that label, of several to the one that lacks the most of all the row's labels,
    and then to the one that lacks the most rows.

    Args:
        sets: Each row's label set, shape [rows, labels].
        groups: Rows of one group go to one fold; shape [rows], int64, any numbers.
        seed: Shuffles the groups.
        max_folds: The maximum number of folds.

    Returns:
        Each row's fold as ``learning.folds.assign_folds`` describes it: no training lacks a label.

    Source: Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of Multi-label Data"; that the row's other
    labels count, too, was added, since frequent labels are otherwise spread by chance.
    """
    group_of = np.unique(groups, return_inverse=True)[1].reshape(-1)
    group_sets = np.zeros((int(group_of.max()) + 1, sets.shape[1] + 1), bool)
    np.logical_or.at(group_sets, group_of, np.pad(sets, ((0, 0), (0, 1))))
    group_sets[:, -1] = ~group_sets.any(axis=1)  # groups without labels count as one label more
    fold_count = min(max_folds, int(group_sets.sum(axis=0).max()))
    folds = _stratified(group_sets, fold_count, np.random.default_rng(seed))[group_of]
    for own in sets.T:
        if own.any() and len(np.unique(folds[own])) == 1:
            folds[np.isin(group_of, group_of[own])] = -1
    return folds


def _stratified(sets: Bools, fold_count: int, generator: np.random.Generator) -> Ids:
    """Return the fold of each group; shape [groups], int64."""
    order = generator.permutation(len(sets))
    folds = np.full(len(sets), -1, dtype=np.int64)
    left: Integers = sets.sum(axis=0)
    wanted = np.tile(left / fold_count, (fold_count, 1))  # the groups of each label that each fold still lacks
    wanted_groups = np.full(fold_count, len(sets) / fold_count)
    while (left > 0).any():
        label = int(np.where(left > 0, left, len(sets) + 1).argmin())
        for group in order[sets[order, label] & (folds[order] < 0)]:
            own = wanted[:, sets[group]].sum(axis=1)
            fold = int(np.lexsort((-wanted_groups, -own, -wanted[:, label]))[0])
            folds[group] = fold
            wanted[fold] -= sets[group]
            wanted_groups[fold] -= 1
            left = left - sets[group]
    return folds
