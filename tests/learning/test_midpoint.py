"""A threshold between two scores has few digits and lies near the middle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.learning.midpoint import midpoint

a_score = st.floats(0, 1, width=32)


@given(a_score, a_score)
def test_it_keeps_its_distance_from_both(one: float, other: float) -> None:
    lower, upper = sorted((one, other))
    found = midpoint(lower, upper)
    assert abs(found - (lower + upper) / 2) <= (upper - lower) / 8
    if lower < upper:
        assert lower < found < upper


@pytest.mark.parametrize(
    ("lower", "upper", "found"),
    [
        (0.2, 0.8, "0.5"),
        (0.47, 0.5041, "0.49"),
        (0.4866, 0.48744, "0.487"),
        (0.0, 0.013, "0.006"),
        (0.25, 0.25, "0.25"),
    ],
)
def test_it_has_no_more_digits_than_tell_the_two_apart(lower: float, upper: float, found: str) -> None:
    assert repr(midpoint(lower, upper)) == found
