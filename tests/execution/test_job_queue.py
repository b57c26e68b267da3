"""Jobs are queued, joined, cancelled, recorded and reconciled."""

import itertools
import queue
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.execution.examples import queued_job
from tests.execution.trainings import RESULT, Training
from tests.storage.job_folders import open_jobs
from windrow.domain.caller import Caller, calling, current_caller
from windrow.domain.classifier import FitResult
from windrow.domain.clock import utc_now
from windrow.domain.errors import (
    FilePredictionCancelled,
    InvalidBaseModel,
    InvalidTrainingData,
    JobFinished,
    JobNotFound,
    Overloaded,
    ShuttingDown,
    StorageFailed,
    StorageFull,
    TrainingCancelled,
    TrainingFailed,
    WindrowError,
)
from windrow.domain.job import Job, JobKind, Problem, Progress, StageEstimate, ignore_progress
from windrow.execution import job_queue
from windrow.execution.control import TrainingControl
from windrow.execution.job_queue import JobQueue
from windrow.execution.slots import FILE_PREDICTIONS, TrainingSlots
from windrow.execution.training_cost import CostCalibration, EtaEstimator
from windrow.storage.files import LocalFiles
from windrow.storage.job_files import JOBS, JobFiles, StoredJob
from windrow.storage.local_owners import LocalOwners, NoProgressBoard

Open = Callable[..., JobQueue]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    made: list[JobQueue] = []

    def open_one(most: int = 1, waiting: int = 10, found: int | None = None) -> JobQueue:
        made.append(JobQueue(open_jobs(tmp_path), TrainingSlots(most, waiting), lambda _: found))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


@pytest.fixture
def jobs(opened: Open) -> JobQueue:
    return opened()


def test_a_training_acts_for_whoever_asked_for_it_first(jobs: JobQueue) -> None:
    training, callers = Training(), list[Caller]()

    def work(control: TrainingControl) -> FitResult:
        callers.append(current_caller())
        return training.work(control)

    spec = replace(training.spec(), work=work)
    with calling(Caller("night")):
        _, result = jobs.begin(spec, ignore_progress)
    with calling(Caller("shop")):
        assert jobs.begin(spec, ignore_progress)[1] is result
    training.end.set()
    result.result(30)
    assert callers == [Caller("night")]


def test_a_training_is_a_job_from_the_queue_to_its_result(jobs: JobQueue) -> None:
    training, told = Training(), []  # type: ignore[var-annotated]
    job, result = jobs.begin(training.spec(), told.append)
    assert (job.model_name, job.ahead, job.problem) == ("tickets_v1", 0, None)
    assert training.has_begun.wait(30)
    running = jobs.get(job.id)
    assert (running.state, running.progress) == ("running", Progress("training", 1, 2, 0.5))
    assert running.started_at is not None
    training.end.set()
    assert result.result(30) is RESULT
    done = jobs.get(job.id)
    assert (done.state, done.revision, done.next_name, done.progress) == ("succeeded", 7, "tickets_v2", None)
    assert done.finished_at is not None
    assert told == [Progress("training", 1, 2, 0.5)]
    assert jobs.newest(10) == (done,)


def test_the_queue_is_first_in_first_out_and_each_job_knows_how_many_are_ahead(jobs: JobQueue) -> None:
    trainings = [Training(key) for key in "abc"]
    begun = [jobs.begin(each.spec(), ignore_progress) for each in trainings]
    assert trainings[0].has_begun.wait(30)
    assert [(jobs.get(job.id).state, jobs.get(job.id).ahead) for job, _ in begun] == [
        ("running", 0),
        ("queued", 0),
        ("queued", 1),
    ]
    assert [job.id for job in jobs.newest(2)] == [begun[2][0].id, begun[1][0].id]
    for each, (_, result) in zip(trainings, begun, strict=True):
        assert each.has_begun.wait(30)
        each.end.set()
        result.result(30)


def test_an_equal_request_joins_the_one_that_is_on_its_way(jobs: JobQueue) -> None:
    training, told = Training(), []  # type: ignore[var-annotated]
    job, result = jobs.begin(training.spec(), ignore_progress)
    assert training.has_begun.wait(30)
    joined, same = jobs.begin(Training().spec(), told.append)
    other, _ = jobs.begin(Training("b").spec(), ignore_progress)
    assert joined.id == job.id != other.id
    assert same is result
    training.end.set()
    assert same.result(30) is RESULT
    again, _ = jobs.begin(Training().spec(), ignore_progress)
    assert again.id != job.id


