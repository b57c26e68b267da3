"""Lets requests and texts of an API key in as its limits allow: a token bucket for seconds, counters for days."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from windrow.domain.caller import Caller, current_caller
from windrow.domain.errors import RateLimited
from windrow.domain.key_limits import BURST_S, UNLIMITED, Quota
from windrow.execution.use_counters import DAY_S, UseCounters

# A key that is not seen for this time has its whole burst again, so nothing need be known about it.
_MOST_BUCKETS: Final = 20_000
_ADVICE: Final = "Try again in {retry_after_s} s, or have an administrator raise the key's limit."


@dataclass(slots=True)
class _Bucket:
    """Requests that a key may send at once.

    Args:
        tokens: How many there were.
        at_s: When.
    """

    tokens: float
    at_s: float


class Quotas:
    """What keys may still send, for any number of threads.

    Args:
        counters: Counts their requests and texts of the day.
        clock_s: A clock that never goes back, in seconds.
    """

    def __init__(self, counters: UseCounters, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._counters = counters
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, caller: Caller) -> None:
        """Let a request in, and count it.

        Args:
            caller: Who sends it.

        Raises:
            RateLimited: Its key has sent as many as it may.
        """
        if caller.key_name is None:
            return
        limits = caller.limits
        if limits.requests_per_day:
            self._check_day(caller.key_name, "requests_per_day", limits.requests_per_day, 1)
        if limits.requests_per_second:
            self._take_token(caller.key_name, limits.requests_per_second)
        self._counters.count_request(caller.key_name)

    def check_texts(self, texts: int) -> None:
        """Refuse texts of the current caller that are more than its key may send today.

        Args:
            texts: How many.

        Raises:
            RateLimited: They are too many.
        """
        caller = current_caller()
        if caller.key_name is not None and caller.limits.texts_per_day:
            self._check_day(caller.key_name, "texts_per_day", caller.limits.texts_per_day, texts)

    def take_texts(self, texts: int) -> None:
        """Count texts of the current caller that its key may send.

        Args:
            texts: How many.

        Raises:
            RateLimited: They are too many, and none is counted.
        """
        self.check_texts(texts)
        self.count_texts(texts)

    def count_texts(self, texts: int) -> None:
        """Count texts of the current caller.

        Args:
            texts: How many.
        """
        if (key := current_caller().key_name) is not None:
            self._counters.count_request(key, 0, texts)

    def of(self, caller: Caller) -> tuple[Quota, ...]:
        """Return what the limits of a caller leave; nothing where it has none.

        Args:
            caller: The caller.
        """
        limits, key = caller.limits, caller.key_name
        if key is None or limits is UNLIMITED:
            return ()
        quotas = []
        if rate := limits.requests_per_second:
            with self._lock:
                tokens = self._refilled(key, rate).tokens
            size = rate * BURST_S
            reset_s = math.ceil((size - tokens) / rate)
            quotas.append(Quota("requests_per_second", size, BURST_S, math.floor(tokens), reset_s))
        use = self._counters.key_use(key) if limits.requests_per_day or limits.texts_per_day else None
        if use is not None:
            left_s = math.ceil(self._counters.seconds_left)
            for name, limit, used in (
                ("requests_per_day", limits.requests_per_day, use.requests),
                ("texts_per_day", limits.texts_per_day, use.texts),
            ):
                if limit:
                    quotas.append(Quota(name, limit, DAY_S, max(0, limit - used), left_s))
        return tuple(quotas)

    def _check_day(self, key: str, quota: str, limit: int, more: int) -> None:
        use = self._counters.key_use(key)
        used, what = (use.texts, "texts") if quota == "texts_per_day" else (use.requests, "requests")
        if used + more > limit:
            retry_after_s = math.ceil(self._counters.seconds_left)
            facts = {"name": key, "quota": quota, "limit": limit, "used": used, "retry_after_s": retry_after_s}
            raise RateLimited(
                f"The API key {{name}} may send {{limit}} {what} a day, and has sent {{used}}. {_ADVICE}", facts
            )

    def _take_token(self, key: str, rate: int) -> None:
        with self._lock:
            bucket = self._refilled(key, rate)
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return
            wait_s = (1 - bucket.tokens) / rate
        facts = {"name": key, "quota": "requests_per_second", "limit": rate, "retry_after_s": max(1, math.ceil(wait_s))}
        raise RateLimited(
            f"The API key {{name}} may send {{limit}} requests a second, and sends more. {_ADVICE}", facts
        )

    def _refilled(self, key: str, rate: int) -> _Bucket:
        """Return a key's bucket as it is now; the lock is held."""
        now_s = self._clock_s()
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._buckets.clear()
            bucket = self._buckets[key] = _Bucket(rate * BURST_S, now_s)
        else:
            bucket.tokens = min(float(rate * BURST_S), bucket.tokens + (now_s - bucket.at_s) * rate)
            bucket.at_s = now_s
        return bucket
