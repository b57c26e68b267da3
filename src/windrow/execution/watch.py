"""Watching a training: what it tells as it goes on, and how it is stopped from outside."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from windrow.arrays import Floats
from windrow.domain.errors import Abandoned, ShuttingDown, TrainingCancelled, WindrowError
from windrow.domain.job import OnProgress, Progress, Stage, ignore_progress
from windrow.domain.prediction import IsWanted, always
from windrow.encoders.bulk import Compute

# How soon it is seen that a caller has left, or that another process wrote down that a job is to stop.
LOOK_EVERY_S = 0.2


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
            self._reason = reason or cancelled()
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
            raise type(self._reason)(self._reason.template, self._reason.facts)

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


@contextmanager
def watching(on_progress: OnProgress = ignore_progress, is_wanted: IsWanted = always) -> Iterator[Watch]:
    """Give a watch that stops a training inside the ``with`` block as soon as nobody wants its result.

    Args:
        on_progress: Called as the training goes on, in its thread.
        is_wanted: Asked as :func:`looking` does.
    """

    def why_not() -> WindrowError | None:
        return None if is_wanted() else Abandoned("The caller left, so the training was ended. Ask again.")

    watch = Watch(on_progress)
    with nullcontext() if is_wanted is always else looking(watch, why_not):
        yield watch


@contextmanager
def looking(watch: Watch, find_reason: Callable[[], WindrowError | None]) -> Iterator[None]:
    """Stop a training inside the ``with`` block as soon as there is a reason.

    Args:
        watch: The training's.
        find_reason: Asked five times a second, in a thread of its own.
    """
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_EVERY_S):
            if (reason := find_reason()) is not None:
                watch.stop(reason)
                return

    threading.Thread(target=look, name="look-whether-to-stop", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def cancelled(job_id: str | None = None) -> TrainingCancelled:
    """Return the error of a training that somebody cancelled.

    Args:
        job_id: Its job, if it has one.
    """
    which = "" if job_id is None else " (job {job})"
    return TrainingCancelled(
        f"The training was cancelled{which}, so nothing was saved; an earlier revision, if there is one, still "
        "answers. Start it again to have it trained.",
        {} if job_id is None else {"job": job_id},
    )


def shutting_down() -> ShuttingDown:
    """Return the error of a training whose process is stopping."""
    return ShuttingDown(
        "The server is stopping, so this training was not done. Start it again once the server is back."
    )
