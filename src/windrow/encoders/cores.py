"""Count the cores that this process may use, and pin threads to them."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_TOPOLOGY = Path("/sys/devices/system/cpu")


def usable_cores(quota: Path = _QUOTA) -> int:
    """Return the number of physical cores that this process may use, at least 1.

    Two hardware threads of one core count once, since matrix products keep the core busy.

    Args:
        quota: The control group's limit on processor time ("200000 100000" is two cores, "max 100000" is none).
    """
    logical = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    return max(1, min(psutil.cpu_count(logical=False) or logical, allowed, _quota_cores(quota) or logical))


@dataclass(frozen=True, slots=True)
class ThreadAffinity:
    """The cores to which the threads of one computation are pinned, one each.

    Without pinning, the scheduler may wake a thread on the core of another one that spins while waiting for it, which
    slows down both.

    Args:
        cores: The logical processors of each core.
    """

    cores: tuple[frozenset[int], ...]

    @property
    def worker_processors(self) -> str:
        """The processors of every thread but the calling one, in ONNX Runtime's notation, which counts from 1."""
        return ";".join(",".join(str(number + 1) for number in sorted(core)) for core in self.cores[1:])

    @contextmanager
    def pin_caller(self) -> Iterator[None]:
        """Pin the calling thread to the first core inside the ``with`` block, if the core is still available."""
        former = os.sched_getaffinity(0)
        with suppress(OSError):
            os.sched_setaffinity(0, self.cores[0])
        try:
            yield
        finally:
            with suppress(OSError):
                os.sched_setaffinity(0, former)


def choose_affinity(threads: int, topology: Path = _TOPOLOGY) -> ThreadAffinity | None:
    """Return the cores for this many threads; ``None`` leaves scheduling to the operating system.

    Threads are pinned only where the process uses all of its cores: several processes that use fewer would all be
    pinned to the same first cores.

    Args:
        threads: The number of computing threads.
        topology: The folder where Linux lists the logical processors that share a core.
    """
    if threads < 2 or not hasattr(os, "sched_setaffinity"):
        return None
    allowed = frozenset(os.sched_getaffinity(0))
    cores = {_siblings(number, topology) & allowed: None for number in sorted(allowed)}
    return ThreadAffinity(tuple(cores)) if len(cores) == threads else None


def _siblings(number: int, topology: Path) -> frozenset[int]:
    """Return the logical processors on the same core ("0-1" or "0,64" in Linux's file)."""
    try:
        text = (topology / f"cpu{number}/topology/thread_siblings_list").read_text("ascii")
        ranges = [part.partition("-") for part in text.strip().split(",")]
        return frozenset(n for first, _, last in ranges for n in range(int(first), int(last or first) + 1)) | {number}
    except (OSError, ValueError):
        return frozenset({number})


def _quota_cores(quota: Path) -> int | None:
    try:
        limit, period = quota.read_text("ascii").split()
    except (OSError, ValueError):
        return None
    return None if limit == "max" else math.ceil(int(limit) / int(period))
