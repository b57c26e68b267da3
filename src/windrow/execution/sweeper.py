"""A sweeper: does something now and then, beside everything else."""

import logging
import threading
from collections.abc import Callable

from windrow.domain.errors import WindrowError

_log = logging.getLogger("windrow.execution")


class Sweeper:
    """Calls a function at the start and then every so often, until it is stopped.

    Args:
        sweep: What to do; an error of ours is logged, and the next time comes all the same.
        every_s: Seconds between two calls.
    """

    def __init__(self, sweep: Callable[[], object], every_s: float) -> None:
        self._sweep = sweep
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is being done is finished, and nobody waits for it."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._sweep()
            except WindrowError as error:
                _log.warning("Sweeping failed, and will be tried again. %s", error.detail)
            except Exception:  # noqa: BLE001 - the edge of a thread: one defect must not end all sweeping
                _log.exception("Sweeping failed, and will be tried again.")
            self._stopped.wait(self._every_s)
