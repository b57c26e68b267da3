"""The driver of a Ray cluster: take tasks from the server on standard input, and have actors on the cluster run them.

It is a process of its own, since Ray ends its driver when it loses the cluster's head, prints on its own account, and
takes over signals. Messages to and from the server are frames (``execution.frames``):

``warm``
    Have a warm actor ready.
``task``
    Run a task: ``id``; ``base_model`` and ``folder``, ``None`` for a task that needs none; ``deadline_s`` on this
    machine's monotonic clock, which all of its processes share; the bytes of its frame.
``cancel``
    End the task ``id`` at once.
``begun``
    An attempt begins, the ``attempts``-th, on ``node``.
``progress``, ``done``, ``failed``, ``unavailable``
    What became of the task ``id``, with its ``node`` and ``attempts``; ``unavailable`` without an id ends the driver.
"""

import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from windrow.domain.errors import ClusterUnavailable, TrainingFailed
from windrow.execution.frames import Frame, flatten, read_frame, restore, write_frame
from windrow.execution.ray_actor_pool import ANSWER_S, LOOK_S, ActorPool, ReadyActor
from windrow.execution.ray_base_models import base_model_files
from windrow.execution.ray_cluster import RayOptions, connect, driver_options
from windrow.execution.ray_training_actor import DIED, frame_of
from windrow.execution.tasks import HEARTBEAT, TaskFailure
from windrow.execution.watchdog import HEARTBEAT_INTERVAL_S

WARM: Final = "warm"
TASK: Final = "task"
CANCEL: Final = "cancel"
UNAVAILABLE: Final = "unavailable"
BEGUN: Final = "begun"
PAYLOAD: Final = "frame"
ATTEMPTS: Final = 3


class _CancelledError(Exception):
    """Nobody waits for the task any more."""


class _LostError(Exception):
    """The actor, its node or its training process died."""


@dataclass(slots=True, eq=False)
class _Job:
    """A task that was asked for.

    Args:
        fields: Those of its message.
        task: The bytes of its frame.
    """

    fields: Mapping[str, Any]
    task: bytes
    is_cancelled: threading.Event = field(default_factory=threading.Event)
    node: str = ""
    attempts: int = 0

    def check(self) -> None:
        """Raise if the task was cancelled.

        Raises:
            _CancelledError: It was.
        """
        if self.is_cancelled.is_set():
            raise _CancelledError


