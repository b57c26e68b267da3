"""Bodies: how JSON is declared, when a body may be left out, and the price of one that is wrong in many places."""

import json

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from tests.http.asking import ALIASES, API, FIT, FIT_PATH, JSON, check_problem
from windrow.domain.dataset import DataLimits
from windrow.http.bodies import MAX_PROBLEMS, invalid_request, parse_json, without_flood
from windrow.wire.alias import PromoteBody
from windrow.wire.comparison import CompareBody
from windrow.wire.prediction import PredictBody
from windrow.wire.report import EvaluateBody
from windrow.wire.training import FitBody


def test_a_document_of_known_fields_stays_as_it_is() -> None:
    document = {"model_name": "a", "text": "b"}
    assert without_flood(document, PredictBody) is document


def test_of_very_many_unknown_fields_only_a_few_are_looked_at() -> None:
    document = {f"field_{number}": number for number in range(100_000)} | {"model_name": "a", "text": "b"}
    kept = without_flood(document, PredictBody)
    assert isinstance(kept, dict)
    assert len(kept) == MAX_PROBLEMS + 2
    assert (kept["model_name"], kept["text"]) == ("a", "b")


def test_of_very_many_unknown_fields_deeper_inside_only_a_few_are_looked_at_too() -> None:
    inside = {f"field_{number}": number for number in range(100_000)} | {"not_worse": True}
    document = {"model_name": "a", "require": inside}
    kept = without_flood(document, PromoteBody)
    assert isinstance(kept, dict)
    assert kept.keys() == document.keys()
    assert len(kept["require"]) == MAX_PROBLEMS + 1
    assert kept["require"]["not_worse"] is True
    assert len(inside) == 100_001


@pytest.mark.parametrize("document", [[], "text", 3, None, {}])
def test_what_is_no_large_object_is_left_to_the_shape(document: object) -> None:
    assert without_flood(document, PredictBody) is document


@pytest.mark.parametrize("row", [{}, {"text": 1, "label": 2}, "text", {f"field_{n}": n for n in range(100)}])
def test_behind_the_first_wrong_row_only_a_few_are_looked_at(row: object) -> None:
    rows = [{"text": "a", "label": "b"}] * 5 + [row] * 50_000
    with pytest.raises(ValidationError) as caught:
        FitBody.read({"model_name": "a", "training_data": rows}, DataLimits())
    places = [error["loc"] for error in caught.value.errors(include_input=False)]
    assert places[0][:2] == ("training_data", 5)
    assert len(places) < 200


GOOD = {"text": "a", "label": "b"}
EXTRA = {**GOOD, "lable": "c"}


@pytest.mark.parametrize(
    ("shape", "fields", "said", "facts"),
    [
        (FitBody, {"training_data": [GOOD, 3]}, "training_data[1] must be an object", {"row": 1}),
        (FitBody, {"training_data": [EXTRA]}, "lable is no field of training_data[0]; did you mean label?", {"row": 0}),
        (FitBody, {"training_data": [GOOD], "tags": [1]}, "tags[0] must be a string", {"index": 0}),
        (EvaluateBody, {"test_data": [{"text": "a"}]}, "test_data[0].label is missing", {"row": 0, "field": "label"}),
        (EvaluateBody, {"test_data": [EXTRA]}, "lable is no field of test_data[0]; did you mean label?", {"row": 0}),
        (CompareBody, {"model_names": ["a", 1], "test_data": [GOOD]}, "model_names[1] must be a string", {"index": 1}),
        (PromoteBody, {"must_pass": [GOOD, {**GOOD, "text": 1}]}, "must_pass[1].text must be a string", {"row": 1}),
        (
            PromoteBody,
            {"require": {"test_data": [GOOD, GOOD, {**GOOD, "label": 1}]}},
            "require.test_data[2].label must be a string",
            {"row": 2, "field": "label"},
        ),
        (
            PromoteBody,
            {"require": {"must_pass": [GOOD, EXTRA]}},
            "lable is no field of require.must_pass[1]; did you mean label?",
            {"row": 1, "field": "lable"},
        ),
        (
            PromoteBody,
            {"require": {"not_wrose": True}},
            "not_wrose is no field of require; did you mean not_worse?",
            {"row": None, "index": None},
        ),
        (
            PromoteBody,
            {"require": {"min_recall": {"billing": "0.9"}}},
            "require.min_recall.billing must be a number",
            {"row": None, "index": None},
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place_however_deep_it_lies(
    shape: type[BaseModel], fields: dict[str, object], said: str, facts: dict[str, object]
) -> None:
    names = {} if shape is CompareBody else {"model_name": "a"}
    with pytest.raises(ValidationError) as caught:
        shape.model_validate({**names, **fields})
    problem = invalid_request(caught.value, shape)
    assert problem.detail.startswith(said)
    assert {key: problem.facts.get(key) for key in facts} == facts


def test_json_is_parsed_strictly() -> None:
    assert parse_json(b'{"a": [1, 2.5, "x"]}') == {"a": [1, 2.5, "x"]}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/vnd.api+json",
        "application/json; indent=4",
    ],
)
def test_every_way_to_declare_json_in_utf_8_is_taken(client: httpx.Client, content_type: str) -> None:
    reply = client.post(FIT_PATH, content=json.dumps(FIT), headers={"Content-Type": content_type})
    assert reply.status_code == 200


@pytest.mark.parametrize("headers", [{}, JSON, {"Content-Type": "text/plain"}])
def test_a_body_that_may_be_left_out_may_be_left_out_whatever_is_declared(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    assert client.post(f"{API}/fsck", headers=headers).status_code == 200
    chunked = client.post(f"{API}/fsck", headers={**headers, **JSON}, content=iter([b""]))
    assert chunked.status_code == 200


def test_a_body_that_may_be_left_out_is_read_as_strictly_as_any_other_where_it_is_there(client: httpx.Client) -> None:
    check_problem(client.post(f"{API}/fsck", content=b"{}"), 415, "unsupported_media_type")
    check_problem(client.post(f"{API}/fsck", content=b"{", headers=JSON), 400, "invalid_json")
    check_problem(client.post(f"{API}/fsck", content=b"{}".ljust(20_001), headers=JSON), 413, "body_too_large")
    document = check_problem(client.post(f"{API}/fsck", json={"repiar": True}), 422, "invalid_request")
    assert str(document["detail"]).startswith("repiar is no field of this request; did you mean repair?")
    document = check_problem(client.post(f"{API}/fsck", json={"repair": "true"}), 422, "invalid_request")
    assert "repair must be true or false" in str(document["detail"])
    document = check_problem(client.post(f"{ALIASES}/a/rollback", json={"by": 1}), 422, "invalid_request")
    assert "by must be a string" in str(document["detail"])
