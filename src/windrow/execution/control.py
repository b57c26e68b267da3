"""Report a training's progress, and cancel it from outside."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from windrow.arrays import Floats
from windrow.domain.errors import (
    ClientClosedRequest,
    FilePredictionCancelled,
    ShuttingDown,
    TrainingCancelled,
    WindrowError,
)
from windrow.domain.job import JobKind, OnProgress, Progress, Stage, ignore_progress
from windrow.domain.prediction import IsConnected, always_connected
from windrow.encoders.bulk import Compute

# The interval of polling for disconnected callers, and for changes of jobs of this process.
POLL_INTERVAL_S = 0.2


class TrainingControl:
    """Progress and cancellation of one training; thread-safe.

    Args:
        on_progress: Called with each progress, in the training's thread.
    """

    def __init__(self, on_progress: OnProgress = ignore_progress) -> None:
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._reason: WindrowError | None = None
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether the training was cancelled; it may still be running."""
        return self._reason is not None

    def cancel(self, reason: WindrowError | None = None) -> None:
        """Cancel the training; it ends as soon as it can, without a result.

        Args:
            reason: The error that the training raises; the default says that it was cancelled.
        """
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason or training_cancelled()
            # With the lock held, so that no callback runs after its on_cancel block has ended.
            for callback in self._callbacks:
                callback()

    def raise_if_cancelled(self) -> None:
        """Raise the reason if the training was cancelled.

        Raises:
            WindrowError: The reason.
        """
        if self._reason is not None:
            # A new error, so that the tracebacks of several threads do not accumulate.
            raise type(self._reason)(self._reason.template, self._reason.facts)

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call ``callback`` if the training is cancelled inside the ``with`` block.

        The callback runs in the cancelling thread and must not block. It is never called after the block.

        Raises:
            WindrowError: The training was cancelled already.
        """
        with self._lock:
            self._callbacks.append(callback)
        try:
            self.raise_if_cancelled()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    def report_progress(self, stage: Stage, step: int = 0, of: int = 0, loss: float | None = None) -> None:
        """Report the training's progress.

        Raises:
            WindrowError: The training was cancelled.
        """
        self.show(Progress(stage, step, of, loss))

    def show(self, progress: Progress) -> None:
        """Report how far the work is.

        Raises:
            WindrowError: It was cancelled.
        """
        self.raise_if_cancelled()
        self._on_progress(progress)

    def cancellable(self, compute: Compute) -> Compute:
        """Return ``compute`` with a cancellation check before each batch."""

        def wrapped(batches: Sequence[Callable[[], Floats]]) -> Sequence[Floats]:
            def checked(batch: Callable[[], Floats]) -> Callable[[], Floats]:
                def work() -> Floats:
                    self.raise_if_cancelled()
                    return batch()

                return work

            return compute([checked(batch) for batch in batches])

        return wrapped


@contextmanager
def cancel_on_disconnect(
    on_progress: OnProgress = ignore_progress, is_connected: IsConnected = always_connected
) -> Iterator[TrainingControl]:
    """Yield a control that cancels the training when the caller disconnects.

    Args:
        on_progress: Called with each progress, in the training's thread.
        is_connected: Polled as :func:`cancel_when` does.
    """

    def find_reason() -> WindrowError | None:
        return None if is_connected() else ClientClosedRequest("The caller left, so the training was ended. Ask again.")

    control = TrainingControl(on_progress)
    with nullcontext() if is_connected is always_connected else cancel_when(control, find_reason):
        yield control


@contextmanager
def cancel_when(
    control: TrainingControl, find_reason: Callable[[], WindrowError | None], interval_s: float = POLL_INTERVAL_S
) -> Iterator[None]:
    """Poll for a reason to cancel a training while the ``with`` block runs.

    Args:
        control: The training's control.
        find_reason: Returns the reason, or ``None``; called in its own thread.
        interval_s: Seconds between two calls.
    """
    is_over = threading.Event()

    def poll() -> None:
        while not is_over.wait(interval_s):
            if (reason := find_reason()) is not None:
                control.cancel(reason)
                return

    threading.Thread(target=poll, name="poll-for-cancellation", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


@contextmanager
def repeating(interval_s: float, action: Callable[[], object]) -> Iterator[None]:
    """Call a function again and again while the ``with`` block runs, and never after it.

    Args:
        interval_s: Seconds between two calls.
        action: The function; called in its own thread.
    """
    is_over = threading.Event()

    def repeat() -> None:
        while not is_over.wait(interval_s):
            action()

    thread = threading.Thread(target=repeat, name="repeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def run_interruptibly(prepare: Callable[[], object], control: TrainingControl) -> None:
    """Run what cannot be interrupted in its own thread, and abandon it if the training is cancelled meanwhile.

    Raises:
        BaseException: The error of ``prepare``, or the reason of the cancellation.
    """
    is_over = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            prepare()
        except BaseException as error:  # noqa: BLE001  every error belongs to the training
            failed.append(error)
        is_over.set()

    with control.on_cancel(is_over.set):
        threading.Thread(target=work, name="prepare-job", daemon=True).start()
        is_over.wait()
    control.raise_if_cancelled()
    for error in failed:
        raise error


def training_cancelled(job_id: str | None = None) -> TrainingCancelled:
    """Return the error of a cancelled training.

    Args:
        job_id: The training's job, if it has one.
    """
    which = "" if job_id is None else " (job {job_id})"
    return TrainingCancelled(
        f"The training was cancelled{which}, so nothing was saved; an earlier revision, if there is one, still "
        "answers. Start it again to have it trained.",
        {} if job_id is None else {"job_id": job_id},
    )


def job_cancelled(kind: JobKind, job_id: str) -> TrainingCancelled | FilePredictionCancelled:
    """Return the error of a cancelled job.

    Args:
        kind: What it does.
        job_id: The job.
    """
    if kind == "fit":
        return training_cancelled(job_id)
    return FilePredictionCancelled(
        "Classifying the files was cancelled (job {job_id}); the shards that were done stay. Start it again as it was, "
        "and it goes on behind them.",
        {"job_id": job_id},
    )


def shutting_down(kind: JobKind = "fit") -> ShuttingDown:
    """Return the error of a job whose process is stopping.

    Args:
        kind: What it does.
    """
    if kind == "predict_files":
        return ShuttingDown(
            "The server is stopping, so not all of the files were classified; the shards that were done stay. Start it "
            "again as it was once the server is back, and it goes on behind them."
        )
    return ShuttingDown(
        "The server is stopping, so this training was not done. Start it again once the server is back."
    )
