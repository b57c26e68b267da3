"""Pairs of multi-label classifiers, against the same figures computed in another way."""

import numpy as np
import pytest

from windrow.arrays import Bools, Floats
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.multi_label_comparison import MultiLabelDisagreement, MultiLabelPair
from windrow.learning.multi_label_compare import compare_multi_label, find_differing_sets, holm
from windrow.learning.multi_label_evaluate import Decisions

NAMES = ("a", "b", "c")


def decisions(truth: Bools, given: Bools, names: tuple[str, ...] = NAMES) -> Decisions:
    scores: Floats = np.where(given, 0.9, 0.1).astype(np.float32)
    return Decisions(names, len(names), truth, given, scores)


def drawn(rows: int, seed: int, share: float) -> Bools:
    chosen: Bools = np.random.default_rng(seed).random((rows, len(NAMES))) < share
    return chosen


def pair_of(truth: Bools, first: Bools, second: Bools) -> MultiLabelPair:
    everything = np.ones(len(truth), np.bool_)
    (pair,) = compare_multi_label({"old": decisions(truth, first), "new": decisions(truth, second)}, everything)
    return pair


def test_figures_of_a_pair_are_those_of_scikit_learn_and_scipy() -> None:
    from scipy.stats import binomtest  # these take most of a second, which no process should spend to collect tests
    from sklearn.metrics import f1_score

    truth = drawn(120, 1, 0.4)
    first, second = truth ^ drawn(120, 2, 0.25), truth ^ drawn(120, 3, 0.1)
    pair = pair_of(truth, first, second)
    first_right, second_right = (truth == first).all(axis=1), (truth == second).all(axis=1)
    assert pair.fixed == (second_right & ~first_right).sum()
    assert pair.broken == (first_right & ~second_right).sum()
    scores = [float(f1_score(truth, each, average="micro")) for each in (first, second)]
    assert pair.micro_f1_difference == pytest.approx(scores[1] - scores[0])
    assert pair.micro_f1_interval.low < pair.micro_f1_difference < pair.micro_f1_interval.high
    by_label = {each.label: each for each in pair.labels}
    for at, name in enumerate(NAMES):
        is_right = [truth[:, at] == each[:, at] for each in (first, second)]
        fixed, broken = int((is_right[1] & ~is_right[0]).sum()), int((is_right[0] & ~is_right[1]).sum())
        found = by_label[name]
        assert (found.fixed, found.broken) == (fixed, broken)
        assert found.p_value == pytest.approx(binomtest(fixed, fixed + broken, 0.5).pvalue)
        assert found.first_f1 == pytest.approx(f1_score(truth[:, at], first[:, at]))
        assert found.second_f1 == pytest.approx(f1_score(truth[:, at], second[:, at]))
    assert [each.p_value for each in pair.labels] == sorted(each.p_value for each in pair.labels)


def test_a_label_is_shown_better_only_after_the_correction_for_all_labels() -> None:
    truth = np.zeros((40, 3), np.bool_)
    truth[:20] = True
    # a: 6 rows fixed, none broken (p 0.031); b: 10 fixed (p 0.002); c: one fixed and one broken.
    first, second = truth.copy(), truth.copy()
    first[:6, 0], first[:10, 1], first[0, 2], second[1, 2] = False, False, False, False
    labels = {each.label: each for each in pair_of(truth, first, second).labels}
    assert labels["b"].p_value == pytest.approx(2 / 2**10)
    assert labels["b"].adjusted_p_value == pytest.approx(6 / 2**10)
    assert labels["a"].p_value == pytest.approx(2 / 2**6)
    assert labels["a"].adjusted_p_value == pytest.approx(4 / 2**6)
    assert labels["c"].adjusted_p_value == 1
    assert {name: each.better for name, each in labels.items()} == {"a": None, "b": "new", "c": None}


def test_holms_correction_is_that_of_the_paper() -> None:
    # Holm multiplies by 4, 3, 2 and 1, and no corrected value is below an earlier one.
    assert holm(np.array([0.01, 0.02, 0.022, 0.9])).tolist() == pytest.approx([0.04, 0.06, 0.06, 0.9])
    assert holm(np.array([0.4, 0.5])).tolist() == [0.8, 0.8]
    assert holm(np.array([])).tolist() == []


def test_labels_about_which_two_agree_are_left_out() -> None:
    truth = drawn(20, 1, 0.5)
    pair = pair_of(truth, truth, truth)
    assert (pair.labels, pair.fixed, pair.broken, pair.micro_f1_difference) == ((), 0, 0, 0)
    assert (pair.micro_f1_interval.low, pair.micro_f1_interval.high) == (0, 0)


def test_only_rows_that_count_are_compared() -> None:
    truth = drawn(30, 1, 0.5)
    first, counted = truth.copy(), np.ones(30, np.bool_)
    first[:5, 0] ^= True
    counted[:5] = False
    (pair,) = compare_multi_label({"old": decisions(truth, first), "new": decisions(truth, truth)}, counted)
    assert (pair.total, pair.fixed, pair.labels) == (25, 0, ())


def test_where_no_row_that_counts_has_a_label_f1_shows_nothing() -> None:
    truth = np.array([[True, False, False], [False, False, False]])
    counted = np.array([False, True])
    (pair,) = compare_multi_label({"old": decisions(truth, truth), "new": decisions(truth, truth)}, counted)
    assert (pair.micro_f1_difference, pair.micro_f1_interval.low, pair.micro_f1_interval.high) == (0, 0, 0)


def test_classifiers_may_know_different_labels() -> None:
    truth = np.array([[True, False], [False, True]])
    old = decisions(truth, truth, ("a", "b"))
    # The other one knows c in place of b, which the rows have, and so comes behind.
    own = np.array([[True, False, False], [False, False, True]])
    new = Decisions(
        ("a", "c", "b"), 2, own, np.array([[True, True, False], [False, False, False]]), np.zeros((2, 3), np.float32)
    )
    (pair,) = compare_multi_label({"old": old, "new": new}, np.ones(2, np.bool_))
    assert {each.label: (each.fixed, each.broken) for each in pair.labels} == {"b": (0, 1), "c": (0, 1)}
    assert [(each.first_f1, each.second_f1) for each in pair.labels if each.label == "c"] == [(None, 0.0)]


def test_rows_with_different_sets_are_listed_with_who_gives_which() -> None:
    rows = (MultiLabelRow("one", ("b", "a")), MultiLabelRow("two", ()))
    truth = np.array([[True, True, False], [False, False, False]])
    partly = np.array([[True, False, False], [False, False, False]])
    found = find_differing_sets(rows, {"old": decisions(truth, truth), "new": decisions(truth, partly)})
    assert found == (MultiLabelDisagreement(0, "one", ("a", "b"), {"old": ("a", "b"), "new": ("a",)}),)
