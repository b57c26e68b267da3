"""Calibration of several labels: the temperature, the shift of each label, and the estimate of whole sets."""

import numpy as np
import pytest

from windrow.arrays import Bools, Floats
from windrow.learning.calibrate import ADAPTED_PRIOR, DESCRIBED_PRIOR, HEAD_PRIOR, HeldOut, Prior
from windrow.learning.candidates import log_losses
from windrow.learning.head import LinearHead, sigmoid
from windrow.learning.multi_label_calibrate import (
    estimate_sets,
    fit_set_calibration,
    prior_calibration,
)
from windrow.learning.multi_label_thresholds import choose_thresholds

OPEN_MINDED = Prior(0.0, 100.0)


def honest(rows: int, labels: int = 4, seed: int = 0) -> tuple[Floats, Bools]:
    """Return logits of probabilities that say how often labels apply, and label sets drawn by them."""
    random = np.random.default_rng(seed)
    logits = (random.normal(scale=2, size=(rows, labels)) - 1).astype(np.float32)
    return logits, random.random((rows, labels)) < sigmoid(logits)


def held_out(logits: Floats, sets: Bools) -> HeldOut:
    return HeldOut(logits, sets, np.zeros(len(sets), np.float32), folds=3)


def test_a_temperature_and_shifts_that_were_put_on_logits_are_found_again() -> None:
    logits, sets = honest(20_000)
    shifts = np.array([0.5, 0.0, -0.5, 0.3], np.float32)
    calibration = fit_set_calibration((logits - shifts) * 2, sets, OPEN_MINDED)
    assert calibration.temperature == pytest.approx(2, rel=0.03)
    np.testing.assert_allclose(calibration.shifts, shifts, atol=0.06)
    np.testing.assert_allclose(calibration.apply((logits - shifts) * 2), logits, atol=0.3)


def test_a_label_with_few_rows_keeps_the_shift_of_all_labels_and_one_with_many_has_its_own() -> None:
    logits, sets = honest(4_000, labels=8)
    logits[:, 0] += 1
    many = fit_set_calibration(logits, sets, ADAPTED_PRIOR).shifts
    assert many[0] == pytest.approx(-1, abs=0.15)
    assert abs(many[1:]).max() < 0.15
    own = []
    for first in range(0, 4_000, 20):
        few = fit_set_calibration(logits[first : first + 20], sets[first : first + 20], ADAPTED_PRIOR).shifts
        own.append(few[0] - few[1:].mean())
    assert -0.6 < np.mean(own) < -0.2


def test_rows_that_are_all_decided_correctly_do_not_ask_for_certainty() -> None:
    sets = np.eye(4, dtype=bool)[np.arange(40) % 4]
    logits = np.where(sets, 2, -2).astype(np.float32)
    calibration = fit_set_calibration(logits, sets, OPEN_MINDED)
    assert 0.98 < sigmoid(calibration.apply(logits)).max() < 0.995


def test_few_rows_make_rare_labels_no_more_probable_than_they_are() -> None:
    """Smoothing towards 1/2 would give each label of five rows a probability of 1/7 at least."""
    logits = np.full((5, 10), -3, np.float32)
    sets = np.zeros((5, 10), bool)
    sets[0, 0] = sets[1, 1] = True
    for prior in (DESCRIBED_PRIOR, ADAPTED_PRIOR, HEAD_PRIOR):
        assert sigmoid(fit_set_calibration(logits, sets, prior).apply(logits)).mean() < 0.07


def test_the_more_pseudo_rows_the_nearer_are_few_rows_to_what_is_usual() -> None:
    logits, sets = honest(20)
    calibrated = [
        fit_set_calibration(logits + 2, sets, Prior(0.0, 0.42, pseudo_rows)).apply(logits + 2)
        for pseudo_rows in (1.0, 10.0, 100.0)
    ]
    far, near, nearest = (float(np.abs(each - logits - 2).mean()) for each in calibrated)
    assert far > near > nearest > 0


