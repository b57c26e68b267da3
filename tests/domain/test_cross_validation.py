"""A cross-validation's request as it is by default, and the figures over its folds."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.cross_validation import DEFAULT_FOLDS, FOLDS_RANGE, CrossValidateRequest, CrossValidation
from windrow.domain.dataset import Row
from windrow.domain.interval import Interval
from windrow.domain.recipe import TrainingParameters
from windrow.domain.report import Calibration, ConfusionMatrix, MajorityBaseline
from windrow.domain.values import recast


def of(*fold_accuracies: float) -> CrossValidation:
    """Return a cross-validation with folds of these accuracies."""
    return CrossValidation(
        correct=1,
        total=2,
        accuracy_interval=Interval(0.1, 0.9),
        macro_f1=0.5,
        labels=(),
        confusion_matrix=ConfusionMatrix(("a", "b"), ((1, 0), (1, 0))),
        calibration=Calibration(0.0, ()),
        folds=len(fold_accuracies),
        fold_accuracies=fold_accuracies,
        majority_baseline=MajorityBaseline("a", 0.5),
        probable_label_errors=(),
        learning_curve=(),
        advice=(),
        advice_text="",
        head_only_accuracy=0.5,
        head_only_interval=Interval(0.0, 0.0),
        recommended_num_iterations=0,
        recommendation="",
        warnings=(),
    )


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_mean_and_spread_are_those_of_the_folds_each_counting_alike(accuracies: list[float]) -> None:
    found = of(*accuracies)
    assert found.mean_accuracy == pytest.approx(sum(accuracies) / len(accuracies))
    assert found.accuracy_std == pytest.approx(statistics.stdev(accuracies))


def test_a_single_fold_has_no_spread() -> None:
    assert (of(0.75).mean_accuracy, of(0.75).accuracy_std) == (0.75, 0.0)


def test_five_folds_of_the_usual_training_are_asked_for_by_default() -> None:
    request = CrossValidateRequest((Row("a", "b"),))
    assert (request.folds, recast(TrainingParameters, request)) == (5, TrainingParameters())
    assert FOLDS_RANGE[0] <= DEFAULT_FOLDS <= FOLDS_RANGE[1]
