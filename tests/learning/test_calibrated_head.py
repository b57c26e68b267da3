"""A head is calibrated for one label a text by its temperature, and for several by shifts and thresholds, too."""

import numpy as np

from windrow.arrays import Floats, Labels
from windrow.learning.calibrate import ADAPTED_PRIOR, HEAD_PRIOR, HeldOut, estimate_accuracy, fit_temperature
from windrow.learning.calibrated_head import calibrate_head
from windrow.learning.head import LinearHead, sigmoid, solve
from windrow.learning.multi_label_calibrate import estimate_sets, fit_set_calibration
from windrow.learning.multi_label_thresholds import PRIOR_THRESHOLD, choose_thresholds

LABEL_IDS = np.arange(60) % 3
SETS = np.eye(3, dtype=bool)[LABEL_IDS] | (np.arange(60)[:, None] % 4 == 0)


def fitted(labels: Labels) -> tuple[LinearHead, Floats, HeldOut]:
    """Return a head, features, and held-out rows with the head's logits for them."""
    features = np.random.default_rng(1).normal(size=(60, 8)).astype(np.float32)
    head = solve(features, labels, 4.0)
    noise = np.random.default_rng(2).normal(size=(60, 3)).astype(np.float32)
    return head, features, HeldOut(head.logits(features) + noise, labels, np.zeros(60, np.float32), folds=3)


def test_one_label_a_text_has_the_temperature_alone() -> None:
    head, _, held_out = fitted(LABEL_IDS)
    calibrated = calibrate_head(head, LABEL_IDS, held_out, HEAD_PRIOR)
    assert calibrated.temperature == fit_temperature(held_out.logits, LABEL_IDS, HEAD_PRIOR)
    np.testing.assert_array_equal(calibrated.head.weights, head.weights / np.float32(calibrated.temperature))
    assert calibrated.estimate == estimate_accuracy(held_out)
    assert calibrated.label_thresholds is None


def test_several_labels_have_a_temperature_shifts_and_thresholds() -> None:
    head, features, held_out = fitted(SETS)
    calibrated = calibrate_head(head, SETS, held_out, HEAD_PRIOR)
    calibration = fit_set_calibration(held_out.logits, SETS, HEAD_PRIOR)
    assert calibrated.temperature == calibration.temperature
    np.testing.assert_allclose(calibrated.head.logits(features), calibration.apply(head.logits(features)), atol=1e-5)
    expected = choose_thresholds(sigmoid(calibration.apply(held_out.logits)), SETS)
    assert calibrated.label_thresholds == tuple(expected.tolist())
    assert calibrated.estimate == estimate_sets(held_out, HEAD_PRIOR)


def test_without_held_out_rows_what_is_usual_is_taken() -> None:
    single = calibrate_head(fitted(LABEL_IDS)[0], LABEL_IDS, None, ADAPTED_PRIOR)
    several = calibrate_head(fitted(SETS)[0], SETS, None, ADAPTED_PRIOR)
    assert single.temperature == several.temperature == ADAPTED_PRIOR.temperature
    assert (single.estimate, several.estimate) == (None, None)
    assert (single.label_thresholds, several.label_thresholds) == (None, (PRIOR_THRESHOLD,) * 3)
