"""What lost its newest record is damaged, not garbage, as long as a job or an alias remembers it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.execution.examples import queued_job
from tests.storage.breakage import half_published, put, remove
from tests.storage.examples import fast_folder, open_names
from tests.storage.job_folders import open_jobs
from tests.storage.model import Server
from windrow.domain.clock import utc_now
from windrow.domain.integrity import Finding, IntegrityReport
from windrow.storage.files import LocalFiles
from windrow.storage.folder_check import LOST_AND_FOUND
from windrow.storage.fsck import check
from windrow.storage.mentions import Mention, find_mentions

HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)


@pytest.fixture
def root() -> Iterator[Path]:
    """A data directory with a classifier of two revisions and one of one."""
    with fast_folder() as folder:
        root = Path(folder, "data")
        server = earlier(root, HOUR)
        server.fit("two", 1)
        server.fit("two", 2)
        server.fit("one", 3)
        for path in root.rglob("blobs/*"):
            os.utime(path, 2 * ((utc_now() - HOUR).timestamp(),))
        yield root


def earlier(root: Path, by: timedelta) -> Server:
    """Return a server whose clock is late."""
    server = Server(LocalFiles(root))
    server.names.now = lambda: utc_now() - by
    return server


def succeed(root: Path, name: str, revision: int, at: datetime) -> str:
    """Write down that a job made a revision, and return the job's id."""
    files = open_jobs(root)
    job = queued_job(files.new_id())
    files.put(replace(job, model_name=name, state="succeeded", revision=revision, finished_at=at), 1)
    files.close()
    return job.id


def repaired(root: Path) -> IntegrityReport:
    return check(root, open_names(LocalFiles(root), lambda: utc_now() + 2 * HOUR), repair=True)


def files_of(root: Path, name: str) -> set[Path]:
    return {path for path in (root / "classifiers" / name).rglob("*") if path.is_file()}


def damage(report: IntegrityReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity == "damage"]


@pytest.mark.parametrize(
    ("name", "revision", "by"),
    # What an alias of the name as a whole says is that there was something, so nobody can tell what two has lost.
    [("one", 1, "job"), ("one", 1, "one@1"), ("one", 1, "one"), ("two", 2, "job"), ("two", 2, "two@2")],
)
def test_a_repair_leaves_what_lost_its_newest_record(root: Path, name: str, revision: int, by: str) -> None:
    if by == "job":
        succeed(root, name, revision, utc_now() - HALF)
    else:
        earlier(root, HALF).promote("answer", by)
    lost = remove(root, f"classifiers/{name}/{revision:06d}.json")
    before = files_of(root, name)
    for _ in range(2):
        report = repaired(root)
        (finding,) = damage(report)
        assert (finding.code, finding.path) == ("number_missing", lost)
        assert not report.sound
        assert ("answered meanwhile" in finding.detail) == (name == "two")
        assert files_of(root, name) == before


def test_whose_loss_was_accepted_by_a_new_training_is_sound(root: Path) -> None:
    succeed(root, "two", 2, utc_now() - HALF)
    remove(root, "classifiers/two/000002.json")
    assert damage(repaired(root))
    Server(LocalFiles(root)).fit("two", 4)
    succeed(root, "two", 2, utc_now())
    assert not damage(repaired(root))


def test_a_later_training_with_a_lower_number_accepts_the_loss_of_higher_ones(root: Path) -> None:
    now = utc_now() - HALF
    succeed(root, "two", 5, now)
    assert damage(repaired(root))
    succeed(root, "two", 2, now + timedelta(seconds=5))
    assert not damage(repaired(root))


def test_what_was_said_about_a_purged_classifier_is_not_said_about_its_successor(root: Path) -> None:
    succeed(root, "one", 7, utc_now() - 2 * HOUR)
    assert repaired(root).findings == ()
    shutil.rmtree(root / "classifiers/one")
    assert repaired(root).findings == ()


def test_a_purged_revision_is_not_lost(root: Path) -> None:
    succeed(root, "two", 1, utc_now())
    Server(LocalFiles(root)).purge_revision("two", 1)
    assert repaired(root).findings == ()


def test_without_a_mention_what_could_be_rows_is_moved_and_not_removed(root: Path) -> None:
    succeed(root, "halves", 3, utc_now() - HOUR)  # a former one of this name
    half_published(root, 3)
    before = {path.relative_to(root): path.read_bytes() for path in files_of(root, "halves")}
    assert len(before) == 2
    report = repaired(root)
    assert [(each.code, each.repaired) for each in report.findings] == [("folder_without_record", True)]
    assert LOST_AND_FOUND in report.findings[0].detail
    moved = {root / LOST_AND_FOUND / path: content for path, content in before.items()}
    assert {path: path.read_bytes() for path in moved} == moved
    assert not (root / "classifiers/halves").exists()
    assert repaired(root).findings == ()


def test_what_is_lost_twice_is_found_twice(root: Path) -> None:
    place = f"classifiers/one/blobs/{'c' * 64}.safetensors"
    for content in (b"first", b"second"):
        put(root, place, content)
        assert [each.repaired for each in repaired(root).findings] == [True]
    kept = [path.read_bytes() for path in (root / LOST_AND_FOUND).rglob("*") if path.is_file()]
    assert sorted(kept) == [b"first", b"second"]


def test_what_nobody_can_read_says_nothing(root: Path) -> None:
    job_id = succeed(root, "one", 4, utc_now())
    (mention,) = find_mentions(str(root))["one"]
    assert mention == Mention(4, mention.at, f"The job {job_id}")
    put(root, f"jobs/{job_id}/000002.json", b"{")
    put(root, "aliases/answer/000001.json", b"{")
    assert find_mentions(str(root)) == {}


def test_what_a_copy_was_made_too_early_for_is_no_damage(root: Path) -> None:
    succeed(root, "two", 3, utc_now() + HOUR)
    report = repaired(root)
    assert [(each.severity, each.code) for each in report.findings] == [("notice", "number_not_copied")]
    assert report.sound
