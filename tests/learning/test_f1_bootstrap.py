"""Intervals of F1 scores are those of drawing whole rows anew, and of two classifiers the same rows are drawn."""

import numpy as np
import pytest

from windrow.arrays import Bools
from windrow.learning.f1_bootstrap import NUM_RESAMPLES, interval_of, resample_f1


def sets(rows: int, labels: int, seed: int, share: float = 0.3) -> Bools:
    drawn: Bools = np.random.default_rng(seed).random((rows, labels)) < share
    return drawn


def by_drawing_rows(truth: Bools, given: Bools) -> tuple[list[float], list[float]]:
    """Draw whole rows, and have scikit-learn compute their F1."""
    from sklearn.metrics import f1_score  # takes most of a second, which no process should spend to collect tests

    random, micro, macro = np.random.default_rng(7), [], []
    for _ in range(400):
        drawn = random.integers(0, len(truth), len(truth))
        right, own = truth[drawn], given[drawn]
        present = np.flatnonzero(right.any(axis=0) | own.any(axis=0))
        micro.append(float(f1_score(right, own, average="micro", zero_division=0)))
        macro.append(float(f1_score(right, own, labels=present, average="macro", zero_division=0)))
    return micro, macro


def test_the_intervals_are_those_of_drawing_whole_rows_anew() -> None:
    truth = sets(80, 4, 1)
    given = truth ^ sets(80, 4, 2, 0.1)
    (resampled,) = resample_f1(truth, (given,))
    assert resampled.micro.shape == resampled.macro.shape == (NUM_RESAMPLES,)
    for own, expected in zip((resampled.micro, resampled.macro), by_drawing_rows(truth, given), strict=True):
        interval = interval_of(own)
        assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(expected, [0.025, 0.975])), abs=0.02)
        assert own.mean() == pytest.approx(np.mean(expected), abs=0.01)


def test_two_classifiers_that_are_alike_differ_on_no_resample() -> None:
    truth = sets(50, 3, 1)
    first, second, same = (truth ^ sets(50, 3, seed, 0.2) for seed in (2, 3, 2))
    one, two, three = resample_f1(truth, (first, second, same))
    assert np.array_equal(one.micro, three.micro)
    assert np.array_equal(one.macro, three.macro)
    assert not np.array_equal(one.micro, two.micro)


def test_the_draws_are_the_same_in_blocks_and_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = sets(40, 3, 1)
    given = truth ^ sets(40, 3, 2, 0.2)
    (whole,) = resample_f1(truth, (given,))
    monkeypatch.setattr("windrow.learning.f1_bootstrap._BLOCK_COUNTS", 1_000)
    (in_blocks,) = resample_f1(truth, (given,))
    assert np.array_equal(whole.micro, in_blocks.micro)
    assert np.array_equal(whole.macro, in_blocks.macro)


def test_a_draw_without_any_label_is_left_out_of_an_interval() -> None:
    truth = np.array([[True, False], [False, False]])
    (resampled,) = resample_f1(truth, (truth,))
    assert 0.1 < np.isnan(resampled.micro).mean() < 0.4  # a quarter of the draws takes the second row twice
    assert interval_of(resampled.micro) == interval_of(np.ones(3))
