"""The system calls that change a disk, counted, so that a test can let any of them fail or be the last one."""

import gc
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from tests.fakes.files import Killed

T = TypeVar("T")
# Takes what the call would do; does it, and returns what it returns, or does something worse.
Step = Callable[[Callable[[], Any]], Any]

DEATH = 77
_CALLS = ("fsync", "link", "mkdir", "rename", "replace", "rmdir", "symlink", "truncate", "unlink")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@contextmanager
def each_writing_call(step: Step) -> Iterator[None]:
    """Pass each system call that changes the disk to ``step``: those of ``os``, opening to write, and writing.

    What is written goes in two halves, so that a file can also be left half written.
    """
    former = {name: getattr(os, name) for name in (*_CALLS, "open")}, io.open

    def stepping(call: Callable[..., object]) -> Callable[..., object]:
        return lambda *args, **kwargs: step(lambda: call(*args, **kwargs))

    def open_descriptor(path: Any, flags: int, *args: Any, **kwargs: Any) -> Any:
        def do() -> Any:
            return former[0]["open"](path, flags, *args, **kwargs)

        return step(do) if flags & _WRITING else do()

    class SteppingFile(io.FileIO):
        def write(self, data: Any) -> int:
            halves = memoryview(data)[: len(data) // 2], memoryview(data)[len(data) // 2 :]
            return sum(step(partial(io.FileIO.write, self, half)) for half in halves if half)

    def open_file(path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> object:
        if not set(mode) & set("wxa+"):
            return former[1](path, mode, *args, **kwargs)
        assert mode in {"xb", "wb"}, "teach this fake the other ways of writing when they are used"
        return io.BufferedWriter(step(lambda: SteppingFile(path, mode)))

    for name in _CALLS:
        setattr(os, name, stepping(former[0][name]))
    os.open, io.open = open_descriptor, open_file  # type: ignore[assignment]
    try:
        yield
    finally:
        for name, call in former[0].items():
            setattr(os, name, call)
        io.open = former[1]


class FailingAt:
    """Fails at the step of a given number, before or after it is done; what was killed does no later step either.

    Args:
        step: The number, from 1.
        failure: What it raises.
        is_done: Whether the step is done all the same.
    """

    def __init__(self, step: int, failure: BaseException, is_done: bool = False) -> None:
        self.step, self.failure, self.is_done, self.steps = step, failure, is_done, 0

    def __call__(self, do: Callable[[], T]) -> T:
        self.steps += 1
        if self.steps > self.step and isinstance(self.failure, Killed):
            raise self.failure
        if self.steps != self.step:
            return do()
        if self.is_done and isinstance(opened := do(), io.IOBase):
            opened.close()
        raise self.failure


def die_at(step: int, act: Callable[[], object]) -> bool:
    """Run ``act`` in a process that ends without a word before its writing call number ``step``; tell if it did."""
    child = os.fork()
    if child == 0:
        gc.disable()  # it would touch, and so copy, all the memory of this process
        status, remaining = 1, iter(range(step - 1, -1, -1))

        def mortal(do: Callable[[], T]) -> T:
            if next(remaining, -1) == 0:
                os._exit(DEATH)
            return do()

        try:
            with each_writing_call(mortal):
                act()
            status = 0
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, DEATH)
    return status == DEATH
