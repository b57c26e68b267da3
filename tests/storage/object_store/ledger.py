"""Transactions that note what they read and write, and the check that the log has them in one valid order."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.bucket import MemoryBucket
from tests.fakes.files import Killed
from tests.storage.object_store.stepping import SteppedBucket, SteppedLock, Task, stand_still
from windrow.domain.errors import StorageFailed, StorageUncertain
from windrow.storage.files import Files, KeyMissing
from windrow.storage.lock import CommitLost
from windrow.storage.object_store.commit_log import COMMITS
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.documents import CONTENTS, Commit, commit_from_bytes
from windrow.storage.object_store.object_files import ObjectFiles

Contents = dict[str, bytes]


class Refused(Exception):  # noqa: N818 - an answer
    """A rule forbids what the transaction wanted."""


# How work may end.
EXPECTED = (CommitLost, StorageFailed, Killed, Refused)


@dataclass
class Noting:
    """Files as a transaction sees them; notes each step of it."""

    files: Files
    steps: list[tuple[str, str, object]] = field(default_factory=list)

    def get(self, key: str) -> bytes | None:
        stand_still()
        try:
            found: bytes | None = self.files.get(key)
        except KeyMissing:
            found = None
        self.steps.append(("get", key, found))
        return found

    def list(self, prefix: str) -> list[str]:
        stand_still()
        self.steps.append(("list", prefix, names := self.files.list(prefix)))
        return names

    def put(self, key: str, content: bytes) -> None:
        self.files.put_new(key, content)
        self.steps.append(("put", key, content))

    def remove(self, key: str) -> None:
        self.files.remove(key)
        self.steps.append(("remove", key, None))


Body = Callable[[Noting], object]


def replay(steps: list[tuple[str, str, object]], before: Contents) -> Contents:
    """Return what a transaction leaves of what was there, having checked that it read just that."""
    state = dict(before)
    for verb, key, content in steps:
        if verb == "get":
            assert state.get(key) == content, f"{key} was {content!r} for it, and {state.get(key)!r} at its commit"
        elif verb == "list":
            assert names_below(state, key) == content, f"{key} had {content} for it, and not at its commit"
        elif verb == "put":
            assert key not in state and isinstance(content, bytes)
            state[key] = content
        else:
            state.pop(key, None)
    return state


def is_valid(steps: list[tuple[str, str, object]], state: Contents) -> bool:
    """Whether a transaction read what there was."""
    try:
        replay(steps, state)
    except AssertionError:
        return False
    return True


def names_below(state: Mapping[str, object], prefix: str) -> list[str]:
    below = (key.removeprefix(f"{prefix}/") for key in state if key.startswith(f"{prefix}/"))
    return sorted({name.partition("/")[0] for name in below})


class Attempted:
    """One attempt at a transaction of a replica.

    Args:
        files: The replica's.
        body: What it does; ``None`` for a commit of nothing.
        began: When, on the test's clock.
    """

    def __init__(self, files: ObjectFiles, body: Body | None, began: int) -> None:
        self.noting = Noting(files)
        self.is_fence = body is None
        self.began = began
        self.ended: int | None = None
        self.task = Task(lambda: self._run(files, body))

    def _run(self, files: ObjectFiles, body: Body | None) -> None:
        if body is None:
            with files.transaction():
                assert files._transaction is not None
                files._transaction.is_fence = True
            return
        with files.transaction():
            body(self.noting)

    @property
    def writes(self) -> bool:
        return self.is_fence or any(verb in ("put", "remove") for verb, _, _ in self.noting.steps)

    @property
    def may_hold(self) -> bool:
        """Whether its commit may be in the log."""
        error = self.task.error
        return not self.task.is_done or error is None or isinstance(error, StorageUncertain | Killed)

    @property
    def must_hold(self) -> bool:
        """Whether its commit has to be in the log."""
        return self.task.is_done and self.task.error is None and self.writes


class Replica:
    """A process with files of its own on a bucket that all share.

    Args:
        store: The bucket.
        folder: Of its cache.
    """

    def __init__(self, store: MemoryBucket, folder: Path) -> None:
        self.bucket = SteppedBucket(store)
        self.cache_folder = folder
        self.files = ObjectFiles(self.bucket, ContentCache(folder, 10**9), max_writers=1)
        # Where threads of one process wait for each other.
        self.files._writing = SteppedLock()  # type: ignore[assignment]
        self.files._log._following = SteppedLock()  # type: ignore[assignment]
        self.is_open = False
        self.tasks: list[Task] = []

    def open(self) -> None:
        self.files.open()
        self.is_open = True

    def cached(self) -> set[str]:
        return {path.name for path in self.cache_folder.rglob("*") if path.is_file()}


@dataclass
class Ledger:
    """All that was attempted on a bucket, and the check of what came of it."""

    store: MemoryBucket
    attempts: list[Attempted] = field(default_factory=list)

    def commits(self) -> list[Commit]:
        """Return the log, having checked that it has no gaps."""
        keys = sorted(key for key in self.store.objects_by_key if key.startswith(f"{COMMITS}/"))
        commits = [commit_from_bytes(key, self.store.objects_by_key[key][0]) for key in keys]
        assert [commit.number for commit in commits] == list(range(1, len(commits) + 1))
        assert keys == [f"{COMMITS}/{commit.number:012d}.json" for commit in commits]
        return commits

    def states(self) -> list[Contents]:
        """Return what there was after each commit, from nothing on, having checked all that a log promises."""
        states: list[Contents] = [{}]
        owners: list[Attempted] = []
        for commit in self.commits():
            owner = self._owner(commit)
            assert owner.may_hold, f"commit {commit.number} was refused with {owner.task.error!r}"
            assert owner not in owners, "one attempt was committed twice"
            after = replay(owner.noting.steps, states[-1])
            assert commit.put.keys() == {key for key, content in after.items() if states[-1].get(key) != content} | (
                commit.put.keys() & after.keys()
            )
            assert set(commit.removed) == states[-1].keys() - after.keys()
            states.append(after)
            owners.append(owner)
        self._check_order(owners)
        for attempt in self.attempts:
            assert not attempt.must_hold or attempt in owners, "an acknowledged transaction is not in the log"
        return states

    def check_refusals(self) -> None:
        """Check that whoever changed nothing, such as since a rule forbade it, has seen one state."""
        states = self.states()
        for attempt in self.attempts:
            if isinstance(attempt.task.error, Refused) or (attempt.task.error is None and not attempt.writes):
                assert any(is_valid(attempt.noting.steps, state) for state in states), attempt.noting.steps

    def check_agreement(self, replica: Replica) -> None:
        """Check that a replica that has followed shows what the log says, down to the contents."""
        expected = self.states()[-1]
        files = replica.files
        assert {key: files.get(key) for key in sorted(files._log._state.files)} == expected
        for prefix in {key.rpartition("/")[0] for state in self.states() for key in state}:
            assert files.list(prefix) == names_below(expected, prefix)
            assert (files.version_token(prefix) is None) == (not names_below(expected, prefix))
        assert files.commit_number == len(self.commits())
        assert replica.cached() <= files._log.digests(), "a copy of what is gone was kept"

    def garbage(self) -> set[str]:
        """Return the contents that no file has."""
        used: dict[str, str] = {}
        for commit in self.commits():
            for key in commit.removed:
                used.pop(key, None)
            used |= {key: file.object_key(key) for key, file in commit.put.items()}
        contents = {key for key in self.store.objects_by_key if key.startswith(f"{CONTENTS}/")}
        assert set(used.values()) <= contents, "the content of a file is gone"
        return contents - set(used.values())

    def _owner(self, commit: Commit) -> Attempted:
        key = f"{COMMITS}/{commit.number:012d}.json"
        data = self.store.objects_by_key[key][0]
        (owner,) = (attempt for attempt in self.attempts if (key, data) in attempt.task.created)
        return owner

    def _check_order(self, owners: list[Attempted]) -> None:
        """Check that what began once another one was acknowledged came after it."""
        latest_begin = 0
        for owner in owners:
            assert owner.ended is None or owner.task.error is not None or owner.ended >= latest_begin
            latest_begin = max(latest_begin, owner.began)


def read_quietly(files: Files, key: str) -> bytes | None:
    """Return a file as a reader without a transaction finds it."""
    with suppress(KeyMissing):
        return files.get(key)
    return None