class Driver:
    """Has actors run tasks; thread-safe.

    Args:
        options: What the server says.
        replies: Takes messages to the server.
    """

    def __init__(self, options: RayOptions, replies: IO[bytes]) -> None:
        self._options = options
        self._replies = replies
        self._sending = threading.Lock()
        self._connecting = threading.Lock()
        self._pool: ActorPool | None = None
        self._jobs: dict[int, _Job] = {}
        self._files: dict[str, Any] = {}
        self._placing = threading.Lock()

    def send(self, frame: Frame) -> None:
        """Send a message to the server."""
        with self._sending:
            write_frame(self._replies, frame)

    def handle(self, message: Frame) -> None:
        """Do what a message says, in a thread of its own where that takes time."""
        if message.kind == CANCEL:
            if (job := self._jobs.get(message.fields["id"])) is not None:
                job.is_cancelled.set()
        elif message.kind == WARM:
            threading.Thread(target=lambda: self._connected().warm(), daemon=True).start()
        else:
            job = _Job(message.fields, message.tensors[PAYLOAD].tobytes())
            self._jobs[message.fields["id"]] = job
            threading.Thread(target=self._run, args=(job,), daemon=True).start()

    def tend(self) -> None:
        """Send signs of life, and let idle actors go, until the process ends."""
        while True:
            self.send(Frame(HEARTBEAT))
            if self._pool is not None:
                self._pool.drop_idle()
            time.sleep(HEARTBEAT_INTERVAL_S)

    def _connected(self) -> ActorPool:
        with self._connecting:
            if self._pool is None:
                try:
                    connect(self._options)
                except ClusterUnavailable as error:
                    self.send(flatten(UNAVAILABLE, TaskFailure(error.template, error.facts)))
                    os._exit(0)  # Ray may go on trying, and keeps parts of what it tried
                self._pool = ActorPool(self._options)
            return self._pool

    def _run(self, job: _Job) -> None:
        pool = self._connected()
        try:
            self._answer(job, self._attempt_often(job, pool))
        except _CancelledError:
            pass
        except ClusterUnavailable as error:
            self._answer(job, flatten(UNAVAILABLE, TaskFailure(error.template, error.facts)))
        except Exception as error:  # noqa: BLE001  the outermost edge: whatever it is, the server must hear of it
            what = "The training failed with {error} on its way to the Ray cluster. Try again, and report it."
            self._answer(job, flatten("failed", TaskFailure(what, {"error": f"{type(error).__name__}: {error}"[:500]})))
        finally:
            del self._jobs[job.fields["id"]]

    def _answer(self, job: _Job, frame: Frame) -> None:
        about = {"id": job.fields["id"], "node": job.node, "attempts": job.attempts}
        self.send(Frame(frame.kind, {**about, "of": frame.fields}, frame.tensors))

    def _attempt_often(self, job: _Job, pool: ActorPool) -> Frame:
        """Return the frame that ends a task, which is begun again where it is lost."""
        why = ""
        while job.attempts < ATTEMPTS:
            job.check()
            try:
                actor = pool.acquire(job.check)
            except _ray_errors() as error:  # the node died while it started
                job.attempts += 1
                why = _first_line(error)
                continue
            job.attempts += 1
            job.node = actor.node
            self.send(Frame(BEGUN, {"id": job.fields["id"], "node": job.node, "attempts": job.attempts}))
            try:
                frame = self._attempt(job, actor)
            except _CancelledError:
                self._recover(actor, pool)
                raise
            except _LostError as error:
                pool.drop(actor)
                why = str(error)
            except _ray_errors() as error:
                pool.drop(actor)
                why = _first_line(error)
            else:
                pool.release(actor)
                return frame
        what = (
            "The training was begun {attempts} times on the Ray cluster, and each time it was lost, the last time on "
            "node {node} ({why}). Nothing was saved; an earlier revision, if there is one, still answers. Look at the "
            "memory of the cluster's nodes and at Ray's logs, and try again."
        )
        return flatten("failed", TaskFailure(what, {"attempts": job.attempts, "node": job.node or "?", "why": why}))

    def _attempt(self, job: _Job, actor: ReadyActor) -> Frame:
        """Have an actor run a task to its end.

        Raises:
            _CancelledError: The task was cancelled.
            _LostError: The training process died.
        """
        import ray

        handle, base_model = actor.handle, job.fields["base_model"]
        if base_model is not None and (error := self._place(actor, job)) is not None:
            return error
        self._get(handle.take.remote(job.task), job)
        deadline_s = job.fields["deadline_s"]
        left_s = None if deadline_s is None else deadline_s - time.monotonic()
        self._get(handle.begin.remote(base_model, left_s), job)
        seen, outcome = 0, None
        while outcome is None:
            job.check()
            steps, outcome = ray.get(handle.follow.remote(seen), timeout=ANSWER_S)
            for number, of, loss in steps:
                fields = {"id": job.fields["id"], "number": number, "of": of, "loss": loss}
                self.send(Frame("progress", fields))
            seen += len(steps)
        frame = frame_of(outcome)
        if frame.kind == DIED:
            failure = restore(TaskFailure, frame)
            raise _LostError(TrainingFailed(failure.template, failure.facts).detail.partition(". ")[0])
        return frame

    def _place(self, actor: ReadyActor, job: _Job) -> Frame | None:
        """Have the base model on an actor's node, and return the frame of an error; ``None`` for none."""
        base_model = job.fields["base_model"]
        if not self._get(actor.handle.needs_base_model.remote(base_model), job):
            return None
        with self._placing:  # so that its files are read and put once
            digest = base_model["digest"]
            if digest not in self._files:
                self._files[digest] = base_model_files(Path(job.fields["folder"]))
        placed = self._get(actor.handle.place_base_model.remote(base_model, [self._files[digest]]), job)
        return None if placed is None else frame_of(placed)

    def _get(self, reference: Any, job: _Job) -> Any:
        """Return what a call of an actor gives, unless the task is cancelled meanwhile."""
        import ray

        while True:
            job.check()
            with suppress(ray.exceptions.GetTimeoutError):
                return ray.get(reference, timeout=LOOK_S)

    def _recover(self, actor: ReadyActor, pool: ActorPool) -> None:
        """Have the task of an actor cancelled, and keep the actor: a new process of it warms up."""
        import ray

        try:
            ray.get(actor.handle.cancel.remote(), timeout=ANSWER_S)
        except ray.exceptions.RayError:
            pool.drop(actor)
        else:
            pool.release(actor)


def main() -> None:
    """Run until standard input ends, which also signals a crash of the server. The argument holds the options."""
    options = driver_options(sys.argv[-1])
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What Ray prints is in its own logs too, and belongs neither between the frames nor in the server's log.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    driver = Driver(options, replies)
    threading.Thread(target=_tend, args=(driver,), daemon=True).start()
    while (message := read_frame(requests)) is not None:
        driver.handle(message)
    # Ray ends the actors of a driver that is gone.
    os._exit(0)


def _tend(driver: Driver) -> None:
    try:
        driver.tend()
    except OSError:
        os._exit(0)  # the server is gone


def _ray_errors() -> tuple[type[Exception], ...]:
    import ray

    return (ray.exceptions.RayError,)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300] or type(error).__name__


if __name__ == "__main__":
    main()
