"""Thresholds of labels: the best F1 where there are many rows, that of all labels where there are few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from windrow.arrays import Bools, Floats
from windrow.learning.multi_label_thresholds import PRIOR_THRESHOLD, choose_thresholds


def some_rows(rows: int, labels: int, seed: int = 0) -> tuple[Floats, Bools]:
    """Return probabilities that say how often labels apply, and sets drawn by them; later labels are rarer."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=2, size=(rows, labels)) - np.arange(labels)
    probabilities = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return probabilities, random.random((rows, labels)) < probabilities


def test_without_pseudo_rows_each_label_has_the_hundredth_with_its_best_f1() -> None:
    probabilities, sets = some_rows(400, 4)
    thresholds = choose_thresholds(probabilities, sets, pseudo_rows=0)
    for label, threshold in enumerate(thresholds):
        candidates = [
            f1_score(sets[:, label], probabilities[:, label] >= each / 100, zero_division=0.0) for each in range(1, 100)
        ]
        assert f1_score(sets[:, label], probabilities[:, label] >= threshold) == pytest.approx(max(candidates))


def test_among_equally_good_thresholds_the_middle_one_is_taken() -> None:
    probabilities = np.array([[0.2], [0.2], [0.8], [0.8]], np.float32)
    assert choose_thresholds(probabilities, probabilities > 0.5).tolist() == [0.5]


def test_a_rare_label_has_nearly_the_threshold_of_all_labels_and_a_frequent_one_its_own() -> None:
    """The first label is told at 0.3; the second one has 2 rows, which its own threshold of 0.9 would tell."""
    random = np.random.default_rng(2)
    sets = np.stack([np.arange(600) % 2 == 0, np.arange(600) < 2], axis=1)
    probabilities = np.where(sets, random.uniform(0.31, 1, sets.shape), random.uniform(0, 0.29, sets.shape))
    probabilities[:2, 1] = 0.95
    probabilities[2:, 1] = random.uniform(0, 0.25, 598)
    alone = choose_thresholds(probabilities.astype(np.float32), sets, pseudo_rows=0)
    drawn = choose_thresholds(probabilities.astype(np.float32), sets)
    assert alone[0] == drawn[0] == pytest.approx(0.3, abs=0.011)
    assert alone[1] == pytest.approx(0.6, abs=0.02)
    assert drawn[1] == pytest.approx(0.3, abs=0.011)


def test_a_label_that_no_held_out_row_has_takes_the_threshold_of_all_labels() -> None:
    probabilities, sets = some_rows(300, 2)
    sets[:, 1] = False
    probabilities[:, 1] = 0.001
    thresholds = choose_thresholds(probabilities, sets)
    assert thresholds[1] == pytest.approx(thresholds[0], abs=0.011)


def test_without_any_label_in_held_out_rows_nothing_is_known() -> None:
    probabilities, sets = some_rows(10, 3)
    assert choose_thresholds(probabilities, np.zeros_like(sets)).tolist() == [PRIOR_THRESHOLD] * 3
    assert choose_thresholds(probabilities, np.zeros_like(sets), usual_threshold=0.25).tolist() == [0.25] * 3


def test_a_usual_threshold_counts_less_the_more_labels_held_out_rows_have() -> None:
    probabilities, sets = some_rows(2_000, 3)
    whole = choose_thresholds(probabilities, sets)
    of_all = choose_thresholds(probabilities, sets, usual_threshold=0.9)
    of_few = choose_thresholds(probabilities[:3], sets[:3], usual_threshold=0.9)
    assert np.abs(of_all - whole).max() < 0.1
    assert np.abs(of_few - 0.9).max() < 0.1
    np.testing.assert_allclose(of_all * 100, np.round(of_all * 100), atol=1e-9)


@given(st.integers(0, 99), st.integers(1, 30), st.integers(1, 5), st.sampled_from([0.0, 8.0]))
@settings(max_examples=50, deadline=None)
def test_thresholds_lie_strictly_between_0_and_1(seed: int, rows: int, labels: int, pseudo_rows: float) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.choice(np.array([0, 0.5, 1], np.float32), size=(rows, labels))
    thresholds = choose_thresholds(probabilities, random.random((rows, labels)) < 0.5, pseudo_rows)
    assert thresholds.shape == (labels,)
    assert ((thresholds > 0) & (thresholds < 1)).all()
