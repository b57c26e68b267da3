"""The allocator's arenas are limited, unless whoever starts the server says otherwise."""

import ctypes
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from windrow.http import allocator
from windrow.http.allocator import limit_arenas

# Threads that hold memory of the C library's allocator at the same time; it tells how many arenas they took.
COUNT_ARENAS = """
import ctypes, sys, threading
from windrow.http.allocator import limit_arenas
if sys.argv[1] == "limited":
    print(limit_arenas())
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
together = threading.Barrier(16)
def work():
    together.wait()
    assert libc.malloc(1_000)
    together.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
for each in threads:
    each.start()
for each in threads:
    each.join()
libc.fopen.restype, libc.fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
file = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
"""


def arenas(folder: Path, how: str) -> tuple[int, int]:
    """Return how many arenas a process said that it would have, and how many it has."""
    told = folder / how
    command = [sys.executable, "-c", COUNT_ARENAS, how, str(told)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": "/usr/bin"})
    return int(done.stdout or 0), told.read_text().count("<heap nr=")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="another C library has no arenas")
def test_many_threads_share_few_arenas(tmp_path: Path) -> None:
    limit, limited = arenas(tmp_path, "limited")
    _, unlimited = arenas(tmp_path, "unlimited")
    assert limit >= 2
    assert limited <= limit
    assert unlimited > 2


@pytest.mark.parametrize(
    "variables", [{"MALLOC_ARENA_MAX": "8"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=8:glibc.malloc.check=0"}]
)
def test_what_whoever_starts_the_server_has_set_stays(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", None)
    assert limit_arenas(variables) == 0


def test_there_are_as_many_arenas_as_cores_and_never_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Library:
        def __init__(self, _: Any) -> None:
            pass

        def mallopt(self, option: int, value: int) -> int:
            asked.append((option, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", Library)
    for cores, expected in ((1, 2), (2, 2), (24, 24)):
        monkeypatch.setattr(allocator, "usable_cores", lambda cores=cores: cores)
        assert limit_arenas({}) == expected
    assert asked == [(-8, 2), (-8, 2), (-8, 24)]


def test_an_allocator_without_arenas_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert limit_arenas({}) == 0
