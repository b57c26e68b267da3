"""What each verdict means, and what counts as a change of the environment."""

import math

import pytest

from windrow.domain.reproduction import SCORE_TOLERANCE, EnvironmentChange, find_changes, judge

JUST_ABOVE = math.nextafter(SCORE_TOLERANCE, 1)


def test_equal_tensors_are_identical_weights() -> None:
    assert judge(True, 0, 0.0) == "identical weights"


@pytest.mark.parametrize("largest_score_difference", [0.0, 1e-7, SCORE_TOLERANCE])
def test_equal_labels_and_scores_within_the_tolerance_are_identical_predictions(
    largest_score_difference: float,
) -> None:
    assert judge(False, 0, largest_score_difference) == "identical predictions"


@pytest.mark.parametrize(
    ("num_changed_labels", "largest_score_difference"), [(1, 0.0), (0, JUST_ABOVE), (3, 0.9), (0, math.nan)]
)
def test_a_changed_label_or_score_is_different(num_changed_labels: int, largest_score_difference: float) -> None:
    assert judge(False, num_changed_labels, largest_score_difference) == "different"


def test_only_what_differs_in_the_environment_is_a_change() -> None:
    then = {"old": "1", "numpy": "2.3", "torch": "2.13"}
    now = {"torch": "2.13", "cpu": "AMD EPYC", "numpy": "2.4"}
    assert find_changes(then, now) == (
        EnvironmentChange("old", "1", None),
        EnvironmentChange("numpy", "2.3", "2.4"),
        EnvironmentChange("cpu", None, "AMD EPYC"),
    )
    assert find_changes(now, now) == ()
