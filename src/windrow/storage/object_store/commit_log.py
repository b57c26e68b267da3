"""The log of commits of a data directory in an object store, and the index of its files that follows from it.

::

    commits/000000000042.json       what commit 42 put and removed, and all that has changed since a checkpoint
    checkpoints/000000000032.json   which files there were after commit 32
    files/<key>.<attempt>           the content of a file, put by one attempt to commit and never changed

A commit is created only if its number is free, so its number is at once the order of all changes and the moment at
which a change holds. No number is ever free again: commits stay. Why this is safe: docs/adr/0032-object-store.md.
"""

import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import isqrt
from typing import Final

from windrow.domain.errors import DataDirectoryUnavailable, StorageFailed
from windrow.storage.files import KeyMissing
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.documents import (
    Checkpoint,
    Commit,
    StoredFile,
    checkpoint_from_bytes,
    checkpoint_to_bytes,
    commit_from_bytes,
    commit_to_bytes,
    damaged,
)

COMMITS: Final = "commits"
CHECKPOINTS: Final = "checkpoints"
# Changes since a checkpoint are repeated in each commit; a new one is written where they become more than this, or than
# the square root of all files, whichever is more: then neither commits nor checkpoints take most of what is written.
_MIN_CHANGES: Final = 64
# Of which older ones are removed. The newest commit counts from the newest one or, where the commit that was to follow
# it failed, from the one before; one that a reader is just told of should still be there.
_KEPT_CHECKPOINTS: Final = 3
_LOADS: Final = 5
NUMBERED_OBJECT: Final = re.compile(r"[0-9]{12}\.json")


@dataclass(frozen=True, slots=True)
class _State:
    """What the index says, replaced as a whole where a change is more than one commit.

    Args:
        number: The last commit that it holds; 0 before the first one.
        attempt: Of that commit.
        checkpoint: The checkpoint that ``changed`` counts from.
    """

    number: int = 0
    attempt: str = ""
    checkpoint: int = 0
    files: dict[str, StoredFile] = field(default_factory=dict)
    changed: dict[str, StoredFile | None] = field(default_factory=dict)
    names: dict[str, dict[str, int]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)


