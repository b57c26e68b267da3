"""A periodic task runs at the start and at each interval, whatever fails."""

import queue
from collections.abc import Callable, Iterator

import pytest

from windrow.domain.errors import StorageFailed
from windrow.execution.periodic_task import PeriodicTask

NEVER_S = 3_600.0
PATIENCE_S = 30


class Sweeps:
    """Counts, and fails where it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.done: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.count = 0
        self._failures = list(failures)

    def sweep(self) -> None:
        self.count += 1
        self.done.put(self.count)
        if self._failures:
            raise self._failures.pop(0)


Begin = Callable[[Sweeps, float], PeriodicTask]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Give a way to start a sweeper that is stopped, and whose thread has ended, after the test."""
    sweepers = []

    def begin(sweeps: Sweeps, every_s: float) -> PeriodicTask:
        sweepers.append(PeriodicTask(sweeps.sweep, every_s, "sweep"))
        sweepers[-1].start()
        return sweepers[-1]

    yield begin
    for sweeper in sweepers:
        sweeper.stop()
        sweeper._thread.join(PATIENCE_S)
        assert not sweeper._thread.is_alive()


def test_it_runs_at_the_start_however_long_the_interval(begin: Begin) -> None:
    sweeps = Sweeps()
    begin(sweeps, NEVER_S)
    assert sweeps.done.get(timeout=PATIENCE_S) == 1


def test_it_runs_repeatedly(begin: Begin) -> None:
    sweeps = Sweeps()
    begin(sweeps, 0.0)
    assert [sweeps.done.get(timeout=PATIENCE_S) for _ in range(5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("failure", [StorageFailed("The disk failed. Look at it."), RuntimeError("A defect.")])
def test_a_failed_run_is_logged_and_the_next_one_follows(
    failure: Exception, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    sweeps = Sweeps(failure)
    begin(sweeps, 0.0)
    assert [sweeps.done.get(timeout=PATIENCE_S) for _ in range(2)] == [1, 2]
    (told,) = caplog.records
    assert told.getMessage().startswith("The task sweep failed, and will be tried again.")
    assert str(failure) in caplog.text


def test_it_stops_at_once_though_the_next_time_is_far_away(begin: Begin) -> None:
    sweeps = Sweeps()
    sweeper = begin(sweeps, NEVER_S)
    sweeps.done.get(timeout=PATIENCE_S)
    sweeper.stop()
    sweeper._thread.join(PATIENCE_S)
    assert sweeps.count == 1


def test_one_that_was_stopped_before_its_start_does_nothing(begin: Begin) -> None:
    sweeps = Sweeps()
    sweeper = PeriodicTask(sweeps.sweep, 0.0, "sweep")
    sweeper.stop()
    sweeper.start()
    sweeper._thread.join(PATIENCE_S)
    assert sweeps.count == 0
