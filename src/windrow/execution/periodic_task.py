"""Run a function periodically in a background thread."""

import logging
import threading
from collections.abc import Callable

from windrow.domain.errors import WindrowError

_log = logging.getLogger("windrow.execution")


class PeriodicTask:
    """Calls a function at the start and then at an interval, until it is stopped.

    Args:
        action: The function; its errors are logged and do not end the task.
        interval_s: Seconds between two calls.
        name: What it is called in the log, and its thread.
    """

    def __init__(self, action: Callable[[], object], interval_s: float, name: str) -> None:
        self._action = action
        self._interval_s = interval_s
        self._name = name
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Make no further calls; a running call continues in the background."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._action()
            except WindrowError as error:
                _log.warning("The task %s failed, and will be tried again. %s", self._name, error.detail)
            except Exception:  # noqa: BLE001 - the edge of a thread: one defect must not end it
                _log.exception("The task %s failed, and will be tried again.", self._name)
            self._stopped.wait(self._interval_s)
