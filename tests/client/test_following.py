"""A job that is followed though its connection breaks."""

import json

import pytest

from tests.client.jobs import DONE, FURTHER, QUEUED, RUNNING, breaking, events, listed
from tests.client.sockets import ScriptedServer, Step, reply
from windrow.client.errors import ConnectionLost, UnexpectedReply
from windrow.client.following import naming_result
from windrow.client.remote import RemoteOperations
from windrow.domain.errors import InsufficientScope, JobNotFound
from windrow.domain.job import Job, JobList, JobListRequest, JobRequest


def follow(server: ScriptedServer) -> list[Job]:
    remote = RemoteOperations(server.url)
    try:
        return list(remote._follow(JobRequest("a1")))
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
    assert caught.value.facts["job_id"] == "a1"
    assert len(server.requests) == 2


def test_who_stops_following_lets_go_of_the_connection() -> None:
    with ScriptedServer([breaking(QUEUED), listed()]) as server:
        remote = RemoteOperations(server.url)
        following = remote._follow(JobRequest("a1"))
        assert next(following) == QUEUED
        following.close()  # type: ignore[attr-defined]
        assert remote.list_jobs(JobListRequest()) == JobList(())
        remote.close()
    assert server.connections == 2


def test_a_job_that_does_not_exist_is_told() -> None:
    body = json.dumps({"code": "job_not_found", "detail": "No."}).encode()
    with ScriptedServer([reply(404, body, "application/problem+json")]) as server, pytest.raises(JobNotFound):
        RemoteOperations(server.url).follow_job(JobRequest("a1"))


@pytest.mark.parametrize("stream", [b"data: {}\n\n", b"data: <html>\n\n"])
def test_events_of_another_shape_are_no_windrow_servers(stream: bytes) -> None:
    with (
        ScriptedServer([reply(body=stream, content_type="text/event-stream")]) as server,
        pytest.raises(UnexpectedReply),
    ):
        follow(server)


def test_a_key_that_may_not_follow_is_told_that_the_training_goes_on() -> None:
    body = json.dumps({"code": "insufficient_scope", "detail": "It lacks the scope read."}).encode()
    with (
        ScriptedServer([reply(403, body, "application/problem+json")]) as server,
        pytest.raises(InsufficientScope, match=r"lacks the scope read\. The training is the job a1 and may still run"),
    ):
        follow(server)


def test_a_key_that_may_not_see_what_was_trained_is_told_that_it_was() -> None:
    with (
        pytest.raises(
            InsufficientScope, match=r"lacks read\. The training itself succeeded, and tickets_v1 answers by"
        ),
        naming_result(DONE),
    ):
        raise InsufficientScope("It lacks read.", {"scope": "read"})
