"""The JSON shape of labelled rows, and how little is read of those that are wrong."""

import pytest
from pydantic import ValidationError

from windrow.domain.dataset import DataLimits, Row
from windrow.domain.errors import LimitExceeded
from windrow.wire.rows import LabelledRow, to_rows, trim_rows

GOOD = {"text": "a", "label": "b"}
LIMITS = DataLimits()


@pytest.mark.parametrize("label", [1, 1.5, True, None, ["a"], {"a": 1}])
def test_a_label_that_is_no_string_is_refused_and_never_converted(label: object) -> None:
    with pytest.raises(ValidationError):
        LabelledRow.model_validate({"text": "a", "label": label})


def test_what_pydantic_says_never_holds_a_value() -> None:
    with pytest.raises(ValidationError) as caught:
        LabelledRow.model_validate({"text": ["my secret"], "label": "a"})
    assert "my secret" not in str(caught.value)


def test_rows_reach_the_domain_in_their_order() -> None:
    shown = [LabelledRow(text="a", label="x"), LabelledRow(text="b", label="y")]
    assert to_rows(shown) == (Row("a", "x"), Row("b", "y"))


@pytest.mark.parametrize(
    "document", [None, 3, [], {}, {"test_data": None}, {"test_data": {}}, {"test_data": [GOOD] * 50}, {"require": {}}]
)
def test_what_has_no_wrong_rows_stays_equal(document: object) -> None:
    assert trim_rows(document, "test_data", LIMITS) == document
    assert trim_rows(document, "require.test_data", LIMITS) == document


@pytest.mark.parametrize("wrong", [3, None, {}, {"text": "a"}, {"text": 1, "label": "b"}, {**GOOD, "more": 1}])
def test_behind_the_first_wrong_row_ten_rows_are_kept_and_the_document_is_left_alone(wrong: object) -> None:
    rows = [*[GOOD] * 5, wrong, *[GOOD] * 50]
    document = {"test_data": rows, "save": True}
    assert trim_rows(document, "test_data", LIMITS) == {"test_data": rows[:15], "save": True}
    assert len(rows) == 56
    nested = {"require": {"test_data": rows, "not_worse": True}}
    trimmed = {"require": {"test_data": rows[:15], "not_worse": True}}
    assert trim_rows(nested, "require.test_data", LIMITS) == trimmed


def test_of_a_wrong_row_with_very_many_fields_only_a_few_are_kept() -> None:
    trimmed = trim_rows({"test_data": [{f"field_{n}": n for n in range(1_000)}]}, "test_data", LIMITS)
    assert isinstance(trimmed, dict)
    assert len(trimmed["test_data"][0]) < 20


@pytest.mark.parametrize("field", ["test_data", "require.test_data"])
def test_rows_over_the_limit_are_refused_before_one_of_them_is_read_and_the_field_is_named(field: str) -> None:
    document = {"test_data": [None] * 3, "require": {"test_data": [None] * 3}}
    with pytest.raises(LimitExceeded, match=f"^{field} has 3 rows"):
        trim_rows(document, field, DataLimits(max_rows=2))
