"""The labels of rows, whether each row has one label or a set of them: what learning asks of both alike."""

from typing import TypeGuard

import numpy as np

from windrow.arrays import Bools, Ids, Labels


def are_label_ids(labels: Labels) -> TypeGuard[Ids]:
    """Return whether each row has one label, by its id, and not a set of labels."""
    return labels.ndim == 1


def as_sets(labels: Labels) -> Bools:
    """Return each row's label set, shape [rows, labels]; the set of a label id holds that label alone."""
    if are_label_ids(labels):
        return one_hot(labels, count_labels(labels))
    sets: Bools = labels.astype(bool, copy=False)
    return sets


def one_hot(label_ids: Ids, labels: int) -> Bools:
    """Return the sets of single labels.

    Args:
        label_ids: Shape [rows], int64.
        labels: The number of labels.

    Returns:
        Shape [rows, labels], bool.
    """
    sets = np.zeros((len(label_ids), labels), bool)
    sets[np.arange(len(label_ids)), label_ids] = True
    return sets


def count_labels(labels: Labels) -> int:
    """Return the number of labels: every id from 0 to its maximum is one, and so is every column of sets."""
    return int(labels.max()) + 1 if are_label_ids(labels) else labels.shape[1]


def append_label_texts(labels: Labels, label_ids: Ids) -> Labels:
    """Return the labels of rows, followed by those of texts of one label each, such as the labels' names.

    Args:
        labels: Of the rows.
        label_ids: The label of each text; shape [texts], int64.
    """
    if are_label_ids(labels):
        return np.concatenate([labels, label_ids])
    return np.concatenate([labels, one_hot(label_ids, count_labels(labels))])


def strata(labels: Labels) -> Ids:
    """Return the stratum of each row, by which rows are sampled and batches composed.

    Args:
        labels: Of the rows.

    Returns:
        Shape [rows], int64: the label of a row, or the label of its set that the fewest rows have; rows without labels
        have a stratum of their own, the number of labels.
    """
    if are_label_ids(labels):
        return labels
    sets = as_sets(labels)
    counts = np.append(sets.sum(axis=0), len(sets) + 1)
    rarest_first = np.argsort(counts, kind="stable")
    has_any = np.concatenate([sets, np.ones((len(sets), 1), bool)], axis=1)[:, rarest_first]
    rarest: Ids = rarest_first[has_any.argmax(axis=1)]
    return rarest


def set_ids(labels: Labels) -> Ids:
    """Return a number for each row, from 0, that is equal for rows of the same label or the same label set."""
    if are_label_ids(labels):
        return labels
    packed = np.packbits(as_sets(labels), axis=1)
    numbers: Ids = np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)
    return numbers


def share_labels(labels: Labels) -> bool:
    """Return whether any two rows have a label in common."""
    if are_label_ids(labels):
        return len(np.unique(labels)) < len(labels)
    return bool((as_sets(labels).sum(axis=0) > 1).any())
