"""Warnings about quality: an accuracy that is no better than one label for all, and texts that are not read whole."""

import pytest

from windrow.domain.interval import Interval
from windrow.domain.quality_warnings import warn_of_few_rows, warn_of_majority, warn_of_truncated
from windrow.domain.recipe import DEFAULT_BASE_MODEL, MULTILINGUAL_BASE_MODELS
from windrow.domain.report import MajorityBaseline

BASELINE = MajorityBaseline("billing", 0.333)


def test_an_interval_that_reaches_the_baseline_is_told_with_what_to_try() -> None:
    (warning,) = warn_of_majority(24, Interval(0.21, 0.29), BASELINE, DEFAULT_BASE_MODEL)
    assert warning.code == "not_better_than_majority"
    assert warning.message.startswith(
        "24 rows do not show it to be better than always saying 'billing', which is right for 33.3 %: "
    )
    assert "between 21.0 % and 29.0 %. Try more rows; and where texts are not in the language" in warning.message
    assert all(model in warning.message for model in MULTILINGUAL_BASE_MODELS)


@pytest.mark.parametrize(("low", "count"), [(0.333, 1), (0.334, 0), (0.0, 1), (1.0, 0)])
def test_only_an_interval_above_the_baseline_shows_that_it_is_better(low: float, count: int) -> None:
    assert len(list(warn_of_majority(24, Interval(low, 1.0), BASELINE, DEFAULT_BASE_MODEL))) == count


def test_another_base_model_is_not_proposed_where_all_rows_may_be_right() -> None:
    (warning,) = warn_of_majority(24, Interval(0.3, 1.0), BASELINE, DEFAULT_BASE_MODEL)
    assert warning.message.endswith("between 30.0 % and 100.0 %. Try more rows.")


def test_a_multilingual_base_model_is_not_proposed_in_place_of_itself() -> None:
    first, second = MULTILINGUAL_BASE_MODELS
    (warning,) = warn_of_majority(24, Interval(0.2, 0.3), BASELINE, first)
    assert f"another multilingual base model ({second})" in warning.message


@pytest.mark.parametrize(
    ("rows", "low", "told"),
    [
        (40, 0.7, "40 rows say little: the accuracy lies anywhere between 70.0 % and 95.0 %. "),
        (1, 0.2, "1 row says little: "),
        (400, 0.75, None),
    ],
)
def test_a_wide_interval_is_told_with_the_number_of_rows(rows: int, low: float, told: str | None) -> None:
    messages = [warning.message for warning in warn_of_few_rows(rows, Interval(low, 0.95))]
    assert [message[: len(told or "")] for message in messages] == ([] if told is None else [told])


def test_of_several_accuracies_it_is_told_whose_is_not_known() -> None:
    (warning,) = warn_of_few_rows(40, Interval(0.7, 0.95), of="tickets_v1")
    assert "the accuracy of tickets_v1 lies anywhere between 70.0 % and 95.0 %." in warning.message


def test_one_text_that_is_not_read_whole_is_one() -> None:
    (warning,) = warn_of_truncated(1, 1, (0,))
    assert warning.message.startswith("1 of 1 row (100.0 %) is longer than the encoder reads. ")


def test_texts_that_are_not_read_whole_are_told_with_their_share_and_what_it_costs() -> None:
    assert list(warn_of_truncated(0, 16)) == []
    (warning,) = warn_of_truncated(12, 16, range(2, 14), 256)
    assert (warning.code, warning.rows) == ("truncated_rows", (2, 3, 4, 5, 6))
    assert warning.message.startswith("12 of 16 rows (75.0 %) are longer than the encoder reads, 256 tokens. ")
    assert "the label is a guess, whatever score and in_scope say" in warning.message
