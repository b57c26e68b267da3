"""Jobs of a service: fits are jobs, a cancelled one leaves nothing, and a killed process's job says so."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.runner import InlineRunner
from tests.servers import Servers, Start
from tests.service.examples import REQUEST, ROWS, SHOUTING, Open, ask, show
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import FitRequest
from windrow.domain.errors import (
    ClassifierExists,
    ClassifierNotFound,
    InvalidParameter,
    JobNotFound,
    NameTaken,
    Overloaded,
    TrainingCancelled,
    WindrowError,
)
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import JobListRequest, JobRequest, OnStep, Progress
from windrow.domain.recipe import Recipe
from windrow.domain.values import recast
from windrow.execution.control import TrainingControl
from windrow.execution.runner import Outcome, ignore_steps
from windrow.execution.tasks import Task
from windrow.service import training
from windrow.service.service import Service
from windrow.storage.job_files import JOBS


class PausingRunner(InlineRunner):
    """Begins each task only when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        self.has_begun.set()
        with (control or TrainingControl()).on_cancel(self.may_go_on.set):
            assert self.may_go_on.wait(30)
        return super().run(task, on_step, control)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers = Servers(tmp_path)
    yield servers.start
    servers.stop()


@pytest.fixture
def runner() -> PausingRunner:
    return PausingRunner()


def test_a_job_and_its_classifier_name_the_key_that_asked(service: Service) -> None:
    with calling(Caller("night")):
        job, result = service.begin_fit(REQUEST)
    result.result(30)
    assert service.job(JobRequest(job.id)).key_name == job.key_name == "night"
    assert show(service, REQUEST.model_name).key_name == "night"


@pytest.fixture
def paused(opened: Open, runner: PausingRunner) -> Service:
    return opened(runner=runner)


def other(name: str) -> FitRequest:
    return replace(REQUEST, model_name=name)


def test_a_fit_is_a_job_that_ends_with_its_revision(service: Service) -> None:
    told: list[Progress] = []
    made = service.fit(REQUEST, told.append)
    (job,) = service.list_jobs(JobListRequest()).jobs
    assert (job.state, job.model_name, job.revision) == ("succeeded", "tickets_v1", 1)
    assert (job.num_examples, recast(Recipe, job), job.next_name) == (
        len(ROWS),
        recast(Recipe, REQUEST),
        "tickets_v2",
    )
    assert job.training_data_sha256 == show(service, made.model_name).training_data_sha256
    # Where a stage takes longer, it is told again, with the seconds that are left.
    assert list(dict.fromkeys(each.stage for each in told)) == ["encoding", "finishing", "saving"]
    assert all(each.seconds_left is not None for each in told)
    assert service.job(JobRequest(job.id)) == job
    assert list(service.follow_job(JobRequest(job.id))) == [job]


def test_a_fit_that_is_only_started_answers_later(paused: Service, runner: PausingRunner) -> None:
    job = paused.start_fit(REQUEST)
    assert not job.is_finished
    with pytest.raises(ClassifierNotFound):
        ask(paused, "tickets_v1", "error")
    runner.may_go_on.set()
    *_, last = paused.follow_job(JobRequest(job.id))
    assert (last.state, last.revision) == ("succeeded", 1)
    assert ask(paused, "tickets_v1", "error screen").label == "bug"


def test_what_can_be_refused_at_once_is_and_becomes_no_job(service: Service) -> None:
    service.fit(REQUEST)
    refused: list[tuple[FitRequest, type[WindrowError]]] = [
        (replace(REQUEST, num_iterations=-1), InvalidParameter),
        (replace(REQUEST, overwrite=False), ClassifierExists),
        (other("Tickets_V1"), NameTaken),
    ]
    for request, error in refused:
        for verb in (service.start_fit, service.estimate_fit, service.fit):
            with pytest.raises(error):
                verb(request)
    assert len(service.list_jobs(JobListRequest()).jobs) == 1


def test_a_cancelled_fit_leaves_nothing_and_the_old_revision_answers(
    opened: Open, paused: Service, runner: PausingRunner, tmp_path: Path
) -> None:
    opened().fit(REQUEST)
    before = {path: path.read_bytes() for path in (tmp_path / "data" / "classifiers").rglob("*") if path.is_file()}
    job, result = paused.begin_fit(replace(REQUEST, training_data=SHOUTING))
    assert runner.has_begun.wait(30)
    assert paused.cancel_job(JobRequest(job.id)).state == "cancelled"
    with pytest.raises(TrainingCancelled):
        result.result(30)
    after = {path: path.read_bytes() for path in (tmp_path / "data" / "classifiers").rglob("*") if path.is_file()}
    assert after == before
    assert ask(paused, "tickets_v1", "error screen").label == "bug"
    assert paused.fsck(FsckRequest()).findings == ()


