"""Copies of data directories: the same files in either kind of place, after failures, changes and conflicts, too."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.fakes.bucket import MemoryBucket, unreachable
from tests.fakes.files import BreakingFiles, Killed, MemoryFiles
from tests.storage.audit_lines import audit_line
from tests.storage.places import DAY, PROCESS, TestPlace, fill, in_folder, in_memory, in_store
from windrow.domain.access import CreateKeyRequest
from windrow.domain.errors import (
    InvalidArtifact,
    InvalidParameter,
    KeysUnavailable,
    StorageFailed,
    WindrowError,
)
from windrow.domain.store_copy import CopyProgress, CopyReport
from windrow.storage.audit_log import AuditLog
from windrow.storage.files import MAX_BYTES, Files
from windrow.storage.format import FORMAT
from windrow.storage.key_store import KEPT_FILES, KeyStore
from windrow.storage.lock import Lock
from windrow.storage.store_copy import copy_files
from windrow.storage.use_store import UseStore, file_name

UNFINISHED = "jobs/019a1c5e4b2f-7d0c42/"
Open = Callable[[str], TestPlace]


@pytest.fixture
def open_place(tmp_path: Path) -> Open:
    """Opens a data directory by its name and kind, anew each time."""
    buckets: dict[str, MemoryBucket] = {}

    def open_place(name: str) -> TestPlace:
        if name.startswith("store"):
            return in_store(buckets.setdefault(name, MemoryBucket()), tmp_path / "cache")
        return in_folder(tmp_path / name)

    return open_place


def expected(source: TestPlace) -> dict[str, bytes]:
    return {key: content for key, content in source.everything().items() if not key.startswith(UNFINISHED)}


DIRECTIONS = [(one, other) for one in ("folder", "store") for other in ("folder", "store")]


@pytest.mark.parametrize(("one", "other"), DIRECTIONS)
def test_a_copy_there_and_back_has_every_file_byte_for_byte(open_place: Open, one: str, other: str) -> None:
    source, there, back = open_place(f"{one} a"), f"{other} b", f"{one} c"
    fill(source)
    report = copy_files(source, open_place(there))
    content = expected(source)
    assert open_place(there).everything() == content
    assert report == CopyReport(
        dry_run=False,
        copied_files=len(content),
        copied_bytes=sum(map(len, content.values())),
        skipped_files=0,
        removed_files=0,
        names=("live", "mails", "old", "post", "tickets"),
        unfinished_jobs=1,
        only_in_target=(),
        still_changing=(),
        problems=(),
    )
    assert report.complete
    assert copy_files(open_place(there), open_place(back)).complete
    assert open_place(back).everything() == content


@pytest.mark.parametrize("other", ["folder", "store"])
def test_a_second_copy_skips_all_and_changes_nothing(open_place: Open, other: str) -> None:
    source = open_place("folder a")
    fill(source)
    first = copy_files(source, open_place(f"{other} b"))
    again = copy_files(source, open_place(f"{other} b"))
    assert again == replace(first, copied_files=0, copied_bytes=0, names=(), skipped_files=first.copied_files)


def test_a_second_copy_between_stores_reads_no_blob_of_either(tmp_path: Path) -> None:
    one, other = MemoryBucket(), MemoryBucket()
    fill(in_store(one, tmp_path))
    copy_files(in_store(one, tmp_path), in_store(other, tmp_path))
    read: list[str] = []
    one.before = other.before = lambda verb, key: read.append(key) if verb == "get" else None
    assert copy_files(in_store(one, tmp_path), in_store(other, tmp_path)).copied_files == 0
    assert not [key for key in read if "/blobs/" in key]


def test_a_dry_run_says_what_would_be_copied_and_changes_nothing(open_place: Open) -> None:
    source, target = open_place("folder a"), open_place("store b")
    fill(source)
    planned = copy_files(source, target, dry_run=True)
    assert target.everything() == {}
    assert copy_files(source, target) == replace(planned, dry_run=False)


def test_in_a_store_a_small_classifier_takes_one_commit(tmp_path: Path) -> None:
    source, bucket = in_memory(), MemoryBucket()
    for name in ("a", "b", "c"):
        source.train(name)
    copy_files(source, in_store(bucket, tmp_path))
    assert len(bucket.names("commits")) == 3


def test_more_than_a_commit_takes_is_put_with_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.storage.folder_copy._BATCH_BYTES", 1)
    source, bucket = in_memory(), MemoryBucket()
    for mark in "abcdef":
        source.train("tickets", mark)
    copy_files(source, in_store(bucket, tmp_path))
    assert len(bucket.names("commits")) > 3
    assert in_store(bucket, tmp_path).everything() == source.everything()


def test_progress_is_told_up_to_the_last_folder() -> None:
    source, told = in_memory(), list[CopyProgress]()
    fill(source)
    report = copy_files(source, in_memory(), on_progress=told.append)
    assert told[0].done == 1
    assert told[-1].done == told[-1].total
    assert told[-1].copied_bytes == report.copied_bytes


# What it holds at any moment.


@dataclass
class Watched:
    """Files that say before each change of them what they hold."""

    files: MemoryFiles
    seen: list[dict[str, bytes]] = field(default_factory=list)

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        self.files.put_new(key, data, same_as)
        self.seen.append(dict(self.files.kept))

    def remove(self, key: str) -> None:
        self.files.remove(key)
        self.seen.append(dict(self.files.kept))

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        return self.files.get(key, max_bytes)

    def list(self, prefix: str) -> list[str]:
        return self.files.list(prefix)

    def version_token(self, prefix: str) -> str | None:
        return self.files.version_token(prefix)


def test_whatever_the_target_holds_is_an_earlier_state_that_lets_nobody_in_who_may_not() -> None:
    source, files = in_memory(), Watched(MemoryFiles())
    fill(source)
    copy_files(source, TestPlace(files, files.files.lock))
    known = KeyStore(source.names).known()
    for kept in files.seen:
        copy = MemoryFiles(dict(kept))
        place = TestPlace(copy, copy.lock)
        assert KeyStore(place.names).known() == known
        for name in place.names.classifiers.names():
            assert set(place.names.revisions(name)) <= set(source.names.revisions(name))
            if (entry := place.names.entry(name)) is not None:
                for ref in entry.blobs.values():
                    assert f"classifiers/{name}/blobs/{ref.file_name}" in kept
        for _, pointer in place.names.pointers():
            place.names.answering(pointer.target)
        for job_id in copy.list("jobs"):
            assert "000003.json" in copy.list(f"jobs/{job_id}")


# Stopped and begun again.


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("failure", [Killed(), StorageFailed("The disk failed.")])
def test_a_copy_that_fails_at_any_step_goes_on_when_it_is_begun_again(failure: BaseException, is_done: bool) -> None:
    source = in_memory()
    fill(source)
    whole = expected(source)
    for step in range(1, 100):
        kept = MemoryFiles()
        breaking = BreakingFiles(kept, step, failure, is_done)
        try:
            copy_files(source, TestPlace(breaking, breaking.lock))
        except (Killed, WindrowError):
            assert breaking.steps >= step
        report = copy_files(source, TestPlace(kept, kept.lock))
        assert report.complete
        assert TestPlace(kept, kept.lock).everything() == whole
        if breaking.steps < step:
            break
    assert step == len(whole) + 1


@pytest.mark.parametrize("is_done", [False, True])
def test_a_copy_to_a_store_that_fails_at_any_request_goes_on_when_it_is_begun_again(
    tmp_path: Path, is_done: bool
) -> None:
    source = in_memory()
    fill(source)
    whole = expected(source)
    for step in range(1, 300):
        bucket, steps = MemoryBucket(), 0

        def fail(verb: str, key: str, step: int = step) -> None:
            nonlocal steps
            if verb in ("create", "put"):
                steps += 1
                if steps == step:
                    raise unreachable()

        target = in_store(bucket, tmp_path)
        if is_done:
            bucket.after = fail
        else:
            bucket.before = fail
        try:
            copy_files(source, target)
        except WindrowError:
            assert steps >= step
        bucket.before = bucket.after = lambda verb, key: None
        assert copy_files(source, in_store(bucket, tmp_path)).complete
        assert in_store(bucket, tmp_path).everything() == whole
        if steps < step:
            break
    assert step > len(whole)


def test_a_race_for_a_commit_that_is_lost_is_run_again(tmp_path: Path) -> None:
    source, bucket = in_memory(), MemoryBucket()
    source.train("tickets")
    target, other = in_store(bucket, tmp_path), in_store(bucket, tmp_path)
    raced: list[str] = []

    def race(verb: str, key: str) -> None:
        if verb == "create" and key.startswith("commits/") and not raced:
            raced.append(key)
            other.train("others")

    bucket.before = race
    report = copy_files(source, target)
    assert raced
    assert (report.complete, report.only_in_target) == (True, ("others",))


def test_a_target_that_gives_back_other_bytes_ends_the_copy() -> None:
    class Lying(MemoryFiles):
        def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
            return super().get(key, max_bytes) + b"!"

    source, files = in_memory(), Lying()
    source.train("tickets")
    with pytest.raises(StorageFailed, match="gave back other bytes of classifiers/tickets/blobs"):
        copy_files(source, TestPlace(files, files.lock))


# The source changes meanwhile.


@dataclass
class Changing:
    """A source that somebody changes before the read of a given number.

    Args:
        place: The source.
        step: The number, from 1.
        change: What is changed then.
    """

    place: TestPlace
    step: int
    change: Callable[[TestPlace], object]
    steps: int = 0

    @property
    def files(self) -> Files:
        return self

    @property
    def lock(self) -> Lock:
        return self.place.lock

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        self._step()
        return self.place.files.get(key, max_bytes)

    def list(self, prefix: str) -> list[str]:
        self._step()
        return self.place.files.list(prefix)

    def version_token(self, prefix: str) -> str | None:
        return self.place.files.version_token(prefix)

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        raise AssertionError("nothing is put into a source")

    def remove(self, key: str) -> None:
        raise AssertionError("nothing is removed from a source")

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.step:
            self.change(self.place)


def anew(place: TestPlace) -> None:
    place.catalog.purging.purge("mails", force=True)
    place.train("mails", "e")


CHANGES: dict[str, Callable[[TestPlace], object]] = {
    "publish": lambda place: place.train("tickets", "e"),
    "publish another": lambda place: place.train("bills", "e"),
    "promote": lambda place: place.promote("live", "mails"),
    "delete": lambda place: place.catalog.delete("mails", force=True),
    "purge": lambda place: place.catalog.purging.purge("mails", force=True),
    "purge and train anew": anew,
    "purge a revision": lambda place: place.catalog.purging.purge_revision("tickets", 1),
    "revoke": lambda place: KeyStore(place.names).revoke("shop"),
    "count": lambda place: place.count(2, 5, (file_name(PROCESS, 1),)),
    "end": lambda place: place.put_job("019a1c5e4b2f-7d0c43", "queued", "succeeded"),
    "note": lambda place: AuditLog(place.files).put([audit_line(5)]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_at_any_step_of_a_copy_is_in_it_at_its_end(change: str) -> None:
    filled = MemoryFiles()
    fill(TestPlace(filled, filled.lock))
    before, missed, step = expected(TestPlace(filled, filled.lock)), [], 0
    while True:
        step += 1
        files = filled.copy()
        source, target = Changing(TestPlace(files, files.lock), step, CHANGES[change]), in_memory()
        report = copy_files(source, target)
        if source.steps < step:
            break
        assert report.complete
        if target.everything() != expected(source.place):
            assert target.everything() == before
            missed.append(step)
    # What is behind the last look at a folder is for the next copy.
    assert min(missed, default=step) > step / 2


@pytest.mark.parametrize("change", sorted(CHANGES.keys() - {"purge", "purge and train anew"}))
@pytest.mark.parametrize("other", ["folder", "store"])
def test_a_second_copy_takes_over_what_has_changed_since_the_first(open_place: Open, change: str, other: str) -> None:
    source = open_place("folder a")
    fill(source)
    copy_files(source, open_place(f"{other} b"))
    CHANGES[change](source)
    report = copy_files(source, open_place(f"{other} b"))
    assert (report.complete, report.only_in_target) == (True, ())
    assert open_place(f"{other} b").everything() == expected(source)
    assert UseStore(open_place(f"{other} b").files).day(DAY) == UseStore(source.files).day(DAY)


def test_a_second_copy_names_what_was_purged_as_a_whole_since_the_first_and_leaves_it() -> None:
    source, target = in_memory(), in_memory()
    fill(source)
    copy_files(source, target)
    before = target.everything()
    source.catalog.purging.purge("mails", force=True)
    report = copy_files(source, target)
    assert (report.complete, report.only_in_target, report.removed_files) == (True, ("mails",), 0)
    assert target.everything() == before


def test_what_was_purged_of_a_classifier_since_the_first_copy_goes_from_the_target(tmp_path: Path) -> None:
    source, target = in_memory(), in_store(MemoryBucket(), tmp_path)
    source.train("tickets", "a")
    source.train("tickets", "b")
    copy_files(source, target)
    kept = target.everything()
    source.catalog.purging.purge_revision("tickets", 1)
    report = copy_files(source, target)
    gone = kept.keys() - target.everything().keys()
    assert len(gone) == report.removed_files == 3  # its number, its artifact and its rows
    assert target.everything() == source.everything()


def test_a_source_that_is_never_at_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    files = MemoryFiles()
    place, target = TestPlace(files, files.lock), in_memory()
    place.train("tickets")
    source = Changing(place, -1, lambda _: None)
    trained = 0

    def train(key: str, max_bytes: int = MAX_BYTES) -> bytes:
        nonlocal trained
        content = place.files.get(key, max_bytes)
        trained += 1
        place.train(f"other_{trained}")
        return content

    monkeypatch.setattr(source, "get", train)
    report = copy_files(source, target)
    assert not report.complete
    assert report.still_changing
    assert not report.problems


# What the target holds already.


@pytest.mark.parametrize("other", ["folder", "store"])
def test_another_classifier_of_the_same_name_stays_and_what_points_to_it_is_left_out(
    open_place: Open, other: str
) -> None:
    source, target = open_place("folder a"), open_place(f"{other} b")
    fill(source)
    target.train("tickets", "f")
    before = target.everything()
    report = copy_files(source, target)
    assert not report.complete
    assert [(problem.kind, problem.path) for problem in report.problems] == [
        ("target_not_copied", "aliases/live"),
        ("conflict", "classifiers/tickets/000001.json"),
    ]
    assert "points to tickets, which was not copied" in report.problems[0].detail
    assert "Choose an empty target" in report.problems[1].detail
    after = target.everything()
    assert {key: after[key] for key in before} == before
    assert after.keys() - before.keys() == {
        key for key in expected(source) if not key.startswith(("classifiers/tickets/", "aliases/live/"))
    }


def test_a_target_that_went_on_by_itself_is_a_conflict() -> None:
    source, target = in_memory(), in_memory()
    fill(source)
    copy_files(source, target)
    target.train("mails", "f")
    before = target.everything()
    source.train("tickets", "e")
    report = copy_files(source, target)
    assert [(each.kind, each.path) for each in report.problems] == [
        ("target_not_copied", "aliases/post"),
        ("conflict", "classifiers/mails/000002.json"),
    ]
    assert before.items() < target.everything().items()
    assert target.names.revisions("tickets") == (1, 2, 3)


@pytest.mark.parametrize(("kind", "name"), [("classifiers", "live"), ("classifiers", "LIVE"), ("aliases", "Tickets")])
def test_a_name_that_differs_only_in_case_or_kind_from_one_of_the_target_is_left_out(kind: str, name: str) -> None:
    source, target = in_memory(), in_memory()
    fill(source)
    target.train("base")
    if kind == "classifiers":
        target.train(name)
    else:
        target.promote(name, "base")
    report = copy_files(source, target)
    conflicts = [each for each in report.problems if each.kind == "conflict"]
    assert [each.path.casefold() for each in conflicts] == [
        "aliases/live" if kind == "classifiers" else "classifiers/tickets"
    ]
    assert f"The target has {kind}/{name}, " in conflicts[0].detail
    assert set(report.only_in_target) == {"base", name}


def test_other_keys_of_the_target_stay() -> None:
    source, target = in_memory(), in_memory()
    fill(source)
    KeyStore(target.names).create(CreateKeyRequest(name="mine", scopes=("predict",)), None)
    report = copy_files(source, target)
    assert [problem.path for problem in report.problems] == ["access/keys/000001.json"]
    assert [key.name for key in KeyStore(target.names).known().keys] == ["mine"]


def test_keys_of_which_only_later_files_are_left_replace_those_of_an_earlier_copy() -> None:
    source, target = in_memory(), in_memory()
    fill(source)
    copy_files(source, target)
    for number in range(KEPT_FILES + 2):
        KeyStore(source.names).create(CreateKeyRequest(name=f"k{number}", scopes=("predict",)), None)
    assert not set(source.files.list("access/keys")) & set(target.files.list("access/keys"))
    report = copy_files(source, target)
    assert (report.complete, report.removed_files) == (True, 3)
    assert target.everything() == expected(source)


def test_counts_of_the_targets_own_processes_stay() -> None:
    source, target = in_memory(), in_memory()
    source.count(4, 3)
    target.files.put_new(
        f"usage/{DAY}/{file_name('2' * 12, 1)}", source.files.get(f"usage/{DAY}/{file_name(PROCESS, 4)}")
    )
    copy_files(source, target)
    assert UseStore(target.files).day(DAY).classifiers["tickets"].predictions == 6


def test_a_target_of_a_newer_windrow_is_refused_before_anything_is_copied() -> None:
    source, target = in_memory(), in_memory()
    fill(source)
    newer = source.files.get("classifiers/mails/000001.json").replace(
        b'"format": %d' % FORMAT, b'"format": %d' % (FORMAT + 1)
    )
    target.files.put_new("classifiers/bills/000001.json", newer)
    with pytest.raises(InvalidArtifact, match=r"A newer Windrow wrote classifiers/bills/000001.json"):
        copy_files(source, target)
    assert len(target.everything()) == 1


def test_a_source_with_nothing_to_copy_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="neither classifiers nor aliases"):
        copy_files(in_memory(), in_memory())


# The source is damaged.


def damaged(place: TestPlace, key: str) -> None:
    content = place.files.get(key)
    place.files.remove(key)
    place.files.put_new(key, content[:-3] + b"?" + content[-2:])


DAMAGED = {
    "a blob": ("classifiers/mails/blobs/", {"classifiers/mails/blobs/"}, []),
    "an older number": ("classifiers/tickets/000001", {"classifiers/tickets/000001"}, []),
    "the newest number": ("classifiers/tickets/000002", {"classifiers/tickets/"}, ["aliases/live"]),
    "an alias": ("aliases/live/000002", {"aliases/live/"}, []),
    "counts": ("usage/", {"usage/"}, []),
    "a job": ("jobs/019a1c5e4b2f-7d0c41/000003", {"jobs/019a1c5e4b2f-7d0c41/"}, []),
    "audit": ("audit/2025-09-15", {"audit/2025-09-15"}, []),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_told_and_the_rest_is_copied(case: str) -> None:
    prefix, left_out, pointing = DAMAGED[case]
    source, target = in_memory(), in_memory()
    fill(source)
    key = next(key for key in source.everything() if key.startswith(prefix))
    damaged(source, key)
    report = copy_files(source, target)
    assert not report.complete
    assert [(each.kind, each.path) for each in report.problems if each.kind == "damage"] == [("damage", key)]
    assert [each.path for each in report.problems if each.kind == "target_not_copied"] == pointing
    missing = expected(source).keys() - target.everything().keys()
    assert key in missing
    if left_out == {prefix}:
        assert missing == {key}
    else:
        assert {each for each in missing if not each.startswith(tuple(pointing))} == {
            each for each in expected(source) if each.startswith(tuple(left_out))
        }


def test_a_mended_file_is_copied_by_the_next_copy() -> None:
    source, target = in_memory(), in_memory()
    fill(source)
    key = "classifiers/tickets/000001.json"
    sound = source.files.get(key)
    damaged(source, key)
    assert not copy_files(source, target).complete
    source.files.remove(key)
    source.files.put_new(key, sound)
    assert copy_files(source, target).complete
    assert target.everything() == expected(source)


def test_without_readable_keys_nothing_is_copied_so_that_the_copy_lets_nobody_in() -> None:
    source, target = in_memory(), in_memory()
    fill(source)
    damaged(source, "access/keys/000003.json")
    with pytest.raises(KeysUnavailable, match=r"The newest API keys, access/keys/000003.json, cannot be read"):
        copy_files(source, target)
    assert target.everything() == {}


def test_a_file_that_may_not_be_read_or_is_none_is_told(tmp_path: Path) -> None:
    source, target = in_folder(tmp_path / "a"), in_memory()
    fill(source)
    path = tmp_path / "a/classifiers/tickets/000001.json"
    path.unlink()
    path.symlink_to(tmp_path / "a/classifiers/tickets/000002.json")
    report = copy_files(source, target)
    assert [(each.kind, each.path) for each in report.problems] == [("damage", "classifiers/tickets/000001.json")]
    assert "It cannot be read" in report.problems[0].detail
