"""What a training process is given of the machine: a part of the environment, and a limit on its memory.

The limit is the kernel's on private writable memory (``RLIMIT_DATA``). Unlike one on address space (``RLIMIT_AS``), it
does not count what is merely mapped, such as torch's libraries; unlike a look at resident memory now and then, no
allocation is too fast for it; and a control group would need rights that a server need not have. An allocation beyond
it fails inside the process, which can then say so. macOS accepts the limit, but does not enforce it.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from windrow.encoders.cores import usable_cores
from windrow.settings import LEAST_DEFAULT_MEMORY_BYTES, read_environment

# Of a training process, beside those that compute: torch has a thread for each core, and a second one for gradients.
_OWN_THREADS = 3
# What glibc gives a thread where nothing limits stacks.
_UNLIMITED_STACK_BYTES = 2 * 2**20
# The rest is for the server, which holds features and states, too.
_MEMORY_SHARE = 0.75
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_OWN_CONTROL_GROUP = Path("/proc/self/cgroup")
_OOM_SCORE = Path("/proc/self/oom_score_adj")
# Half of all memory is added to what the process takes, so that the kernel ends it before the server.
_OOM_SCORE_ADJUSTMENT = "500"

# All else stays outside: tokens, keys, addresses and settings of the server.
_NAMES = frozenset(
    ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "GLIBC_TUNABLES")
)
# Locale, Python, threads and instructions of the libraries, and allocators.
_PREFIXES = ("LC_", "PYTHON", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "ATEN_", "MALLOC_")


# glibc keeps up to this much of what is freed, in each of its arenas: a training frees and takes hundreds of MB at each
# step, and the kernel clears what it gives. Larger blocks are given back at once. Other C libraries do not read these.
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20)}


def trim_environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of a training process: those of the system, of Python, and of the libraries.

    Args:
        variables: The server's; ``None`` for this process's own.
    """
    given = read_environment() if variables is None else variables
    passed = {name: value for name, value in given.items() if name in _NAMES or name.startswith(_PREFIXES)}
    # Of one thread from the start: NumPy and SciPy have an OpenBLAS each, whose threads wait for work by spinning. The
    # matrices are so small that this took a third of the time of a fit.
    return _ALLOCATOR | passed | {"OPENBLAS_NUM_THREADS": "1"}


def default_memory_limit(processes: int, total_bytes: int | None = None) -> int:
    """Return the memory that each training process may use unless a setting says otherwise, in bytes.

    Args:
        processes: The number of training processes, which share three quarters of the memory; each may use what an
            ordinary training takes, at least.
        total_bytes: The memory of the machine or of the container; ``None`` to look.
    """
    total_bytes = usable_memory() if total_bytes is None else total_bytes
    return max(LEAST_DEFAULT_MEMORY_BYTES, int(_MEMORY_SHARE * total_bytes) // processes)


def usable_memory(groups: Path = _CONTROL_GROUPS, own_group: Path = _OWN_CONTROL_GROUP) -> int:
    """Return the memory that this process may use in bytes: the machine's, or its control group's.

    Args:
        groups: The folder of control groups, of either version.
        own_group: Where Linux says in which one this process is.
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in (*_limit_files(groups, own_group), groups / "memory" / "memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # there is no such file, or it says "max"
            limits.append(int(path.read_text("ascii")))
    return min(limits)


def limit_memory(limit_bytes: int, threads: int | None = None) -> None:
    """Limit this process's memory, and have the kernel end it first where the machine's runs out.

    Args:
        limit_bytes: Private writable memory, beside the stacks of its threads, of which hardly anything is ever used
            while the limit counts all; 0 for no limit.
        threads: How many it will have; ``None`` for those of a training on the cores that it may use.
    """
    import resource  # Windows has none

    with suppress(OSError):
        _OOM_SCORE.write_text(_OOM_SCORE_ADJUSTMENT, "ascii")
    if limit_bytes:
        limit_bytes += _stack_bytes(2 * usable_cores() + _OWN_THREADS if threads is None else threads)
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        limit_bytes = limit_bytes if most == resource.RLIM_INFINITY else min(limit_bytes, most)
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def _stack_bytes(threads: int) -> int:
    """Return what the stacks of threads take of the limit: 8 MB each on most machines, 0.5 GB with 64 cores."""
    import resource

    each, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return threads * (_UNLIMITED_STACK_BYTES if each == resource.RLIM_INFINITY else each)


def _limit_files(groups: Path, own_group: Path) -> list[Path]:
    """Return the files with the limits of this process's control group and of those around it, in version 2."""
    try:
        own = own_group.read_text("utf-8").partition("0::/")[2].partition("\n")[0]
    except OSError:
        own = ""
    folder = groups / own
    return [each / "memory.max" for each in (folder, *folder.parents) if each.is_relative_to(groups)]
