from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidInput, InvalidParameter, InvalidTestData, InvalidText, InvalidTrainingData
from windrow.domain.multi_label import MultiLabelRow
from windrow.session.columns import read_rows, read_texts, read_values

TEXTS = ["money back", "cannot sign in"]
LABELS = ["refund", "login"]
ROWS = (Row("money back", "refund"), Row("cannot sign in", "login"))
COLUMNS: list[Callable[[list[str]], Iterable[Any]]] = [
    list,
    tuple,
    iter,
    np.array,
    lambda values: np.array(values, object),
    pd.Series,
    lambda values: pd.Series(values, dtype="category"),
    lambda values: pd.Series(values, index=[7, 3]),
    pl.Series,
    lambda values: pl.Series(values, dtype=pl.Categorical),
]
TABLES: list[Any] = [
    list(zip(TEXTS, LABELS, strict=True)),
    [list(row) for row in zip(TEXTS, LABELS, strict=True)],
    zip(TEXTS, LABELS, strict=True),
    np.array([TEXTS, LABELS]).T,
    [{"text": text, "label": label, "id": 1} for text, label in zip(TEXTS, LABELS, strict=True)],
    ROWS,
    {"text": TEXTS, "label": LABELS},
    pd.DataFrame({"id": [1, 2], "label": LABELS, "text": TEXTS}),
    pl.DataFrame({"id": [1, 2], "label": LABELS, "text": TEXTS}),
]


@pytest.mark.parametrize("column", COLUMNS)
def test_two_columns_of_any_kind_are_rows(column: Callable[[list[str]], Iterable[Any]]) -> None:
    assert read_rows("training_data", column(TEXTS), column(LABELS)) == ROWS


@pytest.mark.parametrize("table", TABLES, ids=lambda table: type(table).__name__)
def test_pairs_mappings_and_tables_are_rows(table: Any) -> None:
    assert read_rows("training_data", table) == ROWS


def test_strings_of_numpy_become_plain_ones() -> None:
    (row,) = read_rows("training_data", [np.str_("money")], [np.str_("refund")])
    assert isinstance(row, Row)
    assert type(row.text) is str and type(row.label) is str


SETS = [["refund", "urgent"], []]
SEVERAL = (MultiLabelRow("money back", ("refund", "urgent")), MultiLabelRow("cannot sign in", ()))
INDICATORS = {"refund": [1, 0], "urgent": [1, 0]}
LABEL_SETS: list[Any] = [
    SETS,
    [tuple(each) for each in SETS],
    [set(each) for each in SETS],
    [frozenset(each) for each in SETS],
    [np.array(each, object) for each in SETS],
    iter(SETS),
    pd.Series(SETS),
    pl.Series(SETS),
    INDICATORS,
    pd.DataFrame(INDICATORS),
    pd.DataFrame(INDICATORS).astype(bool),
    pd.DataFrame(INDICATORS).astype(float),
    pl.DataFrame(INDICATORS),
]
SEVERAL_TABLES: list[Any] = [
    list(zip(TEXTS, SETS, strict=True)),
    [{"text": text, "labels": labels} for text, labels in zip(TEXTS, SETS, strict=True)],
    SEVERAL,
    {"text": TEXTS, "labels": SETS},
    pd.DataFrame({"id": [1, 2], "labels": SETS, "text": TEXTS}),
    pl.DataFrame({"id": [1, 2], "labels": SETS, "text": TEXTS}),
]


@pytest.mark.parametrize("labels", LABEL_SETS, ids=lambda labels: type(labels).__name__)
def test_any_number_of_labels_each_are_rows_with_labels(labels: Any) -> None:
    assert read_rows("training_data", TEXTS, labels) == SEVERAL


@pytest.mark.parametrize("table", SEVERAL_TABLES, ids=lambda table: type(table).__name__)
def test_pairs_mappings_and_tables_may_have_any_number_of_labels(table: Any) -> None:
    assert read_rows("training_data", table) == SEVERAL


