"""Service: Operations on this machine.

Owns starting and stopping; the verbs are in the modules beside it. Knows nothing of HTTP or of a terminal.
"""

import logging

from windrow.domain.errors import WindrowError
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.vitals import Vitals
from windrow.service.aliasing import Aliasing
from windrow.service.exchanging import Exchanging
from windrow.service.jobs import JobKeeping
from windrow.service.judging import Judging
from windrow.service.keeping import Keeping
from windrow.service.predicting import Predicting
from windrow.service.training import Training
from windrow.service.upkeep import Upkeep

_log = logging.getLogger("windrow.service")


class Service(Training, JobKeeping, Predicting, Judging, Keeping, Aliasing, Exchanging, Upkeep):
    """Does the verbs here. Made by ``bootstrap.open_service``."""

    __slots__ = ()

    def start(self) -> None:
        """Load what is to be kept loaded and start the training processes, so that the first request does not wait."""
        self.runner.start()
        if DEFAULT_BASE_MODEL in self.settings.allowed_base_models:
            self.encoders.get(DEFAULT_BASE_MODEL)
        for name in self.settings.keep_loaded:
            try:
                self.predictor.load(self.find(name))
            except WindrowError as error:  # the others answer all the same, and this one once it is put right
                _log.warning("The classifier %r is not kept loaded. %s", name, error.detail)
        self.sweeper.start()
        self.jobs.settle_lost()

    def wait_for_jobs(self, timeout_s: float) -> None:
        """Wait until every job of this process has ended, or the time is over."""
        self.jobs.wait(timeout_s)

    def close(self) -> None:
        """Stop the training processes and the encoder's threads; jobs are interrupted, waiting predictions fail."""
        self.sweeper.stop()
        self.jobs.close()
        self.runner.close()
        self.queue.close()

    def vitals(self) -> Vitals:
        """Return what goes on here, and what has been done since the start."""
        return self.predictor.vitals(self.turns.running, self.turns.waiting)
