"""A cache with a budget in bytes that loads each missing value once, however many ask for it."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from cachetools import LRUCache

from windrow.domain.vitals import CacheVitals

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LoadingCache(Generic[K, V]):
    """Keeps the most recently used values within a budget; thread-safe.

    Args:
        max_bytes: The budget. A value larger than all of it is handed out but not kept; 0 keeps nothing.
        size_of: A value's size in bytes, at least 1.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[V], int]) -> None:
        self._values: LRUCache[K, V] = LRUCache(max_bytes, getsizeof=size_of)
        self._loading: dict[K, Future[V]] = {}
        self._lock = threading.Lock()
        self._size_of = size_of
        self._hits = self._misses = 0

    def get(self, key: K, load: Callable[[], V]) -> V:
        """Return the value of ``key``, loading it if it is not here.

        Args:
            key: What the value is kept under.
            load: Makes the value; called once for all that ask at the same time. What it raises, each of them gets,
                and the next call tries again.
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
        """Return the value of ``key`` if it is here, which makes it the most recently used one."""
        with self._lock:
            if key in self._values:
                self._hits += 1
                return self._values[key]
            self._misses += 1
            return None

    def __contains__(self, key: K) -> bool:
        """Whether a value is here; asking is no use of it."""
        with self._lock:
            return key in self._values

    def put(self, key: K, value: V) -> None:
        """Keep a value that was made elsewhere, for who makes many of them at once."""
        with self._lock:
            self._keep(key, value)

    def discard(self, is_meant: Callable[[K], bool]) -> None:
        """Drop values, and let no load that is under way bring them back; who waits for such a load still gets it.

        Args:
            is_meant: Whether the value of a key is to go.
        """
        with self._lock:
            for kept in (self._values, self._loading):
                for key in [key for key in kept if is_meant(key)]:
                    del kept[key]

    def vitals(self) -> CacheVitals:
        """Return what is here; a question that waited for a load is a miss."""
        with self._lock:
            return CacheVitals(
                entries=len(self._values),
                size_bytes=int(self._values.currsize),
                max_bytes=int(self._values.maxsize),
                hits=self._hits,
                misses=self._misses,
            )

    def _load(self, key: K, load: Callable[[], V], future: "Future[V]") -> None:
        try:
            value = load()
        except BaseException as error:  # noqa: BLE001  whatever it is, all who wait must hear of it
            with self._lock:
                self._end_loading(key, future)
            future.set_exception(error)
            return
        with self._lock:
            if self._end_loading(key, future):
                self._keep(key, value)
        future.set_result(value)

    def _end_loading(self, key: K, future: "Future[V]") -> bool:
        """Return whether the value is still wanted here."""
        is_wanted = self._loading.get(key) is future
        if is_wanted:
            del self._loading[key]
        return is_wanted

    def _keep(self, key: K, value: V) -> None:
        if self._size_of(value) <= self._values.maxsize:
            self._values[key] = value
