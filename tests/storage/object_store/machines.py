"""Machines that share an object store in memory, and a store that does not answer all requests."""

from collections.abc import Callable
from pathlib import Path

from tests.fakes.bucket import MemoryBucket, unreachable
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.documents import CONTENTS
from windrow.storage.object_store.object_files import ObjectFiles


class Machines:
    """Machines that share a bucket, each with a cache of its own."""

    def __init__(self, bucket: MemoryBucket, folder: Path) -> None:
        self.bucket, self.folder = bucket, folder

    def new(self, name: str) -> ObjectFiles:
        files = ObjectFiles(self.bucket, ContentCache(self.folder / name, 10**9), max_writers=1)
        files.open()
        return files

    def copies(self, name: str) -> list[bytes]:
        return sorted(path.read_bytes() for path in (self.folder / name).rglob("*") if path.is_file())

    def contents(self) -> list[str]:
        """Return the objects that are the contents of files."""
        return sorted(key for key in self.bucket.objects_by_key if key.startswith(f"{CONTENTS}/"))


def transact(files: ObjectFiles, *steps: Callable[[], object]) -> None:
    """Do all of it in one transaction."""
    with files.transaction():
        for step in steps:
            step()


def stop_at(bucket: MemoryBucket, verb: str, prefix: str = "") -> None:
    """Let the store not answer some requests."""

    def stop(asked: str, key: str) -> None:
        if asked == verb and key.startswith(prefix):
            raise unreachable()

    bucket.before = stop


def answer_all(bucket: MemoryBucket) -> None:
    bucket.before = bucket.after = lambda verb, key: None
