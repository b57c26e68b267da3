"""A job's states are saved once each, and of its ends the first one holds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.execution.examples import queued_job
from tests.storage.job_folders import open_jobs
from windrow.domain.clock import utc_now
from windrow.domain.errors import InvalidArtifact, StorageFailed, TrainingCancelled
from windrow.domain.job import Job, Problem, Progress
from windrow.execution.job_record import JobRecord
from windrow.storage.files import LocalFiles
from windrow.storage.job_files import JOBS, JobFiles


@pytest.fixture
def files(tmp_path: Path) -> Iterator[JobFiles]:
    files = open_jobs(tmp_path)
    yield files
    files.close()


@pytest.fixture
def job(files: JobFiles) -> Job:
    return queued_job(files.new_id())


@pytest.fixture
def record(files: JobFiles, job: Job) -> JobRecord:
    return JobRecord(files, job.id)


def states_of(job: Job) -> tuple[Job, Job]:
    """Return it as it runs and as it has succeeded."""
    running = replace(job, state="running", started_at=utc_now())
    return running, replace(running, state="succeeded", revision=3, finished_at=utc_now())


def end_elsewhere(files: JobFiles, job: Job) -> Job:
    """End a job as a process does that takes this one for dead."""
    kept = files.get(job.id)
    assert kept is not None
    ended = replace(kept.job, state="interrupted", finished_at=utc_now(), problem=Problem("shutting_down", "It died."))
    return files.reconcile(kept, ended)


def numbers(tmp_path: Path, job: Job) -> list[str]:
    return sorted(path.name for path in (tmp_path / JOBS / job.id).iterdir())


def test_each_state_gets_the_next_number_without_what_changes_all_the_time(
    tmp_path: Path, files: JobFiles, job: Job, record: JobRecord
) -> None:
    running, done = states_of(job)
    for state in (job, replace(running, ahead=2, progress=Progress("saving")), done):
        record.save(state)
        kept = files.get(job.id)
        assert kept is not None
        assert kept.job == replace(state, ahead=0, progress=None)
    assert record.save(done) == done
    assert numbers(tmp_path, job) == ["000001.json", "000002.json", "000003.json"]
    assert record.find_reason_to_cancel() is None


@pytest.mark.parametrize("has_looked", [True, False])
def test_an_end_that_another_process_has_saved_holds(
    files: JobFiles, job: Job, record: JobRecord, caplog: pytest.LogCaptureFixture, has_looked: bool
) -> None:
    running, done = states_of(job)
    record.save(job)
    ended = end_elsewhere(files, job)
    if has_looked:
        reason = record.find_reason_to_cancel()
        assert (type(reason).__name__, reason and reason.detail) == ("ShuttingDown", "It died.")
    assert record.save(running) == record.save(done) == ended
    assert files.news(job.id).number == 2
    assert len(caplog.messages) == 1


def test_a_state_that_is_there_though_the_disk_said_it_was_not_is_saved_once(
    tmp_path: Path, files: JobFiles, job: Job, record: JobRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_new = LocalFiles.put_new

    def put(self: LocalFiles, key: str, data: bytes, same_as: str | None = None) -> None:
        put_new(self, key, data, same_as)
        raise StorageFailed("It is not written.")

    running, done = states_of(job)
    record.save(job)
    for state in (running, done):
        with monkeypatch.context() as failing:
            failing.setattr(LocalFiles, "put_new", put)
            with pytest.raises(StorageFailed):
                record.save(state)
        assert record.find_reason_to_cancel() is None
    assert record.save(done) == done
    assert numbers(tmp_path, job) == ["000001.json", "000002.json", "000003.json"]


def test_a_wish_to_stop_is_a_reason(files: JobFiles, job: Job, record: JobRecord) -> None:
    record.save(job)
    assert record.find_reason_to_cancel() is None
    files.request_cancel(job.id)
    assert isinstance(record.find_reason_to_cancel(), TrainingCancelled)


def test_what_cannot_be_read_is_no_reason_to_cancel_and_is_not_written_over(
    tmp_path: Path, job: Job, record: JobRecord
) -> None:
    record.save(job)
    (tmp_path / JOBS / job.id / "000002.json").write_text("?")
    assert record.find_reason_to_cancel() is None
    with pytest.raises(InvalidArtifact):
        record.save(states_of(job)[0])
    assert numbers(tmp_path, job) == ["000001.json", "000002.json"]


def test_a_number_that_is_taken_by_nothing_is_told(
    job: Job, record: JobRecord, files: JobFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.save(job)
    end_elsewhere(files, job)
    monkeypatch.setattr(JobFiles, "get", lambda self, job_id: None)
    with pytest.raises(StorageFailed, match="are being removed"):
        record.save(states_of(job)[0])
