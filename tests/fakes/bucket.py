"""MemoryBucket: an object store in memory, which can lose replies, fail, and let others come first."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from windrow.domain.errors import DataDirectoryUnavailable
from windrow.storage.files import KeyMissing
from windrow.storage.object_store.bucket import StoredObject


def unreachable() -> DataDirectoryUnavailable:
    """Return the error for a store that does not answer."""
    return DataDirectoryUnavailable("The object store does not answer.", {"problem": "missing"})


@dataclass
class MemoryBucket:
    """Objects in a dictionary. Counts requests by verb.

    Args:
        before: Called with verb and key before each request; may raise, or let somebody else act.
        after: Called with verb and key once a request is done; what it raises is a reply that is lost.
        clock: The store's clock.
    """

    objects_by_key: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    before: Callable[[str, str], object] = lambda verb, key: None
    after: Callable[[str, str], object] = lambda verb, key: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def create(self, key: str, data: bytes) -> bool:
        self._begin("create", key)
        with self.lock:
            if key not in self.objects_by_key:
                self.objects_by_key[key] = (bytes(data), self.clock())
            is_own = self.objects_by_key[key][0] == data
        self.after("create", key)
        return is_own

    def put(self, key: str, data: bytes) -> None:
        self._begin("put", key)
        with self.lock:
            self.objects_by_key[key] = (bytes(data), self.clock())
        self.after("put", key)

    def get(self, key: str) -> bytes:
        self._begin("get", key)
        with self.lock:
            found = self.objects_by_key.get(key)
        self.after("get", key)
        if found is None:
            raise KeyMissing(key)
        return found[0]

    def objects(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        self._begin("list", prefix)
        with self.lock:
            found = sorted(self.objects_by_key.items())
        for key, (data, changed_at) in found:
            if key.startswith(f"{prefix}/") and key > after:
                yield StoredObject(key, len(data), changed_at)

    def names(self, prefix: str) -> list[str]:
        self._begin("list", prefix)
        with self.lock:
            start = f"{prefix}/" if prefix else ""
            below = [key.removeprefix(start) for key in self.objects_by_key if key.startswith(start)]
        return sorted({name.partition("/")[0] for name in below})

    def remove(self, key: str) -> None:
        self._begin("remove", key)
        with self.lock:
            self.objects_by_key.pop(key, None)
        self.after("remove", key)

    def _begin(self, verb: str, key: str) -> None:
        self.requests[verb] += 1
        self.before(verb, key)
