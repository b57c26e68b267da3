"""Jobs of several servers on one object store: any of them shows, follows and cancels them, and finds the lost ones."""

import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.execution.trainings import RESULT, Training
from tests.fakes.bucket import MemoryBucket, unreachable
from tests.storage.store_servers import SharedStore
from windrow.domain.errors import JobFinished, ShuttingDown, TrainingCancelled
from windrow.domain.job import Job, Progress, ignore_progress
from windrow.execution import job_queue
from windrow.execution.job_queue import JobQueue
from windrow.execution.slots import TrainingSlots
from windrow.storage.job_files import MAX_FINISHED, JobFiles, StoredJob, stored_job_to_json
from windrow.storage.object_store import object_files, store_notices, store_progress
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.store_notices import StoreNotices
from windrow.storage.object_store.store_owners import CONFIRM_S, DEAD_AFTER, LISTING_S, StoreOwners
from windrow.storage.object_store.store_progress import StoreProgressBoard

LONG_S = DEAD_AFTER.total_seconds() + LISTING_S + 1
Open = Callable[[MemoryBucket], JobQueue]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that look at each other's files more often, and never at the log, in which no job is."""
    monkeypatch.setattr(object_files, "MAX_AGE_S", math.inf)
    monkeypatch.setattr(store_progress, "_POLL_INTERVAL_S", 0.02)
    monkeypatch.setattr(store_notices, "INTERVAL_S", 0.02)
    monkeypatch.setattr(job_queue, "PROGRESS_INTERVAL_S", 0.02)


@pytest.fixture
def store() -> SharedStore:
    return SharedStore()


@pytest.fixture
def opened(store: SharedStore, tmp_path: Path) -> Iterator[Open]:
    made: list[JobQueue] = []

    def open_one(bucket: MemoryBucket, found: int | None = None) -> JobQueue:
        files = ObjectFiles(bucket, ContentCache(tmp_path / str(len(made)), 10**6))
        owners, board = StoreOwners(bucket, store.clock.seconds), StoreProgressBoard(bucket)
        jobs = JobFiles(files, owners, board, tmp_path, num_remembered=MAX_FINISHED)
        made.append(JobQueue(jobs, TrainingSlots(1, 10), lambda _: found))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


@pytest.fixture
def here(opened: Open, store: SharedStore) -> JobQueue:
    return opened(store.connect())


def begin(jobs: JobQueue, training: Training) -> Job:
    job, _ = jobs.begin(training.spec(), ignore_progress)
    assert training.has_begun.wait(30)
    return job


def until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def stall(connection: MemoryBucket) -> None:
    """Let a server's requests fail from now on."""

    def fail(verb: str, key: str) -> None:
        raise unreachable()

    connection.before = fail


def go_on(connection: MemoryBucket) -> None:
    connection.before = lambda verb, key: None


def let_die(store: SharedStore, looker: JobQueue, job: Job) -> Job:
    """Let time pass until a server takes all others for dead, and return the end of a job of one."""
    store.clock.advance(LONG_S)
    assert not looker.get(job.id).is_finished
    store.clock.advance(CONFIRM_S)
    return looker.get(job.id)


def test_any_server_shows_the_progress_of_a_job_and_follows_it_to_its_end(
    opened: Open, store: SharedStore, here: JobQueue
) -> None:
    elsewhere, training = opened(store.connect()), Training()
    job = begin(here, training)
    shown = Progress("training", 1, 2, 0.5)
    until(lambda: elsewhere.get(job.id).progress == shown)
    assert [each.progress for each in elsewhere.newest(10)] == [shown]
    seen: list[Job] = []
    for each in elsewhere.follow(job.id):
        seen.append(each)
        training.end.set()
    assert (seen[0].state, seen[0].progress) == ("running", shown)
    assert (seen[-1].state, seen[-1].revision, seen[-1].progress) == ("succeeded", 7, None)
    here.wait(30)
    assert here.get(job.id) == elsewhere.get(job.id) == seen[-1]
    assert store.keys("loose/jobs/.progress") == []


def test_any_server_cancels_a_job(opened: Open, store: SharedStore, here: JobQueue) -> None:
    elsewhere, running, waiting = opened(store.connect()), Training("a"), Training("b")
    begun = begin(here, running)
    queued, result = here.begin(waiting.spec(), ignore_progress)
    assert elsewhere.get(queued.id).state == "queued"
    for job in (queued, begun):
        assert elsewhere.cancel(job.id).state == "cancelled"
    with pytest.raises(TrainingCancelled):
        result.result(30)
    with pytest.raises(JobFinished):
        here.cancel(begun.id)
    here.wait(30)
    assert store.keys("loose/jobs/.notices") == []


