"""Object stores in memory with classifiers in them, and what can be done to them behind Windrow's back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from tests.fakes.bucket import MemoryBucket
from tests.storage.model import Server
from windrow.domain.clock import utc_now
from windrow.domain.integrity import IntegrityReport
from windrow.storage.files import check_key
from windrow.storage.namespace import Namespace
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.loose_objects import LOOSE, LOOSE_ROOTS
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.store_check import CHECKS, check

LONG_AGO = timedelta(hours=2)


def long_ago() -> datetime:
    """Return a time that is out of the grace period."""
    return utc_now() - LONG_AGO


@dataclass
class Store:
    """A data directory in an object store, as one server on one machine sees it.

    Args:
        folder: The machine's folder.
        bucket: The store.
    """

    folder: Path
    bucket: MemoryBucket = field(default_factory=MemoryBucket)

    def __post_init__(self) -> None:
        self.files = ObjectFiles(self.bucket, ContentCache(self.folder / "contents", 10**9))
        self.files.open()

    @property
    def server(self) -> Server:
        return Server(self.files)

    @property
    def names(self) -> Namespace:
        return Namespace(self.files, self.files.transaction)

    def other(self, name: str = "other") -> "Store":
        """Return the same store as a server on another machine sees it."""
        return Store(self.folder.parent / name, self.bucket)

    def check(self, *, repair: bool = False) -> IntegrityReport:
        """Check it, and see that nothing of that is left on the machine."""
        report = check(self.files, self.bucket, self.names, self.folder, repair=repair)
        assert not list((self.folder / CHECKS).glob("*"))
        return report

    def object_of(self, key: str) -> str:
        """Return the object that has the content of a file."""
        self.files.follow()
        (found,) = [file.object_key(key) for each, file in self.files.stored() if each == key]
        return found

    def alter(self, key: str, change: Callable[[bytes], bytes]) -> None:
        """Change an object."""
        content, at = self.bucket.objects_by_key[key]
        self.bucket.objects_by_key[key] = (change(content), at)

    def upload(self, root: Path, clock: Callable[[], datetime] = long_ago) -> None:
        """Take over what is in a folder, at a time long past.

        Raises:
            ValueError: A file there cannot be in a store.
        """
        now, self.bucket.clock = self.bucket.clock, clock
        paths = sorted(path for path in root.rglob("*") if not path.is_dir() or not any(path.iterdir()))
        with self.files.transaction():
            for path in paths:
                key = str(path.relative_to(root))
                if key.partition("/")[0] in ("base_models", ".aside", ".last_purge_check", ".data_directory"):
                    continue
                check_key(key)
                if path.is_symlink() or not path.is_file():
                    raise ValueError(f"{key} is no file")
                if key.partition("/")[0] in LOOSE_ROOTS:
                    self.bucket.put(f"{LOOSE}/{key}", path.read_bytes())
                else:
                    self.files.put_new(key, path.read_bytes())
        self.bucket.clock = now
