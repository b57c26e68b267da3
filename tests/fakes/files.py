"""MemoryFiles: the seam to a disk, in memory, with exact change tokens; and a wrapper that breaks at a chosen step."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from windrow.storage.files import MAX_BYTES, KeyExists, KeyMissing, KeyUnusable


@dataclass
class MemoryFiles:
    """Keys in a dictionary. Counts what was asked, so that a test can tell a cheap look from a listing."""

    kept: dict[str, bytes] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    _changes: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _writer: threading.Lock = field(default_factory=threading.Lock)

    def copy(self) -> "MemoryFiles":
        """Return others with the same content, whose calls are counted from 0."""
        return MemoryFiles(dict(self.kept), _changes=Counter(self._changes))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one writer at a time in, among all who use these files."""
        assert self._writer.acquire(timeout=30), "nobody frees the lock: is it taken twice?"
        try:
            yield
        finally:
            self._writer.release()

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        self._count("put_new", key)
        with self._lock:
            if key in self.kept:
                raise KeyExists(key)
            self.kept[key] = bytes(data)
            self._note_change(key)

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        self._count("get", key)
        try:
            content = self.kept[key]
        except KeyError as error:
            raise KeyMissing(key) from error
        if len(content) > max_bytes:
            raise KeyUnusable("it is too large")
        return content

    def list(self, prefix: str) -> list[str]:
        self._count("list", prefix)
        with self._lock:
            below = [key.removeprefix(f"{prefix}/") for key in self.kept if key.startswith(f"{prefix}/")]
        return sorted({rest.split("/")[0] for rest in below})

    def remove(self, key: str) -> None:
        self._count("remove", key)
        with self._lock:
            if self.kept.pop(key, None) is not None:
                self._note_change(key)

    def version_token(self, prefix: str) -> str | None:
        self._count("version_token", prefix)
        with self._lock:
            return str(self._changes[prefix])

    def _count(self, verb: str, key: str) -> None:
        if not all(re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]*", part) for part in key.split("/")):
            raise ValueError(f"{key!r} is no key")
        self.calls[verb] += 1

    def _note_change(self, key: str) -> None:
        parts = key.split("/")
        for length in range(1, len(parts)):
            self._changes["/".join(parts[:length])] += 1


class Killed(BaseException):
    """Stands for the death of the process: nothing in the code may catch it."""


@dataclass
class BreakingFiles:
    """Passes everything on until the put or removal of a given number, which raises, before or after it is done.

    What is dead stays dead: after :class:`Killed` no later step is done either.

    Args:
        files: Where it passes to.
        step: The number of that step, from 1.
        failure: What it raises.
        is_done: Whether the step is done all the same.
    """

    files: MemoryFiles
    step: int
    failure: BaseException
    is_done: bool
    steps: int = 0

    def lock(self) -> AbstractContextManager[None]:
        return self.files.lock()

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        self._take_step(lambda: self.files.put_new(key, data, same_as))

    def remove(self, key: str) -> None:
        self._take_step(lambda: self.files.remove(key))

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        return self.files.get(key, max_bytes)

    def list(self, prefix: str) -> list[str]:
        return self.files.list(prefix)

    def version_token(self, prefix: str) -> str | None:
        return self.files.version_token(prefix)

    def _take_step(self, do: Callable[[], None]) -> None:
        self.steps += 1
        if self.steps > self.step and isinstance(self.failure, Killed):
            raise self.failure
        try:
            if self.steps != self.step or self.is_done:
                do()
        finally:
            if self.steps == self.step:
                raise self.failure