def test_calibration_lowers_the_log_loss_of_new_rows() -> None:
    logits, sets = honest(600, seed=1)
    distorted = logits * 3 + 1
    calibration = fit_set_calibration(distorted[:300], sets[:300], HEAD_PRIOR)
    new = distorted[300:], sets[300:]
    assert log_losses(calibration.apply(new[0]), new[1]).mean() < log_losses(*new).mean() - 0.3


def test_a_calibrated_head_gives_the_calibrated_logits() -> None:
    random = np.random.default_rng(3)
    head = LinearHead(random.normal(size=(4, 6)).astype(np.float32), random.normal(size=4).astype(np.float32))
    features = random.normal(size=(50, 6)).astype(np.float32)
    calibration = fit_set_calibration(head.logits(features), random.random((50, 4)) < 0.3, HEAD_PRIOR)
    calibrated = calibration.apply_to_head(head)
    assert calibrated.weights.dtype == calibrated.bias.dtype == np.float32
    np.testing.assert_allclose(calibrated.logits(features), calibration.apply(head.logits(features)), atol=1e-5)


def test_without_held_out_rows_the_temperature_is_the_usual_one() -> None:
    calibration = prior_calibration(3, ADAPTED_PRIOR)
    assert calibration.temperature == ADAPTED_PRIOR.temperature
    assert calibration.shifts.tolist() == [0, 0, 0]


def test_an_estimate_counts_whole_sets_and_the_f1_of_labels() -> None:
    sets = np.eye(3, dtype=bool)[np.arange(60) % 3]
    sets[::6, 1] = True
    logits = np.where(sets, 4, -4).astype(np.float32)
    estimate = estimate_sets(held_out(logits, sets), HEAD_PRIOR)
    assert (estimate.correct, estimate.total, estimate.folds) == (60, 60, 3)
    assert (estimate.micro_f1, estimate.macro_f1) == (1.0, 1.0)
    logits[5] = 4  # all three labels, of which it has one
    logits[7] = -4  # none of them, but it has one
    estimate = estimate_sets(held_out(logits, sets), HEAD_PRIOR)
    assert estimate.correct == 58
    labels = int(sets.sum())
    assert estimate.micro_f1 == pytest.approx(2 * (labels - 1) / (2 * labels + 1), abs=1e-6)
    assert estimate.interval.low < 58 / 60 < estimate.interval.high


def test_an_estimate_does_not_profit_from_thresholds_that_its_own_rows_chose() -> None:
    """Of scores that say nothing, thresholds fitted to few rows promise more than they keep."""
    promised, estimated = [], []
    for seed in range(20):
        random = np.random.default_rng(seed)
        sets, logits = random.random((20, 3)) < 0.3, random.normal(size=(20, 3)).astype(np.float32)
        estimated.append(estimate_sets(held_out(logits, sets), HEAD_PRIOR).micro_f1 or 0)
        probabilities = sigmoid(fit_set_calibration(logits, sets, HEAD_PRIOR).apply(logits))
        given = probabilities >= choose_thresholds(probabilities, sets)
        promised.append(2 * (given & sets).sum() / (given.sum() + sets.sum()))
    assert np.mean(estimated) < np.mean(promised) - 0.02


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_any_number_of_rows_can_be_estimated(rows: int) -> None:
    logits, sets = honest(rows)
    estimate = estimate_sets(held_out(logits, sets), HEAD_PRIOR)
    assert estimate.total == rows
    assert estimate.micro_f1 is not None and 0 <= estimate.micro_f1 <= 1
    assert estimate.macro_f1 is not None and 0 <= estimate.macro_f1 <= 1


def test_rows_without_labels_that_are_given_none_are_right_and_have_no_f1() -> None:
    estimate = estimate_sets(held_out(np.full((10, 2), -5, np.float32), np.zeros((10, 2), bool)), HEAD_PRIOR)
    assert (estimate.correct, estimate.micro_f1, estimate.macro_f1) == (10, 0.0, 0.0)
