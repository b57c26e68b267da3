"""Durations are counted in buckets that a monitor can sum up."""

from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.server_stats import DurationStats
from windrow.execution.durations import JOB_BOUNDS_S, WAIT_BOUNDS_S, DurationCounter


def test_a_duration_counts_in_each_bucket_whose_bound_it_does_not_exceed() -> None:
    counter = DurationCounter((1.0, 2.0, 4.0))
    for seconds in (0.5, 1.0, 1.5, 4.0, 9.0):
        counter.add(seconds)
    assert counter.stats() == DurationStats((1.0, 2.0, 4.0), (2, 3, 4), 5, 16.0)


def test_nothing_is_counted_before_the_first_one() -> None:
    assert DurationCounter((1.0,)).stats() == DurationStats((1.0,), (0,), 0, 0.0)


def test_a_clock_that_was_set_back_counts_as_no_time() -> None:
    counter = DurationCounter((1.0,))
    counter.add(-5.0)
    assert counter.stats() == DurationStats((1.0,), (1,), 1, 0.0)


@given(st.lists(st.floats(0, 1e5)), st.sampled_from((JOB_BOUNDS_S, WAIT_BOUNDS_S)))
def test_the_buckets_hold_what_was_added(durations: list[float], bounds: tuple[float, ...]) -> None:
    counter = DurationCounter(bounds)
    for each in durations:
        counter.add(each)
    stats = counter.stats()
    assert stats.counts == tuple(sum(each <= bound for each in durations) for bound in bounds)
    assert stats.count == len(durations)
