"""Keep the actors of a driver: start what is needed, hand out warm ones, and give idle ones back to the cluster."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from windrow.domain.errors import WindrowError
from windrow.execution.ray_cluster import (
    NOT_MADE,
    RayOptions,
    check_versions,
    largest_node,
    no_processors,
    windrow_missing,
)
from windrow.execution.ray_training_actor import TrainingActor

# How often whoever waits for the cluster looks at other things.
LOOK_S: Final = 0.2
# A call of an actor that answers at once takes longer only where its node is gone or swaps.
ANSWER_S: Final = 60.0
_WARMING_LOOK_S: Final = 0.02
# Of one actor at the same time: it follows a task, and is told to cancel it.
_CALLS_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class ReadyActor:
    """An actor whose training process runs or warms up.

    Args:
        handle: Ray's handle.
        node: The node's address and the beginning of its id.
        idle_since_s: Since when it has had no task, on the monotonic clock.
    """

    handle: Any
    node: str
    idle_since_s: float = 0.0


class ActorPool:
    """The actors of one driver, which is connected; thread-safe.

    Args:
        options: What each takes of a node, and how long it stays idle.
    """

    def __init__(self, options: RayOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._idle: list[ReadyActor] = []
        self._warming = 0

    def warm(self) -> None:
        """Have one idle actor, so that the next task need not wait for its start. What hinders it is told by a task."""
        with self._lock:
            if self._idle or self._warming:
                return
            self._warming += 1
        try:
            self.release(self._create(lambda: None, lambda: None))
        except _not_this_time():
            pass
        finally:
            with self._lock:
                self._warming -= 1

    def acquire(self, check: Callable[[], None]) -> ReadyActor:
        """Return an idle actor, or start one, and wait until a node has room for it.

        Args:
            check: Called now and then; raises what ends the waiting.

        Raises:
            ClusterUnavailable: No node can take it, or it has other versions of Windrow, Python or Ray.
        """
        while True:
            if (idle := self._take_idle()) is not None:
                return idle
            if not self._warming:
                return self._create(check, self._take_idle)
            check()
            time.sleep(_WARMING_LOOK_S)

    def release(self, actor: ReadyActor) -> None:
        """Take back an actor that has no task."""
        with self._lock:
            self._idle.append(ReadyActor(actor.handle, actor.node, time.monotonic()))

    def drop(self, actor: ReadyActor) -> None:
        """End an actor, whatever it does."""
        _kill(actor.handle)

    def drop_idle(self) -> None:
        """End those that have had no task for a while, so that the cluster can use or release their processors."""
        until_s = time.monotonic() - self._options.idle_s
        with self._lock:
            dropped = [each for each in self._idle if each.idle_since_s <= until_s]
            self._idle = [each for each in self._idle if each.idle_since_s > until_s]
        for each in dropped:
            self.drop(each)

    def _take_idle(self) -> ReadyActor | None:
        """Return an idle actor whose node has not died meanwhile; ``None`` for none."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                idle = self._idle.pop()  # the one that was used last
            if _lives(idle):
                return idle

    def _create(self, check: Callable[[], None], find_other: Callable[[], ReadyActor | None]) -> ReadyActor:
        """Start an actor, unless another one is found while no node has room for it."""
        import ray

        largest = largest_node()
        # On a smaller node its threads share what is there: slower, but with the same weights.
        processors = min(self._options.threads, int(largest)) or self._options.threads
        handle: Any = (  # Ray declares the methods as what they are on the node
            ray.remote(TrainingActor)
            .options(
                num_cpus=processors,
                max_concurrency=_CALLS_AT_ONCE,
                max_restarts=0,
                scheduling_strategy="SPREAD",
            )
            .remote()
        )
        try:
            there = self._await(handle.describe.remote(), processors, check, find_other)
            if isinstance(there, ReadyActor):
                _kill(handle)
                return there
            check_versions(there)
            ray.get(handle.prepare.remote(self._options.threads, self._options.memory_bytes), timeout=ANSWER_S)
        except BaseException:
            _kill(handle)
            raise
        return ReadyActor(handle, there["node"])

    def _await(
        self,
        described: Any,
        processors: int,
        check: Callable[[], None],
        find_other: Callable[[], ReadyActor | None],
    ) -> dict[str, str] | ReadyActor:
        """Return what an actor says of itself once a node has had room for it, however long that takes; or another."""
        import ray

        patient_until_s = time.monotonic() + self._options.schedule_s
        while True:
            check()
            if (other := find_other()) is not None:
                return other
            try:
                there: dict[str, str] = ray.get(described, timeout=LOOK_S)
            except ray.exceptions.GetTimeoutError:
                if time.monotonic() > patient_until_s and (largest := largest_node()) < processors:
                    raise no_processors(processors, largest) from None
            except ray.exceptions.RayTaskError as error:  # a method that says so little fails where its code is missing
                raise windrow_missing(_last_line(error)) from error
            except ray.exceptions.RayActorError as error:
                if NOT_MADE in str(error):  # and so does the making of one that has nothing to do
                    raise windrow_missing(_last_line(error)) from error
                raise
            else:
                return there


def _not_this_time() -> tuple[type[Exception], ...]:
    import ray

    return (WindrowError, ray.exceptions.RayError)


def _lives(actor: ReadyActor) -> bool:
    """Return whether an idle actor has not died with its node meanwhile."""
    import ray

    try:
        ray.get(actor.handle.describe.remote(), timeout=ANSWER_S)
    except ray.exceptions.RayError:
        _kill(actor.handle)
        return False
    return True


def _kill(handle: Any) -> None:
    import ray

    try:
        ray.kill(handle, no_restart=True)
    except (ray.exceptions.RayError, ValueError, RuntimeError):
        pass  # it is dead, or the cluster is


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
