"""Calibration: the fitted temperature, its effect on a head, and the estimated accuracy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.examples import around_centres
from windrow.arrays import Floats, Ids
from windrow.domain.interval import wilson_interval
from windrow.learning.calibrate import (
    ADAPTED_PRIOR,
    HEAD_PRIOR,
    WIDENED_BY,
    HeldOut,
    Prior,
    apply_temperature,
    estimate_accuracy,
    fit_temperature,
    join,
)
from windrow.learning.head import LinearHead, softmax, solve

OPEN_MINDED = Prior(0.0, 100.0)


def honest(rows: int, labels: int = 4, seed: int = 0) -> tuple[Floats, Ids]:
    """Return logits of a classifier that is right exactly as often as its scores say, and labels drawn by them."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=2, size=(rows, labels)).astype(np.float32)
    drawn = softmax(logits).cumsum(axis=1) > random.random((rows, 1))
    return logits, drawn.argmax(axis=1)


def log_loss(logits: Floats, label_ids: Ids, temperature: float) -> float:
    """Return the mean log loss, computed another way."""
    scores = softmax(logits.astype(np.float64) / temperature)  # type: ignore[arg-type]
    return float(-np.log(scores[np.arange(len(label_ids)), label_ids]).mean())


def by_trial(logits: Floats, label_ids: Ids) -> float:
    """Return the temperature with the least log loss among very many."""
    candidates = np.exp(np.linspace(-1.5, 2.5, 2_001))
    return float(min(candidates, key=lambda temperature: log_loss(logits, label_ids, temperature)))


@pytest.mark.parametrize("prior", [HEAD_PRIOR, ADAPTED_PRIOR, OPEN_MINDED])
def test_an_overconfident_head_gets_a_higher_temperature_and_an_underconfident_one_a_lower(prior: Prior) -> None:
    logits, label_ids = honest(400)
    assert fit_temperature(np.float32(4) * logits, label_ids, prior) > 1.5
    assert fit_temperature(logits / np.float32(4), label_ids, prior) < 0.7


@pytest.mark.parametrize("prior", [HEAD_PRIOR, ADAPTED_PRIOR])
def test_without_rows_the_temperature_is_that_of_the_prior(prior: Prior) -> None:
    nothing = np.empty((0, 3), np.float32), np.empty(0, np.int64)
    assert fit_temperature(*nothing, prior) == pytest.approx(prior.temperature, rel=1e-5)
    assert prior.temperature == math.exp(prior.mean)


def test_a_head_alone_is_usually_underconfident_and_an_adapted_one_overconfident() -> None:
    assert HEAD_PRIOR.temperature < 1 < ADAPTED_PRIOR.temperature


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_many_rows_outweigh_the_prior(factor: float) -> None:
    logits, label_ids = honest(5_000)
    logits = np.float32(factor) * logits
    best = by_trial(logits, label_ids)
    assert best == pytest.approx(factor, rel=0.1)
    for prior in (HEAD_PRIOR, ADAPTED_PRIOR):
        assert fit_temperature(logits, label_ids, prior) == pytest.approx(best, rel=0.03)


def test_a_few_rows_move_it_a_little_and_more_rows_more() -> None:
    logits, label_ids = honest(2_000)
    temperatures = [
        fit_temperature(4 * logits[:rows], label_ids[:rows], ADAPTED_PRIOR) for rows in (0, 4, 40, 400, 2_000)
    ]
    assert temperatures == sorted(temperatures)
    assert temperatures[1] < 2
    assert temperatures[-1] > 3.7


@pytest.mark.parametrize("rows", [2, 12, 60])
def test_rows_that_are_all_right_do_not_make_certain(rows: int) -> None:
    """However open one is to any temperature: one part in m + 2 counts as wrong."""
    logits = np.zeros((rows, 3), np.float32)
    label_ids = np.arange(rows, dtype=np.int64) % 3
    logits[np.arange(rows), label_ids] = 3.0
    scores = softmax(logits / np.float32(fit_temperature(logits, label_ids, OPEN_MINDED)))
    assert scores.max() == pytest.approx(1 - 1 / (rows + 2), abs=1e-3)


def test_two_labels_are_calibrated_like_many() -> None:
    logits, label_ids = honest(5_000, labels=2)
    assert fit_temperature(3 * logits, label_ids, HEAD_PRIOR) == pytest.approx(3, rel=0.1)


