"""Foreign endpoints: a verb answers in another format, errors take its form, and keys tell apart what shares a path."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.http.asking import FIT, FIT_PATH
from tests.toy import Toy
from windrow.api.endpoints import LIST_CLASSIFIERS, PREDICT
from windrow.api.foreign import table
from windrow.api.foreign.form import Dialect, ForeignEndpoint, ForeignReply, Received
from windrow.api.foreign.reading import a_string, an_object, needed, refused
from windrow.domain.listing import ListRequest
from windrow.domain.prediction import PredictRequest
from windrow.http.app import create_app
from windrow.local_operations import LocalOperations
from windrow.settings import Settings


def write_error(problem: Mapping[str, Any]) -> tuple[int, object]:
    return 499 if "loc" in problem else problem["status"], {"oops": problem.get("loc", problem["code"])}


ODD = Dialect("odd", "A format for tests.", write_error)


def read(received: Received) -> PredictRequest:
    body = an_object(received.document, ())
    return PredictRequest(model_name=received.path["name"], text=a_string(needed(body, "words", ()), ("words",)))


def write(received: Received, _request: Any, reply: Any) -> ForeignReply:
    return ForeignReply({"is": reply[0].label, "of": received.document["words"]}, {"X-Odd": "yes"})


def read_shared(received: Received) -> PredictRequest:
    return PredictRequest(model_name="tickets_v1", text=received.document["words"])


ROWS = (
    ForeignEndpoint(
        dialect=ODD, method="POST", path="/odd/{name}", verb=PREDICT, read=read, write=write, summary="Ask", status=201
    ),
    ForeignEndpoint(
        dialect=ODD,
        method="GET",
        path="/odd",
        verb=LIST_CLASSIFIERS,
        read=lambda _: ListRequest(),
        write=lambda _received, _request, reply: ForeignReply({"all": reply}),
        act=lambda operations, request: [each.name for each in operations.list_classifiers(request)],
        summary="List",
    ),
    ForeignEndpoint(
        dialect=ODD,
        method="POST",
        path="/v1/classify",
        verb=PREDICT,
        read=read_shared,
        write=write,
        summary="Ask",
        keys=frozenset({"words"}),
    ),
)


@pytest.fixture
def client(operations: Toy, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(table, "FOREIGN_ENDPOINTS", ROWS)
    odd = TestClient(create_app(operations, Settings(dialects=("odd",))), base_url="http://localhost")
    assert odd.post(FIT_PATH, json={**FIT, "model_name": "tickets_v1"}).status_code == 200
    return odd


def test_a_verb_answers_in_the_format_of_the_row(client: TestClient) -> None:
    reply = client.post("/odd/tickets_v1", json={"words": "charged twice"})
    assert (reply.status_code, reply.headers["x-odd"]) == (201, "yes")
    assert reply.json()["of"] == "charged twice"


def test_a_row_may_do_more_than_its_verb(client: TestClient) -> None:
    assert client.get("/odd").json() == {"all": ["tickets_v1"]}


def test_errors_at_the_path_of_a_row_have_its_form_whoever_refused(client: TestClient) -> None:
    assert client.post("/odd/none", json={"words": "a"}).json() == {"oops": "classifier_not_found"}
    missing = client.post("/odd/tickets_v1", json={})
    assert (missing.status_code, missing.json()) == (499, {"oops": ["words"]})
    assert client.post("/odd/tickets_v1", content=b"{").json() == {"oops": "unsupported_media_type"}
    assert client.delete("/odd").json() == {"oops": "method_not_allowed"}
    assert client.get("/odder").headers["content-type"] == "application/problem+json"


def test_the_status_that_is_counted_is_the_one_that_was_sent(client: TestClient) -> None:
    assert client.post("/odd/tickets_v1", json={}).status_code == 499
    counted = 'windrow_request_duration_seconds_count{endpoint="/odd/{name}",method="POST",status="499"} 1.0'
    assert counted in client.get("/metrics").text.splitlines()


def test_where_paths_collide_the_keys_of_the_body_decide(client: TestClient) -> None:
    assert client.post("/v1/classify", json={"words": "charged twice"}).json()["of"] == "charged twice"
    assert client.post("/v1/classify", json={"text": "a", "labels": ["b", "c"]}).json()["labels"] is None
    own = client.post("/v1/classify", json={"text": "a"})
    assert own.headers["content-type"] == "application/problem+json"
    assert client.post("/v1/classify", json={"words": ""}).json() == {"oops": "invalid_text"}
    assert client.post("/v1/classify", json=["words"]).status_code == 422
    for broken in ("[" * 9_000, '{"words": ' + "[" * 9_000):
        reply = client.post("/v1/classify", content=broken, headers={"Content-Type": "application/json"})
        assert (reply.status_code, reply.json()["code"]) == (400, "invalid_json")


def test_a_colliding_row_is_off_unless_its_format_is_named(operations: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "FOREIGN_ENDPOINTS", ROWS)
    client = TestClient(create_app(operations, Settings()), base_url="http://localhost")
    assert client.post("/v1/classify", json={"words": "a"}).json()["code"] == "invalid_request"


def complete(operations: LocalOperations, request: PredictRequest) -> PredictRequest:
    """Ask what exists for the name that is meant by its beginning."""
    names = [each.name for each in operations.list_classifiers(ListRequest(prefix=request.model_name)).models]
    return replace(request, model_name=names[0] if names else request.model_name)


def test_a_body_that_the_own_verb_cannot_read_goes_to_the_row_that_it_is_meant_for(
    operations: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ForeignEndpoint(
        dialect=ODD,
        method="POST",
        path=PREDICT.path,
        verb=PREDICT,
        read=lambda received: PredictRequest(model_name=received.document["whose"], text=received.document["words"]),
        complete=complete,
        write=write,
        summary="Ask",
        is_meant=lambda members: members.keys() >= {"whose", "words"},
    )
    monkeypatch.setattr(table, "FOREIGN_ENDPOINTS", (row,))
    client = TestClient(create_app(operations, Settings()), base_url="http://localhost")
    assert client.post(FIT_PATH, json={**FIT, "model_name": "tickets_v1"}).status_code == 200
    assert client.post(PREDICT.path, json={"whose": "tick", "words": "twice"}).json()["of"] == "twice"
    assert client.post(PREDICT.path, json={"whose": "none", "words": "twice"}).json() == {
        "oops": "classifier_not_found"
    }
    assert client.post(PREDICT.path, json={"model_name": "tickets_v1", "text": "twice"}).json()["revision"] == 1
    for body in ({"whose": "tick"}, ["whose", "words"], {"model_name": "tickets_v1"}):
        assert client.post(PREDICT.path, json=body).json()["code"] == "invalid_request"
    assert client.post(PREDICT.path, json={"model_name": "none", "text": "a"}).json()["code"] == "classifier_not_found"


def test_a_refusal_says_the_place() -> None:
    error = refused(("questions", 0, "name"), "it is empty. Send one.")
    assert error.detail == "questions[0].name: it is empty. Send one."
    assert error.facts["loc"] == ["questions", 0, "name"]
