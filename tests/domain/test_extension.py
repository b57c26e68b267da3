"""Rows that extend kept ones: which are taken over, which are replaced, and what holds for all of them together."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.dataset import DataLimits, Row
from windrow.domain.errors import InvalidTrainingData, LimitExceeded
from windrow.domain.extension import extend_rows
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow

LIMITS = DataLimits()
KEPT = (
    Row("charged twice", "billing"),
    Row("the app crashes", "bug"),
    Row("charged twice", "bug"),
    Row("error screen", "bug"),
)
any_rows = st.lists(st.builds(Row, st.sampled_from("abcdef"), st.sampled_from("xyz")), max_size=8).map(tuple)


def test_kept_rows_come_first_and_given_ones_after_them() -> None:
    given_row = Row("refund please", "refund")
    extended = extend_rows("tickets@3", KEPT, [given_row], LIMITS)
    assert extended.dataset.rows == (*KEPT, given_row)
    assert (extended.extends, extended.taken_over_rows, extended.replaced_rows) == ("tickets@3", 4, 0)


def test_a_given_row_replaces_every_kept_row_of_its_text() -> None:
    extended = extend_rows("tickets@3", KEPT, [Row("charged twice", "billing")], LIMITS)
    assert extended.dataset.rows == (KEPT[1], KEPT[3], Row("charged twice", "billing"))
    assert (extended.taken_over_rows, extended.replaced_rows) == (2, 2)
    assert extended.dataset.contradicting_rows == ()


def test_a_text_is_another_one_if_it_differs_at_all_as_where_duplicates_are_counted() -> None:
    extended = extend_rows("tickets@3", KEPT, [Row("Charged twice", "bug"), Row("charged twice ", "bug")], LIMITS)
    assert (extended.taken_over_rows, extended.replaced_rows) == (4, 0)
    assert extended.dataset.duplicate_rows == ()


@given(any_rows, any_rows)
def test_any_rows_are_kept_replaced_or_given_and_no_text_is_of_both_kinds(
    kept: tuple[Row, ...], given_rows: tuple[Row, ...]
) -> None:
    try:
        extended = extend_rows("tickets@3", kept, given_rows, LIMITS)
    except InvalidTrainingData:
        assert len({row.label for row in (*kept, *given_rows)}) < 2 or replaced_to_one_label(kept, given_rows)
        return
    taken_over = extended.dataset.rows[: extended.taken_over_rows]
    assert extended.dataset.rows[extended.taken_over_rows :] == given_rows
    assert extended.taken_over_rows + extended.replaced_rows == len(kept)
    assert {row.text for row in taken_over}.isdisjoint(row.text for row in given_rows)
    assert not Counter(taken_over) - Counter(kept)


def replaced_to_one_label(kept: tuple[Row, ...], given_rows: tuple[Row, ...]) -> bool:
    texts = {row.text for row in given_rows}
    return len({row.label for row in (*given_rows, *(row for row in kept if row.text not in texts))}) < 2


def test_one_label_is_enough_where_the_whole_has_two_and_nothing_given_is_enough_too() -> None:
    assert extend_rows("a@1", KEPT, KEPT[:1], LIMITS).dataset.labels == ("billing", "bug")
    assert extend_rows("a@1", KEPT, [], LIMITS).dataset.rows == KEPT


def test_one_label_in_all_is_refused_and_the_kept_rows_are_counted() -> None:
    with pytest.raises(InvalidTrainingData) as caught:
        extend_rows("tickets@3", KEPT[1:2], [Row("charged twice", "bug")], LIMITS)
    assert caught.value.detail == (
        "Together with 1 kept row of tickets@3, training_data has 1 distinct label in 2 rows; a classifier needs at "
        "least 2 labels, so at least 2 rows. Add rows with another label."
    )
    assert caught.value.facts["extends"] == "tickets@3"


def test_limits_hold_for_all_rows_together() -> None:
    limits = DataLimits(max_rows=4, max_labels=2)
    extend_rows("a@1", KEPT, [Row("charged twice", "billing")], limits)
    with pytest.raises(LimitExceeded, match=r"Together with 4 kept rows of a@1, training_data has 5 rows; at most 4"):
        extend_rows("a@1", KEPT, [Row("new", "bug")], limits)
    with pytest.raises(LimitExceeded, match="3 labels"):
        extend_rows("a@1", KEPT, [Row("error screen", "refund")], limits)


def test_a_wrong_row_is_named_by_its_number_among_those_that_were_given() -> None:
    with pytest.raises(InvalidTrainingData) as caught:
        extend_rows("a@1", KEPT, [Row("fine", "bug"), Row(" ", "bug")], LIMITS)
    assert caught.value.facts == {"row": 1, "field": "text"}
    assert "training_data[1].text" in caught.value.detail


def test_a_kept_text_that_is_too_long_here_is_named_but_not_told() -> None:
    long, limits = Row("secret " * 10, "bug"), DataLimits(max_text_chars=60)
    with pytest.raises(LimitExceeded) as caught:
        extend_rows("a@1", (*KEPT, long), KEPT[:1], limits)
    assert (caught.value.facts["row"], caught.value.facts["extends"]) == (4, "a@1")
    assert caught.value.detail == (
        "In kept row 4 of a@1, counted from 0, the text has 70 characters; at most 60 are taken here. Shorten "
        "the text, or raise WINDROW_MAX_TEXT_CHARS. If you cannot, leave extends out, and pass all rows from your own "
        "copy."
    )


SEVERAL = (MultiLabelRow("charged twice", ("billing", "urgent")), MultiLabelRow("thank you", ()))


def test_rows_with_any_number_of_labels_extend_those_of_their_form() -> None:
    correction = MultiLabelRow("thank you", ("praise",))
    extended = extend_rows("tickets@3", SEVERAL, [correction], LIMITS)
    assert extended.dataset == MultiLabelDataset((SEVERAL[0], correction))
    assert (extended.taken_over_rows, extended.replaced_rows) == (1, 1)
    assert extend_rows("tickets@3", SEVERAL, [], LIMITS).dataset == MultiLabelDataset(SEVERAL)


@pytest.mark.parametrize(
    ("kept", "given_rows", "message"),
    [
        (SEVERAL, KEPT, "training_data[0].label does not fit the kept rows of tickets@3, which have labels;"),
        (KEPT, SEVERAL, "training_data[0].labels does not fit the kept rows of tickets@3, which have label;"),
    ],
)
def test_rows_of_another_form_than_the_kept_ones_are_refused(
    kept: tuple[Row, ...], given_rows: tuple[Row, ...], message: str
) -> None:
    with pytest.raises(InvalidTrainingData) as caught:
        extend_rows("tickets@3", kept, given_rows, LIMITS)
    assert caught.value.detail.startswith(message)
    assert (caught.value.facts["row"], caught.value.facts["extends"]) == (0, "tickets@3")


def test_a_kept_row_with_a_wrong_label_is_named_as_a_kept_one() -> None:
    broken = (SEVERAL[0], MultiLabelRow("thanks", ("fine", " ")))
    with pytest.raises(InvalidTrainingData, match=r"^In kept row 1 of tickets@3, counted from 0, the labels\[1\] is"):
        extend_rows("tickets@3", broken, [], LIMITS)
