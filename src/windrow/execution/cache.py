"""A cache with a budget in bytes that loads each missing value once, however many ask for it.

Owns eviction and single flight; knows nothing of what it holds.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LoadingCache(Generic[K, V]):
    """Keeps the most recently used values within a budget; thread-safe.

    Args:
        max_bytes: The budget. A value larger than all of it is handed out but not kept.
        size_of: A value's size in bytes.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[V], int]) -> None:
        self._values: LRUCache[K, V] = LRUCache(max_bytes, getsizeof=size_of)
        self._loading: dict[K, Future[V]] = {}
        self._lock = threading.Lock()
        self._size_of = size_of

    def get(self, key: K, load: Callable[[], V]) -> V:
        """Return the value of ``key``, loading it if it is not here.

        Args:
            key: What the value is kept under.
            load: Makes the value; called once for all that ask at the same time. What it raises, each of them gets,
                and the next call tries again.
        """
        with self._lock:
            if key in self._values:
                return self._values[key]
            future = self._loading.get(key)
            if leads := future is None:
                future = self._loading[key] = Future()
        assert future is not None
        if leads:
            self._load(key, load, future)
        return future.result()

    def _load(self, key: K, load: Callable[[], V], future: "Future[V]") -> None:
        try:
            value = load()
        except BaseException as error:  # noqa: BLE001  whatever it is, all who wait must hear of it
            with self._lock:
                del self._loading[key]
            future.set_exception(error)
            return
        with self._lock:
            del self._loading[key]
            if self._size_of(value) <= self._values.maxsize:
                self._values[key] = value
        future.set_result(value)
