"""What a client is told in place of a replica that was lost, and what never reaches a replica."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from windrow.http.front import ReplicaFront, proxy_middlewares

LIMIT = 10
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
BODY: Message = {"type": "http.response.body", "body": b"ok"}


def ask(app: Any, *messages: Message, headers: tuple[tuple[bytes, bytes], ...] = ()) -> list[Message]:
    """Return what a client is sent that sends some messages."""
    left, sent = list(messages or ({"type": "http.request", "body": b"", "more_body": False},)), list[Message]()

    async def receive() -> Message:
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": list(headers)}
    asyncio.run(ReplicaFront(app, LIMIT)(scope, receive, send))
    return sent


def problem_in(sent: list[Message]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(b"".join(each.get("body", b"") for each in sent))
    assert sent[0]["status"] == document["status"]
    assert (b"x-request-id", document["request_id"].encode()) in sent[0]["headers"]
    return document


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send(START)
    await send(BODY)


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError


async def broken_in_the_middle(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    raise RuntimeError


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] == "http.request" and message["more_body"]:
        pass
    if message["type"] == "http.request":
        await answering(scope, receive, send)


def test_an_answer_is_handed_on_as_it_is() -> None:
    assert ask(answering) == [START, BODY]


@pytest.mark.parametrize("app", [silent, broken])
def test_a_request_without_an_answer_is_told_that_its_replica_was_lost(app: Any) -> None:
    document = problem_in(ask(app, headers=((b"x-request-id", b"mine"),)))
    assert (document["status"], document["code"], document["request_id"]) == (502, "replica_lost", "mine")


def test_an_answer_that_breaks_off_breaks_off_for_the_client_too() -> None:
    with pytest.raises(RuntimeError):
        ask(broken_in_the_middle)


def test_a_client_that_left_is_sent_nothing() -> None:
    assert ask(silent, {"type": "http.disconnect"}) == []


def test_a_body_larger_than_any_is_refused_when_it_is_seen_to_be() -> None:
    part: Message = {"type": "http.request", "body": b"x" * LIMIT, "more_body": True}
    assert ask(reading, part, {"type": "http.request", "body": b"", "more_body": False}) == [START, BODY]
    assert problem_in(ask(reading, part, part, part))["code"] == "body_too_large"


@pytest.mark.parametrize(("sent", "is_kept"), [(b"abc-1", True), (b"bad id !", False), (None, False)])
def test_a_request_has_one_id_which_may_stand_in_a_log(sent: bytes | None, *, is_kept: bool) -> None:
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(value for name, value in scope["headers"] if name == b"x-request-id")
        await answering(scope, receive, send)

    ask(app, headers=() if sent is None else ((b"x-request-id", sent),))
    assert len(seen) == 1
    assert (seen[0] == sent) is is_kept
    assert b" " not in seen[0]


def test_other_connections_are_handed_on() -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    asyncio.run(ReplicaFront(app, LIMIT)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]


def test_the_proxies_take_what_the_largest_import_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDROW_MAX_IMPORT_BYTES", "1000000000")
    (middleware,) = proxy_middlewares()
    kind: object = middleware.cls
    assert kind is ReplicaFront
    assert middleware.args == (1_000_000_000,)
