"""Following a job whose connection breaks, and a fit that is watched."""

import json
import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest

from tests.client.sockets import ScriptedServer, Step, reply
from tests.wire.strategies import sent
from windrow.client.errors import ConnectionLost, ServerUnreachable, UnexpectedReply
from windrow.client.leaving import now
from windrow.client.remote import RemoteOperations
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row, data_sha256
from windrow.domain.errors import JobNotFound, TrainingCancelled, TrainingFailed, WindrowError
from windrow.domain.job import Job, Problem, Progress
from windrow.wire.job import JobEntry, JobList

NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
QUEUED = Job("a1", "queued", "tickets_v1", 6, "0" * 64, NOW, ahead=1)
RUNNING = replace(QUEUED, state="running", ahead=0, started_at=NOW, progress=Progress("encoding"))
FURTHER = replace(RUNNING, progress=Progress("training", 1, 2, 1.5, 3.0))
DONE = replace(RUNNING, state="succeeded", progress=None, finished_at=NOW, revision=1)
REQUEST = FitRequest("tickets_v1", (Row("a", "b"), Row("c", "d")))


def events(*jobs: Job, is_cut: bool = False) -> bytes:
    """Return a stream of events, in chunks; one that is cut has no end."""
    parts = [f": still here\n\nevent: {job.state}\ndata: {sent(JobEntry.of(job))}\n\n".encode() for job in jobs]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + (b"" if is_cut else b"0\r\n\r\n")
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def breaking(*jobs: Job) -> Step:
    """Return the step that sends some events and then cuts the connection."""
    return lambda connection: connection.sendall(events(*jobs, is_cut=True))


def follow(server: ScriptedServer) -> list[Job]:
    remote = RemoteOperations(server.url)
    try:
        return list(remote._follow("a1"))
    finally:
        remote.close()


def test_a_job_is_told_as_its_events_come() -> None:
    with ScriptedServer([events(QUEUED, RUNNING, FURTHER, DONE)]) as server:
        assert follow(server) == [QUEUED, RUNNING, FURTHER, DONE]
    assert server.lines == ["GET /v1/classifier/jobs/a1/events"]


def test_where_the_connection_breaks_a_new_one_goes_on_and_nothing_is_told_twice() -> None:
    script: list[Step] = [
        lambda c: c.sendall(events(QUEUED, RUNNING, is_cut=True)),
        events(RUNNING),
        events(RUNNING, DONE),
    ]
    with (
        ScriptedServer(script) as server,
        pytest.raises(ConnectionLost, match=r"stopped telling .* job a1 and may still run"),
    ):
        follow(server)
    with ScriptedServer([*script[:1], events(FURTHER), events(DONE)]) as server:
        assert follow(server) == [QUEUED, RUNNING, FURTHER, DONE]
    assert len(server.requests) == 3


def test_a_connection_that_breaks_twice_without_news_is_told() -> None:
    with (
        ScriptedServer([None, None, events(DONE)]) as server,
        pytest.raises(ConnectionLost, match="The training is the job a1 and may still run") as caught,
    ):
        follow(server)
    assert caught.value.facts["job"] == "a1"
    assert len(server.requests) == 2


def test_who_stops_following_lets_go_of_the_connection() -> None:
    with ScriptedServer([breaking(QUEUED), reply(body=b'{"jobs": []}')]) as server:
        remote = RemoteOperations(server.url)
        following = remote._follow("a1")
        assert next(following) == QUEUED
        following.close()  # type: ignore[attr-defined]
        assert remote.list_jobs() == ()
        remote.close()
    assert server.connections == 2


def test_a_job_that_does_not_exist_is_told() -> None:
    body = json.dumps({"code": "job_not_found", "detail": "No."}).encode()
    with ScriptedServer([reply(404, body, "application/problem+json")]) as server, pytest.raises(JobNotFound):
        RemoteOperations(server.url).follow_job("a1")


@pytest.mark.parametrize("stream", [b"data: {}\n\n", b"data: <html>\n\n"])
def test_events_of_another_shape_are_no_windrow_servers(stream: bytes) -> None:
    with (
        ScriptedServer([reply(body=stream, content_type="text/event-stream")]) as server,
        pytest.raises(UnexpectedReply),
    ):
        follow(server)


