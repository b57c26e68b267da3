"""The stream of a job's events over a real socket: what it says, when, and how it ends."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.client.serving import serving
from tests.http.asking import FIT, FIT_PATH, JOBS, check_problem, fit, wait_until
from tests.http.conftest import SETTINGS
from tests.toy import Toy
from windrow.domain.access import CreateKeyRequest, KeyRequest
from windrow.domain.errors import StorageFailed
from windrow.domain.job import Job, JobRequest, Progress
from windrow.http import events


class Pause:
    """Stops a training before it begins to learn, until it is told to go on."""

    def __init__(self, operations: Toy) -> None:
        self.go_on = threading.Event()
        self._reached = threading.Event()
        operations.before_fit = self._stop

    def wait_until_reached(self) -> None:
        assert self._reached.wait(30)

    def _stop(self) -> None:
        self._reached.set()
        self.go_on.wait(30)


@pytest.fixture
def pause(operations: Toy) -> Iterator[Pause]:
    pause = Pause(operations)
    yield pause
    pause.go_on.set()


def begin(client: httpx.Client, name: str = "tickets_v1") -> str:
    """Begin a training and return its job's id."""
    return str(client.post(f"{FIT_PATH}?wait=false", json={**FIT, "model_name": name}).json()["id"])


def client_with(url: str, key: str) -> httpx.Client:
    """Return a client that sends an API key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=30, verify=context)


@contextmanager
def followed(client: httpx.Client, job: str) -> Iterator[Iterator[str]]:
    """The lines of a job's stream, as they come."""
    with client.stream("GET", f"{JOBS}/{job}/events") as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "text/event-stream"
        assert reply.headers["cache-control"] == "no-cache"
        yield reply.iter_lines()


def next_event(lines: Iterator[str]) -> tuple[int, str, dict[str, Any]]:
    """Read one event: its number, its name, its job. Nothing else may stand between them."""
    number, name, data, end = (next(lines) for _ in range(4))
    assert end == ""
    assert (number[:4], name[:7], data[:6]) == ("id: ", "event: ", "data: ")
    return int(number[4:]), name[7:], json.loads(data[6:])


def test_the_job_comes_at_once_as_it_is_and_then_whenever_it_changes_until_it_is_finished(
    client: httpx.Client, pause: Pause
) -> None:
    job = begin(client)
    pause.wait_until_reached()
    with followed(client, job) as lines:
        number, name, shown = next_event(lines)
        assert (number, name, shown["id"]) == (1, "running", job)
        assert shown["progress"]["stage"] in ("encoding", "training")
        pause.go_on.set()
        told = [shown]
        while not told[-1]["finished_at"]:
            number, name, shown = next_event(lines)
            assert (number, name) == (len(told) + 1, shown["state"])
            told.append(shown)
        assert list(lines) == []
    assert (told[-1]["state"], told[-1]["revision"]) == ("succeeded", 1)
    assert told[-1] == client.get(f"{JOBS}/{job}").json()


def test_each_step_comes_while_the_training_is_still_at_it(client: httpx.Client, operations: Toy) -> None:
    step, seen = threading.Semaphore(0), threading.Event()

    def stop(progress: Progress) -> None:
        seen.set()
        step.acquire(timeout=30)

    operations.at_step = stop
    job = begin(client)
    assert seen.wait(30)
    with followed(client, job) as lines:
        _, _, shown = next_event(lines)
        progress = shown["progress"]
        assert (progress["stage"], progress["step"], progress["num_steps"], progress["loss"]) == ("training", 1, 2, 1.5)
        step.release()
        _, _, shown = next_event(lines)
        assert (shown["progress"]["stage"], shown["progress"]["step"]) == ("training", 2)
        step.release(9)


def test_a_job_that_is_finished_has_one_event(client: httpx.Client) -> None:
    fit(client)
    [job] = client.get(JOBS).json()["jobs"]
    with followed(client, job["id"]) as lines:
        assert next_event(lines) == (1, "succeeded", job)
        assert list(lines) == []


