"""Lost jobs: told as interrupted, unless they made their classifier before their process ended, and nobody else did."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.execution.examples import queued_job
from windrow.domain.job import JobState
from windrow.execution.lost_jobs import settled
from windrow.storage.files import LocalFiles
from windrow.storage.jobs import JOBS, JobFiles, Kept
from windrow.storage.namespace import utc_now


@pytest.fixture
def files(tmp_path: Path) -> Iterator[JobFiles]:
    files = JobFiles(tmp_path, LocalFiles(tmp_path))
    yield files
    files.close()


def put(files: JobFiles, state: JobState = "running", **more: object) -> Kept:
    """Write a job down, and return it as it stands there."""
    job = replace(queued_job(files.new_id()), state=state, started_at=utc_now())
    files.put(replace(job, **more), 1)  # type: ignore[arg-type]
    kept = files.get(job.id)
    assert kept is not None
    return kept


def lost(tmp_path: Path) -> Kept:
    """Leave a running job behind whose process is gone."""
    gone = JobFiles(tmp_path, LocalFiles(tmp_path))
    kept = put(gone)
    gone.close()
    return kept


def test_a_job_whose_process_lives_is_told_as_it_is(files: JobFiles) -> None:
    kept = put(files)
    assert settled(kept, files, lambda _: 4) == kept.job


def test_a_finished_job_is_told_as_it_ended(files: JobFiles, tmp_path: Path) -> None:
    gone = JobFiles(tmp_path, LocalFiles(tmp_path))
    kept = put(gone, "succeeded", revision=2)
    gone.close()
    assert settled(kept, files, lambda _: 4) == kept.job


def test_a_lost_job_is_interrupted_and_that_is_noted(files: JobFiles, tmp_path: Path) -> None:
    kept = lost(tmp_path)
    job = settled(kept, files, lambda _: None)
    assert (job.state, job.problem and job.problem.code, job.revision) == ("interrupted", "shutting_down", None)
    assert job.finished_at is not None
    assert sorted(path.name for path in (tmp_path / JOBS / job.id).iterdir()) == ["000001.json", "000002.json"]
    assert settled(kept, files, lambda _: 4) == job


def test_a_lost_job_that_made_its_classifier_succeeded(files: JobFiles, tmp_path: Path) -> None:
    job = settled(lost(tmp_path), files, lambda _: 4)
    assert (job.state, job.revision, job.problem) == ("succeeded", 4, None)


def test_what_another_job_made_or_is_about_to_make_is_not_taken_for_its_own(files: JobFiles, tmp_path: Path) -> None:
    kept = lost(tmp_path)
    other = put(files)
    assert settled(kept, files, lambda _: 4).state == "interrupted"
    second = lost(tmp_path)
    files.put(replace(other.job, state="succeeded", revision=4), 2)
    assert settled(second, files, lambda _: 4).state == "interrupted"
    assert settled(lost(tmp_path), files, lambda _: 5).state == "succeeded"


def test_a_damaged_job_says_nothing_about_others(files: JobFiles, tmp_path: Path) -> None:
    place = tmp_path / JOBS / "ffffffffffff-000001"
    place.mkdir(parents=True)
    (place / "000001.json").write_text("?")
    assert settled(lost(tmp_path), files, lambda _: 4).state == "succeeded"