def test_the_line_is_bounded_and_served_in_order(opened: Open, runner: PausingRunner) -> None:
    service = opened(runner=runner, max_queued_fits=2)
    begun = [service.start_fit(other(name)) for name in ("a", "b", "c")]
    assert [service.job(JobRequest(job.id)).ahead for job in begun] == [0, 0, 1]
    with pytest.raises(Overloaded) as refused:
        service.start_fit(other("d"))
    assert refused.value.facts["setting"] == "WINDROW_MAX_QUEUED_FITS"
    assert service.server_stats().queued_fits == 2
    assert service.estimate_fit(other("d")).wait_seconds > 0
    runner.may_go_on.set()
    ended = [list(service.follow_job(JobRequest(job.id)))[-1] for job in begun]
    assert [job.state for job in ended] == ["succeeded"] * 3
    made = [show(service, name) for name in ("a", "b", "c")]
    assert sorted(made, key=lambda record: record.created_at) == made


def test_an_equal_request_joins_and_both_get_the_same_revision(paused: Service, runner: PausingRunner) -> None:
    first, one = paused.begin_fit(REQUEST)
    assert runner.has_begun.wait(30)  # else the third could be ready before it
    second, other_one = paused.begin_fit(REQUEST)
    third = paused.start_fit(replace(REQUEST, seed=1))
    runner.may_go_on.set()
    assert first.id == second.id != third.id
    assert one.result(30).revision == other_one.result(30).revision == 1


def test_an_estimate_begins_nothing(service: Service, tmp_path: Path) -> None:
    found = service.estimate_fit(replace(REQUEST, num_iterations=20))
    assert (found.model_name, found.num_examples, found.labels) == ("tickets_v1", 8, ("billing", "bug"))
    assert [part.stage for part in found.stages] == ["encoding", "training", "validating", "finishing", "saving"]
    assert found.seconds == pytest.approx(sum(part.seconds for part in found.stages), abs=0.01)
    assert found.memory_bytes > 0
    assert found.wait_seconds == 0
    assert service.list_jobs(JobListRequest()).jobs == ()
    assert not (tmp_path / "data" / JOBS).exists()


def test_the_number_of_jobs_that_are_listed_has_a_range(service: Service) -> None:
    for name in ("a", "b", "c"):
        service.fit(other(name))
    assert [job.model_name for job in service.list_jobs(JobListRequest(2)).jobs] == ["c", "b"]
    for limit in (0, 1_001):
        with pytest.raises(InvalidParameter):
            service.list_jobs(JobListRequest(limit))


def test_an_unknown_job_is_told_at_once(service: Service) -> None:
    request = JobRequest("019a1c5e4b2f-7d0c41")
    for verb in (service.job, service.follow_job, service.cancel_job):
        with pytest.raises(JobNotFound):
            verb(request)


def test_ctrl_c_in_a_fit_cancels_it(paused: Service, runner: PausingRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    job = paused.start_fit(REQUEST)

    class Interrupted:
        def result(self) -> None:
            assert runner.has_begun.wait(30)
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "begin_fit", lambda *_: (job, Interrupted()))
    with pytest.raises(KeyboardInterrupt):
        paused.fit(REQUEST)
    assert [job.state for job in paused.list_jobs(JobListRequest()).jobs] == ["cancelled"]


@pytest.mark.slow
def test_the_job_of_a_killed_server_is_interrupted_and_its_name_can_be_trained(start: Start, tmp_path: Path) -> None:
    """Long enough to be killed in the middle: texts that have nothing to do with their labels, a thousand times."""
    rows = [{"text": f"word{number} " * 60, "label": f"label {number % 3}"} for number in range(48)]
    server = start(tmp_path / "data")
    asked = {"model_name": "tickets", "training_data": rows, "num_iterations": 1000}
    job = server.client.post("/v1/classifier/fit?wait=false", json=asked).json()
    while server.client.get(f"/v1/classifier/jobs/{job['id']}").json()["state"] == "queued":
        time.sleep(0.01)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    again = start(tmp_path / "data")
    found = again.client.get(f"/v1/classifier/jobs/{job['id']}").json()
    assert (found["state"], found["problem"]["code"]) == ("interrupted", "shutting_down")
    assert again.client.get("/v1/classifier/models").json() == {"models": []}
    made = again.client.post("/v1/classifier/fit", json=asked | {"training_data": rows[:6], "num_iterations": 0})
    assert made.status_code == 200, made.text
    assert [each["state"] for each in again.client.get("/v1/classifier/jobs").json()["jobs"]] == [
        "succeeded",
        "interrupted",
    ]