def test_nobody_joins_a_training_that_was_cancelled(jobs: JobQueue) -> None:
    first, second = Training(), Training()
    job, _ = jobs.begin(first.spec(), ignore_progress)
    assert first.has_begun.wait(30)
    jobs.cancel(job.id)
    again, _ = jobs.begin(second.spec(), ignore_progress)
    assert again.id != job.id


def test_a_full_queue_refuses_and_leaves_no_job(opened: Open) -> None:
    jobs = opened(waiting=0)
    jobs.begin(Training("a").spec(), ignore_progress)
    with pytest.raises(Overloaded):
        jobs.begin(Training("b").spec(), ignore_progress)
    assert len(jobs.newest(10)) == 1


@pytest.mark.parametrize("is_running", [True, False])
def test_a_cancelled_job_ends_whether_it_runs_or_waits(jobs: JobQueue, is_running: bool) -> None:
    first, second = Training("a"), Training("b")
    begun = [jobs.begin(each.spec(), ignore_progress) for each in (first, second)]
    assert first.has_begun.wait(30)
    job, result = begun[0] if is_running else begun[1]
    ended = jobs.cancel(job.id)
    assert (ended.state, ended.problem and ended.problem.code) == ("cancelled", "training_cancelled")
    assert ended.problem is not None
    assert ended.problem.facts == {"job_id": job.id}
    with pytest.raises(TrainingCancelled, match="Start it again to have it trained"):
        result.result(30)
    assert second.has_begun.is_set() is is_running or second.has_begun.wait(30) is is_running


def test_what_has_ended_cannot_be_cancelled_and_what_is_not_there_neither(jobs: JobQueue) -> None:
    training = Training()
    job, result = jobs.begin(training.spec(), ignore_progress)
    training.end.set()
    result.result(30)
    with pytest.raises(JobFinished, match=r"has ended already: it succeeded\.") as refused:
        jobs.cancel(job.id)
    assert refused.value.facts == {"job_id": job.id, "state": "succeeded"}
    for training_set in (jobs.get, jobs.cancel, lambda job_id: next(jobs.follow(job_id))):
        with pytest.raises(JobNotFound, match="List the jobs"):
            training_set("019a1c5e4b2f-7d0c41")


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (TrainingFailed("It died.", {"a": 1}), "failed", "training_failed"),
        (InvalidTrainingData("No."), "failed", "invalid_training_data"),
        (ShuttingDown("The server stops."), "interrupted", "shutting_down"),
        (TrainingCancelled("Gone."), "cancelled", "training_cancelled"),
        (ZeroDivisionError("a defect"), "failed", "internal_error"),
    ],
)
def test_a_job_says_why_it_did_not_succeed(jobs: JobQueue, error: BaseException, state: str, code: str) -> None:
    training = Training(error=error)
    job, result = jobs.begin(training.spec(), ignore_progress)
    training.end.set()
    with pytest.raises(type(error)):
        result.result(30)
    ended = jobs.get(job.id)
    assert ended.problem is not None
    assert (ended.state, ended.problem.code) == (state, code)
    assert "a defect" not in ended.problem.detail
    assert ended.finished_at is not None


def test_a_job_names_files_relative_to_the_data_directory_while_its_callers_are_told_where_they_lie(
    jobs: JobQueue, tmp_path: Path
) -> None:
    file = str(tmp_path / "base_models" / "a" / "config.json")
    training = Training(error=InvalidBaseModel("{file} cannot be read.", {"file": file}))
    job, result = jobs.begin(training.spec(), ignore_progress)
    training.end.set()
    with pytest.raises(InvalidBaseModel, match=re.escape(file)):
        result.result(30)
    problem = jobs.get(job.id).problem
    assert problem is not None
    assert problem.facts == {"file": "base_models/a/config.json"}
    assert problem.detail == "base_models/a/config.json cannot be read."


def test_predictions_of_files_have_a_queue_of_their_own_beside_trainings(jobs: JobQueue) -> None:
    slots = TrainingSlots(1, 10, FILE_PREDICTIONS)
    training, first, second = Training("a"), Training("b"), Training("c")
    jobs.begin(training.spec(), ignore_progress)
    jobs.begin(first.spec(kind="predict_files", slots=slots), ignore_progress)
    waiting, _ = jobs.begin(second.spec(kind="predict_files", slots=slots), ignore_progress)
    assert training.has_begun.wait(30)
    assert first.has_begun.wait(30)
    assert (jobs.get(waiting.id).state, jobs.get(waiting.id).ahead) == ("queued", 0)
    first.end.set()
    assert second.has_begun.wait(30)


