"""What each foreign format says where something is refused: keys, limits, defects, and bodies of any JSON at all."""

import json
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.asking import FIT, FIT_PATH
from windrow.api.foreign.cohere import COHERE
from windrow.api.foreign.form import Dialect
from windrow.api.foreign.openai import OPENAI
from windrow.api.foreign.system_one import TYPESAFE
from windrow.api.foreign.tei import TEI
from windrow.api.foreign.vllm import VLLM

PROBLEM: Final = {"code": "a_code", "detail": "What to do."}


@pytest.mark.parametrize(
    ("dialect", "status", "document"),
    [
        (
            OPENAI,
            401,
            {"error": {"message": "What to do.", "type": "authentication_error", "param": None, "code": "a_code"}},
        ),
        (
            OPENAI,
            429,
            {"error": {"message": "What to do.", "type": "rate_limit_error", "param": None, "code": "a_code"}},
        ),
        (OPENAI, 500, {"error": {"message": "What to do.", "type": "server_error", "param": None, "code": "a_code"}}),
        (TYPESAFE, 401, {"detail": {"error_type": "authentication_error", "message": "What to do."}}),
        (TYPESAFE, 413, {"detail": {"error_type": "invalid_request_error", "message": "What to do."}}),
        (TYPESAFE, 503, {"detail": {"error_type": "internal_server_error", "message": "What to do."}}),
        (TYPESAFE, 422, {"detail": [{"loc": ["body"], "msg": "What to do.", "type": "a_code"}]}),
        (VLLM, 404, {"error": {"message": "What to do.", "type": "NotFoundError", "param": None, "code": 404}}),
        (VLLM, 500, {"error": {"message": "What to do.", "type": "InternalServerError", "param": None, "code": 500}}),
        (TEI, 429, {"error": "What to do.", "error_type": "overloaded"}),
        (TEI, 503, {"error": "What to do.", "error_type": "backend"}),
        (COHERE, 403, {"message": "What to do."}),
    ],
)
def test_an_error_has_the_form_of_the_format(dialect: Dialect, status: int, document: object) -> None:
    assert dialect.write_error({**PROBLEM, "status": status}) == (status, document)


def test_what_cannot_be_read_is_unprocessable_to_typesafe() -> None:
    assert TYPESAFE.write_error({**PROBLEM, "status": 400})[0] == 422
    assert TYPESAFE.write_error({**PROBLEM, "status": 415})[0] == 422


# Words of the formats among any others, so that a body often gets somewhere.
KEYS = (
    *(
        "model",
        "input",
        "inputs",
        "state",
        "questions",
        "type",
        "name",
        "instructions",
        "choices",
        "levels",
        "criteria",
    ),
    *("value", "label", "true", "choice", "score", "noul", "predicate", "windrow", "role", "content", "text", "user"),
)
WORDS = st.sampled_from(KEYS) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
QUESTION = st.fixed_dictionaries(
    {"type": st.sampled_from(("predicate", "choice", "score", "noul", "box"))},
    optional=dict.fromkeys(("name", "instructions", "choices", "levels", "criteria"), VALUES),
)
BODIES = VALUES | st.fixed_dictionaries(
    {"model": st.just("windrow") | VALUES, "questions": st.lists(QUESTION | VALUES, max_size=2)},
    optional={"input": WORDS | VALUES},
)
STATES = VALUES | st.fixed_dictionaries(
    {"model": st.just("jev-latest") | VALUES, "questions": st.dictionaries(WORDS, QUESTION | VALUES, max_size=2)},
    optional={"state": WORDS | VALUES},
)


@pytest.mark.parametrize(
    ("path", "bodies"),
    [("/v1/decisions", BODIES), ("/v1/systemone", STATES), ("/classify", VALUES), ("/predict", VALUES)],
)
def test_no_body_is_a_defect(client: httpx.Client, path: str, bodies: st.SearchStrategy[Any]) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bodies)
    def send(body: object) -> None:
        reply = client.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert reply.status_code in (200, 404, 413, 422), reply.text
        assert reply.headers["content-type"] == "application/json"

    send()


def test_a_body_that_is_no_json_and_one_that_is_too_large_are_told_in_the_format(client: httpx.Client) -> None:
    large = {"model": "windrow", "state": "a " * 20_000, "questions": {}}
    reply = client.post("/v1/systemone", json=large)
    assert (reply.status_code, reply.json()["detail"]["error_type"]) == (413, "invalid_request_error")
    reply = client.post("/v1/systemone", content=b"{", headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body"])


def test_a_model_that_is_not_there_is_told_in_the_format(client: httpx.Client) -> None:
    assert client.post(FIT_PATH, json=FIT).status_code == 200
    assert client.get("/v1/models/nothing").json()["error"]["code"] == "model_not_found"
