"""End a training process that no longer gives a sign of life."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# A training process sends a heartbeat this often while it has a task.
HEARTBEAT_INTERVAL_S = 1.0
# The heartbeat comes from a thread of its own, so that neither a long step nor a long fit of the head delays it; only
# a library that keeps Python's interpreter lock does, or a machine that swaps. A minute is far more than any of these
# was seen to take, and short beside the trainings that wait.
SILENCE_LIMIT_S = 60.0
# Silence is counted in looks, not by a clock: where this process is stopped or the machine is suspended, each counts
# as one look at most, however long it takes.
_LOOKS = 30


class Watchdog:
    """Kills one training process that is silent for too long while somebody listens to it; thread-safe.

    Args:
        process: The process.
        limit_s: How long it may be silent, in seconds.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", limit_s: float = SILENCE_LIMIT_S) -> None:
        self._process = process
        self._interval_s = limit_s / _LOOKS
        self._is_over = threading.Event()
        self._silent_looks = 0
        self._is_paused = False
        self.has_killed = False
        """Whether it has killed the process."""

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the process until the end of the block."""
        thread = threading.Thread(target=self._watch, name="training-watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def heard(self) -> None:
        """Note a sign of life."""
        self._silent_looks = 0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count silence inside the block, in which nobody listens to the process."""
        self._is_paused = True
        try:
            yield
        finally:
            self._silent_looks = 0
            self._is_paused = False

    def _watch(self) -> None:
        while not self._is_over.wait(self._interval_s):
            if self._is_paused:
                continue
            self._silent_looks += 1
            if self._silent_looks > _LOOKS:
                self.has_killed = True
                self._process.kill()
                return