def test_a_label_alone_in_a_list_under_label_is_that_label() -> None:
    assert read_rows("training_data", [{"text": "money back", "label": ["refund"]}]) == ROWS[:1]


def test_labels_among_several_may_be_whole_numbers() -> None:
    assert read_rows("training_data", ["a"], [[np.int64(1), "b"]]) == (MultiLabelRow("a", ("1", "b")),)


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (TEXTS, np.eye(2, dtype=int), " has a matrix of labels, which does not say what its columns are called"),
        (TEXTS, [["a", None], []], r"\[0\]\.labels\[1\] is missing"),
        (TEXTS, [["a"], None], r"\[1\]\.labels is missing"),
        (TEXTS, [None, ["a"]], r"\[0\]\.labels is missing"),
        (TEXTS, [None, None], r"\[0\]\.label is missing"),
        (TEXTS, [["a"], [["b"]]], r"\[1\]\.labels\[0\] is of type list, not a string"),
        (TEXTS, {"a": [1, 0], "b": [1, 2]}, r"\[1\]\.labels has neither 1 nor 0 for the label 'b'"),
        (TEXTS, pd.DataFrame({"label": LABELS}), r"\[0\]\.labels has neither 1 nor 0 for the label 'label'"),
        (TEXTS, {"a": [1, 0], "b": [1]}, " has a table of labels with columns of different lengths"),
        (TEXTS, {1: [1, 0], "1": [0, 1]}, " has a table of labels with two columns of one name"),
        (TEXTS, pd.DataFrame([[1, 0]] * 2, columns=["a", "a"]), " has a table of labels with two columns of one name"),
        (TEXTS, {"a": [1], "b": [1]}, " has 2 texts and 1 label"),
        (
            pd.DataFrame({"text": TEXTS, "label": LABELS, "labels": SETS}),
            None,
            " has the columns 'label' and 'labels'. Leave one of them out",
        ),
        ([{"text": "a", "label": "b", "labels": ["b"]}], None, r"\[0\] has label and labels\. Pass one of them"),
        ([{"text": "a", "label": ["b", "c"]}], None, r"\[0\]\.label is a list of 2 labels"),
        ([{"text": "a", "labels": "b"}], None, r"\[0\]\.labels is no list of labels, such as \['billing'\]"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(texts: Any, labels: Any, message: str) -> None:
    with pytest.raises(InvalidTrainingData, match=f"^training_data{message}"):
        read_rows("training_data", texts, labels)


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_a_missing_value_is_named_by_its_row_and_field(missing: object) -> None:
    with pytest.raises(InvalidTrainingData, match=r"training_data\[1\]\.label is missing\. Correct") as refused:
        read_rows("training_data", TEXTS, ["refund", missing])
    assert refused.value.facts == {"row": 1, "field": "label"}


@pytest.mark.parametrize(
    "column", [pd.Series(["a", None]), pl.Series(["a", None]), pd.Series(["a", None], dtype="str")]
)
def test_a_column_with_a_gap_is_refused(column: Any) -> None:
    with pytest.raises(InvalidTrainingData, match=r"training_data\[1\]\.text is missing"):
        read_rows("training_data", column, LABELS)


def test_a_value_that_is_no_string_is_named_by_its_type() -> None:
    with pytest.raises(InvalidTrainingData, match=r"training_data\[0\]\.label is of type float, not a string"):
        read_rows("training_data", TEXTS, [0.0, 1.0])
    with pytest.raises(InvalidTrainingData, match=r"training_data\[0\]\.text is of type int, not a string"):
        read_rows("training_data", [0, 1], LABELS)
    with pytest.raises(InvalidTrainingData, match=r"training_data\[1\]\.label is of type bool, not a string"):
        read_rows("training_data", TEXTS, [1, True])


@pytest.mark.parametrize("labels", [[0, 1], np.array([0, 1]), [np.int64(0), np.uint8(1)], pd.Series([0, 1]), ["0", 1]])
def test_labels_that_are_whole_numbers_are_taken_as_their_text(labels: Any) -> None:
    for rows in (
        read_rows("training_data", TEXTS, labels),
        read_rows("training_data", list(zip(TEXTS, labels, strict=True))),
    ):
        assert rows == tuple(Row(text, label) for text, label in zip(TEXTS, ["0", "1"], strict=True))


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (TEXTS, ["refund"], r"has 2 texts and 1 label\."),
        (TEXTS, None, r"\[0\] is a text without a label"),
        ("money", ["refund"], "is one string"),
        ({"a", "b"}, LABELS, "is a set"),
        (5, None, "is of type int"),
        ([("a", "b", "c")], None, r"\[0\] is neither a pair"),
        ([("a", "b"), {"text": "a"}], None, r"\[1\] is neither a pair"),
        (pd.DataFrame({"text": TEXTS}), LABELS, "is a table where a column is wanted"),
        (pd.DataFrame({"body": TEXTS, "label": LABELS}), None, "has no column 'text'; its columns are: body, label"),
        (pl.DataFrame({"text": TEXTS, "topic": LABELS}), None, "has no column 'label'; its columns are: text, topic"),
    ],
)
def test_what_is_no_column_or_table_is_refused(texts: Any, labels: Any, message: str) -> None:
    with pytest.raises(InvalidTrainingData, match=f"^training_data ?{message}"):
        read_rows("training_data", texts, labels)


