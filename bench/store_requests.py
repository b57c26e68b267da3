"""Count the requests to an object store by operation, time commits, and weigh the index of a data directory in one.

The store is a dictionary that counts. Listings are counted in pages of 1,000, as S3 gives them, and a create that finds
its key taken is followed by a read, as `ObstoreBucket` does it.

Run: make bench-store
"""

import argparse
import random
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

from draws import tickets
from fleet_data import Fleet, open_fleet
from report import markdown

from tests.fakes.bucket import MemoryBucket
from tests.fakes.files import MemoryFiles
from windrow.bootstrap import open_service
from windrow.domain.alias import ChangeNote
from windrow.domain.names import Reference
from windrow.domain.store_url import StoreUrl
from windrow.service.service import Service
from windrow.session.session import Session
from windrow.settings import Settings
from windrow.storage.alias_store import Aliases
from windrow.storage.artifact import ARTIFACT
from windrow.storage.catalog import Catalog
from windrow.storage.namespace import Namespace
from windrow.storage.object_store.bucket import StoredObject
from windrow.storage.object_store.commit_log import CommitLog, new_attempt
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.documents import Checkpoint, Commit, StoredFile, checkpoint_to_bytes, commit_to_bytes
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.store_directory import StoreDirectory

PAGE, VERBS = 1_000, ("list", "get", "put", "create", "remove")
COLUMNS = ("operation", *VERBS, "all")
CACHE_BYTES = 10**9
# What a store is taken to need, for the times of commits.
READ_S, WRITE_S = 0.02, 0.04
IDLE_S = 10.0

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
        is_own = super().create(key, data)
        self.requests["get"] += not is_own
        return is_own

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
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement of commits [10]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = list(count_requests(Path(folder), options.classifiers))
    print(markdown((*COLUMNS, "bytes up", "bytes down"), lines), end="\n\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        print(markdown(COLUMNS, list(count_service(Path(folder)))), end="\n\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        timed = list(time_commits(Path(folder), options.seconds))
    print(
        markdown(("servers that promote", "commits/s", "ms of one", "requests of one"), timed), end="\n\n", flush=True
    )
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


def count_service(folder: Path) -> Iterator[Line]:
    """Count what a whole server asks for, with jobs, audit trail and counters, on an empty store."""
    bucket, rows = CountingBucket(), tickets()

    def counted(what: str, act: Callable[[], object]) -> Line:
        bucket.requests.clear()
        act()
        time.sleep(0.3)  # what is written after the answer
        counts = [bucket.requests[verb] for verb in VERBS]
        return (what, *map(str, counts), str(sum(counts)))

    def opened() -> Service:
        with patch("windrow.storage.object_store.obstore_bucket.ObstoreBucket", lambda _: bucket):
            return open_service(Settings(data_dir=StoreUrl("s3", "bench"), cache_dir=folder, offline=True))

    def start() -> None:
        started[0].start()
        time.sleep(2)  # it looks for the ends of others' jobs, among other upkeep

    started: list[Service] = []
    yield counted("open the data directory, with the test of the store", lambda: started.append(opened()))
    yield counted("begin to serve, and the first 2 s", start)
    session = Session(started[0], started[0].close)
    yield counted(f"idle for {IDLE_S:.0f} s", lambda: time.sleep(IDLE_S))
    texts, labels = [row["text"] for row in rows], [row["label"] for row in rows]
    began = time.perf_counter()
    fit = counted("fit", lambda: session.fit("tickets_v1", texts, labels, num_iterations=0))
    yield (f"fit of {time.perf_counter() - began - 0.3:.1f} s", *fit[1:])
    yield counted("predict", lambda: session.predict("tickets_v1", "My card was charged twice"))
    yield counted("promote", lambda: session.promote("tickets", "tickets_v1"))
    yield counted("delete", lambda: session.delete("tickets_v1", force=True))
    yield counted("stop", session.close)


def time_commits(folder: Path, seconds: float) -> Iterator[Line]:
    """Let servers promote as fast as they can, each an alias of its own, on a store that takes its time."""
    for servers in (1, 2, 4, 8):
        bucket, fleet = CountingBucket(), open_fleet(folder)
        fill(bucket, fleet, folder, ["a_v1", "a_v2"])
        bucket.before = lambda verb, _: time.sleep(READ_S if verb in {"get", "list"} else WRITE_S)
        replicas = [open_replica(bucket, folder / f"cache{number}") for number in range(servers)]
        until = time.monotonic() + seconds
        bucket.requests.clear()

        def promote(number: int, replicas: list[Replica] = replicas, until: float = until) -> int:
            aliases, done = Aliases(replicas[number].names), 0
            while time.monotonic() < until:
                aliases.promote(f"alias{number}", Reference(f"a_v{done % 2 + 1}"), ChangeNote())
                done += 1
            return done

        with ThreadPoolExecutor(servers) as threads:
            done = sum(threads.map(promote, range(servers)))
        asked = sum(bucket.requests.values())
        yield str(servers), f"{done / seconds:.1f}", f"{1_000 * seconds * servers / done:.0f}", f"{asked / done:.1f}"


def weigh_index(classifiers: int, files_each: int) -> Iterator[Line]:
    """Say what a checkpoint of so many files takes, and what a server takes to begin with it."""
    chance, attempt = random.Random(0), new_attempt()
    files = {}
    for number in range(classifiers):
        for file in range(files_each):
            sha256 = f"{chance.getrandbits(256):064x}"
            name = f"blobs/{sha256}.safetensors" if file % 3 else f"{file // 3 + 1:06d}.json"
            files[f"classifiers/task{number // 10:05d}_v{number % 10 + 1}/{name}"] = StoredFile(4_700, sha256, attempt)
        if number % 7 == 0:
            attempt = new_attempt()
    began = time.process_time()
    packed = checkpoint_to_bytes(Checkpoint(1, files))
    packed_s = time.process_time() - began
    bucket = MemoryBucket()
    bucket.put("checkpoints/000000000001.json", packed)
    count, last = len(files), StoredFile(4_700, "0" * 64, attempt)
    files.clear()
    # One commit that counts from the checkpoint, and changes next to nothing.
    come = {"aliases/a/000001.json": last}
    newest = Commit(2, attempt, previous="", put=come, removed=(), checkpoint=1, changed=come)
    bucket.put("commits/000000000002.json", commit_to_bytes(newest))
    yield (
        f"checkpoint of {count:,} files, gzipped",
        f"{len(packed) / 1e6:.1f} MB, {len(packed) / count:.0f} bytes a file",
    )
    yield "to write it, processor time", f"{packed_s:.1f} s"
    log = CommitLog(bucket)
    began = time.process_time()
    log.follow()
    yield "to begin with it, processor time", f"{time.process_time() - began:.1f} s"
    began = time.process_time()
    names = log.names("classifiers")
    yield f"to list {len(names):,} names, processor time", f"{1_000 * (time.process_time() - began):.0f} ms"
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
        f"{len(commit_to_bytes(replace(newest, changed=changed))) / 1e3:.0f} kB",
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
