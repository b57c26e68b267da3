"""A watch: it hears how a training goes on, and ends it from outside."""

import threading

import numpy as np
import pytest

from windrow.arrays import Floats
from windrow.domain.errors import Abandoned, ShuttingDown, TrainingCancelled
from windrow.domain.job import Progress
from windrow.encoders.bulk import run_in_order
from windrow.execution.watch import Watch, cancelled, watching


def test_what_is_told_is_heard() -> None:
    told: list[Progress] = []
    Watch(told.append).tell("training", 1, 3, 0.5)
    assert told == [Progress("training", 1, 3, 0.5)]


def test_a_stopped_training_is_told_so_wherever_it_looks() -> None:
    told: list[Progress] = []
    watch = Watch(told.append)
    watch.check()
    watch.stop()
    assert watch.is_stopped
    with pytest.raises(TrainingCancelled, match="Start it again"):
        watch.check()
    with pytest.raises(TrainingCancelled):
        watch.tell("saving")
    with pytest.raises(TrainingCancelled), watch.stopped_by(lambda: None):
        raise AssertionError("it must not come so far")
    assert told == []


def test_the_first_reason_counts_and_each_gets_an_error_of_its_own() -> None:
    watch = Watch()
    watch.stop(ShuttingDown("The server stops.", {"a": 1}))
    watch.stop(TrainingCancelled("Too late."))
    raised = []
    for _ in range(2):
        with pytest.raises(ShuttingDown, match="The server stops") as error:
            watch.check()
        raised.append(error.value)
    assert raised[0] is not raised[1]
    assert raised[0].facts == {"a": 1}


def test_a_stop_calls_what_can_end_the_work_once_and_only_while_it_goes_on() -> None:
    watch, calls = Watch(), []
    with watch.stopped_by(lambda: calls.append("over")):
        pass
    with watch.stopped_by(lambda: calls.append("outer")), watch.stopped_by(lambda: calls.append("inner")):
        watch.stop()
        watch.stop()
    assert calls == ["outer", "inner"]


def test_a_stop_comes_from_any_thread() -> None:
    watch, ended = Watch(), threading.Event()
    with watch.stopped_by(ended.set):
        threading.Thread(target=watch.stop).start()
        assert ended.wait(30)


def test_computing_ends_between_two_batches() -> None:
    watch, done = Watch(), []

    def batch(number: int) -> Floats:
        done.append(number)
        if number == 1:
            watch.stop()
        return np.full(2, number, np.float32)

    compute = watch.computing(run_in_order)
    with pytest.raises(TrainingCancelled):
        compute([lambda number=number: batch(number) for number in range(4)])  # type: ignore[misc]
    assert done == [0, 1]


def test_computing_gives_the_results_in_their_order() -> None:
    results = Watch().computing(run_in_order)([lambda: np.zeros(1, np.float32), lambda: np.ones(1, np.float32)])
    assert [float(each[0]) for each in results] == [0.0, 1.0]


def test_a_training_that_nobody_wants_any_more_is_stopped() -> None:
    is_there = [True, True, False]
    ended = threading.Event()
    with watching(is_wanted=lambda: is_there.pop(0)) as watch, watch.stopped_by(ended.set):
        watch.check()
        assert ended.wait(30)
        with pytest.raises(Abandoned, match="The caller left"):
            watch.check()


def test_what_is_always_wanted_is_asked_nothing() -> None:
    before = threading.active_count()
    with watching() as watch:
        assert threading.active_count() == before
        watch.check()


def test_a_cancelled_training_names_its_job_if_it_has_one() -> None:
    assert cancelled().facts == {}
    assert cancelled("a1").facts == {"job": "a1"}
    assert "(job a1)" in cancelled("a1").detail
