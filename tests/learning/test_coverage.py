"""What each threshold would answer, against counting by hand and against the threshold that is proposed."""

import time
from collections.abc import Sequence

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windrow.arrays import Bools, Floats
from windrow.domain.interval import wilson_interval
from windrow.domain.report import CoveragePoint
from windrow.learning.coverage import MAX_CHANGES, ROUND_THRESHOLDS, compute_coverage
from windrow.learning.evaluate import choose_threshold

a_score = st.floats(0, 1, width=32) | st.sampled_from([0.25, 0.5, 0.75, 1.0])
some_rows = st.lists(st.tuples(a_score, st.booleans()), min_size=1, max_size=60)
many_rows = st.tuples(st.integers(300, 2_000), st.integers(0, 99))


def columns(rows: Sequence[tuple[float, bool]]) -> tuple[Floats, Bools]:
    return np.array([score for score, _ in rows], np.float32), np.array([right for _, right in rows], bool)


def drawn(count: int, seed: int) -> tuple[Floats, Bools]:
    generator = np.random.default_rng(seed)
    scores = generator.beta(5, 1, count).astype(np.float32)
    return scores, generator.random(count) < scores


def check_by_hand(points: Sequence[CoveragePoint], scores: Floats, is_right: Bools) -> None:
    for point in points:
        # Like a prediction, whose scores are Python's floats: a label unless the score is below the threshold.
        answered = [
            right for score, right in zip(scores.tolist(), is_right, strict=True) if not score < point.threshold
        ]
        wrong = len(answered) - sum(answered)
        assert (point.answered, point.wrong, point.share) == (len(answered), wrong, len(answered) / len(scores))
        if answered:
            assert (point.error, point.error_interval) == (
                wrong / len(answered),
                wilson_interval(wrong, len(answered)),
            )
        else:
            assert (point.error, point.error_interval) == (None, None)


@given(some_rows)
@example([(0.7, True), (0.95, False), (0.05, True)])
@settings(deadline=None)
def test_each_point_says_what_predictions_with_this_threshold_would_answer(rows: list[tuple[float, bool]]) -> None:
    check_by_hand(compute_coverage(*columns(rows)), *columns(rows))


@given(many_rows)
@settings(deadline=None, max_examples=10)
def test_of_many_rows_as_well(rows: tuple[int, int]) -> None:
    scores, is_right = drawn(*rows)
    points = compute_coverage(scores, is_right)
    check_by_hand(points, scores, is_right)
    assert len(points) <= MAX_CHANGES + len(ROUND_THRESHOLDS)
    answered = [point.answered for point in points]
    assert answered == sorted(answered, reverse=True)
    # Thinned evenly: no step leaves out more than its share of the rows, but for rounding and equal scores.
    assert -np.diff(answered).min() <= 2 * rows[0] / MAX_CHANGES + 1
    # The ends are kept: the first row that is not answered, and the last one that is.
    assert {rows[0], rows[0] - 1, 1} <= set(answered)


@given(some_rows)
@settings(deadline=None)
def test_every_number_of_answered_rows_that_a_threshold_can_have_is_among_the_points(
    rows: list[tuple[float, bool]],
) -> None:
    scores, is_right = columns(rows)
    possible = {int((scores >= score).sum()) for score in scores}
    points = compute_coverage(scores, is_right)
    assert possible <= {point.answered for point in points} <= possible | {0}
    thresholds = [point.threshold for point in points]
    assert set(ROUND_THRESHOLDS) <= set(thresholds)
    assert thresholds == sorted(set(thresholds))
    assert (thresholds[0], points[0].answered, thresholds[-1]) == (0.0, len(rows), 1.0)


@given(some_rows, st.sampled_from([0.5, 0.75, 0.8, 0.9, 0.95, 1.0]))
@settings(deadline=None)
def test_the_threshold_that_is_proposed_is_a_point_and_the_lowest_that_is_right_often_enough(
    rows: list[tuple[float, bool]], target: float
) -> None:
    scores, is_right = columns(rows)
    points, chosen = compute_coverage(scores, is_right), choose_threshold(scores, is_right, target)
    good = [point for point in points if point.answered and (point.answered - point.wrong) / point.answered >= target]
    if chosen is None:
        assert good == []
        return
    threshold, correct, answered = chosen
    (same,) = [point for point in points if point.threshold == threshold]
    assert (same.answered, same.answered - same.wrong) == (answered, correct)
    assert max(point.answered for point in good) == answered


@given(many_rows, st.floats(0, 1))
@settings(deadline=None, max_examples=20)
def test_a_threshold_that_is_asked_for_is_among_the_points_also_of_many_rows(
    rows: tuple[int, int], threshold: float
) -> None:
    scores, is_right = drawn(*rows)
    points = compute_coverage(scores, is_right, (threshold, 0.5))
    assert [point.threshold for point in points] == sorted({*(point.threshold for point in points), threshold, 0.5})
    check_by_hand(points, scores, is_right)


def test_equal_scores_are_answered_together_and_a_score_of_one_by_every_threshold() -> None:
    points = compute_coverage(np.array([1.0, 0.5, 0.5], np.float32), np.array([True, False, True]))
    by_threshold = {point.threshold: (point.answered, point.wrong) for point in points}
    assert by_threshold[0.5] == (3, 1)
    assert by_threshold[0.55] == by_threshold[0.75] == by_threshold[1.0] == (1, 0)


def test_a_hundred_thousand_rows_take_a_moment() -> None:
    scores, is_right = drawn(100_000, 7)
    started = time.process_time()
    points = compute_coverage(scores, is_right)
    assert time.process_time() - started < 2  # about 20 ms; far more would be a loop over the rows
    assert len(points) <= MAX_CHANGES + len(ROUND_THRESHOLDS)
