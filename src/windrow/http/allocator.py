"""The arenas of the C library's allocator: as few as there are cores, so that freed memory is used again.

The allocator of glibc gives threads arenas of their own, up to eight for each core, and what is freed in one is used by
its own threads alone. A server has dozens of threads, each of which tokenizes, parses or unpacks now and then, so every
arena in time holds what the largest of these took.
"""

import ctypes
from collections.abc import Mapping
from typing import Final

from windrow.encoders.cores import usable_cores
from windrow.settings import read_environment

# M_ARENA_MAX of malloc.h.
_ARENA_MAX: Final = -8
_FEWEST: Final = 2


def limit_arenas(variables: Mapping[str, str] | None = None) -> int:
    """Limit the arenas of this process, and return to how many; 0 where its allocator has none or is set otherwise.

    Args:
        variables: The environment; ``None`` for this process's own.
    """
    given = read_environment() if variables is None else variables
    if "MALLOC_ARENA_MAX" in given or "arena_max" in given.get("GLIBC_TUNABLES", ""):
        return 0
    arenas = max(_FEWEST, usable_cores())
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return arenas if set_option is not None and set_option(_ARENA_MAX, arenas) else 0
