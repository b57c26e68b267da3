"""Trainings that go on by themselves: begun, joined, listed, looked at and cancelled over a real socket."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.http.asking import (
    FIT,
    FIT_PATH,
    JOBS,
    MODEL,
    MODELS,
    PREDICT,
    PREDICT_PATH,
    SECRET,
    TIME,
    check_problem,
    fit,
    wait_until,
)
from tests.http.conftest import SETTINGS
from tests.toy import Toy
from windrow.domain.errors import TrainingFailed


def stop_each(operations: Toy) -> threading.Event:
    """Have each training stop when its turn has come, until the event is set."""
    go_on = threading.Event()

    def stop() -> None:
        go_on.wait(30)

    operations.before_fit = stop
    return go_on


@pytest.fixture
def go_on(operations: Toy) -> Iterator[threading.Event]:
    go_on = stop_each(operations)
    yield go_on
    go_on.set()


def begin(client: httpx.Client, name: str = "tickets_v1", **more: object) -> dict[str, Any]:
    """Begin a training and return its job."""
    reply = client.post(f"{FIT_PATH}?wait=false", json={**FIT, "model_name": name, **more})
    assert reply.status_code == 202, reply.text
    job: dict[str, Any] = reply.json()
    assert reply.headers["location"] == f"{JOBS}/{job['id']}"
    return job


def look(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = client.get(f"{JOBS}/{job['id']}").json()
    return shown


def wait_for(client: httpx.Client, job: dict[str, Any], state: str) -> dict[str, Any]:
    wait_until(lambda: look(client, job)["state"] == state)
    return look(client, job)


def cancel(client: httpx.Client, job: dict[str, Any]) -> httpx.Response:
    return client.post(f"{JOBS}/{job['id']}/cancel")


def test_a_training_that_is_not_waited_for_is_answered_with_its_job_and_goes_on(
    client: httpx.Client, go_on: threading.Event
) -> None:
    job = begin(client, num_iterations=7, batch_size=32, seed=3, max_seconds=60, cross_validate=False)
    assert job["state"] in ("queued", "running")
    assert (job["model_name"], job["num_examples"], job["problem"]) == ("tickets_v1", 6, None)
    asked = [job[name] for name in ("num_iterations", "batch_size", "seed", "max_seconds", "cross_validate")]
    assert asked == [7, 32, 3, 60.0, False]
    wait_until(lambda: look(client, job)["progress"] is not None)  # it runs, and says so, a moment later
    running = look(client, job)
    assert running["state"] == "running"
    assert TIME.fullmatch(running["started_at"])
    assert running["finished_at"] is None
    assert running["progress"]["stage"] in ("encoding", "training")
    check_problem(client.get(f"{MODELS}/tickets_v1"), 404, "classifier_not_found")
    go_on.set()
    ended = wait_for(client, job, "succeeded")
    assert (ended["revision"], ended["next_name"], ended["progress"], ended["problem"]) == (1, "tickets_v2", None, None)
    assert client.post(PREDICT_PATH, json={**PREDICT, "model_name": "tickets_v1"}).status_code == 200


def test_what_breaks_a_rule_is_refused_at_once_and_makes_no_job(client: httpx.Client) -> None:
    for parameter in ("wait=false", "dry_run=true"):
        path = f"{FIT_PATH}?{parameter}"
        check_problem(client.post(path, json={**FIT, "model_name": "a b"}), 422, "invalid_name")
        check_problem(client.post(path, json={**FIT, "training_data": []}), 422, "invalid_training_data")
        check_problem(client.post(path, json={**FIT, "sed": 1}), 422, "invalid_request")
    assert client.get(JOBS).json() == {"jobs": []}


@pytest.mark.parametrize("parameter", ["wait=maybe", "dry_run=yes", "wait=false&wait=false", "await=false"])
def test_a_parameter_that_is_not_understood_begins_nothing(client: httpx.Client, parameter: str) -> None:
    assert client.post(f"{FIT_PATH}?{parameter}", json=FIT).status_code == 422
    assert client.get(JOBS).json() == {"jobs": []}


def test_a_dry_run_says_what_a_training_will_take_and_begins_nothing(client: httpx.Client) -> None:
    for more in ("", "&wait=false"):
        reply = client.post(f"{FIT_PATH}?dry_run=true{more}", json=FIT)
        assert reply.status_code == 200
        estimate = reply.json()
        stages = [part["stage"] for part in estimate["stages"]]
        assert stages == ["encoding", "training", "validating", "finishing", "saving"]
        assert estimate["seconds"] == pytest.approx(sum(part["seconds"] for part in estimate["stages"]))
        assert (estimate["labels"], estimate["num_examples"]) == (["account", "billing", "technical"], 6)
    assert client.get(JOBS).json() == {"jobs": []}
    check_problem(client.get(MODEL), 404, "classifier_not_found")


def test_a_fit_that_is_waited_for_is_a_job_like_any_other_which_others_see_and_cancel(
    client: httpx.Client, go_on: threading.Event
) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.post, FIT_PATH, json=FIT)
        wait_until(lambda: [job["state"] for job in client.get(JOBS).json()["jobs"]] == ["running"])
        [job] = client.get(JOBS).json()["jobs"]
        assert cancel(client, job).json()["state"] == "cancelled"
        document = check_problem(answer.result(), 409, "training_cancelled")
    assert document["job_id"] == job["id"]
    check_problem(client.get(MODEL), 404, "classifier_not_found")


def test_a_fit_that_is_waited_for_says_explicitly_that_it_is(client: httpx.Client) -> None:
    assert client.post(f"{FIT_PATH}?wait=true", json=FIT).json()["status"] == "trained"


def test_an_equal_request_joins_the_training_that_is_on_its_way_and_another_one_waits_behind_it(
    client: httpx.Client, operations: Toy, go_on: threading.Event
) -> None:
    first = begin(client)
    assert begin(client)["id"] == first["id"]
    other = begin(client, seed=1)
    assert other["id"] != first["id"]
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.post, FIT_PATH, json={**FIT, "model_name": "tickets_v1"})
        wait_until(lambda: operations.num_joined == 2)
        assert len(client.get(JOBS).json()["jobs"]) == 2
        go_on.set()
        assert answer.result().json()["revision"] == 1
    assert wait_for(client, first, "succeeded")["revision"] == 1
    assert wait_for(client, other, "succeeded")["revision"] == 2
    assert begin(client)["id"] not in (first["id"], other["id"])


def test_who_comes_when_as_many_wait_as_may_gets_429_and_when_to_come_again(
    client: httpx.Client, operations: Toy, go_on: threading.Event
) -> None:
    for number in range(SETTINGS.max_concurrent_fits + SETTINGS.max_queued_fits):
        begin(client, f"tickets_v{number}")
    for path in (FIT_PATH, f"{FIT_PATH}?wait=false"):
        reply = client.post(path, json=FIT)
        document = check_problem(reply, 429, "overloaded")
        assert (reply.headers["retry-after"], document["setting"]) == ("5", "WINDROW_MAX_QUEUED_FITS")
    assert client.post(f"{FIT_PATH}?dry_run=true", json=FIT).status_code == 200
    operations.close()


def test_a_job_in_the_line_is_cancelled_without_a_turn_and_the_one_that_runs_goes_on(
    client: httpx.Client, go_on: threading.Event
) -> None:
    first = begin(client, "tickets_v1")
    wait_for(client, first, "running")  # one whose thread starts late may be overtaken
    second, third = (begin(client, f"tickets_v{number}") for number in (2, 3))
    assert [look(client, job)["ahead"] for job in (first, second, third)] == [0, 0, 1]
    ended = cancel(client, second)
    assert (ended.status_code, ended.json()["state"], ended.json()["started_at"]) == (200, "cancelled", None)
    assert ended.json()["problem"]["code"] == "training_cancelled"
    go_on.set()
    wait_for(client, third, "succeeded")
    assert [entry["name"] for entry in client.get(f"{MODELS}?full=true").json()["models"]] == [
        "tickets_v1",
        "tickets_v3",
    ]


def test_a_job_that_runs_is_cancelled_and_the_earlier_revision_still_answers(
    client: httpx.Client, operations: Toy
) -> None:
    fit(client, "tickets_v1")
    go_on = stop_each(operations)
    job = begin(client, seed=1)
    wait_for(client, job, "running")
    shown = cancel(client, job).json()
    assert (shown["state"], shown["revision"]) == ("cancelled", None)
    assert TIME.fullmatch(shown["finished_at"])
    go_on.set()
    assert client.get(f"{MODELS}/tickets_v1").json()["revisions"] == [1]
    assert look(client, job) == shown


def test_a_job_that_has_ended_cannot_be_cancelled_and_an_unknown_one_is_not_found(client: httpx.Client) -> None:
    fit(client)
    [job] = client.get(JOBS).json()["jobs"]
    assert check_problem(cancel(client, job), 409, "job_finished")["state"] == "succeeded"
    for reply in (client.get(f"{JOBS}/nothing"), client.post(f"{JOBS}/nothing/cancel")):
        assert check_problem(reply, 404, "job_not_found")["job_id"] == "nothing"


def test_cancelling_takes_no_fields(client: httpx.Client, go_on: threading.Event) -> None:
    job = begin(client)
    path = f"{JOBS}/{job['id']}/cancel"
    check_problem(client.post(path, json={"force": True}), 422, "invalid_request")
    check_problem(client.post(f"{path}?force=true"), 422, "invalid_request")
    assert client.post(path, json={}).json()["state"] == "cancelled"


def test_a_page_of_another_site_cancels_nothing(client: httpx.Client, go_on: threading.Event) -> None:
    job = begin(client)
    reply = client.post(f"{JOBS}/{job['id']}/cancel", headers={"Origin": "http://evil.example"})
    check_problem(reply, 403, "cross_site_request")
    assert look(client, job)["state"] in ("queued", "running")


def test_a_training_that_fails_tells_its_job_what_a_fit_would_have_been_told(
    client: httpx.Client, operations: Toy
) -> None:
    def fail() -> None:
        raise TrainingFailed("The training process ran out of memory. Send fewer rows.", {"signal": 9})

    def break_down() -> None:
        raise RuntimeError(SECRET)

    operations.before_fit = fail
    job = wait_for(client, begin(client), "failed")
    assert job["problem"] == {
        "code": "training_failed",
        "template": "The training process ran out of memory. Send fewer rows.",
        "detail": "The training process ran out of memory. Send fewer rows.",
        "facts": {"signal": 9},
    }
    operations.before_fit = break_down
    job = wait_for(client, begin(client), "failed")
    assert job["problem"]["code"] == "internal_error"
    assert SECRET not in str(job)
    check_problem(client.post(FIT_PATH, json=FIT), 500, "internal_error")


def test_the_newest_jobs_come_first_and_as_many_as_are_asked_for(client: httpx.Client) -> None:
    fit(client, "tickets_v1", "tickets_v2", "tickets_v3")
    assert [job["model_name"] for job in client.get(JOBS).json()["jobs"]] == ["tickets_v3", "tickets_v2", "tickets_v1"]
    [newest] = client.get(f"{JOBS}?limit=1").json()["jobs"]
    assert newest == look(client, newest)
    for limit in ("0", "1001", "-1", "all", ""):
        check_problem(client.get(JOBS, params={"limit": limit}), 422, "invalid_parameter")
    check_problem(client.get(f"{JOBS}?state=running"), 422, "invalid_request")
