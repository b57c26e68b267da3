"""Progress is reported, and a cancelled training ends wherever it is."""

import queue
import threading

import numpy as np
import pytest

from windrow.arrays import Floats
from windrow.domain.errors import ClientClosedRequest, ShuttingDown, TrainingCancelled
from windrow.domain.job import Progress
from windrow.encoders.bulk import run_in_order
from windrow.execution.control import TrainingControl, cancel_on_disconnect, repeating, training_cancelled


def test_progress_is_reported() -> None:
    reported: list[Progress] = []
    TrainingControl(reported.append).report_progress("training", 1, 3, 0.5)
    assert reported == [Progress("training", 1, 3, 0.5)]


def test_a_cancelled_training_raises_the_reason_everywhere() -> None:
    reported: list[Progress] = []
    control = TrainingControl(reported.append)
    control.raise_if_cancelled()
    control.cancel()
    assert control.is_cancelled
    with pytest.raises(TrainingCancelled, match="Start it again"):
        control.raise_if_cancelled()
    with pytest.raises(TrainingCancelled):
        control.report_progress("saving")
    with pytest.raises(TrainingCancelled), control.on_cancel(lambda: None):
        raise AssertionError("it must not come so far")
    assert reported == []


def test_the_first_reason_counts_and_each_gets_an_error_of_its_own() -> None:
    control = TrainingControl()
    control.cancel(ShuttingDown("The server stops.", {"a": 1}))
    control.cancel(TrainingCancelled("Too late."))
    raised = []
    for _ in range(2):
        with pytest.raises(ShuttingDown, match="The server stops") as error:
            control.raise_if_cancelled()
        raised.append(error.value)
    assert raised[0] is not raised[1]
    assert raised[0].facts == {"a": 1}


def test_a_stop_calls_what_can_end_the_work_once_and_only_while_it_goes_on() -> None:
    control, calls = TrainingControl(), []
    with control.on_cancel(lambda: calls.append("over")):
        pass
    with control.on_cancel(lambda: calls.append("outer")), control.on_cancel(lambda: calls.append("inner")):
        control.cancel()
        control.cancel()
    assert calls == ["outer", "inner"]


def test_any_thread_may_cancel() -> None:
    control, ended = TrainingControl(), threading.Event()
    with control.on_cancel(ended.set):
        threading.Thread(target=control.cancel).start()
        assert ended.wait(30)


def test_computing_ends_between_two_batches() -> None:
    control, done = TrainingControl(), []

    def batch(number: int) -> Floats:
        done.append(number)
        if number == 1:
            control.cancel()
        return np.full(2, number, np.float32)

    compute = control.cancellable(run_in_order)
    with pytest.raises(TrainingCancelled):
        compute([lambda number=number: batch(number) for number in range(4)])  # type: ignore[misc]
    assert done == [0, 1]


def test_cancellable_batches_give_their_results_in_order() -> None:
    results = TrainingControl().cancellable(run_in_order)(
        [lambda: np.zeros(1, np.float32), lambda: np.ones(1, np.float32)]
    )
    assert [float(each[0]) for each in results] == [0.0, 1.0]


def test_a_training_that_nobody_wants_any_more_is_stopped() -> None:
    is_there = [True, True, False]
    ended = threading.Event()
    with cancel_on_disconnect(is_connected=lambda: is_there.pop(0)) as control, control.on_cancel(ended.set):
        control.raise_if_cancelled()
        assert ended.wait(30)
        with pytest.raises(ClientClosedRequest, match="The caller left"):
            control.raise_if_cancelled()


def test_without_a_caller_to_watch_no_thread_polls() -> None:
    before = threading.active_count()
    with cancel_on_disconnect() as control:
        assert threading.active_count() == before
        control.raise_if_cancelled()


def test_what_is_repeated_ends_with_its_block() -> None:
    calls: queue.SimpleQueue[int] = queue.SimpleQueue()
    with repeating(0.001, lambda: calls.put(1)):
        for _ in range(3):
            calls.get()
    assert "repeat" not in {thread.name for thread in threading.enumerate()}


def test_a_cancelled_training_names_its_job_if_it_has_one() -> None:
    assert training_cancelled().facts == {}
    assert training_cancelled("a1").facts == {"job_id": "a1"}
    assert "(job a1)" in training_cancelled("a1").detail