def test_what_stops_a_prediction_of_files_says_what_stays(jobs: JobQueue, opened: Open) -> None:
    cancelled, closed, elsewhere = Training("a"), Training("b"), Training("c")
    slots = TrainingSlots(3, 0, FILE_PREDICTIONS)
    begun = [
        jobs.begin(each.spec(kind="predict_files", slots=slots), ignore_progress)
        for each in (cancelled, closed, elsewhere)
    ]
    assert all(each.has_begun.wait(30) for each in (cancelled, closed, elsewhere))
    jobs.cancel(begun[0][0].id)
    opened().cancel(begun[2][0].id)
    jobs.close()
    for (job, result), error, state in zip(
        begun,
        (FilePredictionCancelled, ShuttingDown, FilePredictionCancelled),
        ("cancelled", "interrupted", "cancelled"),
        strict=True,
    ):
        with pytest.raises(error, match="the shards that were done stay"):
            result.result(30)
        assert jobs.get(job.id).state == state
    with pytest.raises(ShuttingDown, match="once the server is back"):
        jobs.begin(Training("d").spec(kind="predict_files", slots=slots), ignore_progress)


def test_a_prediction_of_files_whose_process_is_gone_is_interrupted_whatever_was_published(
    tmp_path: Path, opened: Open
) -> None:
    found = opened(found=7).get(lost_job(tmp_path, "predict_files"))
    assert (found.state, found.revision) == ("interrupted", None)
    assert found.problem is not None
    assert found.problem.detail.endswith("and it goes on behind them.")


def test_a_failed_preparation_blocks_no_other_job(jobs: JobQueue) -> None:
    def fail() -> None:
        raise InvalidTrainingData("No.")

    job, result = jobs.begin(Training("a").spec(fail), ignore_progress)
    with pytest.raises(InvalidTrainingData):
        result.result(30)
    assert (jobs.get(job.id).state, jobs.get(job.id).started_at) == ("failed", None)
    following = Training("b")
    jobs.begin(following.spec(), ignore_progress)
    assert following.has_begun.wait(30)


def test_what_is_being_prepared_holds_nobody_up_and_can_be_cancelled(jobs: JobQueue) -> None:
    is_loaded = threading.Event()
    slow, quick = Training("a"), Training("b")
    job, result = jobs.begin(slow.spec(lambda: is_loaded.wait(30)), ignore_progress)
    jobs.begin(quick.spec(), ignore_progress)
    assert quick.has_begun.wait(30)
    assert jobs.cancel(job.id).state == "cancelled"
    with pytest.raises(TrainingCancelled):
        result.result(30)
    is_loaded.set()
    assert not slow.has_begun.is_set()


def test_a_listener_that_fails_ends_no_training(jobs: JobQueue) -> None:
    def fail(progress: Progress) -> None:
        raise KeyError("nobody listens any more")

    training = Training()
    _, result = jobs.begin(training.spec(), fail)
    training.end.set()
    assert result.result(30) is RESULT


def test_the_remaining_time_falls_while_a_step_takes_long(jobs: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "PROGRESS_INTERVAL_S", 0.001)
    seconds, told = itertools.count(), queue.SimpleQueue[Progress]()
    eta = EtaEstimator(CostCalibration(), lambda: float(next(seconds)))
    eta.begin("a", [StageEstimate("training", 600.0, "")])
    training = Training(progress=Progress("training"))
    job, result = jobs.begin(replace(training.spec(), eta=eta), told.put)
    left = [told.get(timeout=30).seconds_left for _ in range(4)]
    assert left == [600.0, 599.0, 598.0, 597.0]
    progress = jobs.get(job.id).progress
    assert progress is not None
    assert progress.seconds_left is not None
    assert progress.seconds_left <= 597
    training.end.set()
    result.result(30)
    assert jobs.get(job.id).progress is None


def test_who_follows_sees_each_state_until_the_end(jobs: JobQueue) -> None:
    first, second = Training("a"), Training("b")
    jobs.begin(first.spec(), ignore_progress)
    job, _ = jobs.begin(second.spec(), ignore_progress)
    seen: list[Job] = []
    for each in jobs.follow(job.id):
        seen.append(each)
        first.end.set()
        if each.progress is not None:
            second.end.set()
    states = list(dict.fromkeys(each.state for each in seen))
    assert states == ["queued", "running", "succeeded"]
    assert all(one != next_one for one, next_one in zip(seen, seen[1:], strict=False))  # noqa: RUF007


