"""Turns: no more work at the same time than may, first come, first served, and the line has an end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from windrow.domain.errors import Overloaded, TrainingCancelled
from windrow.execution.turns import FIRST_TURN_S, Place, Turns
from windrow.execution.watch import Watch


def wait_for(condition: threading.Event) -> None:
    assert condition.wait(30)


class Worker:
    """Holds a turn until it is told to leave.

    Args:
        turns: The line that it joins at once.
    """

    def __init__(self, turns: Turns) -> None:
        self.place: Place = turns.join()
        self.watch = Watch()
        self.is_inside, self.leave, self.has_ended = threading.Event(), threading.Event(), threading.Event()
        self.error: BaseException | None = None
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        try:
            with self.place.turn(self.watch):
                self.is_inside.set()
                wait_for(self.leave)
        except TrainingCancelled as error:
            self.error = error
        self.has_ended.set()


def test_who_has_no_turn_waits_and_is_counted() -> None:
    turns = Turns(2, 10)
    first, second, third = (Worker(turns) for _ in range(3))
    wait_for(first.is_inside)
    wait_for(second.is_inside)
    assert (turns.running, turns.waiting) == (2, 1)
    assert not third.is_inside.is_set()
    first.leave.set()
    wait_for(third.is_inside)
    assert (turns.running, turns.waiting) == (2, 0)
    for each in (second, third):
        each.leave.set()
        wait_for(each.has_ended)
    assert (turns.running, turns.waiting) == (0, 0)


def test_who_came_first_is_served_first_and_each_knows_how_many_are_ahead() -> None:
    turns = Turns(1, 10)
    workers = [Worker(turns) for _ in range(4)]
    wait_for(workers[0].is_inside)
    assert [each.place.ahead for each in workers] == [0, 0, 1, 2]
    for each, following in pairwise(workers):
        each.leave.set()
        wait_for(following.is_inside)
        wait_for(each.has_ended)
        assert turns.running == 1
    workers[-1].leave.set()


def test_a_full_line_says_when_to_come_again_and_how_to_make_it_longer() -> None:
    turns = Turns(1, 1)
    places = [turns.join(), turns.join()]
    with pytest.raises(Overloaded, match="Try this one again in 5 s, or raise WINDROW_MAX_WAITING_FITS") as refused:
        turns.join()
    assert refused.value.facts == {
        "retry_after_s": 5,
        "limit": 1,
        "setting": "WINDROW_MAX_WAITING_FITS",
        "waiting": 2,
    }
    places[1].leave()
    turns.join()


def test_without_waiting_places_a_training_begins_all_the_same() -> None:
    turns = Turns(1, 0)
    with turns.join().turn(), pytest.raises(Overloaded):
        turns.join()
    turns.join()


def test_who_is_stopped_while_waiting_leaves_the_line_and_holds_nobody_up() -> None:
    turns = Turns(1, 10)
    first, second, third = (Worker(turns) for _ in range(3))
    wait_for(first.is_inside)
    second.watch.stop()
    wait_for(second.has_ended)
    assert isinstance(second.error, TrainingCancelled)
    assert (turns.waiting, third.place.ahead) == (1, 0)
    first.leave.set()
    wait_for(third.is_inside)
    third.leave.set()


def test_who_is_not_ready_yet_keeps_its_place_and_holds_nobody_up() -> None:
    turns = Turns(1, 10)
    slow = turns.join(is_ready=False)
    first, second = Worker(turns), Worker(turns)
    wait_for(first.is_inside)
    assert [place.ahead for place in (slow, second.place)] == [0, 1]
    first.leave.set()
    wait_for(second.is_inside)
    second.leave.set()
    wait_for(second.has_ended)
    with slow.turn():
        assert turns.running == 1


def test_who_leaves_the_line_is_in_it_no_more() -> None:
    turns = Turns(1, 10)
    gone = turns.join()
    other = turns.join()
    assert other.ahead == 1
    gone.leave()
    gone.leave()  # again is no error
    assert (other.ahead, gone.ahead, turns.waiting) == (0, 0, 1)


def test_a_failure_gives_the_turn_back() -> None:
    turns = Turns(1, 1)
    with pytest.raises(ValueError, match="no"), turns.join().turn():
        raise ValueError("no")
    with turns.join().turn():
        assert turns.running == 1


def test_the_wait_is_told_by_how_many_are_there() -> None:
    turns = Turns(2, 10)
    assert turns.wait_s == 0
    places = [turns.join() for _ in range(3)]
    assert turns.wait_s == FIRST_TURN_S
    for place in places:
        place.leave()


def test_many_threads_never_work_at_the_same_time_more_than_may() -> None:
    turns = Turns(2, 1_000)
    seen: list[int] = []

    def work(_: int) -> None:
        with turns.join().turn():
            seen.append(turns.running)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(200)))
    assert len(seen) == 200
    assert max(seen) <= 2
    assert (turns.running, turns.waiting) == (0, 0)
