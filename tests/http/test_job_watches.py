"""Jobs that are followed: one look serves all who follow one with a key, and none is left when the last has gone."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import cast

import pytest

from windrow.domain.caller import Caller, calling, current_caller
from windrow.domain.errors import JobNotFound, Overloaded
from windrow.domain.job import Job
from windrow.http.job_watches import MAX_FOLLOWERS, JobWatches


@dataclass(frozen=True)
class FakeJob:
    id: str = "a"
    state: str = "running"

    @property
    def is_finished(self) -> bool:
        return self.state == "succeeded"


RUNNING, FINISHED = cast(Job, FakeJob()), cast(Job, FakeJob(state="succeeded"))


def test_one_look_serves_all_who_follow_a_job() -> None:
    looks = 0

    async def look() -> Job:
        nonlocal looks
        looks += 1
        return FINISHED if looks == 3 else RUNNING

    async def follow() -> None:
        watches = JobWatches()
        async with AsyncExitStack() as stack:
            followed = [await stack.enter_async_context(watches.follow(RUNNING, look)) for _ in range(100)]
            await asyncio.gather(*(each.changed.wait() for each in followed))
            assert {each.job for each in followed} == {FINISHED}

    asyncio.run(follow())
    assert looks == 3


def test_each_api_key_is_shown_the_job_as_that_key_may_see_it() -> None:
    async def look() -> Job:
        return cast(Job, FakeJob(id=f"a for {current_caller().key_name}", state="succeeded"))

    async def follow(watches: JobWatches, key: str) -> str:
        with calling(Caller(key)):
            async with watches.follow(RUNNING, look) as watch:
                await watch.changed.wait()
                return watch.job.id

    async def follow_both() -> list[str]:
        watches = JobWatches()
        return list(await asyncio.gather(follow(watches, "all"), follow(watches, "few")))

    assert asyncio.run(follow_both()) == ["a for all", "a for few"]


def test_nobody_looks_when_the_last_follower_has_gone() -> None:
    async def look() -> Job:
        raise AssertionError

    async def follow() -> int:
        watches = JobWatches()
        for _ in range(3):
            async with watches.follow(RUNNING, look):
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert asyncio.run(follow()) == 1


@pytest.mark.parametrize("error", [JobNotFound("gone"), ZeroDivisionError()])
def test_whoever_follows_learns_that_the_job_can_be_seen_no_more(error: Exception) -> None:
    async def look() -> Job:
        raise error

    async def follow() -> None:
        async with JobWatches().follow(RUNNING, look) as watch:
            await watch.changed.wait()
            await asyncio.sleep(0)
            assert watch.is_over
            assert watch.error is (error if isinstance(error, JobNotFound) else None)

    asyncio.run(follow())


def test_too_many_followers_are_told_to_come_again() -> None:
    async def look() -> Job:
        return RUNNING

    async def follow() -> None:
        watches = JobWatches()
        async with AsyncExitStack() as stack:
            for _ in range(MAX_FOLLOWERS):
                watches.check_room()
                await stack.enter_async_context(watches.follow(RUNNING, look))
            with pytest.raises(Overloaded):
                watches.check_room()
        watches.check_room()

    asyncio.run(follow())