class CommitLog:
    """The files of a data directory in an object store, as of the last commit that is known here; thread-safe.

    Args:
        bucket: Where they are.
        forget: Told of the files that a commit has removed, once that is known here.
    """

    def __init__(self, bucket: Bucket, forget: Callable[[Iterable[StoredFile]], object] = lambda _: None) -> None:
        self._bucket = bucket
        self._forget = forget
        self._state = _State()
        self._lock = threading.Lock()
        self._following = threading.Lock()
        self._is_loaded = False

    @property
    def number(self) -> int:
        """The last commit that is known here; 0 before the first one."""
        return self._state.number

    def find(self, key: str) -> StoredFile | None:
        """Return where a file is; ``None`` where there is none."""
        with self._lock:  # a commit is seen as a whole
            return self._state.files.get(key)

    def names(self, prefix: str) -> list[str]:
        """Return the sorted names directly below a prefix."""
        with self._lock:
            return sorted(self._state.names.get(prefix, ()))

    def num_below(self, prefix: str, name: str) -> int:
        """Return how many files are below a name, or are it."""
        with self._lock:
            return self._state.names.get(prefix, {}).get(name, 0)

    def below(self, prefix: str) -> list[tuple[str, StoredFile]]:
        """Return the files that are below a prefix, and where they are, sorted by key."""
        with self._lock:
            return list(self._below(prefix))

    def digests(self) -> set[str]:
        """Return the digests of the contents of all files."""
        with self._lock:
            return {file.sha256 for file in self._state.files.values()}

    def token(self, prefix: str) -> str | None:
        """Return what differs whenever a name directly below a prefix came or went; ``None`` where there is none."""
        with self._lock:
            if (number := self._state.tokens.get(prefix)) is None or not self._state.names.get(prefix):
                return None
            return str(number)

    def follow(self, *, waits: bool = True) -> None:
        """Take over what others have committed since the last time.

        The first time, that is the newest commit and the checkpoint that it counts from.

        Args:
            waits: Whether to wait for another thread that does so, or to leave it to that one.

        Raises:
            DataDirectoryUnavailable: The store does not answer, or has another log now.
            InvalidArtifact: A commit was altered, or is of a newer format.
        """
        if not self._following.acquire(blocking=waits):
            return
        try:
            self._take_over()
        finally:
            self._following.release()

    def check_unchanged(self) -> None:
        """Check that the last commit that is known here is still there, so that no other log has taken its place.

        Raises:
            DataDirectoryUnavailable: It is not.
        """
        number, attempt = self._state.number, self._state.attempt
        if number and ((commit := self._read(number)) is None or commit.attempt != attempt):
            raise _replaced(number)

    def next_commit(self, attempt: str, put: Mapping[str, StoredFile], removed: Iterable[str]) -> Commit:
        """Return what would be committed next, and write a checkpoint first where many files have changed since one.

        Args:
            attempt: Of :func:`new_attempt`.
            put: The files that come.
            removed: The keys of those that go.
        """
        with self._lock:
            state = self._state
            is_due = len(state.changed) > max(_MIN_CHANGES, isqrt(len(state.files)))
            changed = {} if is_due else dict(state.changed)
            checkpoint = Checkpoint(state.number, dict(state.files)) if is_due else None
        if checkpoint is not None:
            self._bucket.put(numbered_key(CHECKPOINTS, checkpoint.number), checkpoint_to_bytes(checkpoint))
        gone = tuple(sorted(removed))
        changed |= dict.fromkeys(gone)
        changed |= put
        number = state.checkpoint if checkpoint is None else checkpoint.number
        return Commit(state.number + 1, attempt, state.attempt, dict(put), gone, number, changed)

    def put(self, commit: Commit) -> bool:
        """Commit, if the number is still free, and return whether it was.

        Raises:
            StorageUncertain: The store does not say.
            DataDirectoryUnavailable: It does not answer.
        """
        if not self._bucket.create(numbered_key(COMMITS, commit.number), commit_to_bytes(commit)):
            return False
        with self._following:
            # The thread that follows may have seen it first.
            if commit.number == self._state.number + 1:
                self._apply(commit)
        if commit.checkpoint == commit.number - 1:  # a new one
            with suppress(StorageFailed):  # the commit holds, and the next one of these tidies more
                self.tidy_checkpoints()
        return True

    def tidy_checkpoints(self) -> None:
        """Remove checkpoints that nobody begins with any more.

        Raises:
            StorageFailed: The store refuses.
            DataDirectoryUnavailable: It does not answer.
        """
        for name in _numbered(self._bucket.names(CHECKPOINTS))[:-_KEPT_CHECKPOINTS]:
            self._bucket.remove(f"{CHECKPOINTS}/{name}")

    def _below(self, prefix: str) -> Iterator[tuple[str, StoredFile]]:
        for name in sorted(self._state.names.get(prefix, ())):
            key = f"{prefix}/{name}" if prefix else name
            if (file := self._state.files.get(key)) is not None:
                yield key, file
            yield from self._below(key)

    def _take_over(self) -> None:
        """Take over what is new; the lock of those who follow is held."""
        if not self._is_loaded:
            self._load()
            self._is_loaded = True
            return
        while (commit := self._read(self._state.number + 1)) is not None:
            if commit.previous != self._state.attempt:
                raise _replaced(self._state.number)
            self._apply(commit)

    def _load(self) -> None:
        """Begin with the newest commit and the checkpoint that it counts from."""
        for attempt in range(_LOADS):
            try:
                return self._load_newest()
            except KeyMissing as error:  # since the look for the newest commit, others may have tidied checkpoints
                if attempt == _LOADS - 1:
                    raise damaged(str(error), "it is missing") from error
        return None

    def _load_newest(self) -> None:
        checkpoints = _numbered(self._bucket.names(CHECKPOINTS))
        # Any checkpoint does to begin the listing with: the commits behind it are few.
        after = f"{COMMITS}/{checkpoints[-1]}" if checkpoints else ""
        newest = None
        for each in self._bucket.objects(COMMITS, after):
            newest = each.key
        if newest is None and checkpoints:
            newest = after
        if newest is None:
            return
        commit = commit_from_bytes(newest, self._bucket.get(newest))
        files: dict[str, StoredFile] = {}
        if commit.checkpoint:
            key = numbered_key(CHECKPOINTS, commit.checkpoint)
            files = dict(checkpoint_from_bytes(key, self._bucket.get(key)).files)
        for name, file in commit.changed.items():
            if file is None:
                files.pop(name, None)
            else:
                files[name] = file
        state = _State(commit.number, commit.attempt, commit.checkpoint, files, dict(commit.changed))
        for name in files:
            _add(state, name, commit.number)
        self._state = state

    def _read(self, number: int) -> Commit | None:
        key = numbered_key(COMMITS, number)
        try:
            commit = commit_from_bytes(key, self._bucket.get(key))
        except KeyMissing:
            return None
        if commit.number != number:
            raise damaged(key, f"it says that it is commit {commit.number}")
        return commit

    def _apply(self, commit: Commit) -> None:
        """Take over the next commit."""
        gone = []
        with self._lock:
            before = self._state
            # What is put in the place of another file came and went, too.
            for key in (*commit.removed, *commit.put):
                if (file := before.files.pop(key, None)) is not None:
                    gone.append(file)
                    _drop(before, key, commit.number)
            for key, file in commit.put.items():
                _add(before, key, commit.number)
                before.files[key] = file
            self._state = _State(
                commit.number,
                commit.attempt,
                commit.checkpoint,
                before.files,
                dict(commit.changed),
                before.names,
                before.tokens,
            )
        self._forget(gone)


def _replaced(number: int) -> DataDirectoryUnavailable:
    return DataDirectoryUnavailable(
        "The data directory in the object store is not the one that was there before: its commit {number} is gone, or "
        "another one. Restore it, or restart the server if it is to be as it is.",
        {"problem": "replaced", "number": number},
    )


def new_attempt() -> str:
    """Return an id that no other attempt to commit has."""
    return secrets.token_hex(16)


def numbered_key(folder: str, number: int) -> str:
    """Return the key of a commit or checkpoint."""
    return f"{folder}/{number:012d}.json"


def _numbered(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if NUMBERED_OBJECT.fullmatch(name))


def _parts(key: str) -> Iterable[tuple[str, str]]:
    """Yield each prefix of a key, and the name directly below it."""
    prefix, _, name = key.rpartition("/")
    while name:
        yield prefix, name
        prefix, _, name = prefix.rpartition("/")


def _add(state: _State, key: str, number: int) -> None:
    for prefix, name in _parts(key):
        below = state.names.setdefault(prefix, {})
        if name not in below:
            below[name] = 0
            state.tokens[prefix] = number
        below[name] += 1


def _drop(state: _State, key: str, number: int) -> None:
    for prefix, name in _parts(key):
        below = state.names[prefix]
        below[name] -= 1
        if not below[name]:
            del below[name]
            state.tokens[prefix] = number
