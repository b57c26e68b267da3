"""Threads that do one request at a time, in the order that a test chooses, each with the fate that it chooses."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from tests.fakes.bucket import MemoryBucket, unreachable
from tests.fakes.files import Killed
from windrow.domain.errors import StorageUncertain
from windrow.storage.object_store.bucket import StoredObject

Result = TypeVar("Result")
_TIMEOUT_S = 60
_own = threading.local()


class Fate(Enum):
    """What becomes of a request that is about to be sent, or of its reply."""

    GO = "it gets through"
    FAIL = "it gets lost: the store never sees the request, or the caller never sees the reply"
    AGAIN = "its reply gets lost, and the client's library asks again by itself"
    LATE = "the request is held back, and may reach the store once the caller has given up"
    DIE = "the process of the caller is killed"


class Task:
    """Work in a thread of its own, which stands still before each request and again before its reply.

    Args:
        work: What it does; what it raises is kept.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self.waits_for: tuple[str, str] | None = ("start", "")
        self.created: list[tuple[str, bytes]] = []
        self.error: BaseException | None = None
        self._fate = Fate.GO
        self._may_go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        return self.waits_for is None

    def step(self, fate: Fate = Fate.GO) -> None:
        """Let it go on to the next place where it stands still."""
        assert not self.is_done
        self._fate = fate
        self._may_go.release()
        assert self._stands.acquire(timeout=_TIMEOUT_S), "it waits for something that is no request"
        if self.is_done:
            self._thread.join()

    def go_on(self, steps: int = 1_000) -> None:
        """Let it take so many steps, unless it ends or has to wait for a lock."""
        while steps and not self.is_done and self.waits_for != ("wait", ""):
            self.step()
            steps -= 1

    def finish(self, fate: Fate = Fate.GO) -> None:
        """Let it go on to its end; what waits for a lock is given up after some steps."""
        for _ in range(1_000):
            if self.is_done:
                return
            self.step(fate)
        raise AssertionError("it does not end")

    def pause(self, verb: str, key: str) -> Fate:
        """Stand still, in its own thread, and return what is to happen next."""
        self.waits_for = verb, key
        self._stands.release()
        return self._go_on()

    def _go_on(self) -> Fate:
        self._may_go.acquire()
        if self._fate is Fate.DIE:
            raise Killed
        return self._fate

    def _run(self, work: Callable[[], object]) -> None:
        _own.task = self
        try:
            self._go_on()
            work()
        except BaseException as error:  # noqa: BLE001 - the test looks what it was
            self.error = error
        finally:
            self.waits_for = None
            self._stands.release()


def stand_still() -> None:
    """Let others go on first, where the test wants it; for a task that asks nothing of a store for a while."""
    if (task := _current()) is not None:
        task.pause("work", "")


def _current() -> Task | None:
    task: Task | None = getattr(_own, "task", None)
    return task


class SteppedLock:
    """A lock for which a task waits in steps, too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        while not self._lock.acquire(blocking=False):
            if not blocking:
                return False
            task = _current()
            assert task is not None, "a task that stands still holds the lock"
            task.pause("wait", "")
        return True

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


@dataclass
class SteppedBucket:
    """Asks a bucket on behalf of tasks. Requests of other threads go through at once.

    Args:
        store: The bucket.
        late: The requests that were held back.
    """

    store: MemoryBucket
    late: list[Callable[[], object]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)

    def create(self, key: str, data: bytes) -> bool:
        if (task := _current()) is not None:
            task.created.append((key, data))
        return self._ask("create", key, lambda: self.store.create(key, data))

    def put(self, key: str, data: bytes) -> None:
        self._ask("put", key, lambda: self.store.put(key, data))

    def get(self, key: str) -> bytes:
        return self._ask("get", key, lambda: self.store.get(key))

    def objects(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        yield from self._ask("list", prefix, lambda: list(self.store.objects(prefix, after)))

    def names(self, prefix: str) -> list[str]:
        return self._ask("list", prefix, lambda: self.store.names(prefix))

    def remove(self, key: str) -> None:
        self._ask("remove", key, lambda: self.store.remove(key))

    def deliver(self, index: int) -> None:
        """Let one of the requests that were held back reach the store."""
        self.late.pop(index % len(self.late))()

    def deliver_all(self) -> None:
        """Let all of them reach the store."""
        while self.late:
            self.deliver(0)

    def _ask(self, verb: str, key: str, do: Callable[[], Result]) -> Result:
        self.requests[verb] += 1
        if (task := _current()) is None:
            return do()
        fate = task.pause(verb, key)
        if fate is Fate.FAIL:
            raise unreachable()
        if fate is Fate.LATE:
            if verb in ("create", "put", "remove"):
                self.late.append(do)
            raise _unanswered(verb)
        result = do()
        while (fate := task.pause("reply", key)) is Fate.AGAIN:
            result = do()
        if fate is Fate.FAIL:
            raise _unanswered(verb)
        return result


def _unanswered(verb: str) -> Exception:
    if verb == "create":
        return StorageUncertain("The object store does not say whether it took it.", {})
    return unreachable()
