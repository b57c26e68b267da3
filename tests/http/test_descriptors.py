"""The limit on open files: raised as far as it may be, and left to files before connections take it all."""

import resource
from collections.abc import Iterator

import pytest

from windrow.http.descriptors import RESERVE, OccasionalLog, is_in_reserve, raise_limit


@pytest.fixture
def lowered() -> Iterator[int]:
    """Lower what this process may have for a while, and return what it could have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_limit_is_raised_as_far_as_it_may_be(lowered: int) -> None:
    assert raise_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(lowered, 1_048_576)
    assert raise_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.parametrize(("accepted", "expected"), [(1_048_576, 1_048_576), (10_240, 10_240), (9_000, 256)])
def test_where_the_system_allows_less_than_it_says_the_limit_is_raised_as_far_as_that(
    accepted: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = [(256, resource.RLIM_INFINITY)]

    def set_limit(_: int, wanted: tuple[int, int]) -> None:
        if wanted[0] > accepted:
            raise ValueError("invalid argument")
        limits.append(wanted)

    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    assert raise_limit() == expected == limits[-1][0]


def test_the_last_descriptors_are_no_connections(lowered: int) -> None:
    assert [is_in_reserve(number) for number in (3, 511 - RESERVE, 512 - RESERVE, 511)] == [False, False, True, True]
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, lowered))
    assert [is_in_reserve(number) for number in (74, 75)] == [False, True]


def test_many_events_are_logged_once_in_a_while_and_counted() -> None:
    logged: list[int] = []
    now_s = 100.0
    log = OccasionalLog(logged.append, lambda: now_s)
    for now_s in (100.0, 100.1, 109.9, 110.0, 130.0):  # noqa: B007 - the clock reads it
        log.note()
    assert logged == [1, 3, 1]