@given(st.integers(0, 999), st.floats(0.2, 20))
@settings(max_examples=50, deadline=None)
def test_a_temperature_divides_the_logits_and_never_changes_the_best_label(seed: int, temperature: float) -> None:
    random = np.random.default_rng(seed)
    head = LinearHead(random.normal(size=(5, 8)).astype(np.float32), random.normal(size=5).astype(np.float32))
    features = random.normal(size=(20, 8)).astype(np.float32)
    cooled = apply_temperature(head, temperature)
    assert cooled.weights.dtype == cooled.bias.dtype == np.float32
    before, after = head.logits(features), cooled.logits(features)
    np.testing.assert_allclose(after * temperature, before, atol=1e-4)
    ranked = np.sort(before, axis=1)
    is_clear = ranked[:, -1] - ranked[:, -2] > 1e-4  # below, nobody could say which is the first
    assert is_clear.any()
    np.testing.assert_array_equal(after.argmax(axis=1)[is_clear], before.argmax(axis=1)[is_clear])


def test_a_temperature_fitted_to_held_out_rows_lowers_the_log_loss_of_new_rows() -> None:
    """A strong head on noisy rows is too sure of itself; half of the new rows choose, the other half judge."""
    features, label_ids = around_centres(120, 3, spread=4.0)
    taught, chosen_by, judged_by = (np.arange(360) % 3 == fold_held_out for fold_held_out in range(3))
    head = solve(features[taught], label_ids[taught], 1_000.0)
    temperature = fit_temperature(head.logits(features[chosen_by]), label_ids[chosen_by], HEAD_PRIOR)
    assert temperature > 1
    new = features[judged_by], label_ids[judged_by]
    calibrated = apply_temperature(head, temperature)
    assert log_loss(calibrated.logits(new[0]), new[1], 1) < log_loss(head.logits(new[0]), new[1], 1) - 0.1


def held_out(correct: int, total: int, folds: int = 3) -> HeldOut:
    """Return rows of which so many are placed right."""
    label_ids = np.arange(total, dtype=np.int64) % 2
    given = np.where(np.arange(total) < correct, label_ids, 1 - label_ids)
    return HeldOut(np.eye(2, dtype=np.float32)[given], label_ids, np.linspace(0, 1, total, dtype=np.float32), folds)


@given(st.integers(1, 300).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
@settings(max_examples=50, deadline=None)
def test_an_estimates_interval_is_wilsons_widened_and_stays_between_0_and_1(counts: tuple[int, int]) -> None:
    correct, total = counts
    estimate, narrow = estimate_accuracy(held_out(correct, total)), wilson_interval(correct, total)
    assert (estimate.correct, estimate.total, estimate.folds, estimate.accuracy) == (correct, total, 3, correct / total)
    below, above = estimate.accuracy - narrow.low, narrow.high - estimate.accuracy
    assert estimate.interval.low == pytest.approx(max(0, estimate.accuracy - math.sqrt(2) * below), abs=1e-12)
    assert estimate.interval.high == pytest.approx(min(1, estimate.accuracy + math.sqrt(2) * above), abs=1e-12)
    assert math.sqrt(2) == WIDENED_BY


def test_an_interval_that_would_leave_0_to_1_ends_there() -> None:
    assert estimate_accuracy(held_out(11, 12)).interval.high == 1.0
    assert estimate_accuracy(held_out(1, 12)).interval.low == 0.0
    assert 0 < estimate_accuracy(held_out(6, 12)).interval.low < estimate_accuracy(held_out(6, 12)).interval.high < 1


def test_held_out_rows_of_several_trainings_are_joined_in_order() -> None:
    whole = join([held_out(2, 3, folds=1), held_out(1, 2, folds=1), held_out(4, 4, folds=2)])
    assert whole.folds == 4
    assert whole.label_ids.tolist() == [0, 1, 0, 0, 1, 0, 1, 0, 1]
    assert whole.logits.argmax(axis=1).tolist() == [0, 1, 1, 0, 0, 0, 1, 0, 1]
    assert whole.similarities[:5].tolist() == [0, 0.5, 1, 0, 1]
    assert estimate_accuracy(whole).correct == 7
