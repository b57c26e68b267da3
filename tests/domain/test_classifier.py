"""What may be said about a classifier, and what its record and its score add up to."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.records import record
from windrow.domain.classifier import MAX_DESCRIPTION_CHARS, MAX_TAGS, Classifier, FitResult, check_notes
from windrow.domain.classifier import TestScore as Score
from windrow.domain.errors import InvalidParameter
from windrow.domain.interval import Interval, wilson_interval
from windrow.domain.recipe import Recipe
from windrow.domain.threshold import Threshold, ThresholdChange
from windrow.domain.training_report import Estimate
from windrow.domain.values import recast

NOW = datetime(2025, 9, 15, tzinfo=UTC)
SCORE = Score(9, 12, "e" * 64, NOW, 0.75, 0.1, {"billing": 5, "bug": 4}, {"billing": 6, "bug": 6})
MOST = tuple(f"{number:064}" for number in range(MAX_TAGS))


@pytest.mark.parametrize("notes", [("", ()), ("two\nlines", ("a", "b c")), ("x" * MAX_DESCRIPTION_CHARS, MOST)])
def test_notes_within_the_rules_stay_as_they_are(notes: tuple[str, tuple[str, ...]]) -> None:
    assert check_notes(*notes) == notes[1]


def test_tags_are_sorted_and_kept_once() -> None:
    assert check_notes("", ("b", "a", "b")) == ("a", "b")
    assert check_notes("", ("same",) * (MAX_TAGS + 1)) == ("same",)


@pytest.mark.parametrize(
    ("description", "tags", "parameter"),
    [
        ("x" * 2_001, (), "description"),
        ("\ud800", (), "description"),
        ("", ("",), "tags"),
        ("", (" ",), "tags"),
        ("", ("a ",), "tags"),
        ("", ("\ta",), "tags"),
        ("", ("x" * 65,), "tags"),
        ("", ("\ud800",), "tags"),
        ("", tuple(map(str, range(21))), "tags"),
    ],
)
def test_notes_that_break_a_rule_are_refused_by_name(description: str, tags: tuple[str, ...], parameter: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_notes(description, tags)
    assert caught.value.facts["parameter"] == parameter
    assert caught.value.detail.startswith(parameter)
    assert "leave" in caught.value.detail


def test_the_first_bad_tag_is_named() -> None:
    with pytest.raises(InvalidParameter, match=r"^tags\[1\] must have 1 to 64 visible characters"):
        check_notes("", ("a", " "))


def test_a_record_is_the_recipe_of_its_training() -> None:
    assert recast(Recipe, record(num_iterations=7, seed=3)) == Recipe(
        num_iterations=7, seed=3, base_model="fake/encoder"
    )


def test_a_score_is_a_share_of_the_rows() -> None:
    assert SCORE.accuracy == 0.75


def test_a_classifier_shows_the_accuracy_of_its_last_measurement() -> None:
    measured = recast(Classifier, record(test=SCORE), size_bytes=10, keeps_training_data=True)
    assert measured.test_accuracy == 0.75
    assert recast(Classifier, record(), size_bytes=10, keeps_training_data=True).test_accuracy is None


def test_a_classifier_shows_intervals_beside_what_was_measured_and_what_was_estimated() -> None:
    measured = recast(Classifier, record(test=SCORE), size_bytes=10, keeps_training_data=True)
    assert measured.test_interval == wilson_interval(SCORE.correct, SCORE.total)
    for estimate, accuracy, interval in (
        (None, None, None),
        (Estimate(6, 8, 2, Interval(0.4, 0.9)), 0.75, Interval(0.4, 0.9)),
    ):
        trained = record(report=replace(record().report, estimate=estimate))
        estimated = recast(Classifier, trained, size_bytes=10, keeps_training_data=True)
        assert (estimated.test_interval, estimated.estimated_accuracy) == (None, accuracy)
        assert estimated.estimated_interval == interval


def test_the_result_of_a_fit_tells_what_the_record_says() -> None:
    trained = record()
    result = recast(FitResult, trained, model_name=trained.name, next_name="tickets_v2")
    assert (result.labels, result.num_examples, result.report) == (trained.labels, 8, trained.report)
    assert (result.status, result.revision) == ("trained", trained.revision)


def test_thresholds_by_label_are_those_of_the_training_unless_others_are_stored() -> None:
    several = record(kind="multi_label", label_thresholds={"billing": 0.25, "bug": 0.75})
    assert several.thresholds_by_label == {"billing": 0.25, "bug": 0.75}
    change = ThresholdChange(at=NOW, before=None, after=Threshold(0.0, {"bug": 0.125}))
    assert replace(several, threshold_changes=(change,)).thresholds_by_label == {"billing": 0.25, "bug": 0.125}
    cleared = ThresholdChange(at=NOW, before=change.after, after=None)
    assert replace(several, threshold_changes=(change, cleared)).thresholds_by_label == several.label_thresholds
    assert record().thresholds_by_label == {}
