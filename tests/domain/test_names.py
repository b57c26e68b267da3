"""The grammar of names, and near names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidName
from windrow.domain.names import NAME_GRAMMAR, check_name, near_names


@given(st.from_regex(NAME_GRAMMAR, fullmatch=True))
def test_a_name_of_the_grammar_comes_back_unchanged(name: str) -> None:
    assert check_name(name) == name


@given(st.text())
def test_anything_else_is_refused(name: str) -> None:
    if re.fullmatch(NAME_GRAMMAR, name) is None:
        with pytest.raises(InvalidName):
            check_name(name)


@pytest.mark.parametrize(
    "name", ["", "!", "..", ".hidden", "-x", "_x", "a/b", "a\\b", "a b", "a\n", "ä", "a" * 129, "\x00", "a%2e", "x@1"]
)
def test_a_name_that_could_play_a_trick_is_refused_with_the_grammar(name: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_name(name)
    assert NAME_GRAMMAR in caught.value.detail
    assert caught.value.facts["grammar"] == NAME_GRAMMAR


def test_near_names_come_closest_first_and_at_most_three() -> None:
    known = ["ticket_v1", "ticket_v2", "ticket_v3", "ticket_v4", "spam"]
    assert near_names("ticket_v2x", known)[0] == "ticket_v2"
    assert len(near_names("ticket_v2x", known)) == 3


def test_a_name_that_differs_in_case_is_near() -> None:
    assert near_names("TICKET_V1", ["ticket_v1", "zzz"]) == ("ticket_v1",)


def test_nothing_is_near_a_name_unlike_all_others() -> None:
    assert near_names("qqqq", ["ticket_v1"]) == ()


def test_the_nearest_of_ten_thousand_names_is_found() -> None:
    known = [f"classifier_{number}" for number in range(10_000)]
    assert near_names("clasifier_4711", known)[0] == "classifier_4711"
