"""Values from JSON: nothing is guessed, and what is wrong is told where it helps most."""

from typing import Any

import pytest

from windrow.codec.validation import MAX_PROBLEMS, near_or_known, read_value
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import CopyRequest, DescribeRequest, FitRequest, ModelRequest
from windrow.domain.comparison import CompareRequest
from windrow.domain.dataset import DataLimits, Row
from windrow.domain.errors import InvalidRequest, LimitExceeded
from windrow.domain.gate import Requirement
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.prediction import PredictRequest
from windrow.domain.report import EvaluateRequest

GOOD = {"text": "a", "label": "b"}
MISSPELT = {"text": "a", "lable": "c"}
GIVEN = {"alias": "live"}
NO_LIST = 'must be a list, such as ["billing"]'


def refused(kind: Any, document: object, **more: Any) -> InvalidRequest:
    """Return the error with which a document is refused."""
    with pytest.raises(InvalidRequest) as caught:
        read_value(kind, document, **more)
    return caught.value


def test_a_document_becomes_the_value_that_it_describes_and_the_rest_has_its_defaults() -> None:
    document = {"model_name": "a", "training_data": [GOOD], "tags": ["x"], "max_seconds": 60, "seed": 3}
    read = read_value(FitRequest, document)
    assert read == FitRequest("a", (Row("a", "b"),), tags=("x",), max_seconds=60.0, seed=3)
    assert type(read.max_seconds) is float


def test_what_is_inside_of_it_is_read_too_and_what_stands_elsewhere_is_put_in() -> None:
    require = {"test_data": [GOOD], "min_recall": {"b": 1}, "not_worse": True}
    read = read_value(PromoteRequest, {"model_name": "a", "require": require, "must_pass": []}, preset=GIVEN)
    assert read.require == Requirement((Row("a", "b"),), not_worse=True, min_recall={"b": 1.0})
    assert (read.alias, read.must_pass) == ("live", ())


def test_rows_that_are_read_already_are_taken_as_they_are() -> None:
    rows = (Row("a", "b"),)
    assert read_value(EvaluateRequest, {"model_name": "a", "test_data": rows}).test_data is rows


def test_a_label_that_is_a_whole_number_is_taken_as_its_text() -> None:
    rows = [{"text": "a", "label": 1}, {"text": "b", "label": "1"}, {"text": "c", "label": -2}]
    read = read_value(FitRequest, {"model_name": "new", "training_data": rows})
    assert read.training_data == (Row("a", "1"), Row("b", "1"), Row("c", "-2"))
    for wrong in (True, 1.0, None, [None], [[1]]):
        with pytest.raises(InvalidRequest, match=r"training_data\[0\].label must be a string"):
            read_value(FitRequest, {"model_name": "new", "training_data": [{"text": "a", "label": wrong}]})


def test_rows_with_labels_are_read_as_rows_with_any_number_of_them() -> None:
    rows = [{"text": "a", "labels": ["x", "y"]}, {"text": "b", "labels": []}, {"labels": [1, "z"], "text": "c"}]
    read = read_value(FitRequest, {"model_name": "new", "training_data": rows})
    assert read.training_data == (
        MultiLabelRow("a", ("x", "y")),
        MultiLabelRow("b", ()),
        MultiLabelRow("c", ("1", "z")),
    )


def test_a_label_alone_in_a_list_is_that_label() -> None:
    rows = [{"text": "a", "label": ["x"]}, {"text": "b", "label": [2]}]
    read = read_value(FitRequest, {"model_name": "new", "training_data": rows})
    assert read.training_data == (Row("a", "x"), Row("b", "2"))


@pytest.mark.parametrize(
    ("row", "problem", "facts"),
    [
        (
            {"text": "a", "label": "b", "labels": ["b"]},
            "training_data[1] has label and labels; send one of them, which is labels for any number of labels",
            {"row": 1},
        ),
        (
            {"text": "a", "label": ["b", "c"]},
            "training_data[1].label is a list of 2 labels; rows with any number of labels have them as labels, each of "
            "them",
            {"row": 1, "field": "label"},
        ),
        (
            {"text": "a", "label": []},
            "training_data[1].label is a list of 0 labels; rows with any number of labels have them as labels, each of "
            "them",
            {"row": 1, "field": "label"},
        ),
        ({"text": "a"}, "training_data[1].label is missing", {"row": 1, "field": "label"}),
        ({"labels": ["a"]}, "training_data[1].text is missing", {"row": 1, "field": "text"}),
        (
            {"text": "a", "lables": ["b"]},
            "lables is no field of training_data[1]; did you mean labels?",
            {"row": 1, "field": "lables"},
        ),
        ({"text": "a", "labels": "b"}, f"training_data[1].labels {NO_LIST}", {"row": 1, "field": "labels"}),
        ({"text": "a", "labels": None}, f"training_data[1].labels {NO_LIST}", {"row": 1, "field": "labels"}),
        (
            {"text": "a", "labels": ["b", 1.5]},
            "training_data[1].labels[1] must be a string",
            {"row": 1, "field": "labels"},
        ),
        (
            {"text": "a", "labels": ["b"], "note": 1},
            "note is no field of training_data[1]; known are text, labels",
            {"row": 1, "field": "note"},
        ),
    ],
)
def test_what_is_wrong_with_the_labels_of_a_row_is_told_where_it_stands(
    row: dict[str, object], problem: str, facts: dict[str, object]
) -> None:
    error = refused(FitRequest, {"model_name": "a", "training_data": [GOOD, row]})
    assert error.facts["problems"] == [problem]
    assert {name: error.facts[name] for name in ("row", "field") if name in error.facts} == facts