def test_a_cancel_request_that_cannot_be_looked_for_is_found_later(opened: Open, store: SharedStore) -> None:
    connection, training = store.connect(), Training()
    here, elsewhere = opened(connection), opened(store.connect())
    job = begin(here, training)
    tries = 0

    def fail(verb: str, key: str) -> None:
        nonlocal tries
        tries += 1
        raise unreachable()

    connection.before = fail
    until(lambda: tries > 5)
    go_on(connection)
    assert elsewhere.cancel(job.id).state == "cancelled"


def test_a_server_that_dies_leaves_interrupted_jobs_and_nothing_else(opened: Open, store: SharedStore) -> None:
    connection, training = store.connect(), Training()
    here, elsewhere = opened(connection), opened(store.connect())
    job = begin(here, training)
    until(lambda: elsewhere.get(job.id).progress is not None)
    stall(connection)
    assert elsewhere.get(job.id).state == "running"
    found = let_die(store, elsewhere, job)
    assert (found.state, found.problem and found.problem.code) == ("interrupted", "shutting_down")
    assert [key.rpartition("/")[2] for key in store.keys(f"loose/jobs/{job.id}")] == [
        "000001.json",
        "000002.json",
        "000003.json",
    ]
    assert store.keys("loose/jobs/.progress") == []
    assert store.keys("loose/jobs/.notices") == [f"loose/jobs/.notices/{job.id}"]  # until it is a day old
    assert opened(store.connect()).newest(10) == (found,)


def test_jobs_of_a_dead_server_are_settled_before_the_first_training_of_another(
    opened: Open, store: SharedStore
) -> None:
    connection = store.connect()
    job = begin(opened(connection), Training())
    stall(connection)
    store.clock.advance(LONG_S)
    elsewhere, end = opened(store.connect()), f"loose/jobs/{job.id}/000003.json"
    elsewhere.reconcile_orphaned()  # at its start
    assert end not in store.bucket.objects_by_key
    store.clock.advance(CONFIRM_S)
    begin(elsewhere, Training("b"))
    assert end in store.bucket.objects_by_key


def test_servers_that_cannot_be_looked_for_at_a_start_are_looked_for_before_a_training(
    opened: Open, store: SharedStore, caplog: pytest.LogCaptureFixture
) -> None:
    connection = store.connect()
    elsewhere = opened(connection)
    stall(connection)
    elsewhere.reconcile_orphaned()
    assert "Orphaned jobs could not be checked" in caplog.text
    go_on(connection)
    connection.requests.clear()
    for key in "ab":
        elsewhere.begin(Training(key).spec(), ignore_progress)
    asked = connection.requests["put"]
    elsewhere.begin(Training("c").spec(), ignore_progress)
    assert connection.requests["put"] == asked  # not again


def test_a_start_reads_no_job_where_every_server_lives(opened: Open, store: SharedStore, here: JobQueue) -> None:
    begin(here, Training())
    connection = store.connect()
    opened(connection).reconcile_orphaned()
    assert connection.requests == {"put": 1, "list": 1}


def test_jobs_that_have_ended_are_read_once(opened: Open, store: SharedStore, here: JobQueue) -> None:
    for key in "abc":
        training = Training(key)
        begin(here, training)
        training.end.set()
        here.wait(30)
    connection = store.connect()
    elsewhere = opened(connection)
    first = elsewhere.newest(10)
    connection.requests.clear()
    assert elsewhere.newest(10) == first
    assert connection.requests["get"] == 0
    assert connection.requests.total() <= 1  # a listing, if the last one is not of a moment ago


def test_a_new_server_reads_many_jobs_at_the_same_time(opened: Open, store: SharedStore, here: JobQueue) -> None:
    training = Training()
    job = begin(here, training)
    training.end.set()
    here.wait(30)
    ended = here.get(job.id)
    for number in range(200):
        older = replace(ended, id=f"{number:012x}-{number:06x}")
        store.bucket.put(f"loose/jobs/{older.id}/000003.json", stored_job_to_json(StoredJob(older, 3, "somebody")))
    connection, numbers = store.connect(), itertools.count()
    elsewhere, together = opened(connection), threading.Barrier(5)

    def wait_for_others(verb: str, key: str) -> None:
        if verb == "get" and next(numbers) < together.parties:
            together.wait(30)  # raises where no five are read at the same time

    connection.before = wait_for_others
    jobs = elsewhere.newest(150)
    assert [each.id for each in jobs] == [job.id, *(f"{number:012x}-{number:06x}" for number in range(199, 50, -1))]
    assert connection.requests["get"] == 150
    assert len(elsewhere.newest(1_000, lambda each: each.id < "00000000000a")) == 10
    assert connection.requests["get"] == 201


