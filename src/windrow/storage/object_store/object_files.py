"""The files of a data directory in an object store, and the transactions that change them.

What needs the rules of the log (classifiers, aliases, keys) is put and removed in transactions; the rest is outside the
log (:mod:`windrow.storage.object_store.loose_objects`).
"""

import hashlib
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final

from windrow.domain.errors import (
    ConcurrentChange,
    DataDirectoryUnavailable,
    InvalidArtifact,
    StorageFailed,
    StorageUncertain,
)
from windrow.storage import lock
from windrow.storage.files import MAX_BYTES, KeyExists, KeyMissing, KeyUnusable, check_key
from windrow.storage.lock import LOCK_TIMEOUT_S, CommitLost
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.commit_log import CommitLog, new_attempt
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.documents import Commit, StoredFile
from windrow.storage.object_store.loose_objects import MAX_AGE_S, LooseObjects, is_loose
from windrow.storage.object_store.transaction import Transaction

_MAX_READERS: Final = 16

# Told the keys that a commit has put or removed, once it holds.
OnCommit = Callable[[Sequence[str]], object]


class ObjectFiles:
    """Files in an object store, for any number of threads and processes, on any number of machines.

    Args:
        bucket: Where they are.
        cache: Copies of them on this machine.
        max_writers: Contents that a commit puts at the same time.
    """

    def __init__(self, bucket: Bucket, cache: ContentCache, max_writers: int = 8) -> None:
        self._max_writers = max_writers
        self._bucket = bucket
        self._cache = cache
        self._log = CommitLog(bucket, self._forget)
        self._writing = threading.Lock()
        self._own = threading.local()
        self._listeners: list[OnCommit] = []
        self._looked_at_s = -math.inf
        self._loose = LooseObjects(bucket)
        self._is_in_doubt = False

    def subscribe(self, listener: OnCommit) -> None:
        """Have a listener told of each commit of this process; those of others show in the tokens."""
        self._listeners.append(listener)

    def follow(self) -> None:
        """Take over what others have committed.

        Raises:
            DataDirectoryUnavailable: The store does not answer, or a commit cannot be read: it was altered, or is of a
                newer Windrow.
        """
        self._follow(waits=True)

    def open(self) -> None:
        """Begin with the newest commit, and forget copies of what is gone.

        Raises:
            DataDirectoryUnavailable: As :meth:`follow`.
        """
        self.follow()
        self._cache.keep_only(self._log.digests())

    @property
    def is_in_doubt(self) -> bool:
        """Whether another log was found in the place of the one that is known here, and nobody has looked since."""
        return self._is_in_doubt

    def check_unchanged(self) -> None:
        """Check that the log in the store is the one that is known here.

        Raises:
            DataDirectoryUnavailable: It is not, or the store does not answer.
        """
        self._is_in_doubt = True
        self._log.check_unchanged()
        self._is_in_doubt = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Change several files at once, inside a ``with`` block: all of it holds at its end, or nothing of it.

        What was looked at inside the block holds at the commit.

        Raises:
            CommitLost: Others have committed meanwhile, so that what was looked at may hold no more; nothing changed.
            ConcurrentChange: Another thread of this process has been changing something for too long.
            StorageUncertain: The store does not say whether the change holds; or it does, and what it removed may
                still be there.
            DataDirectoryUnavailable: The store does not answer, or has another log now; nothing changed.
        """
        if not self._writing.acquire(timeout=LOCK_TIMEOUT_S):
            raise ConcurrentChange(
                "Another change of the data directory has taken {seconds:.0f} seconds, so this one was not made. Try "
                "again; if that lasts, look whether the object store answers.",
                {"seconds": LOCK_TIMEOUT_S},
            )
        try:
            self.follow()
            self._own.transaction = transaction = Transaction(self._log.number)
            try:
                yield
            except Exception as error:
                self._check_current(transaction, error)
                raise
            finally:
                self._own.transaction = None
            self._check_current(transaction)
            if transaction.put or transaction.removed or transaction.is_fence:
                self._commit(transaction)
            self._remove_objects(transaction)
        finally:
            self._writing.release()

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:  # noqa: ARG002 - kept once a key
        """Put a file with the transaction's commit, or as an object of its own. See ``Files``."""
        check_key(key)
        transaction = self._transaction
        if transaction is None:
            if is_loose(key):
                if self._log.find(key) or not self._loose.create(key, data):
                    raise KeyExists(key)
                return None
            return self._alone(lambda: self.put_new(key, data))
        if key in transaction.put or (key not in transaction.removed and self._log.find(key) is not None):
            raise KeyExists(key)
        transaction.put[key] = data
        return None

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        """Return a file, from this machine's copies where it is there. See ``Files``."""
        check_key(key)
        transaction = self._transaction
        if transaction is None:
            self._keep_up()
        else:
            if (own := transaction.put.get(key)) is not None:
                return _checked_size(own, max_bytes)
            if key in transaction.removed:
                raise KeyMissing(key)
        if (file := self._log.find(key)) is not None:
            if file.size_bytes > max_bytes:
                raise KeyUnusable("it is too large")
            return self._content(key, file, max_bytes)
        if is_loose(key):
            return _checked_size(self._loose.get(key), max_bytes)
        raise KeyMissing(key)

    def digest(self, key: str) -> str | None:
        """Return the SHA-256 of a file of the log, in hexadecimal, without a request; ``None`` where it has none."""
        file = self._log.find(key)
        return None if file is None else file.sha256

    def list(self, prefix: str) -> list[str]:
        """List names. See ``Files``."""
        check_key(prefix)
        self._keep_up()
        names = set(self._log.names(prefix))
        if (transaction := self._transaction) is not None:
            gone = transaction.below(prefix, transaction.removed)
            names -= {name for name, count in gone.items() if count == self._log.num_below(prefix, name)}
            names |= transaction.below(prefix, transaction.put).keys()
        if is_loose(prefix):
            gone_keys = () if transaction is None else transaction.loose
            names |= {name for name in self._loose.names(prefix) if f"{prefix}/{name}" not in gone_keys}
        return sorted(names)

    def remove(self, key: str) -> None:
        """Remove a file with the transaction's commit. See ``Files``."""
        check_key(key)
        transaction, file = self._transaction, self._log.find(key)
        if transaction is not None:
            if key in transaction.put:
                del transaction.put[key]
            if file is not None:
                transaction.removed[key] = file
            elif is_loose(key):
                transaction.loose.append(key)
        elif file is not None:
            self._alone(lambda: self.remove(key))
        elif is_loose(key):
            self._loose.remove(key)

    def version_token(self, prefix: str) -> str | None:
        """Return the last commit that changed the names below a prefix, which costs no request. See ``Files``."""
        check_key(prefix)
        self._keep_up()
        transaction = self._transaction
        if is_loose(prefix) or (transaction is not None and transaction.touches(prefix)):
            return None
        return self._log.token(prefix)

    def prefetch(self, keys: Sequence[str]) -> None:
        """Copy files to this machine, several at the same time; those that cannot be had are left out."""

        def fetch(key: str) -> None:
            with suppress(KeyMissing, StorageFailed, InvalidArtifact):
                self.get(key)

        # What is alike everywhere is fetched once.
        missing = {
            file.sha256: key for key in keys if (file := self._log.find(key)) and not self._cache.has(file.sha256)
        }
        if len(missing) > 1:
            with ThreadPoolExecutor(min(_MAX_READERS, len(missing))) as readers:
                list(readers.map(fetch, missing.values()))

    @property
    def commit_number(self) -> int:
        """The last commit that is known here; 0 before the first one."""
        return self._log.number

    def stored(self, prefix: str = "") -> Sequence[tuple[str, StoredFile]]:
        """Return the files below a prefix that commits have put, as far as known here, sorted by key."""
        return self._log.below(prefix)

    def fence(self) -> None:
        """Commit nothing, so that no attempt that began before can commit any more.

        Raises:
            StorageUncertain: The store does not say whether it took the commit.
            DataDirectoryUnavailable: The store does not answer, or has another log now.
        """

        def mark() -> None:
            assert self._transaction is not None
            self._transaction.is_fence = True

        self._alone(mark)

    @property
    def _transaction(self) -> Transaction | None:
        """The transaction of the current thread."""
        found: Transaction | None = getattr(self._own, "transaction", None)
        return found

    def _keep_up(self) -> None:
        """Take over what others have committed, if nobody has looked for a while; else what is known holds.

        A transaction builds on what it began with. A store that does not answer is told of by whoever needs it, and
        one that hangs takes the time of one thread alone.
        """
        if time.monotonic() - self._looked_at_s > MAX_AGE_S and self._transaction is None:
            with suppress(DataDirectoryUnavailable):
                self._follow(waits=False)

    def _follow(self, *, waits: bool) -> None:
        """Take over what others have committed.

        Args:
            waits: Whether to wait for another thread that does so, or to leave it to that one.
        """
        try:
            self._log.follow(waits=waits)
        except InvalidArtifact as error:
            raise DataDirectoryUnavailable(error.template, {**error.facts, "problem": "unreadable"}) from error
        finally:
            # Also where it failed: else each thread in turn would wait for a store that does not answer.
            self._looked_at_s = time.monotonic()

    @lock.transaction
    def _alone(self, change: Callable[[], None]) -> None:
        """Make one change in a transaction of its own."""
        with self.transaction():
            change()

    def _content(self, key: str, file: StoredFile, max_bytes: int) -> bytes:
        if (content := self._cache.get(file.sha256)) is not None:
            return content
        try:
            content = self._bucket.get(file.object_key(key))
        except KeyMissing:
            self.follow()  # others may have removed it a moment ago
            if self._log.find(key) == file:
                raise
            return self.get(key, max_bytes)
        if hashlib.sha256(content).hexdigest() == file.sha256:  # what is altered is told by whoever reads it
            self._keep(key, file, content)
        return content

    def _keep(self, key: str, file: StoredFile, content: bytes) -> None:
        """Keep a copy of a file on this machine, unless it is gone by then."""
        self._cache.put(file.sha256, content)
        if self._log.find(key) != file:
            self._forget((file,))

    def _forget(self, files: Iterable[StoredFile]) -> None:
        self._cache.remove({file.sha256 for file in files})

    def _check_current(self, transaction: Transaction, error: Exception | None = None) -> None:
        """Check that a transaction has seen one state of the files, so that its result or its error holds.

        Raises:
            CommitLost: Meanwhile this process has taken over what others have committed.
        """
        if self._log.number != transaction.number:
            raise CommitLost(transaction.number + 1) from error

    def _commit(self, transaction: Transaction) -> None:
        attempt = new_attempt()
        put = {
            key: StoredFile(len(data), hashlib.sha256(data).hexdigest(), attempt)
            for key, data in transaction.put.items()
        }
        self.check_unchanged()  # first: what is put into another directory would stay there
        self._put_objects({put[key].object_key(key): data for key, data in transaction.put.items()})
        commit = self._log.next_commit(attempt, put, set(transaction.removed) - put.keys())
        if commit.number != transaction.number + 1 or not self._log.put(commit):
            for key, file in put.items():
                with suppress(StorageFailed):  # only garbage stays
                    self._bucket.remove(file.object_key(key))
            raise CommitLost(commit.number)
        for key, data in transaction.put.items():
            self._keep(key, put[key], data)
        self._tell(commit)

    def _put_objects(self, contents: Mapping[str, bytes]) -> None:
        """Put contents, as far as allowed at the same time."""
        if min(self._max_writers, len(contents)) < 2:
            for key, data in contents.items():
                self._bucket.put(key, data)
            return
        with ThreadPoolExecutor(min(self._max_writers, len(contents))) as writers:
            for begun in [writers.submit(self._bucket.put, key, data) for key, data in contents.items()]:
                begun.result()

    def _remove_objects(self, transaction: Transaction) -> None:
        """Remove what a transaction has removed, once that holds."""
        try:
            for key, file in transaction.removed.items():
                self._bucket.remove(file.object_key(key))
            for key in transaction.loose:
                self._loose.remove(key)
        except StorageFailed as error:
            raise StorageUncertain(
                f"What was removed is used no more, but some of it may still be in the object store. {error.template} "
                "The repair of a check removes the rest.",
                error.facts,
            ) from error

    def _tell(self, commit: Commit) -> None:
        """Tell of an own commit."""
        keys = (*commit.put, *commit.removed)
        for listener in self._listeners:
            listener(keys)


def _checked_size(content: bytes, max_bytes: int) -> bytes:
    if len(content) > max_bytes:
        raise KeyUnusable("it is too large")
    return content
