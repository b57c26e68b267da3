"""What replies mean: values, and each error as the class that the server raised."""

import json
from typing import Any

import pytest

from windrow.client.errors import FailedInServer, RefusedByServer, UnexpectedReply
from windrow.client.replies import parse_problem, read_predict_reply, read_reply
from windrow.domain import errors
from windrow.domain.base_models import BaseModelRemoval
from windrow.domain.errors import WindrowError
from windrow.domain.prediction import PredictRequest
from windrow.domain.words import Words

URL = "http://127.0.0.1:8000"
PROBLEM = "application/problem+json"
CLASSES = [each for each in map(errors.class_of, sorted(errors._BY_CODE)) if each is not None]


class Upper(Words):
    """Words unlike those of Python."""

    send = "shout"

    def argument(self, name: str) -> str:
        return name.upper()


def problem(code: str, status: int = 400, **members: Any) -> WindrowError:
    content = json.dumps({"code": code, "status": status, "type": "x", "title": "X", "request_id": "id", **members})
    return parse_problem(status, f"{PROBLEM}; charset=utf-8", content.encode(), URL)


@pytest.mark.parametrize("raised", CLASSES, ids=lambda raised: raised.code)
def test_each_error_comes_back_as_its_class_with_code_facts_and_words(raised: type[WindrowError]) -> None:
    facts: dict[str, Any] = {"row": 3, "near_names": ["a"], "limit": None}
    error = problem(raised.code, template="{arg:top_k} is wrong in {row}. {Send} another.", detail="x", **facts)
    assert type(error) is raised
    assert (error.code, error.facts) == (raised.code, facts)
    assert error.detail == "top_k is wrong in 3. Pass another."
    assert error.told(Upper()) == "TOP_K is wrong in 3. Shout another."


def test_words_without_a_template_are_taken_as_they_are() -> None:
    error = problem("alias_not_found", detail="There is no {name}, nor {arg:top_k}.", name="a")
    assert error.detail == error.told(Upper()) == "There is no {name}, nor {arg:top_k}."
    assert problem("alias_not_found").detail == "The server gave no reason."


def test_codes_that_only_http_has_are_kept() -> None:
    refused = problem("body_too_large", 413, detail="Too large.", limit=9)
    assert (type(refused), refused.code, refused.facts) == (RefusedByServer, "body_too_large", {"limit": 9})
    failed = problem("internal_error", 500, detail="Look in the log.")
    assert (type(failed), failed.code, failed.detail) == (FailedInServer, "internal_error", "Look in the log.")
    assert (RefusedByServer.code, FailedInServer.code) == ("refused_by_server", "failed_in_server")


@pytest.mark.parametrize(
    ("status", "content_type", "content", "said"),
    [
        (404, "text/html", b"<html>", "is no Windrow server: it says status 404"),
        (404, PROBLEM, b"{", "is no Windrow server"),
        (404, PROBLEM, b"[]", "is no Windrow server"),
        (404, PROBLEM, b"\xef\xbb\xbf" + b"[" * 9_000, "is no Windrow server"),
        (404, PROBLEM, b'{"title": "x"}', "is no Windrow server"),
        (404, "application/json", b'{"code": "alias_not_found", "detail": "x"}', "is no Windrow server"),
        (302, "text/html", b"", "points to another address"),
        (401, "text/plain", b"", "asks for a password"),
        (502, "text/html", b"", "cannot reach Windrow"),
        (504, "text/html", b"", "cannot reach Windrow"),
    ],
)
def test_whatever_else_refuses_is_no_windrow_server(status: int, content_type: str, content: bytes, said: str) -> None:
    error = parse_problem(status, content_type, content, URL)
    assert (type(error), error.facts) == (UnexpectedReply, {"url": URL, "status": status})
    assert said in error.detail


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"base_model": "a/b"}', b'{"freed_bytes": "1"}', b"\xff"])
def test_a_reply_of_another_shape_is_no_windrow_servers(content: bytes) -> None:
    with pytest.raises(UnexpectedReply, match=URL) as caught:
        read_reply(BaseModelRemoval, content, URL)
    assert "base_model" not in caught.value.detail
    with pytest.raises(UnexpectedReply, match=URL):
        read_predict_reply(PredictRequest(model_name="a", text="b"), content, URL)


def test_fields_that_a_newer_server_adds_are_left_out() -> None:
    content = b'{"base_model": "a/b", "freed_bytes": 9, "status": "deleted", "mood": "fine"}'
    assert read_reply(BaseModelRemoval, content, URL) == BaseModelRemoval("a/b", 9)
