"""Slots: bounded concurrency, keys in turns and each first come first served, and a bounded queue."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import pytest

from windrow.domain.caller import Caller, calling
from windrow.domain.errors import Overloaded, RateLimited, TrainingCancelled
from windrow.domain.key_limits import UNLIMITED, KeyLimits
from windrow.execution.control import TrainingControl
from windrow.execution.slots import FILE_PREDICTIONS, INITIAL_SLOT_S, Ticket, TrainingSlots


def wait_for(condition: threading.Event) -> None:
    assert condition.wait(30)


class Worker:
    """Holds a turn until it is told to leave.

    Args:
        slots: The line that it joins at once.
        key: The API key that it comes with.
        limits: That key's limits.
    """

    def __init__(self, slots: TrainingSlots, key: str | None = None, limits: KeyLimits = UNLIMITED) -> None:
        with calling(Caller(key, limits=limits)):
            self.ticket: Ticket = slots.enqueue()
        self.control = TrainingControl()
        self.is_inside, self.leave, self.has_ended = threading.Event(), threading.Event(), threading.Event()
        self.error: BaseException | None = None
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        try:
            with self.ticket.acquire(self.control):
                self.is_inside.set()
                wait_for(self.leave)
        except TrainingCancelled as error:
            self.error = error
        self.has_ended.set()


def test_tickets_without_a_slot_wait_and_are_counted() -> None:
    slots = TrainingSlots(2, 10)
    first, second, third = (Worker(slots) for _ in range(3))
    wait_for(first.is_inside)
    wait_for(second.is_inside)
    assert (slots.running, slots.waiting) == (2, 1)
    assert not third.is_inside.is_set()
    first.leave.set()
    wait_for(third.is_inside)
    assert (slots.running, slots.waiting) == (2, 0)
    for each in (second, third):
        each.leave.set()
        wait_for(each.has_ended)
    assert (slots.running, slots.waiting) == (0, 0)


def test_who_came_first_is_served_first_and_each_knows_how_many_are_ahead() -> None:
    slots = TrainingSlots(1, 10)
    workers = [Worker(slots) for _ in range(4)]
    wait_for(workers[0].is_inside)
    assert [each.ticket.ahead for each in workers] == [0, 0, 1, 2]
    for each, following in pairwise(workers):
        each.leave.set()
        wait_for(following.is_inside)
        wait_for(each.has_ended)
        assert slots.running == 1
    workers[-1].leave.set()


def test_a_full_queue_says_when_to_retry_and_how_to_enlarge_it() -> None:
    slots = TrainingSlots(1, 1)
    tickets = [slots.enqueue(), slots.enqueue()]
    with pytest.raises(Overloaded, match="Try this one again in 5 s, or raise WINDROW_MAX_QUEUED_FITS") as refused:
        slots.enqueue()
    assert refused.value.facts == {
        "retry_after_s": 5,
        "limit": 1,
        "setting": "WINDROW_MAX_QUEUED_FITS",
        "waiting": 2,
    }
    tickets[1].leave()
    slots.enqueue()


def test_without_a_waiting_queue_a_training_takes_a_free_slot() -> None:
    slots = TrainingSlots(1, 0)
    with slots.enqueue().acquire(), pytest.raises(Overloaded):
        slots.enqueue()
    slots.enqueue()


def test_a_ticket_cancelled_while_waiting_leaves_the_queue_and_blocks_no_other() -> None:
    slots = TrainingSlots(1, 10)
    first, second, third = (Worker(slots) for _ in range(3))
    wait_for(first.is_inside)
    second.control.cancel()
    wait_for(second.has_ended)
    assert isinstance(second.error, TrainingCancelled)
    assert (slots.waiting, third.ticket.ahead) == (1, 0)
    first.leave.set()
    wait_for(third.is_inside)
    third.leave.set()


def test_a_ticket_that_is_not_ready_keeps_its_place_and_blocks_no_other() -> None:
    slots = TrainingSlots(1, 10)
    slow = slots.enqueue(is_ready=False)
    first, second = Worker(slots), Worker(slots)
    wait_for(first.is_inside)
    assert [ticket.ahead for ticket in (slow, second.ticket)] == [0, 1]
    first.leave.set()
    wait_for(second.is_inside)
    second.leave.set()
    wait_for(second.has_ended)
    with slow.acquire():
        assert slots.running == 1


def test_a_full_queue_names_what_waits_in_it_and_its_setting() -> None:
    for slots, what, setting in (
        (TrainingSlots(1, 0), "trainings", "WINDROW_MAX_QUEUED_FITS"),
        (TrainingSlots(1, 0, FILE_PREDICTIONS), "predictions of files", "WINDROW_MAX_QUEUED_FILE_PREDICTIONS"),
    ):
        slots.enqueue()
        with pytest.raises(Overloaded, match=f"{what} are waiting") as caught:
            slots.enqueue()
        assert caught.value.facts["setting"] == setting


def test_a_keys_limit_on_trainings_is_none_on_predictions_of_files() -> None:
    slots = TrainingSlots(1, 10, FILE_PREDICTIONS)
    with calling(Caller("shop", limits=KeyLimits(max_queued_fits=1))):
        tickets = [slots.enqueue() for _ in range(4)]
    assert slots.waiting == len(tickets)


def test_a_ticket_that_leaves_is_no_longer_in_the_queue() -> None:
    slots = TrainingSlots(1, 10)
    gone = slots.enqueue()
    other = slots.enqueue()
    assert other.ahead == 1
    gone.leave()
    gone.leave()  # again is no error
    assert (other.ahead, gone.ahead, slots.waiting) == (0, 0, 1)


def test_a_failure_releases_the_slot() -> None:
    slots = TrainingSlots(1, 1)
    with pytest.raises(ValueError, match="no"), slots.enqueue().acquire():
        raise ValueError("no")
    with slots.enqueue().acquire():
        assert slots.running == 1


def test_the_wait_is_estimated_from_the_number_of_tickets() -> None:
    slots = TrainingSlots(2, 10)
    assert slots.wait_s == 0
    tickets = [slots.enqueue() for _ in range(3)]
    assert slots.wait_s == INITIAL_SLOT_S
    for ticket in tickets:
        ticket.leave()


def test_many_threads_never_exceed_the_number_of_slots() -> None:
    slots = TrainingSlots(2, 1_000)
    seen: list[int] = []

    def work(_: int) -> None:
        with slots.enqueue().acquire():
            seen.append(slots.running)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(200)))
    assert len(seen) == 200
    assert max(seen) <= 2
    assert (slots.running, slots.waiting) == (0, 0)


def test_keys_take_turns_and_each_knows_how_many_are_ahead() -> None:
    slots = TrainingSlots(1, 20)
    running = Worker(slots, "flood")
    wait_for(running.is_inside)
    flood = [Worker(slots, "flood") for _ in range(4)]
    others = [Worker(slots, "other"), Worker(slots, "third"), Worker(slots, "other")]
    assert [each.ticket.ahead for each in flood] == [2, 4, 5, 6]
    assert [each.ticket.ahead for each in others] == [0, 1, 3]
    order = [others[0], others[1], flood[0], others[2], *flood[1:]]
    running.leave.set()
    for worker in order:
        wait_for(worker.is_inside)
        assert sum(each.is_inside.is_set() and not each.has_ended.is_set() for each in order) == 1
        worker.leave.set()
        wait_for(worker.has_ended)


def test_a_key_may_have_only_so_many_waiting_trainings_as_its_limit_says() -> None:
    slots = TrainingSlots(1, 20)
    limits = replace(UNLIMITED, max_queued_fits=1)
    workers = [Worker(slots, "shop", limits), Worker(slots, "shop", limits)]  # one runs, one waits
    with pytest.raises(RateLimited, match="1") as refused:
        Worker(slots, "shop", limits)
    assert refused.value.facts["quota"] == "max_queued_fits"
    workers.append(Worker(slots, "other", limits))
    for each in workers:
        each.leave.set()
    for each in workers:
        wait_for(each.has_ended)


def test_a_queue_that_one_key_has_filled_still_takes_another_ones_share() -> None:
    slots = TrainingSlots(1, 4)
    running = Worker(slots, "flood")
    wait_for(running.is_inside)
    workers = [running, *(Worker(slots, "flood") for _ in range(4))]
    with pytest.raises(Overloaded):
        Worker(slots, "flood")
    workers += [Worker(slots, "other"), Worker(slots, "other")]
    with pytest.raises(Overloaded):
        Worker(slots, "other")
    for each in workers:
        each.leave.set()
    for each in workers:
        wait_for(each.has_ended)
