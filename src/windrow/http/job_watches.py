"""The jobs that clients follow, each looked at once for all who follow it with the same API key."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from windrow.domain.caller import current_caller
from windrow.domain.errors import Overloaded, WindrowError
from windrow.domain.job import Job

POLL_INTERVAL_S: Final = 0.1
# A follower holds a connection for as long as a training lasts.
MAX_FOLLOWERS: Final = 500
RETRY_AFTER_S: Final = 5
Look = Callable[[], Awaitable[Job]]


@dataclass(slots=True)
class JobWatch:
    """A job that somebody follows, as it is for one API key.

    Args:
        job: As it was seen last.
        error: Why it cannot be seen any more.
        changed: Set, and replaced, whenever one of the two changes.
        num_followers: How many follow it.
        is_over: Whether nobody looks at it any more.
    """

    job: Job
    error: WindrowError | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    num_followers: int = 0
    is_over: bool = False

    async def run(self, look: Look) -> None:
        """Look at the job until it is finished."""
        try:
            await self._look_again(look)
        finally:
            self.is_over = True
            self.changed.set()

    def update(self, job: Job) -> None:
        """Take the job as it was seen just now."""
        if job != self.job:
            self.job = job
            self._tell()

    async def _look_again(self, look: Look) -> None:
        while not self.job.is_finished and self.error is None:
            await asyncio.sleep(POLL_INTERVAL_S)
            try:
                self.update(await look())
            except WindrowError as error:
                self.error = error
                self._tell()

    def _tell(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class JobWatches:
    """The jobs that are followed now. For the event loop alone."""

    def __init__(self) -> None:
        # By API key, too: what one key is shown of a job, another one may not see.
        self._watches: dict[tuple[str | None, str], tuple[JobWatch, asyncio.Task[None]]] = {}

    def check_room(self) -> None:
        """Refuse one more follower where there are too many.

        Raises:
            Overloaded: There are.
        """
        if sum(watch.num_followers for watch, _ in self._watches.values()) >= MAX_FOLLOWERS:
            raise Overloaded(
                "{limit} clients follow jobs already. Try again in {retry_after_s} s, or look at the job from time to "
                "time.",
                {"retry_after_s": RETRY_AFTER_S, "limit": MAX_FOLLOWERS},
            )

    @asynccontextmanager
    async def follow(self, job: Job, look: Look) -> AsyncIterator[JobWatch]:
        """Follow a job inside the ``with`` block, for the current caller.

        Args:
            job: As the caller saw it just now.
            look: Looks at it again, as the caller.
        """
        key = current_caller().key_name, job.id
        if key not in self._watches:
            watch = JobWatch(job)
            self._watches[key] = watch, asyncio.get_running_loop().create_task(watch.run(look))
        watch, task = self._watches[key]
        watch.num_followers += 1
        watch.update(job)
        try:
            yield watch
        finally:
            watch.num_followers -= 1
            if watch.num_followers == 0:
                task.cancel()
                del self._watches[key]
