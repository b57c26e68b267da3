"""Every figure of a report, against the same figure computed in another way."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windrow.arrays import Bools, Floats
from windrow.domain.dataset import Row
from windrow.domain.interval import wilson_interval
from windrow.domain.report import MajorityBaseline
from windrow.learning.evaluate import (
    choose_by_recall,
    choose_threshold,
    compute_calibration,
    compute_metrics,
    find_misclassified,
    majority_baseline,
)
from windrow.learning.midpoint import midpoint

LABELS = ("a", "b", "c")
# Rows that get a, b, c, a, b, a.
SCORES = np.array(
    [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.9, 0.05, 0.05], [0.3, 0.4, 0.3], [0.5, 0.3, 0.2]], np.float32
)
a_score = st.floats(0, 1, width=32)
judged_rows = st.lists(st.tuples(a_score, st.booleans()), min_size=1, max_size=60)


def columns(rows: Sequence[tuple[float, bool]]) -> tuple[Floats, Bools]:
    return np.array([score for score, _ in rows], np.float32), np.array([right for _, right in rows], bool)


def random_scores(rows: int, labels: int, seed: int) -> Floats:
    return np.random.default_rng(seed).dirichlet(np.full(labels, 0.1), rows).astype(np.float32)


@given(judged_rows)
@example([(0.0, True), (1.0, False)])
@settings(deadline=None)
def test_calibration_agrees_with_bins_filled_by_hand(rows: list[tuple[float, bool]]) -> None:
    calibration = compute_calibration(*columns(rows))
    bins, distance = [], 0.0
    for index in range(15):
        low, high = index / 15, (index + 1) / 15
        inside = [(score, right) for score, right in rows if low < score <= high or score == low == 0]
        if inside:
            mean, share = (
                float(np.mean([score for score, _ in inside])),
                sum(right for _, right in inside) / len(inside),
            )
            distance += len(inside) / len(rows) * abs(mean - share)
            bins.append((low, high, len(inside), mean, share))
    for each, (low, high, count, mean, share) in zip(calibration.bins, bins, strict=True):
        assert (each.low, each.high, each.rows, each.accuracy) == (low, high, count, share)
        assert each.mean_score == pytest.approx(mean)
    assert calibration.ece == pytest.approx(distance, abs=1e-9)


def test_a_score_on_the_border_of_two_bins_belongs_to_the_lower_one() -> None:
    # float32 has none of the inner borders, so this takes float64.
    on_borders = np.array([0.0, 0.2, 0.4, 1.0])
    bins = compute_calibration(on_borders, np.ones(4, bool)).bins
    assert [(each.low, each.high, each.rows) for each in bins] == [
        (0.0, 1 / 15, 1),
        (2 / 15, 0.2, 1),
        (5 / 15, 0.4, 1),
        (14 / 15, 1.0, 1),
    ]


def test_calibration_is_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, is_right = columns([(number / 64, number % 3 == 0) for number in range(65)])
    whole = compute_calibration(scores, is_right)
    monkeypatch.setattr("windrow.learning.evaluate._BLOCK_SCORES", 10)
    in_blocks = compute_calibration(scores, is_right)
    assert in_blocks.ece == pytest.approx(whole.ece)
    assert [each.rows for each in in_blocks.bins] == [each.rows for each in whole.bins]


def test_scores_that_are_right_as_often_as_they_say_have_no_calibration_error() -> None:
    assert compute_calibration(np.full(4, 0.75, np.float32), np.array([True, True, True, False])).ece == 0
    assert compute_calibration(np.full(4, 0.75, np.float32), np.zeros(4, bool)).ece == 0.75


def test_an_outcome_counts_what_a_person_would_count() -> None:
    outcome = compute_metrics(SCORES, ["a", "b", "c", "b", "b", "a"], LABELS)
    assert (outcome.correct, outcome.total, outcome.accuracy) == (5, 6, 5 / 6)
    assert outcome.accuracy_interval == wilson_interval(5, 6)
    assert outcome.confusion_matrix.counts == ((2, 0, 0), (1, 2, 0), (0, 0, 1))
    a, b, c = outcome.labels
    assert (a.label, a.correct, a.total, a.predicted, a.precision, a.recall, a.f1) == ("a", 2, 2, 3, 2 / 3, 1.0, 0.8)
    assert (b.label, b.correct, b.total, b.predicted, b.precision, b.recall, b.f1) == ("b", 2, 3, 2, 1.0, 2 / 3, 0.8)
    assert (c.label, c.correct, c.total, c.predicted, c.precision, c.recall, c.f1) == ("c", 1, 1, 1, 1.0, 1.0, 1.0)
    assert outcome.macro_f1 == pytest.approx((0.8 + 0.8 + 1) / 3)
    assert [each.recall_text for each in outcome.labels] == ["1.00 (2/2)", "0.67 (2/3)", "1.00 (1/1)"]


def test_labels_that_the_classifier_does_not_know_come_last_sorted_and_count_as_wrong() -> None:
    outcome = compute_metrics(SCORES, ["z", "b", "c", "a", "b", "m"], LABELS)
    assert [each.label for each in outcome.labels] == ["a", "b", "c", "m", "z"]
    assert outcome.correct == 4
    z = outcome.labels[-1]
    assert (z.correct, z.total, z.predicted, z.precision, z.recall, z.f1) == (0, 1, 0, None, 0.0, 0.0)
    assert outcome.confusion_matrix.labels == ("a", "b", "c", "m", "z")
    assert outcome.confusion_matrix.counts[-1] == (1, 0, 0, 0, 0)
    assert outcome.macro_f1 == pytest.approx((0.5 + 1 + 1 + 0 + 0) / 5)


def test_a_label_that_no_row_has_and_none_was_given_is_left_out_of_the_mean() -> None:
    outcome = compute_metrics(SCORES[[0, 1]], ["a", "b"], LABELS)
    c = outcome.labels[2]
    assert (c.total, c.predicted, c.precision, c.recall, c.f1) == (0, 0, None, None, None)
    assert outcome.macro_f1 == 1


def test_a_label_that_no_row_has_but_some_were_given_is_no_recall_but_counts_in_the_mean() -> None:
    outcome = compute_metrics(SCORES[[0, 2]], ["a", "a"], LABELS)
    c = outcome.labels[2]
    assert (c.precision, c.recall, c.f1) == (0.0, None, 0.0)
    assert outcome.macro_f1 == pytest.approx((2 / 3 + 0) / 2)


@given(st.integers(1, 80), st.integers(2, 100), st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_an_outcome_agrees_with_scikit_learn_on_the_labels_themselves(rows: int, labels: int, seed: int) -> None:
    from sklearn.metrics import accuracy_score, f1_score  # takes a second, which collecting tests should not

    scores, generator = random_scores(rows, labels, seed), np.random.default_rng(seed)
    names = [f"l{number:03}" for number in range(labels)]
    predicted = [names[index] for index in scores.argmax(axis=1)]
    truth = [own if generator.random() < 0.6 else "unknown" for own in predicted]
    outcome = compute_metrics(scores, truth, names)
    assert outcome.accuracy == pytest.approx(accuracy_score(truth, predicted))
    assert outcome.macro_f1 == pytest.approx(f1_score(truth, predicted, average="macro", zero_division=0.0))
    assert np.sum(outcome.confusion_matrix.counts) == rows
    assert np.trace(outcome.confusion_matrix.counts) == sum(each.correct for each in outcome.labels) == outcome.correct
    assert [sum(row) for row in outcome.confusion_matrix.counts] == [each.total for each in outcome.labels]
    assert np.sum(outcome.confusion_matrix.counts, axis=0).tolist() == [each.predicted for each in outcome.labels]


def test_misclassified_rows_come_with_the_highest_score_first_then_in_their_order() -> None:
    rows = [Row(f"text {number}", label) for number, label in enumerate("abbbxb")]
    scores = SCORES.copy()
    scores[5] = scores[2][[2, 1, 0]]  # as sure as row 2, of another label
    found = find_misclassified(scores, rows, LABELS)
    assert [(each.row, each.text, each.label, each.predicted) for each in found] == [
        (3, "text 3", "b", "a"),
        (2, "text 2", "b", "c"),
        (5, "text 5", "b", "a"),
        (4, "text 4", "x", "b"),
    ]
    assert [each.score for each in found] == [float(scores[each.row].max()) for each in found]


def test_correctly_classified_rows_are_not_listed_as_misclassified() -> None:
    assert find_misclassified(SCORES[:1], [Row("text", "a")], LABELS) == ()


def test_the_baseline_is_the_most_frequent_label_and_of_equals_the_first() -> None:
    assert majority_baseline(["b", "a", "b", "c"]) == MajorityBaseline("b", 0.5)
    assert majority_baseline(["c", "b", "c", "b"]) == MajorityBaseline("b", 0.5)
    assert majority_baseline(["x"]) == MajorityBaseline("x", 1.0)


def by_trial(scores: Floats, is_right: Bools, target: float) -> tuple[float, int, int] | None:
    """Try every score, the lowest first."""
    below = None
    for lowest in sorted(set(scores.tolist())):
        answered = [right for score, right in zip(scores.tolist(), is_right, strict=True) if not score < lowest]
        if sum(answered) / len(answered) >= target:
            bound = 0.0 if below is None else midpoint(below, lowest)
            return bound, int(sum(answered)), len(answered)
        below = lowest
    return None


some_rows = st.lists(st.tuples(a_score | st.sampled_from([0.25, 0.5, 0.75]), st.booleans()), min_size=1, max_size=40)
a_target = st.sampled_from([0.5, 0.75, 0.8, 0.9, 0.95, 1.0])


@given(some_rows, a_target)
@settings(deadline=None)
def test_the_threshold_answers_as_many_rows_as_it_can(rows: list[tuple[float, bool]], target: float) -> None:
    assert choose_threshold(*columns(rows), target) == by_trial(*columns(rows), target)


@given(some_rows, a_target)
@settings(deadline=None)
def test_the_threshold_for_a_recall_gives_the_label_to_as_few_rows_as_it_can(
    rows: list[tuple[float, bool]], target: float
) -> None:
    scores, has_label = columns([*rows, (0.5, True)])
    bound, correct, answered = choose_by_recall(scores, has_label, target)
    reached: Bools = scores.astype(np.float64) >= bound
    assert (int(reached.sum()), int((reached & has_label).sum())) == (answered, correct)
    assert correct / has_label.sum() >= target
    fewer: Bools = scores > scores[reached].min()
    assert (fewer & has_label).sum() / has_label.sum() < target


@given(some_rows, a_target, st.integers(0, 99))
@settings(deadline=None)
def test_scores_that_differ_in_their_last_bits_fall_on_the_same_side_of_the_threshold(
    rows: list[tuple[float, bool]], target: float, seed: int
) -> None:
    scores, is_right = columns([(round(score, 3), right) for score, right in rows])
    found = choose_threshold(scores, is_right, target)
    if found is not None:
        moved = scores + np.random.default_rng(seed).uniform(-3e-4, 3e-4, len(scores))
        assert int((moved.clip(0, 1) >= found[0]).sum()) == found[2]


def test_between_two_neighbours_of_float32_there_is_a_threshold_too() -> None:
    lower = np.float32(0.7)
    upper = np.nextafter(lower, np.float32(1))
    found = choose_threshold(np.array([lower, upper], np.float32), np.array([False, True]), 1.0)
    assert found is not None
    assert float(lower) < found[0] < float(upper)


def test_where_every_row_is_answered_the_threshold_turns_no_text_away() -> None:
    assert choose_threshold(np.array([0.9, 0.4], np.float32), np.array([True, True]), 1.0) == (0.0, 2, 2)


def test_the_threshold_reaches_past_scores_that_do_not_do() -> None:
    """The two best answers are one right, one wrong; but with the next eight it is nine of ten."""
    scores = np.array([0.875, 0.75, *np.linspace(0.7, 0.3, 8), 0.25, 0.125], np.float32)
    is_right = np.array([True, False, *[True] * 8, False, False])
    assert choose_threshold(scores, is_right, 0.9) == (0.28, 9, 10)
    assert choose_threshold(scores, is_right, 0.95) == (0.8, 1, 1)


def test_answers_with_equal_scores_stay_together() -> None:
    scores = np.array([0.875, 0.75, 0.75, 0.5], np.float32)
    assert choose_threshold(scores, np.array([True, True, False, False]), 1.0) == (0.8, 1, 1)
    assert choose_threshold(scores, np.array([True, True, False, False]), 0.6) == (0.6, 2, 3)
    assert choose_threshold(scores, np.array([True, True, False, True]), 0.75) == (0.0, 3, 4)


def test_where_no_score_is_right_often_enough_there_is_no_threshold() -> None:
    assert choose_threshold(np.array([0.9, 0.8], np.float32), np.array([False, False]), 0.5) is None
    assert choose_threshold(np.array([0.9, 0.8], np.float32), np.array([False, True]), 0.9) is None


def test_nothing_to_choose_by_is_no_threshold() -> None:
    assert choose_threshold(np.array([], np.float32), np.array([], bool), 0.9) is None
