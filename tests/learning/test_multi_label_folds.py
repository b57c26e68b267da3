"""Folds of label sets: no held-out row has a duplicate in training, no training lacks a label, labels are spread."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from windrow.arrays import Bools, Ids
from windrow.learning.folds import assign_folds, splits

seeds = st.integers(0, 99)
folds_at_most = st.integers(2, 8)


@dataclass(frozen=True)
class Rows:
    """Rows by label set and text; a label may have no row."""

    sets: Bools
    groups: Ids


@st.composite
def any_rows(draw: Any) -> Rows:
    """Return any rows: texts may come again, with the same labels and with others."""
    pairs = draw(st.lists(st.tuples(st.sets(st.integers(0, 3)), st.integers(-3, 9)), min_size=1, max_size=40))
    sets = np.zeros((len(pairs), 4), bool)
    for row, (labels, _) in zip(sets, pairs, strict=True):
        row[list(labels)] = True
    return Rows(sets, np.array([text for _, text in pairs]))


@given(any_rows(), seeds, folds_at_most)
def test_rows_of_one_text_share_a_fold_and_no_label_vanishes_from_training(
    rows: Rows, seed: int, max_folds: int
) -> None:
    folds = assign_folds(rows.sets, rows.groups, seed, max_folds)
    assert folds.dtype == np.int64
    assert folds.min() >= -1
    assert folds.max() < max_folds
    for train, held_out in splits(folds):
        assert sorted([*train, *held_out]) == list(range(len(folds)))
        assert not set(rows.groups[train]) & set(rows.groups[held_out])
        assert (rows.sets[train].any(axis=0) == rows.sets.any(axis=0)).all()


@given(any_rows(), seeds, folds_at_most)
def test_a_labels_only_text_is_never_held_out(rows: Rows, seed: int, max_folds: int) -> None:
    folds = assign_folds(rows.sets, rows.groups, seed, max_folds)
    for own in rows.sets.T:
        texts = np.unique(rows.groups[own])
        if len(texts) == 1:
            assert (folds[rows.groups == texts[0]] == -1).all()


@given(any_rows(), seeds)
def test_the_same_seed_assigns_the_same_folds_whatever_the_group_ids(rows: Rows, seed: int) -> None:
    folds = assign_folds(rows.sets, rows.groups, seed)
    np.testing.assert_array_equal(assign_folds(rows.sets, 10 + 7 * rows.groups, seed), folds)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(0, 9), seeds, folds_at_most)
def test_rows_of_one_label_each_and_of_none_are_spread_evenly(
    counts: list[int], empty: int, seed: int, max_folds: int
) -> None:
    ids = np.repeat(np.arange(len(counts) + 1), [*counts, empty])
    sets = np.eye(len(counts) + 1, dtype=bool)[ids][:, :-1]
    folds = assign_folds(sets, np.arange(len(sets)), seed, max_folds)
    in_all = min(max_folds, max(*counts, empty))
    for label_id, count in enumerate([*counts, empty]):
        sizes = np.bincount(folds[(ids == label_id) & (folds >= 0)], minlength=in_all)
        assert sizes.sum() == (0 if count == 1 and label_id < len(counts) else count)
        assert sizes.max() - sizes.min() <= 1


def test_labels_that_overlap_are_spread_nearly_evenly() -> None:
    sets = np.random.default_rng(3).random((400, 12)) < np.linspace(0.02, 0.5, 12)
    folds = assign_folds(sets, np.arange(400), seed=5)
    for label in range(12):
        sizes = np.bincount(folds[sets[:, label] & (folds >= 0)], minlength=5)
        assert sizes.max() - sizes.min() <= 2
    assert np.ptp(np.bincount(folds[folds >= 0])) <= 8


def test_another_seed_assigns_other_folds() -> None:
    sets = np.random.default_rng(3).random((60, 4)) < 0.3
    first, second = (assign_folds(sets, np.arange(60), seed) for seed in (0, 1))
    assert (first != second).any()