@pytest.mark.parametrize(
    ("others", "row", "problem"),
    [
        ([{"text": "a", "labels": []}], {"text": "b"}, "training_data[0].labels is missing"),
        ([{"text": "a"}, {"text": "a", "labels": []}], {"text": "b"}, "training_data[0].labels is missing"),
        ([{"text": "a", "label": "x"}, {"text": "a", "labels": []}], {}, "training_data[0].text is missing"),
        ([{"text": "a", "labels": []}], {"text": "b", "lable": "x"}, "lable is no field of training_data[0]"),
        ([{"text": "a", "label": "x"}], {"text": "b"}, "training_data[0].label is missing"),
    ],
)
def test_a_row_without_labels_lacks_the_field_that_other_rows_have(
    others: list[dict[str, object]], row: dict[str, object], problem: str
) -> None:
    error = refused(FitRequest, {"model_name": "a", "training_data": [row, *others]})
    assert problem in str(error.facts["problems"])


def test_null_is_taken_only_where_it_is_declared() -> None:
    assert read_value(PredictRequest, {"model_name": "a", "text": "b", "top_k": None}).top_k is None
    assert (
        "seed must be a whole number"
        in refused(FitRequest, {"model_name": "a", "training_data": [], "seed": None}).detail
    )


@pytest.mark.parametrize(
    ("kind", "fields", "said", "facts"),
    [
        (FitRequest, {"training_data": [GOOD, 3]}, "training_data[1] must be an object", {"row": 1}),
        (
            FitRequest,
            {"training_data": [MISSPELT]},
            "lable is no field of training_data[0]; did you mean label?",
            {"row": 0},
        ),
        (FitRequest, {"training_data": [GOOD], "tags": [1]}, "tags[0] must be a string", {"index": 0}),
        (FitRequest, {"training_data": [GOOD], "seed": True}, "seed must be a whole number", {}),
        (FitRequest, {"training_data": [GOOD], "seed": 7.0}, "seed must be a whole number", {}),
        (FitRequest, {"training_data": [GOOD], "max_seconds": 10**3000}, "max_seconds must be a number", {}),
        (FitRequest, {"training_data": [GOOD], "max_seconds": "60"}, "max_seconds must be a number", {}),
        (FitRequest, {"training_data": [GOOD], "overwrite": 1}, "overwrite must be true or false", {}),
        (FitRequest, {"training_data": {"text": "a"}}, "training_data must be a list", {}),
        (
            EvaluateRequest,
            {"test_data": [{"text": "a"}]},
            "test_data[0].label is missing",
            {"row": 0, "field": "label"},
        ),
        (
            CompareRequest,
            {"model_names": ["a", 1], "test_data": [GOOD]},
            "model_names[1] must be a string",
            {"index": 1},
        ),
        (PromoteRequest, {"must_pass": [GOOD, {**GOOD, "text": 1}]}, "must_pass[1].text must be a string", {"row": 1}),
        (
            PromoteRequest,
            {"require": {"test_data": [GOOD, GOOD, {**GOOD, "label": 1.5}]}},
            "require.test_data[2].label must be a string",
            {"row": 2, "field": "label"},
        ),
        (
            PromoteRequest,
            {"require": {"must_pass": [GOOD, MISSPELT]}},
            "lable is no field of require.must_pass[1]; did you mean label?",
            {"row": 1, "field": "lable"},
        ),
        (
            PromoteRequest,
            {"require": {"not_wrose": True}},
            "not_wrose is no field of require; did you mean not_worse?",
            {"row": None, "index": None},
        ),
        (
            PromoteRequest,
            {"require": {"min_recall": {"billing": "0.9"}}},
            "require.min_recall.billing must be a number",
            {"row": None, "index": None},
        ),
        (PromoteRequest, {"require": {"min_recall": ["a"]}}, "require.min_recall must be an object", {}),
        (PromoteRequest, {"alias": "a"}, "alias is no field of this request; known are model_name, reason, author", {}),
    ],
)
def test_what_is_wrong_is_named_with_its_place_however_deep_it_lies(
    kind: Any, fields: dict[str, object], said: str, facts: dict[str, object]
) -> None:
    names = {} if kind is CompareRequest else {"model_name": "a"}
    problem = refused(kind, {**names, **fields}, preset=GIVEN if kind is PromoteRequest else None)
    assert problem.detail.startswith(said)
    assert {key: problem.facts.get(key) for key in facts} == facts


