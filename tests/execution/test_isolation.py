"""A training process gets what it needs of the environment, and a limit on its memory."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from windrow.execution import isolation
from windrow.execution.isolation import default_memory_limit, limit_memory, trim_environment, usable_memory
from windrow.settings import LEAST_DEFAULT_MEMORY_BYTES, MIN_MEMORY_BYTES

GB = 1_000_000_000


def test_only_what_a_training_needs_is_passed_on() -> None:
    needed = {"PATH": "/bin", "LD_LIBRARY_PATH": "/lib", "OMP_NUM_THREADS": "2", "LC_ALL": "C", "PYTHONPATH": "/src"}
    secret = {"AWS_SECRET_ACCESS_KEY": "a", "HF_TOKEN": "b", "HTTPS_PROXY": "c", "WINDROW_DATA_DIR": "d", "path": "e"}
    added = {"OPENBLAS_NUM_THREADS", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}
    passed = trim_environment(needed | secret)
    assert {name: value for name, value in passed.items() if name not in added} == needed
    assert passed.keys() == needed.keys() | added


def test_an_allocator_that_is_set_by_hand_stays_so_but_blas_has_one_thread() -> None:
    given = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "8"}
    passed = trim_environment(given)
    assert passed | given == passed | {"OPENBLAS_NUM_THREADS": "8"}
    assert passed["OPENBLAS_NUM_THREADS"] == "1"


def test_concurrent_trainings_share_three_quarters_of_the_memory() -> None:
    assert default_memory_limit(1, 16 * GB) == 12 * GB
    assert default_memory_limit(2, 16 * GB) == 6 * GB


@pytest.mark.parametrize(("processes", "total_bytes"), [(1, GB), (1, 2 * GB), (4, 4 * GB), (8, 2 * GB)])
def test_a_small_machine_does_not_refuse_what_an_ordinary_training_takes(processes: int, total_bytes: int) -> None:
    assert default_memory_limit(processes, total_bytes) == LEAST_DEFAULT_MEMORY_BYTES > MIN_MEMORY_BYTES


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"memory.max": "max\n"}, None),
        ({"memory.max": "1000\n"}, 1000),
        ({"memory.max": "max\n", "system/memory.max": "3000\n", "system/windrow/memory.max": "4000\n"}, 3000),
        ({"other/memory.max": "1000\n"}, None),
        ({"memory/memory.limit_in_bytes": "2000\n"}, 2000),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
    ],
)
def test_the_tightest_limit_of_a_control_group_counts(
    files: dict[str, str], expected: int | None, tmp_path: Path
) -> None:
    for name, content in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    own = tmp_path / "cgroup"
    own.write_text("12:cpu:/elsewhere\n0::/system/windrow\n")
    nothing = usable_memory(tmp_path / "none", tmp_path / "none")
    assert usable_memory(tmp_path / "groups", own) == (nothing if expected is None else expected)


@pytest.mark.slow
def test_beyond_its_limit_a_process_gets_no_memory_and_mapped_files_do_not_count() -> None:
    code = (
        "from windrow.execution.isolation import limit_memory\n"
        "import mmap, resource\n"
        "limit_memory(400_000_000, threads=0)\n"
        "limit_memory(500_000_000, threads=0)\n"  # no way back
        "print(resource.getrlimit(resource.RLIMIT_DATA)[0])\n"
        "mmap.mmap(-1, 800_000_000, prot=mmap.PROT_READ)\n"
        "try:\n"
        "    bytearray(500_000_000)\n"
        "except MemoryError:\n"
        "    print('no memory')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["400000000", "no memory"]
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] == resource.RLIM_INFINITY


@pytest.mark.slow
@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_STACK)[1] != resource.RLIM_INFINITY, reason="stacks cannot be made larger here"
)
@pytest.mark.parametrize("stack", ["65536", "unlimited"])
def test_the_stacks_of_many_threads_take_nothing_of_what_a_training_may_use(stack: str) -> None:
    code = (
        "import threading\n"
        "from windrow.execution.isolation import limit_memory\n"
        "limit_memory(400_000_000, threads=24)\n"
        "done = threading.Event()\n"
        "for _ in range(24):\n"
        "    threading.Thread(target=done.wait).start()\n"
        "bytearray(200_000_000)\n"
        "try:\n"
        "    bytearray(2_000_000_000)\n"
        "except MemoryError:\n"
        "    print('no memory')\n"
        "done.set()\n"
    )
    command = ["sh", "-c", f'ulimit -s {stack}; exec "$0" -c "$1"', sys.executable]
    done = subprocess.run([*command, code], capture_output=True, text=True, check=False)
    assert done.stdout == "no memory\n", done.stderr


def test_a_training_s_limit_counts_the_stacks_of_a_thread_for_each_core_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[tuple[int, int]] = []
    unlimited = resource.RLIM_INFINITY
    limits = {resource.RLIMIT_STACK: (8 * 2**20, unlimited), resource.RLIMIT_DATA: (unlimited, unlimited)}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: set_to.append(both))
    monkeypatch.setattr(isolation, "_OOM_SCORE", Path("/no/such/file"))
    monkeypatch.setattr(isolation, "usable_cores", lambda: 64)
    limit_memory(GB)
    limit_memory(0)
    assert set_to == [(GB + 131 * 8 * 2**20,) * 2]
