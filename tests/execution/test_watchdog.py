"""A watchdog kills a process that is silent, and no other."""

import itertools
import subprocess
import threading
from collections.abc import Callable
from typing import cast

from windrow.execution.watchdog import Watchdog


class FakeProcess:
    """Remembers that it was killed."""

    def __init__(self) -> None:
        self.killed = threading.Event()

    def kill(self) -> None:
        """Remember it."""
        self.killed.set()


class CountingEvent(threading.Event):
    """Counts how often somebody waits for it, and waits no time at all."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = itertools.count()
        self.looks = 0
        self.before_look: Callable[[], object] = int

    def wait(self, timeout: float | None = None) -> bool:
        """Return at once."""
        self.before_look()
        self.looks = next(self.waits)
        return super().wait(0 if timeout is None else 0.0001)


def watched() -> tuple[FakeProcess, Watchdog, CountingEvent]:
    """Return a process, what watches it, and the clock of that."""
    process, clock = FakeProcess(), CountingEvent()
    watchdog = Watchdog(cast("subprocess.Popen[bytes]", process), limit_s=600.0)
    watchdog._is_over = clock
    return process, watchdog, clock


def test_silence_kills_the_process() -> None:
    process, watchdog, _ = watched()
    with watchdog.watching():
        process.killed.wait()
    assert watchdog.has_killed


def test_a_process_that_gives_signs_of_life_lives() -> None:
    process, watchdog, clock = watched()
    clock.before_look = watchdog.heard  # in the thread that looks, so that no other one's speed decides
    with watchdog.watching():
        while clock.looks < 300 and not process.killed.is_set():
            pass
    assert not process.killed.is_set()
    assert not watchdog.has_killed


def test_silence_that_nobody_listens_to_does_not_count() -> None:
    process, watchdog, clock = watched()
    with watchdog.watching():
        with watchdog.paused():
            while clock.looks < 300 and not process.killed.is_set():
                pass
        assert not process.killed.is_set()
        process.killed.wait()
