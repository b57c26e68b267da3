"""What the asynchronous client adds to the verbs: a fit that is watched, events over broken connections, leaving."""

import asyncio
import contextlib
import socket
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.client.jobs import DONE, FURTHER, QUEUED, RUNNING, begun, breaking, events, listed
from tests.client.sockets import ScriptedServer, Step, reply
from tests.client.test_remote import REQUEST
from windrow.client.async_remote import AsyncRemoteOperations
from windrow.client.errors import ConnectionLost, ServerUnreachable, UnexpectedReply
from windrow.client.remote import RemoteOperations
from windrow.codec.values import to_json
from windrow.domain.archive import ExportRequest
from windrow.domain.classifier import ModelRequest
from windrow.domain.clock import utc_now
from windrow.domain.errors import InvalidName, InvalidParameter, TrainingCancelled
from windrow.domain.job import Job, JobRequest, Problem, Progress
from windrow.domain.labelled_rows import dataset_of
from windrow.domain.listing import Listing, ListRequest


async def followed(url: str) -> list[Job]:
    remote = AsyncRemoteOperations(url)
    try:
        return [job async for job in remote.follow_job(JobRequest("a1"))]
    finally:
        await remote.close()


async def fitted(url: str, told: list[Progress]) -> object:
    remote = AsyncRemoteOperations(url)
    try:
        return await remote.fit(REQUEST, told.append)
    finally:
        await remote.close()


def test_a_list_has_whole_records_as_that_of_the_other_client() -> None:
    async def listing(url: str) -> object:
        remote = AsyncRemoteOperations(url)
        found = await remote.call("list_classifiers", ListRequest(tag="a"))
        await remote.close()
        return found

    with ScriptedServer([reply(body=b'{"models": [], "next_cursor": null}')]) as server:
        assert asyncio.run(listing(server.url)) == Listing(())
    assert server.lines == ["GET /v1/classifier/models?tag=a&full=true"]


def test_a_job_is_followed_over_a_connection_that_breaks() -> None:
    one = reply(body=to_json(QUEUED))
    with ScriptedServer([one, breaking(QUEUED, RUNNING), events(RUNNING, FURTHER, DONE)]) as server:
        assert asyncio.run(followed(server.url)) == [QUEUED, RUNNING, FURTHER, DONE]


def test_a_connection_that_breaks_twice_without_news_is_told_with_the_job() -> None:
    script: list[Step] = [reply(body=to_json(QUEUED)), breaking(RUNNING), breaking(RUNNING)]
    with ScriptedServer(script) as server, pytest.raises((ConnectionLost, ServerUnreachable), match="job a1"):
        asyncio.run(followed(server.url))


def test_what_sends_no_events_is_told() -> None:
    script = [reply(body=to_json(QUEUED)), reply(body=b"x" * 1_000_001)]
    with ScriptedServer(script) as server, pytest.raises(UnexpectedReply, match="no events of a job"):
        asyncio.run(followed(server.url))


def test_a_watched_fit_tells_how_far_it_is_and_raises_what_its_job_says() -> None:
    problem = Problem("training_cancelled", "Somebody did.", {"job": "a1"})
    ended = replace(RUNNING, state="cancelled", progress=None, problem=problem)
    told: list[Progress] = []
    with (
        ScriptedServer([begun(), events(QUEUED, RUNNING, FURTHER, FURTHER, ended)]) as server,
        pytest.raises(TrainingCancelled, match="Somebody did"),
    ):
        asyncio.run(fitted(server.url, told))
    assert told == [RUNNING.progress, FURTHER.progress]
    assert server.lines == ["POST /v1/classifier/fit?wait=false", "GET /v1/classifier/jobs/a1/events"]


def test_a_task_that_is_cancelled_cancels_its_training() -> None:
    async def cancelled(url: str) -> None:
        heard = asyncio.Event()
        remote = AsyncRemoteOperations(url)
        task = asyncio.create_task(remote.fit(REQUEST, lambda progress: heard.set()))
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await remote.close()

    # The server answers one connection after the other, so the stream ends by itself; the training goes on.
    script: list[Step] = [begun(), breaking(RUNNING), reply(body=to_json(replace(RUNNING, state="cancelled")))]
    with ScriptedServer(script) as server, contextlib.suppress(ConnectionLost):
        asyncio.run(cancelled(server.url))
    assert server.lines[-1] == "POST /v1/classifier/jobs/a1/cancel"


def test_a_task_that_is_cancelled_twice_lets_go_of_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, stop_waiting, closed = (threading.Event() for _ in range(3))

    def cancel(*_: object) -> None:
        entered.set()
        stop_waiting.wait(30)

    monkeypatch.setattr(RemoteOperations, "cancel_after_interrupt", cancel)
    monkeypatch.setattr(RemoteOperations, "close", lambda _: closed.set())

    async def cancelled(url: str) -> None:
        heard = asyncio.Event()
        remote = AsyncRemoteOperations(url)
        task = asyncio.create_task(remote.fit(REQUEST, lambda progress: heard.set()))
        await heard.wait()
        task.cancel()
        assert await asyncio.to_thread(entered.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        stop_waiting.set()
        await asyncio.to_thread(closed.wait, 30)
        await remote.close()

    with ScriptedServer([begun(), breaking(RUNNING)]) as server, contextlib.suppress(ConnectionLost):
        asyncio.run(cancelled(server.url))
    assert closed.is_set()


def test_an_export_of_which_nothing_was_read_lets_go_of_its_connection() -> None:
    ended = threading.Event()

    def send(connection: socket.socket) -> None:
        connection.sendall(reply(body=b"x" * 1_000_000)[:1_000])
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        ended.set()

    async def run(url: str) -> None:
        remote = AsyncRemoteOperations(url)
        await asyncio.to_thread((await remote.export(ExportRequest("a"))).close)
        assert await asyncio.to_thread(ended.wait, 30)
        await remote.close()

    with ScriptedServer([send]) as server:
        asyncio.run(run(server.url))


def test_a_task_that_is_cancelled_before_the_reply_cancels_what_was_begun() -> None:
    begun_job = replace(
        QUEUED,
        training_data_sha256=dataset_of(REQUEST.training_data).sha256,
        created_at=utc_now() + timedelta(minutes=1),
    )

    async def cancelled(url: str, asked: asyncio.Event) -> None:
        remote = AsyncRemoteOperations(url)
        task = asyncio.create_task(remote.fit(REQUEST))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await remote.close()

    async def run() -> None:
        loop, asked = asyncio.get_running_loop(), asyncio.Event()
        stopped = reply(body=to_json(replace(begun_job, state="cancelled")))
        script: list[Step] = [lambda connection: loop.call_soon_threadsafe(asked.set), listed(begun_job), stopped]
        # The scripted server cuts the connection once its step is done, which may be told first.
        with ScriptedServer(script) as server, contextlib.suppress(ConnectionLost):
            await cancelled(server.url, asked)
            assert server.lines[1:] == ["GET /v1/classifier/jobs", "POST /v1/classifier/jobs/a1/cancel"]

    asyncio.run(run())


def test_what_needs_no_server_to_be_refused_is_refused_without_one() -> None:
    async def refused() -> None:
        remote = AsyncRemoteOperations("http://127.0.0.1:9")
        with pytest.raises(InvalidName):
            await remote.call("show", ModelRequest("../../health"))
        await remote.close()

    asyncio.run(refused())
    with pytest.raises(InvalidParameter, match=r"^timeout_s is 0"):
        AsyncRemoteOperations("http://127.0.0.1:9", 0)
