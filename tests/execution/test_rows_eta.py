"""How long a prediction of files still takes: by the rows that this run has done."""

from windrow.domain.job import Progress
from windrow.execution.rows_eta import RowsEta


class Clock:
    """A clock that stands still until it is set."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def at(rows: int, of: int = 1_000) -> Progress:
    return Progress("predicting", rows, of)


def test_nothing_is_known_before_rows_are_done() -> None:
    eta = RowsEta(Clock())
    assert eta.seconds_left(Progress("planning", 500)) is None
    assert eta.seconds_left(at(0)) is None
    assert eta.seconds_left(at(0)) is None


def test_rows_of_an_earlier_run_say_nothing_about_the_speed() -> None:
    clock = Clock()
    eta = RowsEta(clock)
    assert eta.seconds_left(at(400)) is None
    clock.now_s += 10
    assert eta.seconds_left(at(500)) == 50.0


def test_the_time_falls_between_two_shards_and_never_below_nothing() -> None:
    clock = Clock()
    eta = RowsEta(clock)
    eta.seconds_left(at(0))
    clock.now_s += 10
    assert eta.seconds_left(at(500)) == 10.0
    clock.now_s += 4
    assert eta.seconds_left(at(500)) == 6.0
    clock.now_s += 60
    assert eta.seconds_left(at(500)) == 0.0
    assert eta.seconds_left(at(1_000)) == 0.0
    eta.end()


def test_without_the_number_of_rows_nothing_is_known() -> None:
    clock = Clock()
    eta = RowsEta(clock)
    eta.seconds_left(at(0, 0))
    clock.now_s += 1
    assert eta.seconds_left(at(10, 0)) is None
