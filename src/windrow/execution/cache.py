"""A thread-safe LRU cache with a budget in bytes that loads each missing value once."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from cachetools import LRUCache

from windrow.domain.server_stats import CacheStats

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LoadingCache(Generic[K, V]):
    """Keeps the most recently used values within a budget; thread-safe.

    Args:
        max_bytes: The budget. A value larger than the budget is returned but not cached; 0 caches nothing.
        size_of: A value's size in bytes, at least 1.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[V], int]) -> None:
        self._values: LRUCache[K, V] = LRUCache(max_bytes, getsizeof=size_of)
        self._loading: dict[K, Future[V]] = {}
        self._lock = threading.Lock()
        self._size_of = size_of
        self._hits = self._misses = 0

    def get(self, key: K, load: Callable[[], V]) -> V:
        """Return the value of ``key``, loading it if it is not cached.

        Args:
            key: The value's key.
            load: Loads the value; concurrent callers share one call. Its error is raised in each of them, and the next
                call tries again.
        """
        with self._lock:
            if key in self._values:
                self._hits += 1
                return self._values[key]
            self._misses += 1
            future = self._loading.get(key)
            if leads := future is None:
                future = self._loading[key] = Future()
        assert future is not None
        if leads:
            self._load(key, load, future)
        return future.result()

    def peek(self, key: K) -> V | None:
        """Return the value of ``key`` if it is cached, and mark it as the most recently used one."""
        with self._lock:
            if key in self._values:
                self._hits += 1
                return self._values[key]
            self._misses += 1
            return None

    def find(self, key: K) -> V | None:
        """Return the value of ``key`` if it is cached, as :meth:`peek`; if not, no miss is counted."""
        with self._lock:
            value = self._values.get(key)
            self._hits += value is not None
            return value

    def __contains__(self, key: K) -> bool:
        """Whether a value is cached; this does not count as a use."""
        with self._lock:
            return key in self._values

    def put(self, key: K, value: V) -> None:
        """Cache a value that was computed elsewhere."""
        with self._lock:
            self._keep(key, value)

    def discard(self, matches: Callable[[K], bool]) -> None:
        """Drop values. Running loads of them complete for their callers, but are not cached.

        Args:
            matches: Whether to drop the value of a key.
        """
        with self._lock:
            for kept in (self._values, self._loading):
                for key in [key for key in kept if matches(key)]:
                    del kept[key]

    def stats(self) -> CacheStats:
        """Return the cache's counters; a call that waited for a load is a miss."""
        with self._lock:
            return CacheStats(
                entries=len(self._values),
                size_bytes=int(self._values.currsize),
                max_bytes=int(self._values.maxsize),
                hits=self._hits,
                misses=self._misses,
            )

    def _load(self, key: K, load: Callable[[], V], future: "Future[V]") -> None:
        try:
            value = load()
        except BaseException as error:  # noqa: BLE001  every error belongs to all waiting callers
            with self._lock:
                self._end_loading(key, future)
            future.set_exception(error)
            return
        with self._lock:
            if self._end_loading(key, future):
                self._keep(key, value)
        future.set_result(value)

    def _end_loading(self, key: K, future: "Future[V]") -> bool:
        """Return whether the value may be cached, since it was not discarded meanwhile."""
        is_current = self._loading.get(key) is future
        if is_current:
            del self._loading[key]
        return is_current

    def _keep(self, key: K, value: V) -> None:
        if self._size_of(value) <= self._values.maxsize:
            self._values[key] = value