@pytest.mark.parametrize("lazy", [pl.LazyFrame({"text": TEXTS, "label": LABELS}), pl.LazyFrame({"text": TEXTS})])
def test_what_holds_no_values_yet_is_refused_with_the_method_that_computes_them(lazy: Any) -> None:
    message = r"^training_data is of type LazyFrame.* Pass what \.collect\(\) returns\.$"
    with pytest.raises(InvalidTrainingData, match=message) as refused:
        read_rows("training_data", lazy)
    assert refused.value.facts["method"] == "collect"
    for texts, labels in ((lazy, LABELS), (TEXTS, lazy)):
        with pytest.raises(InvalidTrainingData, match=message):
            read_rows("training_data", texts, labels)
    with pytest.raises(InvalidText, match=r"texts is of type LazyFrame.*\.collect\(\)"):
        read_texts(lazy)


def test_a_plan_of_another_library_is_known_by_its_method() -> None:
    class Plan:
        def compute(self) -> None: ...

    with pytest.raises(InvalidParameter, match=r"^tags is of type Plan.*\.compute\(\) returns"):
        read_values("tags", Plan())  # type: ignore[arg-type]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_of_any_kind_is_texts(column: Callable[[list[str]], Iterable[Any]]) -> None:
    assert read_texts(column(TEXTS)) == TEXTS


def test_a_text_that_is_missing_is_named_by_its_number_among_all() -> None:
    with pytest.raises(InvalidText, match=r"texts\[1001\] is missing") as refused:
        read_texts(["a", None], 1_000)
    assert refused.value.facts == {"index": 1_001}


def test_a_table_is_no_column_of_texts() -> None:
    with pytest.raises(InvalidText, match="is a table"):
        read_texts(pd.DataFrame({"text": TEXTS}))


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("training_data", InvalidTrainingData),
        ("test_data", InvalidTestData),
        ("require.must_pass", InvalidTestData),
        ("texts", InvalidText),
        ("tags", InvalidParameter),
        ("model_names", InvalidParameter),
    ],
)
def test_a_column_that_is_none_is_named_by_its_parameter_and_what_it_is_for(
    name: str, refusal: type[InvalidInput]
) -> None:
    with pytest.raises(refusal, match=f"^{name} is one string. Pass a list of strings") as refused:
        read_values(name, "money")
    assert refused.value.facts == {"parameter": name}
