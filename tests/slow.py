"""Which tests `make quick` leaves out, and the check that no other one starts a process or imports transformers.

A test that takes an encoder with weights is slow by that. One that starts a process says so with ``pytest.mark.slow``,
and fails if it does not; what takes long for another reason has the mark too.
"""

import gc
import os
import re
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

# With these comes torch, transformers or ONNX Runtime.
SLOW_FIXTURES = frozenset({"bundled", "bundled_folder", "tiny", "tiny_folder"})
STARTS = frozenset({"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"})
_WATCHED = STARTS | {"import"}
# Imported once in a process, so that it is refused to the first test that wants it, at the latest in `make quick`.
SLOW_IMPORTS = frozenset({"sentence_transformers", "transformers"})
# What a module says all of whose tests are slow.
ALL_SLOW = re.compile(r"^pytestmark = pytest\.mark\.slow$", re.MULTILINE)

_unmarked: list[str] = []
_process_id = os.getpid()


def _refuse_what_is_slow(event: str, arguments: tuple[object, ...]) -> None:
    # Nothing is called for any other event: a test may be at the limit of recursion.
    if event not in _WATCHED or not _unmarked or os.getpid() != _process_id:
        return
    if event in STARTS:
        pytest.fail(f"{_unmarked[-1]} starts a process ({event}): mark it with pytest.mark.slow.")
    if event == "import" and arguments[0] in SLOW_IMPORTS:
        pytest.fail(f"{_unmarked[-1]} imports {arguments[0]}: mark it with pytest.mark.slow.")


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the interpreter from now on."""
    sys.addaudithook(_refuse_what_is_slow)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules without a test that is wanted, so that `make quick` does not import torch to deselect them."""
    if config.getoption("markexpr") != "not slow" or collection_path.suffix != ".py":
        return None
    return True if ALL_SLOW.search(collection_path.read_text()) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long where several processes share the tests out: at the end, none waits for another."""
    if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
        items[:] = slow_first(items, int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))


def slow_first(items: Sequence[pytest.Item], num_processes: int) -> list[pytest.Item]:
    """Return tests so that each process, which begins with one of as many equal parts, begins with slow ones.

    Args:
        items: The tests. The slow ones of a module stay together.
        num_processes: How many processes there are.
    """
    fast = [item for item in items if item.get_closest_marker("slow") is None]
    modules: dict[Path, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow") is not None:
            modules.setdefault(item.path, []).append(item)
    shares: list[list[pytest.Item]] = [[] for _ in range(num_processes)]
    for module in modules.values():
        min(shares, key=len).extend(module)
    ordered: list[pytest.Item] = []
    for number, share in enumerate(shares):
        size = (len(items) - len(ordered)) // (num_processes - number)
        num_fast = max(0, size - len(share))
        ordered += [*share, *fast[:num_fast]]
        del fast[:num_fast]
    return ordered + fast


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the garbage collector from going through thousands of tests again and again: they stay to the end."""
    gc.collect()
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what takes an encoder with weights."""
    if not SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let only marked tests start processes, from their fixtures' beginning to their end."""
    if item.get_closest_marker("slow") is None:
        _unmarked.append(item.nodeid)
    try:
        return (yield)
    finally:
        _unmarked.clear()
