"""Descriptions of labels: what is refused, and datasets of labels without rows."""

import hashlib

import pytest

from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidParameter, InvalidTrainingData, LimitExceeded
from windrow.domain.label_descriptions import (
    MAX_LABEL_DESCRIPTION_CHARS,
    check_described_labels,
    check_label_descriptions,
    described,
    descriptions_of,
    labels_alone,
    warn_of_zero_shot,
)

LIMITS = DataLimits(max_labels=3)


@pytest.mark.parametrize(
    ("descriptions", "label", "words"),
    [
        ({"a": "A", " ": "B"}, " ", "a label is blank"),
        ({"": "A"}, "", "a label is empty"),
        ({"x" * 257: "A"}, "x" * 256, "a label has 257 characters; at most 256"),
        ({"a": " \n"}, "a", "the description of 'a' is blank"),
        ({"a": "x" * 2_001}, "a", "the description of 'a' has 2001 characters; at most 2000"),
        ({"a": "half \ud83d"}, "a", "the description of 'a' is not valid Unicode"),
        ({"\ud83d": "A"}, "\\ud83d", "a label is not valid Unicode"),
    ],
)
def test_a_description_that_breaks_a_rule_is_refused_with_its_label(
    descriptions: dict[str, str], label: str, words: str
) -> None:
    with pytest.raises(InvalidParameter, match=words) as refused:
        check_label_descriptions(descriptions, LIMITS)
    assert (refused.value.facts["parameter"], refused.value.facts["label"]) == ("label_descriptions", label)


def test_descriptions_may_be_empty_and_as_long_as_2000_characters() -> None:
    check_label_descriptions({"a": "", "b": "x" * MAX_LABEL_DESCRIPTION_CHARS, "c" * 256: "C"}, LIMITS)


def test_more_labels_than_a_classifier_may_have_are_refused() -> None:
    with pytest.raises(LimitExceeded, match="label_descriptions has 4 labels; at most 3"):
        check_label_descriptions(dict.fromkeys("abcd", "x"), LIMITS)


def test_a_described_label_that_no_row_has_is_refused_by_name() -> None:
    check_described_labels({"a": "A"}, ("a", "b"))
    with pytest.raises(InvalidParameter, match=r"2 labels that no row has: 'c', 'd'\. Add a row") as refused:
        check_described_labels({"a": "A", "c": "C", "d": "D"}, ("a", "b"))
    assert refused.value.facts["labels"] == ["c", "d"]


def test_of_many_labels_without_rows_five_are_named() -> None:
    with pytest.raises(InvalidParameter, match="'b', 'c', 'd', 'e', 'f' and 1 more") as refused:
        check_described_labels(dict.fromkeys("bcdefg", ""), ("a",))
    assert refused.value.facts["labels"] == ["b", "c", "d", "e", "f"]


def test_labels_alone_are_a_dataset_without_rows() -> None:
    dataset = labels_alone({"b": "B", "a": ""})
    assert dataset.labels == ("a", "b")
    assert dataset.rows_per_label == {"a": 0, "b": 0}
    assert (dataset.num_examples, dataset.texts, dataset.jsonl) == (0, (), b"")
    assert dataset.sha256 == hashlib.sha256(b"").hexdigest()
    assert dataset.majority_accuracy == 0.5
    assert list(dataset.descriptions) == ["a", "b"]


def test_no_rows_without_descriptions_are_refused_with_the_way_out() -> None:
    nothing: dict[str, str] = {}
    for given in (None, nothing):
        with pytest.raises(InvalidTrainingData, match=r"Pass training_data with.*label_descriptions with what each"):
            labels_alone(given)
    with pytest.raises(InvalidTrainingData, match="label_descriptions has 1 label; a classifier needs at least 2"):
        labels_alone({"a": "A"})


def test_descriptions_of_what_is_extended_hold_for_labels_that_are_not_described_anew() -> None:
    found, warnings = descriptions_of(("a", "b"), {"a": "new"}, {"b": "kept", "a": "old"}, "tickets@1")
    assert (found, warnings) == ({"a": "new", "b": "kept"}, ())
    assert list(found) == ["a", "b"]


def test_a_label_that_is_described_by_what_is_extended_but_has_no_row_is_warned_of() -> None:
    found, (warning,) = descriptions_of(("a", "b"), {}, {"a": "A", "c": "C"}, "tickets@1")
    assert found == {"a": "A"}
    assert warning.code == "described_labels_without_rows"
    assert "1 label that tickets@1 describes, but no row has, will not be given: 'c'" in warning.message


def test_only_descriptions_that_say_something_count() -> None:
    assert described({"b": "B", "c": "", "a": "A"}) == {"a": "A", "b": "B"}


def test_a_classifier_without_rows_comes_with_a_warning() -> None:
    warning = warn_of_zero_shot(2)
    assert warning.code == "zero_shot"
    assert "no labelled row" in warning.message
