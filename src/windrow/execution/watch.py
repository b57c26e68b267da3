"""Watching a training: what it tells as it goes on, and how it is stopped from outside.

Owns the one place where both meet; knows nothing of what a training does, or of who listens.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from windrow.domain.errors import TrainingCancelled, WindrowError
from windrow.domain.job import OnProgress, Progress, Stage, ignore_progress
from windrow.encoders.bulk import Compute
from windrow.encoders.layout import Floats


class Watch:
    """Watches one training; thread-safe.

    Args:
        on_progress: Called as it goes on, in the training's thread.
    """

    def __init__(self, on_progress: OnProgress = ignore_progress) -> None:
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._reason: WindrowError | None = None
        self._stops: list[Callable[[], None]] = []

    @property
    def is_stopped(self) -> bool:
        """Whether it is to end."""
        return self._reason is not None

    def stop(self, reason: WindrowError | None = None) -> None:
        """Have the training end as soon as it can; what is being computed is thrown away.

        Args:
            reason: What the training raises then.
        """
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason or TrainingCancelled(
                "The training was cancelled, so nothing was saved. Send it again to have it trained."
            )
            # With the lock held, so that who leaves a block of stopped_by is not stopped a moment later.
            for stop in self._stops:
                stop()

    def check(self) -> None:
        """Go on, unless the training is to end.

        Raises:
            WindrowError: The reason.
        """
        if self._reason is not None:
            # A new one: the reason must not gather the tracebacks of several threads.
            raise type(self._reason)(self._reason.detail, self._reason.facts)

    @contextmanager
    def stopped_by(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call ``stop``, which must not wait, from whatever thread as soon as the training is to end.

        That is while the ``with`` block lasts; afterwards it is never called.

        Raises:
            WindrowError: It is to end already.
        """
        with self._lock:
            self._stops.append(stop)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)

    def tell(self, stage: Stage, step: int = 0, of: int = 0, loss: float | None = None) -> None:
        """Tell how far the training is.

        Raises:
            WindrowError: It is to end.
        """
        self.check()
        self._on_progress(Progress(stage, step, of, loss))

    def computing(self, compute: Compute) -> Compute:
        """Return a way to compute batches that ends where the training is to end, between two batches."""

        def watched(batches: Sequence[Callable[[], Floats]]) -> Sequence[Floats]:
            def checked(batch: Callable[[], Floats]) -> Callable[[], Floats]:
                def work() -> Floats:
                    self.check()
                    return batch()

                return work

            return compute([checked(batch) for batch in batches])

        return watched