def test_whoever_follows_a_job_in_the_line_sees_it_move_up_and_be_cancelled(client: httpx.Client, pause: Pause) -> None:
    first, second, third = (begin(client, f"tickets_v{number}") for number in (1, 2, 3))
    with followed(client, third) as lines:
        assert next_event(lines)[2]["ahead"] == 1
        client.post(f"{JOBS}/{second}/cancel")
        assert next_event(lines)[2]["ahead"] == 0
        client.post(f"{JOBS}/{third}/cancel")
        _, name, shown = next_event(lines)
        assert (name, shown["problem"]["code"]) == ("cancelled", "training_cancelled")
        assert list(lines) == []
    assert client.get(f"{JOBS}/{first}").json()["state"] == "running"


def test_a_job_of_which_nothing_is_heard_gives_a_sign_that_the_connection_lives(
    client: httpx.Client, pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_INTERVAL_S", 0.0)
    with followed(client, begin(client)) as lines:
        pause.wait_until_reached()
        assert any(line == ": still here" for line in lines)


def test_an_unknown_job_is_a_problem_and_no_stream(client: httpx.Client) -> None:
    check_problem(client.get(f"{JOBS}/nothing/events"), 404, "job_not_found")


def test_a_client_that_leaves_ends_the_looking(
    client: httpx.Client, operations: Toy, pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    job = begin(client)
    pause.wait_until_reached()
    real = operations.job

    def counted(request: JobRequest) -> Job:
        looks.append(request.job_id)
        return real(request)

    monkeypatch.setattr(operations, "job", counted)
    ended = threading.Event()
    stream = events._events

    async def watched(*arguments: Any) -> Any:
        try:
            async for event in stream(*arguments):
                yield event
        finally:
            ended.set()

    monkeypatch.setattr(events, "_events", watched)
    with followed(client, job) as lines:
        next_event(lines)
        wait_until(lambda: len(looks) > 3)
        assert not ended.is_set()
    assert ended.wait(30)
    assert client.get(f"{JOBS}/{job}").json()["state"] == "running"


def test_a_job_that_can_no_more_be_looked_at_ends_the_stream(
    client: httpx.Client, operations: Toy, pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(request: JobRequest) -> Job:
        raise StorageFailed("The job cannot be read. Look at the disk.")

    job = begin(client)
    pause.wait_until_reached()
    with followed(client, job) as lines:
        next_event(lines)
        monkeypatch.setattr(operations, "job", fail)
        assert list(lines) == []


def test_a_stream_ends_with_its_key(operations: Toy, pause: Pause) -> None:
    kept, revoked = (
        operations.create_key(CreateKeyRequest(name=name, scopes=("train", "read"))).key for name in ("kept", "revoked")
    )
    with serving(operations, SETTINGS) as url, client_with(url, kept) as lasting, client_with(url, revoked) as ending:
        job = begin(lasting)
        pause.wait_until_reached()
        with followed(lasting, job) as lasting_lines, followed(ending, job) as ending_lines:
            next_event(lasting_lines)
            next_event(ending_lines)
            operations.revoke_key(KeyRequest("revoked"))
            assert not [line for line in ending_lines if line.startswith("event: succeeded")]
            pause.go_on.set()
            assert [line for line in lasting_lines if line.startswith("event: succeeded")]


def test_many_followers_of_a_long_training_keep_no_other_look_waiting(client: httpx.Client, pause: Pause) -> None:
    job = begin(client)
    pause.wait_until_reached()
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=client.base_url, timeout=30, limits=limits) as many:
        streams = [followed(many, job) for _ in range(30)]
        opened = [stream.__enter__() for stream in streams]
        assert [next_event(lines)[1] for lines in opened] == ["running"] * 30
        assert client.get(JOBS).status_code == 200
        pause.go_on.set()
        for lines in opened:
            assert [line for line in lines if line.startswith("event: ")][-1] == "event: succeeded"
        for stream in streams:
            stream.__exit__(None, None, None)
