"""Labelled rows of either form: which form they have, and verbs that take one form alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.dataset import DataLimits, Dataset, Row, rows_as_jsonl
from windrow.domain.errors import (
    InvalidTestData,
    InvalidTrainingData,
    LimitExceeded,
)
from windrow.domain.labelled_rows import (
    LabelledRow,
    check_evaluation_rows,
    check_training_rows,
    labelled_rows_as_jsonl,
)
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow, multi_label_rows_as_jsonl

LIMITS = DataLimits()
SINGLE = [Row("charged twice", "billing"), Row("it crashes", "bug")]
SEVERAL = [MultiLabelRow("charged twice, now", ("urgent", "billing")), MultiLabelRow("thank you", ())]


def test_rows_of_each_form_become_a_dataset_of_that_form() -> None:
    assert check_training_rows(SINGLE, LIMITS) == Dataset(tuple(SINGLE))
    assert check_training_rows(SEVERAL, LIMITS) == MultiLabelDataset(tuple(SEVERAL))
    assert check_evaluation_rows("test_data", SINGLE[:1], LIMITS) == Dataset((SINGLE[0],))
    assert check_evaluation_rows("test_data", SEVERAL[:1], LIMITS) == MultiLabelDataset((SEVERAL[0],))


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([*SINGLE, *SEVERAL], r"training_data\[2\]\.labels stands in rows of which earlier ones have label;"),
        ([*SEVERAL, *SINGLE], r"training_data\[2\]\.label stands in rows of which earlier ones have labels;"),
    ],
)
def test_rows_of_both_forms_are_refused_and_the_first_other_one_named(rows: list[LabelledRow], place: str) -> None:
    with pytest.raises(InvalidTrainingData, match=place) as caught:
        check_training_rows(rows, LIMITS)
    assert caught.value.facts["row"] == 2


def test_test_rows_of_both_forms_are_refused_as_the_caller_knows_them() -> None:
    with pytest.raises(InvalidTestData, match=r"^require\.test_data\[1\]\.labels "):
        check_evaluation_rows("require.test_data", [SINGLE[0], SEVERAL[0]], LIMITS)


def test_too_many_rows_are_refused_before_their_form_is_looked_at() -> None:
    with pytest.raises(LimitExceeded):
        check_training_rows([*SINGLE, *SEVERAL], DataLimits(max_rows=3))
    with pytest.raises(LimitExceeded):
        check_evaluation_rows("test_data", [*SINGLE, *SEVERAL], DataLimits(max_rows=3))


def test_no_rows_at_all_have_too_few_labels() -> None:
    with pytest.raises(InvalidTrainingData, match="at least 2 labels"):
        check_training_rows([], LIMITS)


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.builds(Row, words, words)), st.lists(st.builds(MultiLabelRow, words, st.tuples(words))))
def test_the_canonical_form_of_a_row_depends_on_its_own_form_alone(
    single: list[Row], several: list[MultiLabelRow]
) -> None:
    assert labelled_rows_as_jsonl([*single, *several]) == rows_as_jsonl(single) + multi_label_rows_as_jsonl(several)
