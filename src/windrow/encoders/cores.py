"""The cores that this process may use, and which of them a thread computes on."""

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

    Two hardware threads of one core count once: matrix products keep the whole core busy.

    Args:
        quota: The control group's limit on processor time ("200000 100000" is two cores, "max 100000" is none).
    """
    logical = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    return max(1, min(psutil.cpu_count(logical=False) or logical, allowed, _quota_cores(quota) or logical))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the threads of one computation run: each on a core of its own.

    A thread that was asleep may be woken on the very core whose thread waits for it, spinning, and then both crawl
    until the scheduler notices.

    Args:
        cores: The logical processors of each core.
    """

    cores: tuple[frozenset[int], ...]

    @property
    def others(self) -> str:
        """The processors of every thread but the calling one, as ONNX Runtime wants them: counted from 1."""
        return ";".join(",".join(str(number + 1) for number in sorted(core)) for core in self.cores[1:])

    @contextmanager
    def caller(self) -> Iterator[None]:
        """Keep the calling thread on the first core, if that may still be had: an operator may take cores away."""
        former = os.sched_getaffinity(0)
        with suppress(OSError):
            os.sched_setaffinity(0, self.cores[0])
        try:
            yield
        finally:
            with suppress(OSError):
                os.sched_setaffinity(0, former)


def place(threads: int, topology: Path = _TOPOLOGY) -> Placement | None:
    """Return where so many threads should run; ``None`` leaves it to the operating system.

    Only a process that uses every core that it may is placed: others may share the machine with this one's like, and
    would all crowd on the same first cores.

    Args:
        threads: Threads that compute.
        topology: Where Linux says which logical processors share a core.
    """
    if threads < 2 or not hasattr(os, "sched_setaffinity"):
        return None
    allowed = frozenset(os.sched_getaffinity(0))
    cores = {_siblings(number, topology) & allowed: None for number in sorted(allowed)}
    return Placement(tuple(cores)) if len(cores) == threads else None


def _siblings(number: int, topology: Path) -> frozenset[int]:
    """Return the logical processors of one's core: "0-1" or "0,64" in the file that Linux shows."""
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