@pytest.mark.parametrize("document", [[], "text", 3, None])
def test_what_is_no_object_is_refused_as_a_whole(document: object) -> None:
    assert refused(PredictRequest, document).facts["problems"] == ["The body must be an object"]


def test_a_misspelt_field_comes_before_all_else_and_what_it_meant_is_not_called_missing() -> None:
    problem = refused(FitRequest, {"seed": "1", "modelname": "a", "trainingdata": []})
    assert problem.facts["problems"] == [
        "modelname is no field of this request; did you mean model_name?",
        "trainingdata is no field of this request; did you mean training_data?",
        "seed must be a whole number",
    ]


def test_a_field_that_is_there_already_is_never_what_an_unknown_one_meant() -> None:
    problem = refused(CopyRequest, {"new_name": "b", "newname": "c"}, preset={"model_name": "a"})
    assert problem.facts["problems"] == ["newname is no field of this request; known are new_name, overwrite"]
    rows = [{**GOOD, "Label": "c"}]
    problem = refused(EvaluateRequest, {"model_name": "a", "test_data": rows})
    assert problem.facts["problems"] == ["Label is no field of test_data[0]; known are text, label"]


def test_a_field_that_is_like_none_that_is_missing_comes_last() -> None:
    problem = refused(FitRequest, {"colour": "red", "training_data": []})
    assert isinstance(problem.facts["problems"], list)
    first, last = problem.facts["problems"]
    assert first == "model_name is missing"
    assert last.startswith("colour is no field of this request; known are ")


def test_a_verb_without_fields_takes_none() -> None:
    problem = refused(ModelRequest, {"colour": 1}, preset={"model_name": "a"})
    assert problem.facts["problems"] == ["colour is no field of this request; it takes none"]
    assert read_value(DescribeRequest, {}, preset={"model_name": "a"}) == DescribeRequest("a")


def test_ten_problems_are_told_and_all_are_counted() -> None:
    problem = refused(FitRequest, {"model_name": "a", "training_data": [{"text": 1, "label": 2.5}] * 9})
    assert isinstance(problem.facts["problems"], list)
    assert (len(problem.facts["problems"]), problem.facts["num_problems"]) == (10, 18)
    assert "(17 more: see problems.)" in problem.detail


def test_of_very_many_unknown_fields_ten_are_told() -> None:
    document = {"model_name": "a", "text": "b"} | {f"field_{number}": number for number in range(100_000)}
    problem = refused(PredictRequest, document)
    assert isinstance(problem.facts["problems"], list)
    assert (len(problem.facts["problems"]), problem.facts["num_problems"]) == (MAX_PROBLEMS, 100_000)


@pytest.mark.parametrize("row", [{}, {"text": 1, "label": 2}, "text", {f"field_{n}": n for n in range(100)}])
def test_behind_the_first_wrong_row_only_a_few_are_looked_at(row: object) -> None:
    problem = refused(FitRequest, {"model_name": "a", "training_data": [GOOD] * 5 + [row] * 50_000})
    assert problem.facts["row"] == 5
    assert isinstance(problem.facts["num_problems"], int)
    assert problem.facts["num_problems"] <= 11 * 102


def test_behind_the_first_wrong_text_none_is_looked_at() -> None:
    problem = refused(PredictRequest, {"model_name": "a", "texts": ["a", *([1] * 50_000)]})
    assert (problem.facts["index"], problem.facts["num_problems"]) == (1, 1)


@pytest.mark.parametrize("row", [GOOD, {}, None])
def test_rows_are_counted_before_they_are_read(row: object) -> None:
    with pytest.raises(LimitExceeded) as caught:
        read_value(FitRequest, {"training_data": [row] * 11}, limits=DataLimits(max_rows=10))
    assert "training_data has 11 rows" in caught.value.detail
    document = {"model_name": "a", "require": {"test_data": [row] * 11}}
    with pytest.raises(LimitExceeded) as caught:
        read_value(PromoteRequest, document, preset=GIVEN, limits=DataLimits(max_rows=10))
    assert "require.test_data has 11 rows" in caught.value.detail


@pytest.mark.parametrize(
    ("key", "known", "said", "hint"),
    [
        ("Seed", ["seed", "tags"], ["Seed", "tags"], "did you mean seed?"),
        ("Seed", ["seed", "tags"], ["Seed", "seed"], "known are seed, tags"),
        ("colour", ["seed", "tags"], ["colour"], "known are seed, tags"),
        ("colour", [], ["colour"], "it takes none"),
    ],
)
def test_a_hint_names_what_was_probably_meant_or_all_that_there_is(
    key: str, known: list[str], said: list[str], hint: str
) -> None:
    assert near_or_known(key, known, said) == hint


def test_the_end_of_the_sentences_is_the_callers() -> None:
    assert (
        refused(PredictRequest, 1, advice="Look at the file.").detail == "The body must be an object. Look at the file."
    )
