"""Jobs on the disk: written once a state, read back as they were, and known to be lost with their process."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.storage.examples import sealed
from tests.storage.job_folders import open_jobs
from windrow.domain.errors import InvalidArtifact, StorageFailed, StorageUncertain
from windrow.domain.job import Job, JobState, Problem, Progress
from windrow.storage import job_files
from windrow.storage.files import KeyExists, LocalFiles
from windrow.storage.job_files import CANCEL_FILE, JOBS, OWNERS, JobFiles, JobNews, stored_job_from_json
from windrow.storage.local_owners import LocalOwners, NoNotices, NoProgressBoard

NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)


def job_of(files: JobFiles, state: JobState = "queued", **more: object) -> Job:
    values: dict[str, Any] = {"training_data_sha256": "0" * 64, "created_at": NOW, **more}
    return Job(id=files.new_id(), state=state, model_name="tickets_v1", num_examples=6, **values)


@pytest.fixture
def files(tmp_path: Path) -> JobFiles:
    return open_jobs(tmp_path)


def test_what_is_put_is_got_and_the_highest_number_is_the_truth(files: JobFiles) -> None:
    job = job_of(files)
    files.put(job, 1)
    files.put(replace(job, state="running", started_at=NOW), 2)
    kept = files.get(job.id)
    assert kept is not None
    assert (kept.job, kept.number) == (replace(job, state="running", started_at=NOW), 2)
    assert kept.owner == files.owner()


JOBS_MADE = st.builds(
    Job,
    id=st.just("019a1c5e4b2f-7d0c41"),
    state=st.sampled_from(["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]),
    model_name=st.text(),
    num_examples=st.integers(0, 2**40),
    training_data_sha256=st.text(),
    created_at=st.datetimes(datetime(1, 1, 2), datetime(9999, 1, 1)).map(
        lambda at: at.replace(microsecond=0, tzinfo=UTC)
    ),
    base_model=st.text(),
    max_seconds=st.none() | st.floats(0.1, 100),
    seed=st.integers(0, 2**32 - 1),
    started_at=st.none() | st.just(NOW),
    finished_at=st.none() | st.just(NOW),
    revision=st.none() | st.integers(1, 9),
    next_name=st.none() | st.text(),
    problem=st.none()
    | st.builds(Problem, st.text(), st.text(), st.dictionaries(st.text(), st.none() | st.integers(0, 9) | st.text())),
)


@given(job=JOBS_MADE)
def test_every_job_is_read_as_it_was_written(job: Job, tmp_path_factory: pytest.TempPathFactory) -> None:
    files = open_jobs(tmp_path_factory.mktemp("jobs"))
    files.put(job, 1)
    kept = files.get(job.id)
    files.close()
    assert kept is not None
    assert kept.job == job


def test_a_number_is_written_once(files: JobFiles) -> None:
    job = job_of(files)
    files.put(job, 1)
    with pytest.raises(KeyExists):
        files.put(job, 1)


@pytest.mark.parametrize("job_id", ["019a1c5e4b2f-7d0c41", "nonsense", "../aliases", ".owners", "", "a/b", "x" * 5_000])
def test_an_id_that_is_not_there_is_nothing(files: JobFiles, job_id: str) -> None:
    assert files.get(job_id) is None


def test_ids_sort_by_time_and_the_newest_comes_first(files: JobFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for ms in range(5):
        monkeypatch.setattr(time, "time_ns", lambda ms=ms: (1_700_000_000_000 + ms) * 1_000_000)
        made.append(job_of(files))
        files.put(made[-1], 1)
    assert files.ids() == [job.id for job in reversed(made)]


def test_a_process_is_alive_until_it_closes(tmp_path: Path) -> None:
    one, other = open_jobs(tmp_path), open_jobs(tmp_path)
    owner = one.owner()
    assert one.is_alive(owner)
    assert other.is_alive(owner)
    assert other.owner() != owner
    one.close()
    assert not other.is_alive(owner)
    assert not other.is_alive("never there")


@pytest.mark.slow
def test_a_killed_process_is_alive_no_more(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from windrow.storage.local_owners import LocalOwners\n"
        "print(LocalOwners(Path(sys.argv[1])).acquire(), flush=True)\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        owner = process.stdout.readline().strip()
        files = open_jobs(tmp_path)
        assert files.is_alive(owner)
        process.kill()
        process.wait()
    assert not files.is_alive(owner)


@pytest.mark.slow
def test_a_forked_process_makes_a_mark_of_its_own(files: JobFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = files.owner()
    assert files.owner() == owner
    process_id = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: process_id + 1)
    assert files.owner() != owner


def test_the_first_who_settles_a_lost_job_is_believed(files: JobFiles) -> None:
    job = job_of(files, "running", started_at=NOW)
    files.put(job, 1)
    kept = files.get(job.id)
    assert kept is not None
    first = files.reconcile(kept, replace(job, state="interrupted", problem=Problem("shutting_down", "It ended.")))
    again = files.reconcile(kept, replace(job, state="succeeded", revision=3))
    assert first == again
    assert first.state == "interrupted"


def test_a_wish_to_stop_is_seen_by_others_and_may_be_repeated(tmp_path: Path, files: JobFiles) -> None:
    job = job_of(files)
    files.put(job, 1)
    assert not files.is_cancel_requested(job.id)
    other = open_jobs(tmp_path)
    other.request_cancel(job.id)
    other.request_cancel(job.id)
    assert files.is_cancel_requested(job.id)
    kept = files.get(job.id)
    assert kept is not None
    assert kept.job == job


def test_old_finished_jobs_go_and_living_ones_stay(
    tmp_path: Path, files: JobFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_files, "MAX_FINISHED", 2)
    made = []
    for number, state in enumerate(("succeeded", "running", "failed", "cancelled", "succeeded")):
        monkeypatch.setattr(time, "time_ns", lambda number=number: (1_700_000_000_000 + number) * 1_000_000)
        made.append(job_of(files, state))  # type: ignore[arg-type]
        files.put(made[-1], 1)
    files.request_cancel(made[0].id)
    gone = LocalOwners(tmp_path)
    gone.acquire()
    os.close(gone._owner_lock.descriptor)  # type: ignore[union-attr]
    assert len(list((tmp_path / JOBS / OWNERS).iterdir())) == 2
    files.prune()
    assert files.ids() == [made[4].id, made[3].id, made[1].id]
    assert [path.name for path in (tmp_path / JOBS / OWNERS).iterdir()] == [files.owner()]
    assert not (tmp_path / JOBS / made[0].id).exists()
    gone._owner_lock = None


def test_what_a_person_put_beside_a_job_stays_and_disturbs_nobody(
    tmp_path: Path, files: JobFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_files, "MAX_FINISHED", 0)
    job = job_of(files, "succeeded")
    files.put(job, 1)
    note = tmp_path / JOBS / job.id / "000001.json~"
    note.write_text("a note")
    files.prune()
    assert [path.name for path in note.parent.iterdir()] == [note.name]


def test_what_a_job_says_after_the_close_is_still_of_its_process(files: JobFiles) -> None:
    job = job_of(files)
    files.put(job, 1)
    owner = files.owner()
    files.close()
    files.put(replace(job, state="interrupted"), 2)
    kept = files.get(job.id)
    assert kept is not None
    assert (kept.owner, files.is_alive(owner)) == (owner, False)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"?", "is no JSON text"),
        (b"[]", "is no object"),
        (b'{"format": 8, "owner": "a", "job": {}}', "is of a newer format"),
        (b'{"format": 2, "owner": "a", "job": {}}', "was altered"),
        (sealed(b'{\n  "format": 7,\n  "sha256": "%064d",\n  "owner": "a", "job": {}}' % 0), "is wrong"),
        (b'{"format": 1, "owner": 3, "job": {}}', "is not of format 1"),
        (b'{"format": 0, "owner": "a", "job": {}}', "has no format number"),
    ],
)
def test_a_damaged_file_says_that_nothing_needs_it(
    tmp_path: Path, files: JobFiles, content: bytes, problem: str
) -> None:
    place = tmp_path / JOBS / "019a1c5e4b2f-7d0c41"
    place.mkdir(parents=True)
    (place / "000001.json").write_bytes(content)
    with pytest.raises(InvalidArtifact, match=rf"{problem}.*No classifier needs it"):
        files.get("019a1c5e4b2f-7d0c41")


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / JOBS).write_text("a file in the way")
    with pytest.raises(StorageFailed, match="Check that Windrow may write there"):
        open_jobs(tmp_path).owner()


def test_what_is_kept_of_a_job_is_plain_and_names_its_format(tmp_path: Path, files: JobFiles) -> None:
    job = job_of(files, created_at=NOW + timedelta(days=1))
    files.put(job, 1)
    content = (tmp_path / JOBS / job.id / "000001.json").read_bytes()
    assert content.startswith(b'{\n  "format": 7,\n  "sha256": "')
    assert stored_job_from_json(job.id, 1, content).job == job
    assert not (tmp_path / JOBS / job.id / CANCEL_FILE).exists()


def test_a_job_that_everybody_sees_is_saved_though_its_disk_does_not_confirm_it(
    files: JobFiles, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put_new = LocalFiles.put_new

    def put(self: LocalFiles, key: str, data: bytes, same_as: str | None = None) -> None:
        put_new(self, key, data, same_as)
        raise StorageUncertain("{file} is not confirmed. Look.", {"file": key})

    monkeypatch.setattr(LocalFiles, "put_new", put)
    job = job_of(files)
    files.put(job, 1)
    files.request_cancel(job.id)
    kept = files.get(job.id)
    assert kept is not None
    assert kept.job == job
    assert files.is_cancel_requested(job.id)
    assert caplog.messages == [f"jobs/{job.id}/{name} is not confirmed. Look." for name in ("000001.json", CANCEL_FILE)]


def test_a_job_of_which_the_place_does_not_say_whether_it_is_there_is_not_taken_for_saved(
    files: JobFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(self: LocalFiles, key: str, data: bytes, same_as: str | None = None) -> None:
        raise StorageUncertain("{file} may be there or not. Look.", {"file": key})

    monkeypatch.setattr(LocalFiles, "put_new", put)
    job = job_of(files)
    with pytest.raises(StorageUncertain):
        files.put(job, 1)
    with pytest.raises(StorageUncertain):
        files.request_cancel(job.id)
    assert not files.is_cancel_requested(job.id)


def test_what_another_process_has_saved_is_not_taken_for_an_own_state_that_the_place_is_unsure_of(
    files: JobFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(files)
    files.put(job, 1)
    files.put(replace(job, state="interrupted", finished_at=NOW), 2)

    def put(self: LocalFiles, key: str, data: bytes, same_as: str | None = None) -> None:
        raise StorageUncertain("{file} may be there or not. Look.", {"file": key})

    monkeypatch.setattr(LocalFiles, "put_new", put)
    with pytest.raises(KeyExists):
        files.put(replace(job, state="succeeded", finished_at=NOW, revision=1), 2)


def test_the_names_of_a_jobs_files_say_its_number_and_whether_to_stop(tmp_path: Path, files: JobFiles) -> None:
    job = job_of(files)
    assert files.news(job.id) == JobNews(0, is_cancel_requested=False)
    files.put(job, 1)
    files.put(replace(job, state="running"), 2)
    (tmp_path / JOBS / job.id / "notes.txt").touch()
    assert files.news(job.id) == JobNews(2, is_cancel_requested=False)
    files.request_cancel(job.id)
    assert files.news(job.id) == JobNews(2, is_cancel_requested=True)


def test_the_newest_jobs_that_have_ended_are_remembered_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = JobFiles(LocalFiles(tmp_path), LocalOwners(tmp_path), NoProgressBoard(), tmp_path, num_remembered=2)
    states: list[JobState] = ["succeeded", "failed", "cancelled", "running"]
    made = []
    for number, state in enumerate(states):
        monkeypatch.setattr(time, "time_ns", lambda number=number: (1_700_000_000_000 + number) * 1_000_000)
        made.append(job_of(files, state))
        files.put(made[-1], 1)
    assert [kept and kept.job for kept in map(files.get, files.ids())] == made[::-1]
    for job in made:
        (tmp_path / JOBS / job.id / "000001.json").unlink()
    assert [kept and kept.job for kept in (files.get(job.id) for job in made)] == [None, made[1], made[2], None]
    monkeypatch.setattr(job_files, "MAX_FINISHED", 0)
    files.prune()
    assert [files.get(job.id) for job in made] == [None] * 4


class BrokenNotices(NoNotices):
    """Cannot be reached."""

    def put(self, job_id: str) -> None:
        raise StorageFailed("It is not left.")

    def remove(self, job_id: str) -> None:
        raise StorageFailed("It is not removed.")


class BrokenBoard(NoProgressBoard):
    """Cannot show how far a job is."""

    @property
    def notices(self) -> BrokenNotices:
        return BrokenNotices()

    def put(self, job_id: str, progress: Progress) -> None:
        raise StorageFailed("It is not shown.")

    def get(self, job_id: str) -> Progress | None:
        raise StorageFailed("It is not shown.")

    def remove(self, job_id: str) -> None:
        raise StorageFailed("It is not shown.")


def test_an_end_of_which_a_process_could_not_be_told_is_not_saved(tmp_path: Path) -> None:
    files = JobFiles(LocalFiles(tmp_path), LocalOwners(tmp_path), BrokenBoard(), tmp_path)
    job = job_of(files)
    files.put(job, 1)
    kept = files.get(job.id)
    assert kept is not None
    ended = replace(job, state="interrupted")
    assert files.reconcile(kept, ended) == ended
    assert files.get(job.id) == kept
    with pytest.raises(StorageFailed):
        files.request_cancel(job.id)
    files.close()


def test_progress_that_cannot_be_shown_fails_nothing(tmp_path: Path) -> None:
    files = JobFiles(LocalFiles(tmp_path), LocalOwners(tmp_path), BrokenBoard(), tmp_path)
    files.show_progress("a", Progress("saving"))
    assert files.progress("a") is None
    files.forget_progress("a")
    files.forget_notice("a")
    files.close()