def test_another_process_sees_a_job_follows_it_and_can_cancel_it(opened: Open) -> None:
    jobs, elsewhere = opened(), opened()
    training = Training()
    job, result = jobs.begin(training.spec(), ignore_progress)
    assert training.has_begun.wait(30)
    assert (elsewhere.get(job.id).state, elsewhere.get(job.id).progress) == ("running", None)
    assert [each.id for each in elsewhere.newest(10)] == [job.id]
    assert elsewhere.cancel(job.id).state == "cancelled"
    with pytest.raises(TrainingCancelled):
        result.result(30)
    assert [each.state for each in elsewhere.follow(job.id)] == ["cancelled"]


def lost_job(tmp_path: Path, kind: JobKind = "fit") -> str:
    """Leave a running job behind whose process is gone."""
    files = open_jobs(tmp_path)
    job = replace(queued_job(files.new_id()), kind=kind)
    files.put(job, 1)
    files.put(replace(job, state="running", started_at=utc_now()), 2)
    files.close()
    return job.id


def test_a_job_whose_process_is_gone_is_interrupted_and_says_so_for_good(tmp_path: Path, opened: Open) -> None:
    job_id = lost_job(tmp_path)
    found = opened().get(job_id)
    assert found.state == "interrupted"
    assert found.problem is not None
    assert found.problem.code == "shutting_down"
    assert found.problem.detail.endswith("nothing was saved. Start it again.")
    assert opened().get(job_id) == found
    assert sorted(path.name for path in (tmp_path / JOBS / job_id).iterdir())[-1] == "000003.json"
    with pytest.raises(JobFinished, match="was interrupted"):
        opened().cancel(job_id)


def test_an_orphaned_job_is_reconciled_before_a_new_revision_may_be_mistaken_for_its_own(
    tmp_path: Path, opened: Open
) -> None:
    job_id = lost_job(tmp_path)
    training = Training()
    jobs = opened()
    jobs.begin(training.spec(), ignore_progress)
    training.end.set()
    jobs.wait(30)
    assert sorted(path.name for path in (tmp_path / JOBS / job_id).iterdir())[-1] == "000003.json"
    assert opened(found=7).get(job_id).state == "interrupted"


def test_the_revision_of_another_job_is_not_taken_for_an_orphaned_jobs(tmp_path: Path, opened: Open) -> None:
    jobs = opened(found=7)
    training = Training()
    _, result = jobs.begin(training.spec(), ignore_progress)
    training.end.set()
    result.result(30)
    assert jobs.get(lost_job(tmp_path)).state == "interrupted"


@pytest.mark.parametrize("error", [StorageFull, StorageFailed])
def test_jobs_that_cannot_be_listed_keep_nobody_from_training(
    jobs: JobQueue, monkeypatch: pytest.MonkeyPatch, error: type[WindrowError]
) -> None:
    def fail(self: JobFiles) -> list[str]:
        raise error("It cannot be listed.")

    monkeypatch.setattr(JobFiles, "ids", fail)
    jobs.reconcile_orphaned()


def test_a_job_that_made_its_classifier_before_its_process_died_succeeded(tmp_path: Path, opened: Open) -> None:
    job_id = lost_job(tmp_path)
    found = opened(found=4).get(job_id)
    assert (found.state, found.revision, found.problem) == ("succeeded", 4, None)


def test_a_closing_process_interrupts_what_waits_and_runs_and_takes_no_more(jobs: JobQueue) -> None:
    first, second = Training("a"), Training("b")
    begun = [jobs.begin(each.spec(), ignore_progress) for each in (first, second)]
    assert first.has_begun.wait(30)
    jobs.close()
    for job, result in begun:
        with pytest.raises(ShuttingDown):
            result.result(30)
        assert jobs.get(job.id).state == "interrupted"
    with pytest.raises(ShuttingDown):
        jobs.begin(Training("c").spec(), ignore_progress)


def test_a_wait_ends_with_the_last_job_or_with_its_patience(jobs: JobQueue) -> None:
    jobs.wait(30)
    training = Training()
    job, result = jobs.begin(training.spec(), ignore_progress)
    jobs.wait(0.01)
    assert not jobs.get(job.id).is_finished
    training.end.set()
    jobs.wait(30)
    assert result.done()


