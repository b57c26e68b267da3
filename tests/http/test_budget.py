"""A budget of bytes for all bodies: what is over it is refused, and what is done gives its bytes back."""

import contextlib

import pytest

from windrow.domain.errors import Overloaded
from windrow.http.budget import FREE_BYTES, RETRY_AFTER_S, Budget


def test_more_than_the_budget_is_refused_until_some_of_it_is_given_back() -> None:
    budget = Budget(3 * FREE_BYTES, "WINDROW_MAX_PENDING_BODY_BYTES")
    with budget.reserve() as first:
        first.take(2 * FREE_BYTES)
        with budget.reserve() as second:
            second.take(FREE_BYTES)
            with pytest.raises(Overloaded) as caught:
                second.take(FREE_BYTES)
            assert second.taken_bytes == 2 * FREE_BYTES
            assert budget.held_bytes == 4 * FREE_BYTES
        assert budget.held_bytes == 2 * FREE_BYTES
    assert caught.value.facts == {
        "retry_after_s": RETRY_AFTER_S,
        "limit": 3 * FREE_BYTES,
        "setting": "WINDROW_MAX_PENDING_BODY_BYTES",
    }
    assert budget.held_bytes == 0
    with budget.reserve() as third:
        third.take(3 * FREE_BYTES)


def test_a_small_body_is_taken_however_many_large_ones_there_are() -> None:
    budget = Budget(10, "")
    with budget.reserve() as small:
        small.take(FREE_BYTES)
        with pytest.raises(Overloaded):
            small.take(1)


def test_what_fails_gives_back_what_it_took() -> None:
    budget = Budget(10, "")
    with contextlib.suppress(ZeroDivisionError), budget.reserve() as reservation:
        reservation.take(10)
        raise ZeroDivisionError
    assert budget.held_bytes == 0
