"""What is saved is measured in a thread of its own, for who asks, and seldom."""

import threading
from collections.abc import Callable

import pytest

from tests.http.asking import wait_until
from windrow.domain.errors import StorageFailed
from windrow.domain.server_stats import StorageStats
from windrow.domain.usage import ClassifierUsage, Usage
from windrow.execution.storage_meter import StorageMeter

USAGE = Usage(
    base_models=(),
    classifiers=(
        ClassifierUsage("a", size_bytes=10, revisions=2, deleted=False),
        ClassifierUsage("b", size_bytes=5, revisions=1, deleted=True),
        ClassifierUsage("c", size_bytes=1, revisions=1, deleted=False),
    ),
    other_bytes=3,
    free_bytes=100,
    min_free_bytes=0,
)


class Setup:
    """A meter with a clock that is set, of a folder whose measurement takes some of its time."""

    def __init__(self, interval_s: float = 60.0, took_s: float = 0.0) -> None:
        self.now_s = 0.0
        self.took_s = took_s
        self.calls = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.error: Exception | None = None
        self.meter = StorageMeter(self._measure, interval_s, lambda: self.now_s)

    def _measure(self) -> Usage:
        self.calls += 1
        assert self.may_go_on.wait(30)
        self.now_s += self.took_s
        if self.error is not None:
            raise self.error
        return USAGE

    def ask(self) -> StorageStats | None:
        """Ask, and wait for what that began."""
        found = self.meter.stats()
        self._join()
        return found

    @staticmethod
    def _join() -> None:
        for thread in threading.enumerate():
            if thread.name == "measure-storage":
                thread.join(30)


def test_who_asks_first_is_told_nothing_and_the_next_one_all() -> None:
    setup = Setup()
    setup.may_go_on.clear()
    assert setup.meter.stats() is None
    setup.may_go_on.set()
    wait_until(lambda: setup.meter.stats() is not None)
    stats = setup.meter.stats()
    assert stats is not None
    assert (stats.classifiers, stats.deleted_classifiers, stats.revisions) == (2, 1, 4)
    assert stats.size_bytes == {"base_models": 0, "classifiers": 11, "deleted_classifiers": 5, "other": 3}


def test_nobody_waits_for_a_disk_that_hangs_and_nothing_is_begun_twice() -> None:
    setup = Setup()
    setup.may_go_on.clear()
    assert [setup.meter.stats() for _ in range(5)] == [None] * 5
    setup.may_go_on.set()
    setup.ask()
    assert setup.calls == 1


@pytest.mark.parametrize(("took_s", "next_s"), [(0.0, 60.0), (0.5, 60.0), (10.0, 1_000.0)])
def test_it_is_measured_again_after_a_minute_or_a_hundred_times_what_it_took(took_s: float, next_s: float) -> None:
    setup = Setup(took_s=took_s)
    setup.ask()
    setup.now_s += next_s - 0.1
    setup.ask()
    assert setup.calls == 1
    setup.now_s += 0.2
    setup.ask()
    assert setup.calls == 2


def _unreadable() -> Exception:
    return StorageFailed("The disk failed.")


@pytest.mark.parametrize("error", [_unreadable, lambda: ValueError("a defect")])
def test_what_was_measured_last_holds_where_the_disk_fails(error: Callable[[], Exception]) -> None:
    setup = Setup()
    setup.ask()
    before = setup.ask()
    setup.error, setup.now_s = error(), setup.now_s + 61
    setup.ask()
    assert setup.calls == 2
    assert setup.meter.stats() == before
