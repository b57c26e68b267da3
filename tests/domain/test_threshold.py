"""Thresholds: what is proposed says what it is worth, and a change says whose answers it changes."""

import pytest

from windrow.domain.errors import InvalidParameter
from windrow.domain.threshold import (
    ProposedThreshold,
    SetThresholdRequest,
    Threshold,
    affected_aliases,
    check_label_thresholds,
    check_set_threshold_request,
    cleared_parts,
)


def test_a_proposal_says_how_many_answers_are_right_and_how_many_rows_are_answered() -> None:
    proposed = ProposedThreshold(0.64, 0.95, correct=6, answered=8, total=10)
    assert (proposed.precision, proposed.coverage) == (0.75, 0.8)


@pytest.mark.parametrize("abstain_below", [-0.01, 1.01, float("nan")])
def test_a_score_outside_its_range_is_refused(abstain_below: float) -> None:
    with pytest.raises(InvalidParameter, match="abstain_below"):
        check_set_threshold_request(SetThresholdRequest("tickets", abstain_below))
    for sound in (0, 1, None):
        check_set_threshold_request(SetThresholdRequest("tickets", sound))


def test_the_aliases_whose_answers_change_are_told_with_what_changes() -> None:
    assert affected_aliases((), Threshold(0.5), "single_label") == ()
    (warning,) = affected_aliases(("live", "trial"), Threshold(0.5), "single_label")
    assert warning.code == "aliases_affected"
    assert "by live, trial it gives no label where the best score is below 0.5." in warning.message
    assert "gives a label for every text" in affected_aliases(("live",), None, "single_label")[0].message


@pytest.mark.parametrize(
    ("threshold", "effect"),
    [
        (None, "gives each label as its training chose."),
        (Threshold(0.5), "gives no label where the best score is below 0.5."),
        (Threshold(0.0, {"a": 0.4, "b": 0.25}), "gives 'a' from 0.4 on, 'b' from 0.25 on."),
        (Threshold(0.5, {"a": 0.4}), "gives 'a' from 0.4 on, and no label where the best score is below 0.5."),
    ],
)
def test_of_several_labels_the_ones_whose_thresholds_change_are_told(threshold: Threshold | None, effect: str) -> None:
    assert affected_aliases(("live",), threshold, "multi_label")[0].message.endswith(f"by live it {effect}")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, Threshold(0.5), None),
        (Threshold(0.5, {"a": 0.5}), None, None),
        (Threshold(0.5, {"a": 0.5}), Threshold(0.6, {"a": 0.4, "b": 0.3}), None),
        (Threshold(0.0, {"a": 0.5}), Threshold(0.0, {"a": 0.4}), None),
        (Threshold(0.5), Threshold(0.0, {"a": 0.5}), "cleared the score of 0.5 below which it gave no label."),
        (Threshold(0.0, {"a": 0.5, "b": 0.5}), Threshold(0.5, {"b": 0.5}), "cleared the thresholds of 'a', which are"),
        (Threshold(0.5, {"a": 0.5}), Threshold(0.0, {"b": 0.5}), "no label, and the thresholds of 'a', which are"),
    ],
)
def test_what_is_cleared_by_the_way_is_told(
    before: Threshold | None, after: Threshold | None, told: str | None
) -> None:
    warnings = cleared_parts(before, after)
    assert [each.code for each in warnings] == ([] if told is None else ["threshold_parts_cleared"])
    assert all(told is not None and told in each.message for each in warnings)


@pytest.mark.parametrize("score", [-0.1, 0.0, 1.0, 1.1, float("nan")])
def test_a_threshold_of_a_label_lies_between_0_and_1_and_is_neither(score: float) -> None:
    with pytest.raises(InvalidParameter, match="label_thresholds has") as caught:
        check_set_threshold_request(SetThresholdRequest("tickets", None, label_thresholds={"a": 0.5, "b": score}))
    assert caught.value.facts["label"] == "b"
    check_set_threshold_request(SetThresholdRequest("tickets", None, label_thresholds={"a": 0.001, "b": 0.999}))


@pytest.mark.parametrize(
    ("abstain_below", "label_thresholds", "threshold"),
    [
        (None, None, None),
        (None, {}, None),
        (0.0, None, Threshold(0.0)),
        (None, {"a": 0.25}, Threshold(0.0, {"a": 0.25})),
        (0.5, {"a": 0.25}, Threshold(0.5, {"a": 0.25})),
    ],
)
def test_a_request_says_the_whole_threshold(
    abstain_below: float | None, label_thresholds: dict[str, float] | None, threshold: Threshold | None
) -> None:
    request = SetThresholdRequest("tickets", abstain_below, label_thresholds=label_thresholds)
    assert request.threshold == threshold


def test_thresholds_of_labels_go_with_a_multi_label_classifier_and_its_own_labels() -> None:
    check_label_thresholds(None, "single_label", ("a", "b"))
    check_label_thresholds(Threshold(0.5), "single_label", ("a", "b"))
    check_label_thresholds(Threshold(0.5, {"b": 0.5}), "multi_label", ("a", "b"))
    with pytest.raises(InvalidParameter, match="goes with a multi-label classifier"):
        check_label_thresholds(Threshold(0.5, {"b": 0.5}), "single_label", ("a", "b"))
    with pytest.raises(InvalidParameter, match="names 'c', which is none of the classifier's labels") as caught:
        check_label_thresholds(Threshold(0.5, {"a": 0.5, "c": 0.5}), "multi_label", ("a", "b"))
    assert caught.value.facts["labels"] == ["a", "b"]


def test_of_many_labels_the_first_are_named_where_one_is_not_among_them() -> None:
    labels = [f"l{number:02}" for number in range(23)]
    with pytest.raises(InvalidParameter, match=r"'spam', which is none .* it has: 'l00', .*, 'l19' and 3 more\.$"):
        check_label_thresholds(Threshold(0, {"spam": 0.5}), "multi_label", labels)
