"""A pair's figures, against the same figures computed in another way."""

from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from windrow.arrays import Bools
from windrow.domain.comparison import MAX_ROWS_NEEDED, Disagreement
from windrow.domain.dataset import Row
from windrow.domain.interval import Interval
from windrow.learning.compare import _EARLIEST, _LATEST, _NORMAL_95, compare_pair, find_disagreements, rows_needed

NAMES = ("a", "b")


def answers(fixed: int, broken: int, total: int) -> tuple[Bools, Bools]:
    """Return which rows each of two classifiers places right; of the other rows, both do every second one."""
    both = np.arange(total) % 2 == 0
    first, second = both.copy(), both.copy()
    first[:fixed], second[:fixed] = False, True
    first[fixed : fixed + broken], second[fixed : fixed + broken] = True, False
    return first, second


@cache
def exact_p(fixed: int, broken: int) -> float:
    """Return McNemar's exact p, in whole numbers: twice the chance of so few heads among so many coins."""
    tosses, ways, extreme = fixed + broken, 1, 0
    for heads in range(min(fixed, broken) + 1):
        extreme += ways
        ways = ways * (tosses - heads) // (heads + 1)
    return min(1.0, 2 * extreme / int(2**tosses))


def by_trial(fixed: int, broken: int, total: int, limit: int) -> int | None:
    """Try one number of rows after the other."""
    for rows in range(total + 1, limit + 1):
        if exact_p(*((2 * count * rows + total) // (2 * total) for count in (fixed, broken))) < 0.05:
            return rows
    return None


three_counts = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60)).filter(any)


def test_5_of_6_against_6_of_6_shows_nothing() -> None:
    first, second = np.array([True] * 5 + [False]), np.array([True] * 6)
    pair = compare_pair(NAMES, first, second)
    assert (pair.first, pair.second, pair.fixed, pair.broken, pair.p_value) == ("a", "b", 1, 0, 1.0)
    assert (pair.difference, pair.total, pair.is_significant, pair.better) == (1 / 6, 6, False, None)
    # At this rate, 33 rows hold 6 that are fixed (5.5, rounded), and six coins all show heads or tails once in 32.
    assert pair.rows_needed == 33
    assert pair.verdict.startswith("Not enough evidence: only 1 row differs, too few to say")


@given(three_counts)
@settings(deadline=None)
def test_p_is_mcnemars_exact_one(counts: tuple[int, int, int]) -> None:
    fixed, broken, same = counts
    pair = compare_pair(NAMES, *answers(fixed, broken, fixed + broken + same))
    assert (pair.fixed, pair.broken, pair.total) == (fixed, broken, sum(counts))
    assert pair.p_value == pytest.approx(exact_p(fixed, broken))
    assert pair.difference == (fixed - broken) / sum(counts)


def test_the_other_way_round_a_pair_says_the_opposite() -> None:
    first, second = answers(12, 2, 100)
    pair, back = compare_pair(NAMES, first, second), compare_pair(("b", "a"), second, first)
    assert (pair.better, back.better) == ("b", "b")
    assert (pair.fixed, pair.broken, pair.difference) == (back.broken, back.fixed, -back.difference)
    assert pair.p_value == back.p_value