def test_waiting_jobs_share_one_look_a_second(
    opened: Open, store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_notices, "INTERVAL_S", 600.0)
    asked, look = Counter[str](), StoreNotices.may_have

    def note(notices: StoreNotices, job_id: str) -> bool:
        answer = look(notices, job_id)
        asked[job_id] += 1
        return answer

    monkeypatch.setattr(StoreNotices, "may_have", note)
    connection = store.connect()
    here, running = opened(connection), Training()
    ids = {begin(here, running).id}
    for number in range(8):
        ids.add(here.begin(Training(str(number)).spec(), ignore_progress)[0].id)
    until(lambda: all(asked[each] >= 1 for each in ids))
    connection.requests.clear()
    asked.clear()
    until(lambda: all(asked[each] >= 3 for each in ids))
    assert connection.requests["list"] == connection.requests["get"] == 0


def test_a_stalled_server_that_comes_back_ends_its_training_since_others_were_told_that_it_did(
    opened: Open, store: SharedStore, caplog: pytest.LogCaptureFixture
) -> None:
    connection, training = store.connect(), Training()
    here, elsewhere = opened(connection), opened(store.connect())
    job, result = here.begin(training.spec(), ignore_progress)
    assert training.has_begun.wait(30)
    stall(connection)
    ended = let_die(store, elsewhere, job)
    assert ended.state == "interrupted"
    go_on(connection)
    with pytest.raises(ShuttingDown, match="nothing was saved"):
        result.result(30)
    here.wait(30)
    assert here.get(job.id) == elsewhere.get(job.id) == ended
    assert [message for message in caplog.messages if "taken this one for dead" in message] == [
        f"Another process has taken this one for dead and written down the job {job.id} as interrupted, which holds, "
        "whatever becomes of it here. That happens where this process or its data directory stood still."
    ]


def test_the_first_end_holds_though_the_stalled_server_was_done(
    opened: Open, store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_notices, "INTERVAL_S", 600.0)  # it does not learn of it before its end
    connection, training = store.connect(), Training()
    here, elsewhere = opened(connection), opened(store.connect())
    job, result = here.begin(training.spec(), ignore_progress)
    assert training.has_begun.wait(30)
    ended = let_die(store, elsewhere, job)
    training.end.set()
    assert result.result(30) is RESULT
    assert here.get(job.id).state == "interrupted"
    here.wait(30)
    assert here.get(job.id) == elsewhere.get(job.id) == opened(store.connect()).get(job.id) == ended
    assert len(store.keys(f"loose/jobs/{job.id}")) == 3


def test_an_end_that_could_not_be_saved_gives_way_to_the_one_that_another_server_has_saved_meanwhile(
    opened: Open, store: SharedStore
) -> None:
    connection, training = store.connect(), Training()
    here, elsewhere = opened(connection), opened(store.connect())
    job, result = here.begin(training.spec(), ignore_progress)
    assert training.has_begun.wait(30)
    stall(connection)
    training.end.set()
    assert result.result(30) is RESULT
    here.wait(30)
    assert here.get(job.id).state == "succeeded"
    ended = let_die(store, elsewhere, job)
    go_on(connection)
    here.save_ended()
    assert here.get(job.id) == ended
    assert ended.state == "interrupted"


def test_a_job_that_counts_as_interrupted_before_its_turn_is_not_trained(opened: Open, store: SharedStore) -> None:
    connection = store.connect()
    here, elsewhere = opened(connection), opened(store.connect())
    first, second = Training("a"), Training("b")
    begin(here, first)
    job, result = here.begin(second.spec(), ignore_progress)
    stall(connection)
    assert let_die(store, elsewhere, job).state == "interrupted"
    go_on(connection)
    with pytest.raises(ShuttingDown):
        result.result(30)
    assert not second.has_begun.is_set()
    first.end.set()


def test_a_state_that_was_saved_though_its_reply_was_lost_is_saved_once(opened: Open, store: SharedStore) -> None:
    connection, training = store.connect(), Training()
    here = opened(connection)
    lost = threading.Event()

    def lose(verb: str, key: str) -> None:
        if verb == "create" and key.endswith("000002.json") and not lost.is_set():
            lost.set()
            raise unreachable()

    connection.after = lose
    job = begin(here, training)
    training.end.set()
    here.wait(30)
    assert lost.is_set()
    assert opened(store.connect()).get(job.id).state == "succeeded"
    assert [key.rpartition("/")[2] for key in store.keys(f"loose/jobs/{job.id}")] == [
        "000001.json",
        "000002.json",
        "000003.json",
    ]
