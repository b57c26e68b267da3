"""The limit on a process's open files and connections: raised at the start, and not used up by connections."""

import resource
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

# Descriptors that connections leave to files, pipes and threads; a quarter where few are allowed.
RESERVE: Final = 64
# More are of no use, and some programs look through all that there could be.
_MOST: Final = 1_048_576
# macOS says that there is no limit and may refuse more than this.
_ACCEPTED: Final = 10_240
_LOG_EVERY_S: Final = 10.0


def raise_limit() -> int:
    """Allow this process as many descriptors as the system lets it have, and return how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return max(soft, wanted)
    for limit in (wanted, min(wanted, _ACCEPTED)):
        if limit > soft:
            with suppress(OSError, ValueError):  # some systems allow less than they say
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                return limit
    return soft


def is_in_reserve(descriptor: int) -> bool:
    """Whether a descriptor is one of the last: the system gives the lowest one that is free, so all below are used."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limit != resource.RLIM_INFINITY and descriptor >= limit - min(RESERVE, limit // 4)


class OccasionalLog:
    """Passes on one of many events in ten seconds, and how many there were since the last one.

    Args:
        log: Called with that number.
        clock_s: The monotonic clock, in seconds.
    """

    def __init__(self, log: Callable[[int], object], clock_s: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock_s = clock_s
        self._count = 0
        self._last_s = -_LOG_EVERY_S

    def note(self) -> None:
        """Take an event."""
        self._count += 1
        now_s = self._clock_s()
        if now_s - self._last_s >= _LOG_EVERY_S:
            self._log(self._count)
            self._count, self._last_s = 0, now_s
