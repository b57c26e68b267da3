"""The rules for training rows, and their digest."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.dataset import (
    DataLimits,
    Dataset,
    Row,
    check_rows,
    check_test_rows,
    check_texts,
    rows_as_jsonl,
)
from windrow.domain.errors import InvalidTestData, InvalidText, InvalidTrainingData, LimitExceeded

LIMITS = DataLimits()
SOUND = [Row("my card was charged twice", "billing"), Row("the app crashes", "bug")]
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: not text.isspace())


def test_sound_rows_pass_in_their_order() -> None:
    dataset = check_rows(SOUND, LIMITS)
    assert list(dataset.rows) == SOUND
    assert dataset.labels == ("billing", "bug")
    assert dataset.rows_per_label == {"billing": 1, "bug": 1}


def test_label_ids_point_into_the_sorted_labels() -> None:
    dataset = check_rows([Row("a", "z"), Row("b", "a"), Row("c", "z")], LIMITS)
    assert [dataset.labels[label_id] for label_id in dataset.label_ids] == ["z", "a", "z"]


@pytest.mark.parametrize("field", ["text", "label"])
@pytest.mark.parametrize(
    "value",
    ["", "   ", "\n\t", "\u2003", "half \ud800 pair", "\u200b", "\ufeff", "\u00ad\u2060 \u200d", "\x00\x1b"],
)
def test_an_empty_blank_or_broken_value_is_refused_and_its_row_named(field: str, value: str) -> None:
    bad = Row(value, "x") if field == "text" else Row("x", value)
    with pytest.raises(InvalidTrainingData) as caught:
        check_rows([*SOUND, bad], LIMITS)
    assert caught.value.facts == {"row": 2, "field": field}
    assert f"training_data[2].{field}" in caught.value.detail


@pytest.mark.parametrize("rows", [[], SOUND[:1], [Row("a", "x"), Row("b", "x")]])
def test_fewer_than_two_labels_are_refused(rows: list[Row]) -> None:
    with pytest.raises(InvalidTrainingData, match="at least 2 labels"):
        check_rows(rows, LIMITS)


@pytest.mark.parametrize(
    ("limits", "setting"),
    [
        (DataLimits(max_rows=1), "WINDROW_MAX_ROWS"),
        (DataLimits(max_labels=1), "WINDROW_MAX_LABELS"),
        (DataLimits(max_text_chars=5), "WINDROW_MAX_TEXT_CHARS"),
    ],
)
def test_a_limit_is_named_with_its_setting(limits: DataLimits, setting: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        check_rows(SOUND, limits)
    assert caught.value.facts["setting"] == setting
    assert setting in caught.value.detail


def test_a_very_long_label_is_refused() -> None:
    with pytest.raises(InvalidTrainingData, match="at most 256"):
        check_rows([*SOUND, Row("x", "y" * 257)], LIMITS)


def test_a_text_of_exactly_the_limit_passes() -> None:
    check_texts(["x" * 10], 10)
    with pytest.raises(LimitExceeded):
        check_texts(["x" * 11], 10)


@pytest.mark.parametrize("text", ["", " ", "\ud800"])
def test_a_text_that_cannot_be_encoded_is_refused(text: str) -> None:
    with pytest.raises(InvalidText):
        check_texts([text], 10)


@given(st.lists(st.builds(Row, words, words), max_size=5))
def test_the_canonical_form_reads_back_as_the_rows(rows: list[Row]) -> None:
    lines = rows_as_jsonl(rows).decode().split("\n")
    assert lines.pop() == ""
    assert [Row(**json.loads(line)) for line in lines] == rows


def test_the_digest_is_that_of_the_documented_form() -> None:
    by_hand = '{"label":"grüße","text":"say \\"hi\\""}\n'.encode()
    assert Dataset((Row('say "hi"', "grüße"),)).sha256 == hashlib.sha256(by_hand).hexdigest()


def test_the_digest_depends_on_the_order() -> None:
    assert Dataset(tuple(SOUND)).sha256 != Dataset(tuple(SOUND[::-1])).sha256


def test_one_row_is_enough_to_judge_by() -> None:
    dataset = check_test_rows("test_data", SOUND[:1], LIMITS)
    assert dataset == Dataset((SOUND[0],))


def test_without_rows_there_is_nothing_to_judge_by() -> None:
    with pytest.raises(InvalidTestData, match="must_pass is empty") as caught:
        check_test_rows("must_pass", [], LIMITS)
    assert caught.value.facts == {"parameter": "must_pass"}


@pytest.mark.parametrize("field", ["text", "label"])
@pytest.mark.parametrize("value", ["", "\n\t", "half \ud800 pair"])
def test_a_row_to_judge_by_keeps_the_rules_and_is_named_as_the_caller_knows_it(field: str, value: str) -> None:
    bad = Row(value, "x") if field == "text" else Row("x", value)
    with pytest.raises(InvalidTestData) as caught:
        check_test_rows("test_data", [*SOUND, bad], LIMITS)
    assert caught.value.facts == {"row": 2, "field": field}
    assert caught.value.detail.startswith(f"test_data[2].{field} ")


def test_a_very_long_label_is_refused_in_rows_to_judge_by_too() -> None:
    with pytest.raises(InvalidTestData, match=r"test_data\[1\]\.label has 257 characters; a label has at most 256"):
        check_test_rows("test_data", [SOUND[0], Row("x", "y" * 257)], LIMITS)


@pytest.mark.parametrize(
    ("limits", "setting", "named"),
    [
        (DataLimits(max_rows=1), "WINDROW_MAX_ROWS", "test_data has 2 rows"),
        (DataLimits(max_labels=1), "WINDROW_MAX_LABELS", "test_data has 2 labels"),
        (DataLimits(max_text_chars=5), "WINDROW_MAX_TEXT_CHARS", "test_data[0].text"),
    ],
)
def test_the_limits_on_training_rows_hold_for_rows_to_judge_by(limits: DataLimits, setting: str, named: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        check_test_rows("test_data", SOUND, limits)
    assert caught.value.facts["setting"] == setting
    assert caught.value.detail.startswith(named)


def test_what_is_odd_about_rows_is_counted() -> None:
    rows = [Row("t", "a"), Row("t", "a"), Row("t", "b"), *[Row(f"u{number}", "c") for number in range(4)]]
    dataset = check_rows([*rows, rows[0]], LIMITS)
    assert dataset.duplicate_rows == (1, 7)
    assert dataset.contradicting_rows == (0, 1, 2, 7)
    assert dataset.small_classes == ("a", "b")
    assert dataset.majority_accuracy == 0.5


def test_nothing_is_odd_about_clean_rows_of_full_classes() -> None:
    rows = [Row(f"text {label} {number}", label) for label in "ab" for number in range(4)]
    dataset = check_rows(rows, LIMITS)
    assert (dataset.duplicate_rows, dataset.contradicting_rows, dataset.small_classes) == ((), (), ())


def test_what_follows_from_all_rows_is_computed_once() -> None:
    dataset = check_rows(SOUND, LIMITS)
    for name in ("texts", "labels", "label_ids", "rows_per_label", "distinct_texts", "jsonl", "sha256"):
        assert getattr(dataset, name) is getattr(dataset, name)


def test_distinct_texts_come_in_the_order_in_which_they_were_sent() -> None:
    assert Dataset((Row("b", "x"), Row("a", "y"), Row("b", "y"))).distinct_texts == ("b", "a")
