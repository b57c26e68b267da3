"""The end of a job whose process has died is recorded once and correctly."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.execution.examples import queued_job
from tests.storage.job_folders import open_jobs
from windrow.domain.clock import utc_now
from windrow.domain.errors import StorageFailed, StorageFull, WindrowError
from windrow.domain.job import JobState
from windrow.execution.orphaned_jobs import reconcile
from windrow.storage.files import LocalFiles
from windrow.storage.job_files import JOBS, JobFiles, StoredJob


@pytest.fixture
def files(tmp_path: Path) -> Iterator[JobFiles]:
    files = open_jobs(tmp_path)
    yield files
    files.close()


def put(files: JobFiles, state: JobState = "running", **more: object) -> StoredJob:
    """Write a job down, and return it as it stands there."""
    job = replace(queued_job(files.new_id()), state=state, started_at=utc_now())
    files.put(replace(job, **more), 1)  # type: ignore[arg-type]
    kept = files.get(job.id)
    assert kept is not None
    return kept


def lost(tmp_path: Path) -> StoredJob:
    """Leave a running job behind whose process is gone."""
    gone = open_jobs(tmp_path)
    kept = put(gone)
    gone.close()
    return kept


def test_a_job_whose_process_lives_is_returned_unchanged(files: JobFiles) -> None:
    kept = put(files)
    assert reconcile(kept, files, lambda _: 4) == kept.job


def test_a_finished_job_is_returned_unchanged(files: JobFiles, tmp_path: Path) -> None:
    gone = open_jobs(tmp_path)
    kept = put(gone, "succeeded", revision=2)
    gone.close()
    assert reconcile(kept, files, lambda _: 4) == kept.job


def test_an_orphaned_job_is_recorded_as_interrupted(files: JobFiles, tmp_path: Path) -> None:
    kept = lost(tmp_path)
    job = reconcile(kept, files, lambda _: None)
    assert (job.state, job.problem and job.problem.code, job.revision) == ("interrupted", "shutting_down", None)
    assert job.finished_at is not None
    assert sorted(path.name for path in (tmp_path / JOBS / job.id).iterdir()) == ["000001.json", "000002.json"]
    assert reconcile(kept, files, lambda _: 4) == job


def test_an_orphaned_job_that_published_its_revision_succeeded(files: JobFiles, tmp_path: Path) -> None:
    job = reconcile(lost(tmp_path), files, lambda _: 4)
    assert (job.state, job.revision, job.problem) == ("succeeded", 4, None)


def test_what_another_job_made_or_is_about_to_make_is_not_taken_for_its_own(files: JobFiles, tmp_path: Path) -> None:
    kept = lost(tmp_path)
    other = put(files)
    assert reconcile(kept, files, lambda _: 4).state == "interrupted"
    second = lost(tmp_path)
    files.put(replace(other.job, state="succeeded", revision=4), 2)
    assert reconcile(second, files, lambda _: 4).state == "interrupted"
    assert reconcile(lost(tmp_path), files, lambda _: 5).state == "succeeded"


def test_a_damaged_job_says_nothing_about_others(files: JobFiles, tmp_path: Path) -> None:
    place = tmp_path / JOBS / "ffffffffffff-000001"
    place.mkdir(parents=True)
    (place / "000001.json").write_text("?")
    assert reconcile(lost(tmp_path), files, lambda _: 4).state == "succeeded"


@pytest.mark.parametrize("error", [StorageFull, StorageFailed])
def test_an_end_that_cannot_be_recorded_is_so_all_the_same(
    files: JobFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[WindrowError]
) -> None:
    kept = lost(tmp_path)

    def fail(*_: object) -> None:
        raise error("no room")

    monkeypatch.setattr(LocalFiles, "put_new", fail)
    assert reconcile(kept, files, lambda _: None).state == "interrupted"
    assert [path.name for path in (tmp_path / JOBS / kept.job.id).iterdir()] == ["000001.json"]


def test_what_cannot_be_known_since_the_disk_cannot_be_read_is_not_recorded(files: JobFiles, tmp_path: Path) -> None:
    kept = lost(tmp_path)

    def fail(_: object) -> int:
        raise StorageFailed("It cannot be read.")

    with pytest.raises(StorageFailed):
        reconcile(kept, files, fail)
    assert reconcile(kept, files, lambda _: 4).state == "succeeded"
