"""Count the requests to an object store by operation, and weigh the index of a data directory in one.

The store is a dictionary that counts; nothing is timed but the index. Listings are counted in pages of 1,000, as S3
gives them.

Run: make bench-store
"""

import argparse
import random
import resource
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from fleet_data import Fleet, open_fleet
from report import markdown

from tests.fakes.bucket import MemoryBucket
from tests.fakes.files import MemoryFiles
from windrow.domain.alias import ChangeNote
from windrow.domain.names import Reference
from windrow.storage.alias_store import Aliases
from windrow.storage.artifact import ARTIFACT
from windrow.storage.catalog import Catalog
from windrow.storage.namespace import Namespace
from windrow.storage.object_store.bucket import StoredObject
from windrow.storage.object_store.commit_log import CommitLog, new_attempt
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.documents import Checkpoint, StoredFile, checkpoint_to_bytes, commit_to_bytes
from windrow.storage.object_store.object_files import ObjectFiles, StoreDirectory

PAGE, VERBS = 1_000, ("list", "get", "put", "create", "remove")
CACHE_BYTES = 10**9

Line = tuple[str, ...]


@dataclass
class CountingBucket(MemoryBucket):
    """A store that counts the pages of its listings, and the bytes that it takes and gives."""

    moved: Counter[str] = field(default_factory=Counter)

    def objects(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """Yield what is listed; each full page before the last one is one more request."""
        for number, each in enumerate(super().objects(prefix, after)):
            if number and number % PAGE == 0:
                self.requests["list"] += 1
            yield each

    def names(self, prefix: str) -> list[str]:
        """Return the names, in as many pages as they take."""
        found = super().names(prefix)
        self.requests["list"] += max(0, -(-len(found) // PAGE) - 1)
        return found

    def create(self, key: str, data: bytes) -> bool:
        """Create an object."""
        self.moved["up"] += len(data)
        return super().create(key, data)

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        self.moved["up"] += len(data)
        super().put(key, data)

    def get(self, key: str) -> bytes:
        """Return an object."""
        content = super().get(key)
        self.moved["down"] += len(content)
        return content


@dataclass(frozen=True, slots=True)
class Replica:
    """One server's view of the store.

    Args:
        files: Its files.
        names: What is in them.
        catalog: The classifiers.
    """

    files: ObjectFiles
    names: Namespace
    catalog: Catalog


def main() -> None:
    """Count, weigh, print two tables."""
    parser = argparse.ArgumentParser(description="Count requests to an object store (bench/README.md).")
    parser.add_argument("--classifiers", type=int, default=10_000, help="for the requests [10000]")
    parser.add_argument("--indexed", type=int, default=100_000, help="classifiers of the weighed index [100000]")
    parser.add_argument("--files", type=int, default=6, help="files of each of these [6]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = list(count_requests(Path(folder), options.classifiers))
    print(markdown(("operation", *VERBS, "all", "bytes up", "bytes down"), lines), end="\n\n", flush=True)
    print(markdown(("index", "measured"), list(weigh_index(options.indexed, options.files))))


def count_requests(folder: Path, classifiers: int) -> Iterator[Line]:
    """Fill a store with classifiers, and count what is asked of it by a start, a look and some changes."""
    bucket, fleet = CountingBucket(), open_fleet(folder)
    names = [f"task{number // 10:05d}_v{number % 10 + 1}" for number in range(classifiers)]
    fill(bucket, fleet, folder, names)
    writer = open_replica(bucket, folder / "writer")
    # So that the newest commit repeats as many changes as it does on average.
    for number in range(30):
        _publisher(fleet, writer).write([names[number]], seed=1)

    @contextmanager
    def counted(what: str) -> Iterator[list[Line]]:
        bucket.requests.clear()
        bucket.moved.clear()
        line: list[Line] = []
        yield line
        counts = [bucket.requests[verb] for verb in VERBS]
        line.append((what, *map(str, counts), str(sum(counts)), *(f"{bucket.moved[way]:,}" for way in ("up", "down"))))

    with counted(f"start with {classifiers:,} classifiers, nothing cached") as line:
        reader = open_replica(bucket, folder / "reader")
    yield from line
    with counted("idle look for changes") as line:
        StoreDirectory(reader.files).look()
    yield from line
    target = Reference(names[classifiers // 2])
    for what in ("first predict of a classifier", "the same on a machine that has its files"):
        with counted(what) as line:
            _load(reader, target)
        yield from line
        reader = open_replica(bucket, folder / "reader")
    aliases = Aliases(writer.names)
    changes: dict[str, Callable[[], object]] = {
        "publish a new classifier": lambda: _publisher(fleet, writer).write(["new_v1"]),
        "promote": lambda: aliases.promote("production", target, ChangeNote()),
        "delete": lambda: writer.catalog.delete(names[-1]),
        "purge a deleted classifier": lambda: writer.catalog.purging.purge(names[-1]),
    }
    for what, change in changes.items():
        with counted(what) as line:
            change()
        yield from line
    with counted(f"take over these {len(changes)} changes on another server") as line:
        reader.files.follow()
    yield from line


def fill(bucket: CountingBucket, fleet: Fleet, folder: Path, names: Iterable[str]) -> None:
    """Put classifiers into a store with one commit."""
    made = MemoryFiles()
    Fleet(Catalog(Namespace(_Listless(made.kept), nullcontext)), fleet.folder, fleet.versions).write(names)
    files = ObjectFiles(bucket, ContentCache(folder / "nothing", 0))
    with files.transaction():
        for key, data in made.kept.items():
            files.put_new(key, data)


def open_replica(bucket: CountingBucket, cache: Path) -> Replica:
    """Return a server's view, begun with the newest commit."""
    files = ObjectFiles(bucket, ContentCache(cache, CACHE_BYTES))
    files.open()
    names = Namespace(files, files.transaction)
    return Replica(files, names, Catalog(names))


def weigh_index(classifiers: int, files_each: int) -> Iterator[Line]:
    """Say what a checkpoint of so many files takes, and what a server takes to begin with it."""
    chance, attempt = random.Random(0), new_attempt()
    files = {}
    for number in range(classifiers):
        for file in range(files_each):
            sha256 = f"{chance.getrandbits(256):064x}"
            name = f"blobs/{sha256[:32]}.safetensors" if file % 3 else f"{file // 3 + 1:06d}.json"
            files[f"classifiers/task{number // 10:05d}_v{number % 10 + 1}/{name}"] = StoredFile(4_700, sha256, attempt)
        if number % 7 == 0:
            attempt = new_attempt()
    began = time.perf_counter()
    packed = checkpoint_to_bytes(Checkpoint(1, files))
    packed_s = time.perf_counter() - began
    bucket = MemoryBucket()
    bucket.put("checkpoints/000000000001.json", packed)
    log = CommitLog(bucket)
    # One commit that counts from the checkpoint, and changes next to nothing.
    first = log.next_commit(new_attempt(), {}, ())
    bucket.put("commits/000000000001.json", commit_to_bytes(first))
    count = len(files)
    last = StoredFile(4_700, "0" * 64, attempt)
    second = type(first)(2, attempt, {"aliases/a/000001.json": last}, (), 1, {"aliases/a/000001.json": last})
    bucket.put("commits/000000000002.json", commit_to_bytes(second))
    files.clear()
    del first
    yield (
        f"checkpoint of {count:,} files, gzipped",
        f"{len(packed) / 1e6:.1f} MB, {len(packed) / count:.0f} bytes a file",
    )
    yield "to write it", f"{packed_s:.1f} s"
    began = time.perf_counter()
    log.follow()
    yield "to begin with it, without the download", f"{time.perf_counter() - began:.1f} s"
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield "peak resident memory of this process", f"{peak_kib / 1024:.0f} MiB"
    del log
    tracemalloc.start()
    weighed = CommitLog(bucket)
    weighed.follow()
    kept_bytes, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield "memory of the index", f"{kept_bytes / 1e6:.0f} MB, {kept_bytes / count:.0f} bytes a file"
    yield "... at its peak while it begins", f"{peak_bytes / 1e6:.0f} MB"
    changed = {f"classifiers/task{n:05d}_v1/000002.json": last for n in range(int(count**0.5))}
    yield (
        f"a commit that repeats {len(changed):,} changes, the most with so many files",
        f"{len(commit_to_bytes(type(second)(3, attempt, {}, (), 1, changed))) / 1e3:.0f} kB",
    )


class _Listless(MemoryFiles):
    """Files in memory where every name is written once, so that nothing has to be listed."""

    def list(self, prefix: str) -> list[str]:  # noqa: ARG002 - nothing is listed
        """Say that nothing is there yet."""
        return []

    def version_token(self, prefix: str) -> str | None:
        """Say that no name came or went."""
        return None if "/" in prefix else ""


def _publisher(fleet: Fleet, replica: Replica) -> Fleet:
    return Fleet(replica.catalog, fleet.folder, fleet.versions)


def _load(replica: Replica, reference: Reference) -> None:
    """Read what a predict of a classifier reads."""
    entry = replica.catalog.find(reference).entry
    replica.catalog.blobs.read(entry.record.name, entry.blobs[ARTIFACT])


if __name__ == "__main__":
    main()