@pytest.mark.parametrize(("fixed", "broken", "total"), [(8, 3, 40), (1, 0, 6), (20, 30, 200)])
def test_the_interval_is_that_of_drawing_whole_rows_anew(fixed: int, broken: int, total: int) -> None:
    from scipy.stats import bootstrap  # takes most of a second, which no process should spend to collect tests

    first, second = answers(fixed, broken, total)
    drawn = bootstrap(
        (second.astype(float) - first.astype(float),),
        np.mean,
        n_resamples=9_999,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    interval = compare_pair(NAMES, first, second).difference_interval
    # One row more or less: as much as 9,999 resamples scatter.
    assert interval.low == pytest.approx(drawn.low, abs=1.01 / total)
    assert interval.high == pytest.approx(drawn.high, abs=1.01 / total)


@given(three_counts)
@settings(max_examples=50, deadline=None)
def test_the_interval_holds_the_difference_and_is_the_same_each_time(counts: tuple[int, int, int]) -> None:
    fixed, broken, same = counts
    first, second = answers(fixed, broken, fixed + broken + same)
    pair = compare_pair(NAMES, first, second)
    assert -1 <= pair.difference_interval.low <= pair.difference <= pair.difference_interval.high <= 1
    assert compare_pair(NAMES, first, second) == pair


def test_two_that_place_the_same_rows_right_do_not_differ() -> None:
    first, _ = answers(0, 0, 50)
    pair = compare_pair(NAMES, first, first)
    assert (pair.fixed, pair.broken, pair.p_value, pair.rows_needed) == (0, 0, 1.0, None)
    assert pair.difference_interval == Interval(0, 0)


def test_what_is_shown_already_needs_no_more_rows() -> None:
    assert compare_pair(NAMES, *answers(9, 1, 100)).p_value == pytest.approx(0.021484375)
    assert compare_pair(NAMES, *answers(9, 1, 100)).rows_needed is None


@given(three_counts)
@settings(max_examples=60, deadline=None)
def test_the_rows_that_are_needed_are_the_fewest_that_do(counts: tuple[int, int, int]) -> None:
    fixed, broken, same = counts
    assume(exact_p(fixed, broken) >= 0.05)
    total, limit = fixed + broken + same, 1_500
    needed = rows_needed(fixed, broken, total)
    if fixed == broken:
        assert needed is None
    elif needed is None or needed > limit:
        assert by_trial(fixed, broken, total, limit) is None
    else:
        assert needed == by_trial(fixed, broken, total, limit)


@pytest.mark.parametrize(
    "counts", [(100, 99, 1_000), (99, 100, 1_000), (51, 50, 400), (1, 0, 100_000), (300, 296, 700)]
)
def test_many_rows_are_found_as_exactly_as_few(counts: tuple[int, int, int]) -> None:
    from scipy.stats import binom  # as above

    needed = rows_needed(*counts)
    assert needed is not None
    rows = np.arange(counts[2] + 1, needed + 1)
    fewer, more = ((2 * count * rows + counts[2]) // (2 * counts[2]) for count in sorted(counts[:2]))
    # Only just: the number itself does, and no smaller one within reach of rounding does.
    assert 2 * binom.cdf(fewer[-1], fewer[-1] + more[-1], 0.5) < 0.05
    assert (2 * binom.cdf(fewer[-3_000:-1], (fewer + more)[-3_000:-1], 0.5) >= 0.05).all()


def test_more_rows_than_anyone_labels_are_not_named() -> None:
    assert rows_needed(3_001, 3_000, 10_000) is None
    assert rows_needed(1, 0, MAX_ROWS_NEEDED) is None
    # Six of so many rows: 5.5 times as many are enough.
    assert rows_needed(1, 0, 100_000) == 550_000
    assert rows_needed(0, 1, 181_819) is None


def test_the_border_of_the_exact_test_lies_where_the_search_looks_for_it() -> None:
    """Source: symmetric binomial, each number of rows up to 3,000 and then some up to the most that are looked for."""
    from scipy.stats import binom  # as above

    sampled = np.random.default_rng(0).integers(3_000, MAX_ROWS_NEEDED, 2_000)
    tosses = np.concatenate([np.arange(6, 3_001), sampled, [MAX_ROWS_NEEDED]])
    most = binom.ppf(0.025, tosses, 0.5)
    most -= 2 * binom.cdf(most, tosses, 0.5) >= 0.05
    assert (2 * binom.cdf(most, tosses, 0.5) < 0.05).all()
    assert (2 * binom.cdf(most + 1, tosses, 0.5) >= 0.05).all()
    smallest_surplus = tosses - 2 * most - _NORMAL_95 * np.sqrt(tosses)
    assert smallest_surplus.min() >= _EARLIEST
    assert smallest_surplus.max() <= _LATEST
    assert exact_p(5, 0) > 0.05 > exact_p(6, 0)


def test_rows_that_are_answered_differently_are_listed_with_every_answer() -> None:
    rows = [Row("one", "x"), Row("two", "y"), Row("three", "y")]
    found = find_disagreements(rows, {"b": ["x", "y", "x"], "a": ["x", "x", "x"], "c": ["x", "y", "y"]})
    assert found == (
        Disagreement(1, "two", "y", {"b": "y", "a": "x", "c": "y"}),
        Disagreement(2, "three", "y", {"b": "x", "a": "x", "c": "y"}),
    )
    assert [list(disagreement.predicted) for disagreement in found] == [["b", "a", "c"]] * 2


def test_rows_without_disagreement_are_not_listed_even_if_all_are_wrong() -> None:
    assert find_disagreements([Row("one", "x")], {"a": ["y"], "b": ["y"]}) == ()
