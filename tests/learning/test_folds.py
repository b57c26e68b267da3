"""Folds: no held-out row has a duplicate in training, and no training lacks a label."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from windrow.arrays import Ids
from windrow.learning.folds import MAX_FOLDS, assign_folds, splits

seeds = st.integers(0, 99)
folds_at_most = st.integers(2, 8)


@dataclass(frozen=True)
class Rows:
    """Rows by label and text, each label at least once."""

    label_ids: Ids
    groups: Ids


@st.composite
def any_rows(draw: Any) -> Rows:
    """Return any rows: texts may come again, under one label and under several."""
    pairs = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 9)), min_size=1, max_size=40))
    label_of = {label: number for number, label in enumerate(sorted({label for label, _ in pairs}))}
    return Rows(np.array([label_of[label] for label, _ in pairs]), np.array([text for _, text in pairs]))


@given(any_rows(), seeds, folds_at_most)
def test_rows_of_one_text_share_a_fold(rows: Rows, seed: int, max_folds: int) -> None:
    folds = assign_folds(rows.label_ids, rows.groups, seed, max_folds)
    for text in np.unique(rows.groups):
        assert len(np.unique(folds[rows.groups == text])) == 1


@given(any_rows(), seeds, folds_at_most)
@example(Rows(np.array([0, 0, 1, 1]), np.array([1, 2, 1, 1])), 0, 3)
@example(Rows(np.array([0, 0, 0, 1, 1]), np.array([1, 2, 3, 1, 2])), 4, 2)
def test_no_label_vanishes_from_the_rows_that_a_fold_trains_on(rows: Rows, seed: int, max_folds: int) -> None:
    for train, held_out in splits(assign_folds(rows.label_ids, rows.groups, seed, max_folds)):
        assert set(rows.label_ids[train]) == set(rows.label_ids)
        assert sorted([*train, *held_out]) == list(range(len(rows.label_ids)))
        assert not set(rows.groups[train]) & set(rows.groups[held_out])


@given(any_rows(), seeds, folds_at_most)
def test_a_labels_only_text_is_never_held_out(rows: Rows, seed: int, max_folds: int) -> None:
    folds = assign_folds(rows.label_ids, rows.groups, seed, max_folds)
    for label_id in np.unique(rows.label_ids):
        texts = np.unique(rows.groups[rows.label_ids == label_id])
        if len(texts) == 1:
            assert (folds[rows.groups == texts[0]] == -1).all()


@given(any_rows(), seeds, folds_at_most)
def test_each_row_is_held_out_at_most_once_in_at_most_max_folds(rows: Rows, seed: int, max_folds: int) -> None:
    folds = assign_folds(rows.label_ids, rows.groups, seed, max_folds)
    assert folds.min() >= -1
    assert folds.max() < max_folds
    num_assigned = list(splits(folds))
    assert len(num_assigned) <= max_folds
    held = [row for _, held_out in num_assigned for row in held_out.tolist()]
    assert sorted(held) == np.flatnonzero(folds >= 0).tolist()


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), seeds, folds_at_most)
def test_the_texts_of_each_label_and_of_all_are_spread_evenly(counts: list[int], seed: int, max_folds: int) -> None:
    label_ids = np.repeat(np.arange(len(counts)), counts)
    folds = assign_folds(label_ids, np.arange(len(label_ids)), seed, max_folds)
    in_all = min(max_folds, max(counts))
    for label_id, count in enumerate(counts):
        own = folds[label_ids == label_id]
        if count == 1:
            assert own.tolist() == [-1]
        else:
            sizes = np.bincount(own, minlength=in_all)
            assert sizes.max() - sizes.min() <= 1
    if max(counts) > 1:
        sizes = np.bincount(folds[folds >= 0], minlength=in_all)
        assert len(sizes) == in_all
        assert sizes.max() - sizes.min() <= 1


@given(any_rows(), seeds)
def test_the_same_seed_assigns_the_same_folds_whatever_the_group_ids(rows: Rows, seed: int) -> None:
    folds = assign_folds(rows.label_ids, rows.groups, seed)
    np.testing.assert_array_equal(assign_folds(rows.label_ids, 10 + 7 * rows.groups, seed), folds)


def test_another_seed_assigns_other_folds_and_there_are_five_by_default() -> None:
    label_ids = np.repeat(np.arange(2), 20)
    texts = np.arange(40)
    first, second = (assign_folds(label_ids, texts, seed) for seed in (0, 1))
    assert (first != second).any()
    assert len(list(splits(first))) == MAX_FOLDS == 5
    assert len(list(splits(assign_folds(label_ids, texts, 0, max_folds=3)))) == 3


def test_a_repeated_text_is_no_second_text() -> None:
    label_ids = np.array([0, 0, 0, 1, 1])
    assert assign_folds(label_ids, np.array([4, 4, 4, 5, 5]), 0).tolist() == [-1] * 5
    assert list(splits(np.full(5, -1))) == []


def test_a_text_under_two_labels_does_not_take_the_second_one_out_of_training() -> None:
    """Text 0 stands under both, and is all that the second has."""
    label_ids = np.array([0, 0, 0, 0, 1])
    for seed in range(20):
        folds = assign_folds(label_ids, np.array([0, 1, 2, 3, 0]), seed)
        assert folds[0] == folds[4] == -1
        assert (folds[1:4] >= 0).all()