class FailingFiles(JobFiles):
    """Cannot write from a number on."""

    fails_from = 1

    def put(self, job: Job, number: int) -> None:
        if number >= self.fails_from:
            raise StorageFull("The disk is full. Free some space.")
        super().put(job, number)


def failing_jobs(tmp_path: Path, fails_from: int) -> JobQueue:
    files = FailingFiles(LocalFiles(tmp_path), LocalOwners(tmp_path), NoProgressBoard(), tmp_path)
    files.fails_from = fails_from
    return JobQueue(files, TrainingSlots(1, 0), lambda _: None)


def test_what_cannot_be_written_down_is_not_begun(tmp_path: Path) -> None:
    jobs = failing_jobs(tmp_path, fails_from=1)
    training = Training()
    with pytest.raises(StorageFull):
        jobs.begin(training.spec(), ignore_progress)
    assert not training.has_begun.is_set()
    assert jobs.newest(10) == ()
    with pytest.raises(StorageFull):  # and not Overloaded: the place in the line is free again
        jobs.begin(training.spec(), ignore_progress)
    jobs.close()


def test_an_end_that_cannot_be_written_down_is_known_here_all_the_same(tmp_path: Path) -> None:
    jobs = failing_jobs(tmp_path, fails_from=2)
    training = Training()
    job, result = jobs.begin(training.spec(), ignore_progress)
    training.end.set()
    assert result.result(30) is RESULT
    assert jobs.get(job.id).state == "succeeded"
    jobs.close()


def test_an_end_that_could_not_be_written_down_is_written_down_later(tmp_path: Path) -> None:
    files = FailingFiles(LocalFiles(tmp_path), LocalOwners(tmp_path), NoProgressBoard(), tmp_path)
    files.fails_from = 3
    jobs = JobQueue(files, TrainingSlots(1, 0), lambda _: None)
    ended = []
    for training in (Training("a"), Training("b")):
        job, result = jobs.begin(training.spec(), ignore_progress)
        training.end.set()
        result.result(30)
        jobs.wait(30)
        ended.append(job.id)
        files.fails_from = 9
    jobs.close()
    elsewhere = open_jobs(tmp_path)
    kept = [elsewhere.get(job_id) for job_id in ended]
    assert [each and each.job.state for each in kept] == ["succeeded", "succeeded"]


def test_a_thread_that_cannot_be_started_leaves_the_queue_free(jobs: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as changed:
        changed.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            jobs.begin(Training("a").spec(), ignore_progress)
    following = Training("b")
    job, _ = jobs.begin(following.spec(), ignore_progress)
    assert job.ahead == 0
    assert following.has_begun.wait(30)


@pytest.mark.parametrize("error", [StorageFull, StorageFailed])
def test_a_job_that_cannot_be_read_is_left_out_of_the_list_too(
    jobs: JobQueue, monkeypatch: pytest.MonkeyPatch, error: type[WindrowError]
) -> None:
    trainings = [Training("a"), Training("b")]
    begun = []
    for training in trainings:
        job, result = jobs.begin(training.spec(), ignore_progress)
        training.end.set()
        result.result(30)
        begun.append(job.id)
    get = JobFiles.get

    def fail(self: JobFiles, job_id: str) -> StoredJob | None:
        if job_id == begun[1]:
            raise error("It cannot be read.")
        return get(self, job_id)

    jobs.wait(30)
    monkeypatch.setattr(JobFiles, "get", fail)
    assert [each.id for each in jobs.newest(10)] == [begun[0]]


def test_a_damaged_job_is_left_out_of_the_list(tmp_path: Path, jobs: JobQueue) -> None:
    training = Training()
    job, result = jobs.begin(training.spec(), ignore_progress)
    training.end.set()
    result.result(30)
    ticket = tmp_path / JOBS / "000000000001-000001"
    ticket.mkdir()
    (ticket / "000001.json").write_text("?")
    assert [each.id for each in jobs.newest(10)] == [job.id]


def test_old_jobs_that_cannot_be_removed_are_no_reason_to_fail(jobs: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: JobFiles) -> None:
        raise StorageFailed("It cannot be removed.")

    monkeypatch.setattr(JobFiles, "prune", fail)
    training = Training()
    _, result = jobs.begin(training.spec(), ignore_progress)
    training.end.set()
    assert result.result(30) is RESULT


def test_problems_are_plain_values() -> None:
    assert Problem("a", "b").facts == {}
