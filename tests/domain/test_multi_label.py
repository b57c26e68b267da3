"""The rules for rows with any number of labels each, and their digest."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidTestData, InvalidTrainingData, LimitExceeded
from windrow.domain.multi_label import (
    MultiLabelDataset,
    MultiLabelRow,
    check_multi_label_rows,
    check_multi_label_test_rows,
    multi_label_rows_as_jsonl,
)

LIMITS = DataLimits()
SOUND = [
    MultiLabelRow("charged twice, fix it today", ("urgent", "billing")),
    MultiLabelRow("where is my invoice", ("billing",)),
    MultiLabelRow("thank you", ()),
]
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
rows = st.builds(MultiLabelRow, words, st.lists(words, max_size=4, unique=True).map(tuple))


def test_sound_rows_pass_in_their_order() -> None:
    dataset = check_multi_label_rows(SOUND, LIMITS)
    assert list(dataset.rows) == SOUND
    assert dataset.labels == ("billing", "urgent")
    assert dataset.rows_per_label == {"billing": 2, "urgent": 1}
    assert dataset.label_sets == ((0, 1), (0,), ())
    assert dataset.rows_without_labels == (2,)


def test_one_label_is_enough_where_some_rows_have_it_and_others_not() -> None:
    assert check_multi_label_rows([MultiLabelRow("a", ("spam",)), MultiLabelRow("b", ())], LIMITS).labels == ("spam",)


@pytest.mark.parametrize("value", ["", "   ", "half \ud800 pair", "\u200b"])
def test_an_empty_blank_or_broken_value_is_refused_and_its_place_named(value: str) -> None:
    with pytest.raises(InvalidTrainingData, match=r"^training_data\[3\]\.text is ") as of_text:
        check_multi_label_rows([*SOUND, MultiLabelRow(value, ("x",))], LIMITS)
    assert of_text.value.facts == {"row": 3, "field": "text"}
    with pytest.raises(InvalidTrainingData, match=r"^training_data\[3\]\.labels\[1\] is ") as of_label:
        check_multi_label_rows([*SOUND, MultiLabelRow("x", ("billing", value))], LIMITS)
    assert of_label.value.facts == {"row": 3, "field": "labels[1]"}


def test_a_very_long_label_is_refused() -> None:
    with pytest.raises(InvalidTrainingData, match=r"labels\[0\] has 257 characters; a label has at most 256"):
        check_multi_label_rows([*SOUND, MultiLabelRow("x", ("y" * 257,))], LIMITS)


def test_a_label_twice_in_one_row_is_refused_and_named() -> None:
    with pytest.raises(InvalidTrainingData, match=r"training_data\[1\]\.labels holds 'a' more than once") as caught:
        check_multi_label_rows([MultiLabelRow("x", ("a", "b")), MultiLabelRow("y", ("b", "a", "a"))], LIMITS)
    assert caught.value.facts == {"row": 1, "field": "labels", "label": "a"}


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([], "has no label in 0 rows"),
        ([(), ()], "has no label in 2 rows"),
        ([("a", "b"), ("b", "a")], "has the same labels in 2 rows"),
        ([("a",)], "has the same labels in 1 row"),
    ],
)
def test_rows_between_which_nothing_can_be_told_apart_are_refused(sets: list[tuple[str, ...]], message: str) -> None:
    with pytest.raises(InvalidTrainingData, match=f"training_data {message}"):
        check_multi_label_rows([MultiLabelRow("x", labels) for labels in sets], LIMITS)


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
        check_multi_label_rows(SOUND, limits)
    assert caught.value.facts["setting"] == setting
    with pytest.raises(LimitExceeded) as of_test:
        check_multi_label_test_rows("test_data", SOUND, limits)
    assert of_test.value.facts["setting"] == setting


def test_one_row_without_a_label_is_enough_to_evaluate() -> None:
    assert check_multi_label_test_rows("test_data", SOUND[2:], LIMITS) == MultiLabelDataset((SOUND[2],))


def test_no_row_is_too_few_to_evaluate() -> None:
    with pytest.raises(InvalidTestData, match="test_data is empty"):
        check_multi_label_test_rows("test_data", [], LIMITS)


def test_a_test_row_keeps_the_rules_and_is_named_as_the_caller_knows_it() -> None:
    with pytest.raises(InvalidTestData, match=r"^test_data\[1\]\.labels\[0\] is empty"):
        check_multi_label_test_rows("test_data", [SOUND[0], MultiLabelRow("x", ("",))], LIMITS)


@given(st.lists(rows, max_size=5))
def test_the_canonical_form_reads_back_as_the_rows_with_sorted_labels(given_rows: list[MultiLabelRow]) -> None:
    lines = multi_label_rows_as_jsonl(given_rows).decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [
        {"labels": sorted(row.labels), "text": row.text} for row in given_rows
    ]


def test_the_digest_is_that_of_the_documented_form_whatever_the_order_of_labels() -> None:
    by_hand = '{"labels":["a","grüße"],"text":"say \\"hi\\""}\n'.encode()
    for labels in (("a", "grüße"), ("grüße", "a")):
        digest = MultiLabelDataset((MultiLabelRow('say "hi"', labels),)).sha256
        assert digest == hashlib.sha256(by_hand).hexdigest()


def test_the_most_frequent_label_set_is_the_baseline() -> None:
    sets = [("a",), ("a",), ("b",), ()]
    assert MultiLabelDataset(tuple(MultiLabelRow("x", labels) for labels in sets)).majority_accuracy == 0.5
