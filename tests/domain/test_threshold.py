"""Thresholds: what is proposed says what it is worth, and a change says whose answers it changes."""

import pytest

from windrow.domain.errors import InvalidParameter
from windrow.domain.threshold import (
    ProposedThreshold,
    SetThresholdRequest,
    Threshold,
    affected_aliases,
    check_set_threshold_request,
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
    assert affected_aliases((), Threshold(0.5)) == ()
    (warning,) = affected_aliases(("live", "trial"), Threshold(0.5))
    assert warning.code == "aliases_affected"
    assert "by live, trial it gives no label where the best score is below 0.5." in warning.message
    assert "gives a label for every text" in affected_aliases(("live",), None)[0].message
