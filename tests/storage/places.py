"""Data directories in folders, in object stores and in memory, filled with all that is copied from one to another."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.fakes.bucket import MemoryBucket
from tests.fakes.files import MemoryFiles
from tests.storage.audit_lines import audit_line
from tests.storage.examples import new_revision
from windrow.domain.access import CreateKeyRequest
from windrow.domain.alias import ChangeNote
from windrow.domain.job import Job, JobState
from windrow.domain.names import read_reference
from windrow.storage.alias_store import Aliases
from windrow.storage.artifact import ARTIFACT, ROWS
from windrow.storage.audit_log import AuditLog
from windrow.storage.catalog import Catalog
from windrow.storage.copied_kinds import KINDS
from windrow.storage.files import Files, LocalFiles
from windrow.storage.job_files import JOBS, StoredJob, stored_job_to_json
from windrow.storage.key_store import KeyStore
from windrow.storage.lock import DirectoryLock, Lock
from windrow.storage.namespace import Namespace
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.use_store import ClassifierUse, DayUse, KeyUse, UseStore, file_name

AT = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
DAY = date(2025, 9, 15)
PROCESS = "1" * 12


@dataclass(frozen=True)
class TestPlace:
    """A data directory as a copy sees it."""

    __test__ = False

    files: Files
    lock: Lock

    @property
    def names(self) -> Namespace:
        """Its names, as a server that begins now sees them."""
        return Namespace(self.files, self.lock)

    @property
    def catalog(self) -> Catalog:
        """Its classifiers, likewise."""
        return Catalog(self.names)

    def train(self, name: str, mark: str = "a") -> None:
        """Train a classifier, with blobs that differ by name and mark."""
        contents = {ARTIFACT: f"artifact {name} {mark}".encode(), ROWS: f"rows {name} {mark}".encode()}
        self.catalog.publish(new_revision(name, mark, contents))

    def promote(self, alias: str, target: str) -> None:
        """Point an alias somewhere."""
        Aliases(self.names).promote(alias, read_reference(target), ChangeNote())

    def count(self, number: int, predictions: int, replaces: tuple[str, ...] = ()) -> None:
        """Put what a process has counted."""
        use = DayUse({"tickets": ClassifierUse(predictions, AT)}, {"shop": KeyUse(1, predictions)}, replaces)
        UseStore(self.files).put(DAY, file_name(PROCESS, number), use)

    def put_job(self, job_id: str, *states: JobState) -> None:
        """Put the states of a job."""
        values: dict[str, Any] = {"training_data_sha256": "0" * 64, "created_at": AT}
        job = Job(id=job_id, state="queued", model_name="tickets", num_examples=6, **values)
        for number, state in enumerate(states, 1):
            content = stored_job_to_json(StoredJob(replace(job, state=state), number, "nobody"))
            self.files.put_new(f"{JOBS}/{job_id}/{number:06d}.json", content)

    def everything(self) -> dict[str, bytes]:
        """Return each file that is copied, by its key, as whoever comes new finds it."""
        keys = [
            f"{kind.root}/{name}/{file}"
            for kind in KINDS
            for name in kind.folders(self.files)
            for file in kind.listing(self.files, name)
        ]
        return {key: self.files.get(key) for key in keys}


def in_folder(root: Path) -> TestPlace:
    """Return a data directory in a folder."""
    return TestPlace(LocalFiles(root), DirectoryLock(root))


def in_store(bucket: MemoryBucket, folder: Path) -> TestPlace:
    """Return a data directory in an object store, as a process that begins now opens it; no copies are kept."""
    files = ObjectFiles(bucket, ContentCache(folder, 0), max_writers=1)
    files.open()
    return TestPlace(files, files.transaction)


def in_memory() -> TestPlace:
    """Return a data directory in memory."""
    files = MemoryFiles()
    return TestPlace(files, files.lock)


def fill(place: TestPlace) -> None:
    """Put two keys, three classifiers of which one is deleted, two aliases, counts, jobs and lines of audit."""
    keys = KeyStore(place.names)
    for name in ("shop", "office"):
        keys.create(CreateKeyRequest(name=name, scopes=("predict",)), None)
    keys.revoke("office")
    for name, mark in (("tickets", "a"), ("tickets", "b"), ("mails", "c"), ("old", "d")):
        place.train(name, mark)
    place.catalog.delete("old")
    place.promote("live", "tickets@1")
    place.promote("live", "tickets")
    place.promote("post", "mails")
    place.count(1, 3)
    place.put_job("019a1c5e4b2f-7d0c41", "queued", "running", "succeeded")
    place.put_job("019a1c5e4b2f-7d0c42", "queued", "running")
    AuditLog(place.files).put([audit_line(0), audit_line(90_000)])
