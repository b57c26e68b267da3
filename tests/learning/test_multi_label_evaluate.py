"""Every figure of a multi-label report, against scikit-learn's or against the same figure computed by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.arrays import Bools
from windrow.domain.interval import wilson_interval
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.multi_label_report import (
    ConfusedLabels,
    MisclassifiedSet,
    MissedTogether,
    MultiLabelBaseline,
    ProposedLabelThreshold,
)
from windrow.domain.report import LabelReport
from windrow.learning.evaluate import choose_best_f1
from windrow.learning.multi_label_evaluate import (
    Decisions,
    compute_multi_label_metrics,
    decisions_of,
    find_misclassified_sets,
    given_sets,
    most_frequent_set,
    propose_label_thresholds,
)

LABELS = ("a", "b", "c")
ROWS = tuple(
    MultiLabelRow(f"text {number}", tuple(labels)) for number, labels in enumerate(("a", "ba", "c", "", "bc", "x"))
)
SCORES = np.array(
    [[0.9, 0.2, 0.1], [0.8, 0.4, 0.1], [0.7, 0.1, 0.3], [0.1, 0.2, 0.6], [0.1, 0.4, 0.4], [0.1, 0.1, 0.1]], np.float32
)


def decided(rows: Sequence[MultiLabelRow] = ROWS, least: float = 0.5) -> Decisions:
    return decisions_of(rows, LABELS, SCORES[: len(rows)], SCORES[: len(rows)] >= least)


def random_decisions(rows: int, labels: int, seed: int) -> Decisions:
    random = np.random.default_rng(seed)
    truth = random.random((rows, labels)) < 0.3
    truth[0, 0] = True
    scores = np.where(truth, random.beta(3, 2, truth.shape), random.beta(1, 4, truth.shape)).astype(np.float32)
    return Decisions(tuple(map(str, range(labels))), labels, truth, scores >= 0.5, scores)


def test_rows_become_sets_of_the_classifiers_labels_and_those_that_it_does_not_know() -> None:
    decisions = decided()
    assert decisions.names == ("a", "b", "c", "x")
    assert decisions.truth.astype(int).tolist() == [
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 1],
    ]
    assert decisions.scores[:, 3].tolist() == [0] * 6
    assert not decisions.given[:, 3].any()
    assert given_sets(decisions) == [("a",), ("a",), ("a",), ("c",), (), ()]


def test_metrics_count_what_a_person_would_count() -> None:
    metrics = compute_multi_label_metrics(decided())
    assert (metrics.kind, metrics.correct, metrics.total, metrics.accuracy) == ("multi_label", 1, 6, 1 / 6)
    assert metrics.accuracy_interval == wilson_interval(1, 6)
    assert metrics.labels == (
        LabelReport("a", 2, 2, 3, 2 / 3, 1.0, 0.8),
        LabelReport("b", 0, 2, 0, None, 0.0, 0.0),
        LabelReport("c", 0, 2, 1, 0.0, 0.0, 0.0),
        LabelReport("x", 0, 1, 0, None, 0.0, 0.0),
    )
    # Of 7 labels that rows have and 4 that they were given, 2 are the same.
    assert (metrics.micro_precision, metrics.micro_recall, metrics.micro_f1) == (2 / 4, 2 / 7, 4 / 11)
    assert metrics.macro_f1 == pytest.approx(0.8 / 4)
    assert metrics.macro_precision == pytest.approx(2 / 3 / 4)
    assert metrics.macro_recall == pytest.approx(1 / 4)
    # Wrong are b of row 1, a and c of row 2, c of row 3, b and c of row 4, and x of row 5.
    assert metrics.hamming_loss == 7 / 24


def test_labels_that_are_given_in_place_of_others_or_missed_together_are_counted_in_rows() -> None:
    metrics = compute_multi_label_metrics(decided())
    assert metrics.confused_labels == (ConfusedLabels("c", "a", 1),)
    assert metrics.missed_together == (MissedTogether(("b", "c"), 1),)


@given(st.integers(2, 60), st.integers(2, 6), st.integers(0, 999))
@settings(deadline=None, max_examples=40)
def test_metrics_are_those_of_scikit_learn(rows: int, labels: int, seed: int) -> None:
    from sklearn import metrics as of  # takes most of a second, which no process should spend to collect tests

    decisions = random_decisions(rows, labels, seed)
    truth, assigned, scores = decisions.truth, decisions.given, decisions.scores
    metrics = compute_multi_label_metrics(decisions)
    present = np.flatnonzero(truth.any(axis=0) | assigned.any(axis=0))
    for kind, found in (
        ("micro", (metrics.micro_precision or 0.0, metrics.micro_recall, metrics.micro_f1)),
        ("macro", (metrics.macro_precision, metrics.macro_recall, metrics.macro_f1)),
    ):
        expected = of.precision_recall_fscore_support(truth, assigned, labels=present, average=kind, zero_division=0)
        assert found == pytest.approx(expected[:3])
    each = of.precision_recall_fscore_support(truth, assigned, average=None, zero_division=0)
    columns = [(one.precision or 0.0, one.recall or 0.0, one.f1 or 0.0, one.total) for one in metrics.labels]
    assert np.array(columns) == pytest.approx(np.stack(each, axis=1))
    assert metrics.accuracy == pytest.approx(of.accuracy_score(truth, assigned))
    assert metrics.hamming_loss == pytest.approx(of.hamming_loss(truth, assigned))
    assert metrics.log_loss == pytest.approx(of.log_loss(truth.ravel(), scores.ravel(), labels=[0, 1]), rel=1e-5)
    ranking = of.label_ranking_average_precision_score(truth, scores)
    assert metrics.label_ranking_average_precision == pytest.approx(ranking)


def test_calibration_is_that_of_all_decisions_about_known_labels() -> None:
    decisions = decided()
    calibration = compute_multi_label_metrics(decisions).calibration
    assert sum(each.rows for each in calibration.bins) == 18
    mean = sum(each.rows * each.mean_score for each in calibration.bins) / 18
    share = sum(each.rows * each.accuracy for each in calibration.bins) / 18
    assert mean == pytest.approx(SCORES.mean())
    assert share == pytest.approx(6 / 18)  # the label x of the last row has no score


def test_a_score_of_0_for_a_label_that_a_row_has_costs_much_and_not_everything() -> None:
    truth = np.array([[True, False], [True, False]])
    scores = np.array([[0.0, 0.0], [1.0, 1.0]], np.float32)
    metrics = compute_multi_label_metrics(Decisions(("a", "b"), 2, truth, scores >= 0.5, scores))
    assert metrics.log_loss == pytest.approx(-np.log(np.finfo(np.float32).eps) / 2, rel=1e-3)


def test_where_each_set_is_right_all_figures_are_the_best_ones() -> None:
    truth = np.array([[True, False], [True, True], [False, False]])
    metrics = compute_multi_label_metrics(Decisions(("a", "b"), 2, truth, truth, truth.astype(np.float32)))
    assert (metrics.accuracy, metrics.micro_f1, metrics.macro_f1, metrics.hamming_loss) == (1, 1, 1, 0)
    assert metrics.label_ranking_average_precision == 1
    assert (metrics.micro_f1_interval.low, metrics.micro_f1_interval.high) == (1, 1)
    assert (metrics.confused_labels, metrics.missed_together) == ((), ())


def test_misclassified_rows_have_the_scores_of_the_wrong_labels_and_the_most_confident_one_is_first() -> None:
    found = find_misclassified_sets(decided(), ROWS)
    # c of row 2 was missed with 0.3, and a was given with 0.7; b of row 1 and of row 4 was missed with 0.4, c of row 3
    # was given with 0.6. What is unknown counts least.
    assert [each.row for each in found] == [2, 1, 3, 4, 5]
    assert found[0] == MisclassifiedSet(
        2,
        "text 2",
        ("c",),
        ("a",),
        {"a": pytest.approx(0.7), "c": pytest.approx(0.3)},  # type: ignore[dict-item]
    )
    assert found[4] == MisclassifiedSet(5, "text 5", ("x",), (), {"x": 0.0})


def test_the_baseline_is_the_most_frequent_set_even_the_empty_one() -> None:
    rows = [MultiLabelRow("1", ("b", "a")), MultiLabelRow("2", ("a", "b")), MultiLabelRow("3", ("a",))]
    assert most_frequent_set(rows) == MultiLabelBaseline(("a", "b"), 2 / 3, 2 * 5 / (6 + 5))
    rows = [MultiLabelRow("1", ("a",)), MultiLabelRow("2", ()), MultiLabelRow("3", ())]
    assert most_frequent_set(rows) == MultiLabelBaseline((), 2 / 3, 0.0)


def best_f1_by_hand(scores: Sequence[float], has_label: Sequence[bool]) -> float:
    def f1(least: float) -> float:
        answered = [has for score, has in zip(scores, has_label, strict=True) if score >= least]
        return 2 * sum(answered) / (len(answered) + sum(has_label))

    return max(map(f1, scores))


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=40))
@settings(deadline=None)
def test_no_threshold_has_a_better_f1_than_the_one_chosen(rows: list[tuple[float, bool]]) -> None:
    rows = [*rows, (0.5, True)]
    scores, has_label = np.array([score for score, _ in rows], np.float32), np.array([has for _, has in rows])
    bound, correct, answered = choose_best_f1(scores, has_label)
    reached: Bools = scores.astype(np.float64) >= bound
    assert (int(reached.sum()), int((reached & has_label).sum())) == (answered, correct)
    assert 2 * correct / (answered + int(has_label.sum())) == pytest.approx(best_f1_by_hand(*zip(*rows, strict=True)))


def test_each_known_label_with_rows_gets_a_threshold_proposed() -> None:
    # a: rows 0 and 1 have it, with 0.9 and 0.8. b: rows 1 and 4, with 0.4. c: rows 2 and 4, with 0.3 and 0.4; row 3 has
    # 0.6 without it.
    best = propose_label_thresholds(decided(), None)
    assert [(each.label, each.correct, each.predicted, each.total) for each in best] == [
        ("a", 2, 2, 2),
        ("b", 2, 2, 2),
        ("c", 2, 3, 2),
    ]
    assert [each.threshold for each in best] == pytest.approx([0.75, 0.3, 0.2])
    assert (best[2].precision, best[2].recall, best[2].f1) == (2 / 3, 1.0, 0.8)
    precise = propose_label_thresholds(decided(), 0.9)
    assert [each.label for each in precise] == ["a", "b"]
    assert precise[0] == ProposedLabelThreshold("a", pytest.approx(0.75), 2, 2, 2)  # type: ignore[arg-type]


def test_the_highest_threshold_that_reaches_a_recall_is_proposed() -> None:
    half = propose_label_thresholds(decided(), None, 0.5)
    assert [(each.label, each.correct, each.predicted) for each in half] == [("a", 1, 1), ("b", 2, 2), ("c", 1, 2)]
    assert [each.recall for each in propose_label_thresholds(decided(), None, 0.51)] == [1, 1, 1]


def test_a_threshold_that_all_rows_reach_is_half_of_the_lowest_score() -> None:
    truth, scores = np.array([[True], [True]]), np.array([[0.4], [0.9]], np.float32)
    (proposed,) = propose_label_thresholds(Decisions(("a",), 1, truth, scores >= 0.5, scores), None)
    assert proposed.threshold == pytest.approx(0.2)
    assert proposed.predicted == 2
