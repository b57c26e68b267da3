"""How many cores this process may really use.

Owns what the operating system and the container allow; knows nothing of what the cores are used for.
"""

import math
import os
from pathlib import Path

import psutil

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota: Path = _QUOTA) -> int:
    """Return the number of physical cores that this process may use, at least 1.

    Two hardware threads of one core count once: matrix products keep the whole core busy.

    Args:
        quota: The control group's limit on processor time ("200000 100000" is two cores, "max 100000" is none).
    """
    logical = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    return max(1, min(psutil.cpu_count(logical=False) or logical, allowed, _quota_cores(quota) or logical))


def _quota_cores(quota: Path) -> int | None:
    try:
        limit, period = quota.read_text("ascii").split()
    except (OSError, ValueError):
        return None
    return None if limit == "max" else math.ceil(int(limit) / int(period))
