"""The interval of a share is Wilson's."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.domain.interval import wilson_interval


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
@settings(deadline=None)
def test_an_interval_is_wilsons(counts: tuple[int, int]) -> None:
    """Source: Wilson 1927; the ends solve |p - share| = z * sqrt(p (1 - p) / n)."""
    correct, total = counts
    z = 1.959963984540054
    centre = (correct + z * z / 2) / (total + z * z)
    half = z / (total + z * z) * math.sqrt(correct * (total - correct) / total + z * z / 4)
    interval = wilson_interval(correct, total)
    assert interval.low == pytest.approx(max(0, centre - half), abs=1e-9)
    assert interval.high == pytest.approx(min(1, centre + half), abs=1e-9)
    assert 0 <= interval.low <= correct / total <= interval.high <= 1


def test_six_of_six_rows_are_no_proof_of_much() -> None:
    interval = wilson_interval(6, 6)
    assert (round(interval.low, 3), interval.high) == (0.610, 1.0)
