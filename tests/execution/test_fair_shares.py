"""Fair shares: who has had least is next, and nobody saves up while away."""

from collections import Counter
from collections.abc import Mapping

import pytest

from windrow.execution.fair_shares import Client, FairShares


def given(shares: FairShares, waiting: Mapping[Client, int], turns: int, sizes: Mapping[Client, int]) -> list[Client]:
    """Return whose turns come, where each turn of a client takes its size."""
    order = []
    for _ in range(turns):
        client = shares.next_of(list(waiting), waiting)
        shares.charge(client, sizes[client])
        order.append(client)
    return order


def test_who_takes_less_at_a_time_is_next_more_often() -> None:
    shares = FairShares()
    waiting: dict[Client, int] = {"large": 5, "small": 5}
    shares.update(waiting)
    order = given(shares, waiting, 50, {"large": 40, "small": 10})
    assert Counter(order) == {"large": 10, "small": 40}


def test_a_newcomer_is_next_at_once_and_has_no_more_than_the_others_from_then_on() -> None:
    shares = FairShares()
    shares.update({"flood": 60})
    shares.charge("flood", 10_000)
    waiting: dict[Client, int] = {"flood": 60, "other": 1}
    shares.update(waiting)
    sizes: dict[Client, int] = {"flood": 10, "other": 10}
    assert given(shares, waiting, 5, sizes) == ["other", "flood", "other", "flood", "other"]


def test_who_left_pays_for_nothing_that_it_had_before() -> None:
    shares = FairShares()
    shares.update({"a": 1, "b": 1})
    shares.charge("a", 500)
    shares.update({"b": 1})
    shares.charge("b", 10)
    shares.update({"a": 1, "b": 1})
    assert shares.next_of(["b", "a"], {"a": 1, "b": 2}) == "a"


@pytest.mark.parametrize("clients", [["a", "b"], ["b", "a"]])
def test_of_equals_the_one_that_asks_for_least_is_next(clients: list[Client]) -> None:
    shares = FairShares()
    shares.update({"a": 2, "b": 1})
    assert shares.next_of(clients, {"a": 2, "b": 1}) == "b"
