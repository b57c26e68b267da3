"""Versions of a task by name, and the name of the next one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.names import NAME_GRAMMAR, check_name
from windrow.domain.versions import Version, next_version, read_version

TASKS = st.from_regex("[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "task", "number"),
    [
        ("tickets_v2", "tickets", 2),
        ("tickets_v10", "tickets", 10),
        ("tickets_v0", "tickets", 0),
        ("a_v1_v2", "a_v1", 2),
        ("tickets_v999999999", "tickets", 999_999_999),
    ],
)
def test_a_versioned_name_says_its_task_and_its_number(name: str, task: str, number: int) -> None:
    assert read_version(name) == Version(task, number)


@pytest.mark.parametrize(
    "name", ["tickets", "tickets_v", "tickets_v02", "tickets_v00", "tickets_V2", "tickets-v2", "v2", "_v2", "t_v2x"]
)
def test_any_other_name_says_nothing(name: str) -> None:
    assert read_version(name) is None


@pytest.mark.parametrize("digits", [10, 100])
def test_a_number_beyond_all_use_is_no_version(digits: int) -> None:
    assert read_version(f"tickets_v{'1' * digits}") is None


def test_versions_are_in_order_of_their_numbers_within_a_task() -> None:
    names = ["b_v1", "a_v10", "a_v9", "a_v2"]
    versions = [version for name in names if (version := read_version(name))]
    assert sorted(versions) == [Version("a", 2), Version("a", 9), Version("a", 10), Version("b", 1)]


@given(TASKS, st.integers(0, 999_999_999))
def test_a_version_is_read_from_the_name_that_it_makes(task: str, number: int) -> None:
    assert read_version(f"{task}_v{number}") == Version(task, number)


@pytest.mark.parametrize(
    ("name", "taken", "proposal"),
    [
        ("tickets_v2", ["tickets_v2"], "tickets_v3"),
        ("tickets_v2", ["tickets_v2", "tickets_v10", "tickets_v9"], "tickets_v11"),
        ("tickets_v2", [], "tickets_v3"),
        ("tickets", ["tickets"], "tickets_v2"),
        ("tickets", ["tickets", "tickets_v2", "tickets_v3"], "tickets_v4"),
        ("tickets_v1", ["tickets_v1", "TICKETS_V7", "Tickets_v8"], "tickets_v9"),
        ("tickets_v1", ["tickets_v1", "tickets_v07", "moods_v9", "my_tickets_v9", "tickets_v2_v9"], "tickets_v2"),
    ],
)
def test_the_next_version_is_one_above_the_highest_that_is_taken(name: str, taken: list[str], proposal: str) -> None:
    assert next_version(name, taken) == proposal


def test_the_next_version_is_nothing_where_its_name_would_be_too_long() -> None:
    assert next_version("a" * 125, []) == f"{'a' * 125}_v2"
    assert next_version("a" * 126, []) is None


def test_the_next_version_is_nothing_where_its_number_would_be_none() -> None:
    assert next_version("tickets_v999999999", []) is None


@given(st.from_regex(NAME_GRAMMAR, fullmatch=True), st.lists(st.from_regex("[aA]_v[0-9]{1,3}", fullmatch=True)))
def test_the_next_version_is_a_name_that_nobody_has_in_any_case(name: str, taken: list[str]) -> None:
    for own in (name, "a", "a_v3"):
        proposal = next_version(own, taken)
        if proposal is not None:
            assert check_name(proposal).casefold() not in {own.casefold(), *(other.casefold() for other in taken)}