@pytest.mark.parametrize(
    ("problem", "error"),
    [
        (Problem("training_cancelled", "Somebody did.", {"job": "a1"}), TrainingCancelled),
        (Problem("internal_error", "Look in the log.", {}), TrainingFailed),
    ],
)
def test_a_watched_fit_raises_what_its_job_says(problem: Problem, error: type[WindrowError]) -> None:
    ended = replace(RUNNING, state="failed", progress=None, finished_at=NOW, problem=problem)
    told: list[Progress] = []
    script = [reply(202, sent(JobEntry.of(QUEUED)).encode()), events(QUEUED, RUNNING, FURTHER, FURTHER, ended)]
    with ScriptedServer(script) as server, pytest.raises(error) as caught:
        RemoteOperations(server.url).fit(REQUEST, told.append)
    assert (caught.value.detail, caught.value.facts) == (problem.detail, problem.facts)
    assert told == [RUNNING.progress, FURTHER.progress]
    assert server.lines == ["POST /v1/classifier/fit?wait=false", "GET /v1/classifier/jobs/a1/events"]


def test_a_job_that_ends_without_a_result_and_without_a_reason_is_told() -> None:
    odd = replace(DONE, revision=None)
    with (
        ScriptedServer([reply(202, sent(JobEntry.of(QUEUED)).encode()), events(odd)]) as server,
        pytest.raises(UnexpectedReply, match="a1 ended without a result"),
    ):
        RemoteOperations(server.url).fit(REQUEST, lambda progress: None)


def test_a_server_that_dies_while_a_fit_is_watched_is_told() -> None:
    script: list[Step] = [
        reply(202, sent(JobEntry.of(QUEUED)).encode()),
        breaking(RUNNING),
        None,
    ]
    with ScriptedServer(script) as server, pytest.raises((ConnectionLost, ServerUnreachable), match="job a1"):
        RemoteOperations(server.url).fit(REQUEST, lambda progress: None)


def test_a_listener_that_fails_does_not_end_the_fit() -> None:
    def fail(progress: Progress) -> None:
        raise RuntimeError("a defect in whoever listens")

    failed = replace(RUNNING, state="cancelled", problem=Problem("training_cancelled", "Somebody did."))
    with (
        ScriptedServer([reply(202, sent(JobEntry.of(QUEUED)).encode()), events(RUNNING, failed)]) as server,
        pytest.raises(TrainingCancelled),
    ):
        RemoteOperations(server.url).fit(REQUEST, fail)


def interrupt(connection: object) -> None:
    """Press Ctrl-C, as far as this thread's requests can tell: the main thread is in a fit, and no reply comes."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def listed(*jobs: Job) -> bytes:
    return reply(body=sent(JobList.of(jobs)).encode())


def test_ctrl_c_before_the_reply_cancels_what_was_begun() -> None:
    began = replace(QUEUED, data_sha256=data_sha256(REQUEST.rows), created_at=now() + timedelta(minutes=1))
    cancelled = reply(body=sent(JobEntry.of(replace(began, state="cancelled"))).encode())
    with ScriptedServer([interrupt, listed(began), cancelled]) as server, pytest.raises(KeyboardInterrupt):
        RemoteOperations(server.url).fit(REQUEST)
    assert server.lines[1:] == ["GET /v1/classifier/jobs?limit=100", "POST /v1/classifier/jobs/a1/cancel"]


@pytest.mark.parametrize(
    "answer",
    [
        reply(409, json.dumps({"code": "job_finished", "detail": "No."}).encode(), "application/problem+json"),
        reply(body=b"<html>"),
        None,
    ],
    ids=["it has ended", "garbage", "no answer"],
)
def test_whatever_becomes_of_the_cancelling_ctrl_c_stays_ctrl_c(answer: Step) -> None:
    def stop(progress: Progress) -> NoReturn:
        raise KeyboardInterrupt

    script = [reply(202, sent(JobEntry.of(QUEUED)).encode()), events(QUEUED, RUNNING, DONE), answer]
    with ScriptedServer(script) as server, pytest.raises(KeyboardInterrupt):
        RemoteOperations(server.url).fit(REQUEST, stop)
    assert server.lines[-1] == "POST /v1/classifier/jobs/a1/cancel"
