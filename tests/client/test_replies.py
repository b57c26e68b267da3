"""What replies mean: values, and each error as the class that the server raised."""

import json

import pytest

from windrow.client.errors import FailedInServer, RefusedByServer, UnexpectedReply
from windrow.client.replies import error_of, problem_of, read_reply, to_json
from windrow.domain import errors
from windrow.domain.errors import InvalidParameter, WindrowError
from windrow.http.problems import STATUSES, problem_response
from windrow.wire.alias import SaidBody
from windrow.wire.prediction import PredictBody
from windrow.wire.server import Health

URL = "http://127.0.0.1:8000"
FACTS = {"row": 3, "near_names": ["a"], "limit": None}


@pytest.mark.parametrize("raised", STATUSES, ids=lambda raised: raised.code)
def test_each_error_comes_back_as_its_class_with_code_words_and_facts(raised: type[WindrowError]) -> None:
    reply = problem_response(raised("What went wrong. What to do.", FACTS), "id")
    error = problem_of(reply.status_code, str(reply.media_type), bytes(reply.body), URL)
    assert (error.code, error.detail, error.facts) == (raised.code, "What went wrong. What to do.", FACTS)
    if raised.__module__ == errors.__name__:
        assert type(error) is raised
    else:
        assert type(error) is (RefusedByServer if reply.status_code < 500 else FailedInServer)


def test_an_unknown_code_of_a_job_is_a_failure_in_the_server() -> None:
    error = error_of("internal_error", "Look in the log.", {})
    assert (type(error), error.code) == (FailedInServer, "internal_error")
    assert FailedInServer.code == "failed_in_server"


@pytest.mark.parametrize(
    ("status", "content_type", "content", "said"),
    [
        (404, "text/html", b"<html>", "is no Windrow server: it says status 404"),
        (404, "application/problem+json", b"{", "is no Windrow server"),
        (404, "application/problem+json", b"[]", "is no Windrow server"),
        (404, "application/problem+json", b'{"title": "x"}', "is no Windrow server"),
        (404, "application/json", b'{"code": "alias_not_found", "detail": "x"}', "is no Windrow server"),
        (302, "text/html", b"", "points to another address"),
        (401, "text/plain", b"", "asks for a password"),
        (502, "text/html", b"", "cannot reach Windrow"),
        (504, "text/html", b"", "cannot reach Windrow"),
    ],
)
def test_whatever_else_refuses_is_no_windrow_server(status: int, content_type: str, content: bytes, said: str) -> None:
    error = problem_of(status, content_type, content, URL)
    assert (type(error), error.facts) == (UnexpectedReply, {"url": URL, "status": status})
    assert said in error.detail


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"status": "up"}', b'{"status": "ok"}', b"\xff"])
def test_a_reply_of_another_shape_is_no_windrow_servers(content: bytes) -> None:
    with pytest.raises(UnexpectedReply, match=URL) as caught:
        read_reply(content, Health, URL)
    assert "ok" not in caught.value.detail


def test_fields_that_a_newer_server_adds_are_left_out() -> None:
    assert read_reply(b'{"status": "ok", "version": "9", "mood": "fine"}', Health, URL) == Health(version="9")


def test_a_body_is_json_in_utf8_and_half_a_surrogate_pair_still_reaches_the_server() -> None:
    content = to_json(SaidBody.model_construct(reason="größer", by="\ud800"))
    assert content == '{"reason":"größer","by":"\\ud800"}'.encode()
    assert json.loads(content) == {"reason": "größer", "by": "\ud800"}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_has_not_is_refused_before_anything_is_sent(number: float) -> None:
    with pytest.raises(InvalidParameter, match="Send a finite one"):
        to_json(PredictBody.model_construct(model_name="a", text="b", abstain_below=number))
