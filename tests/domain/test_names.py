"""The grammar of names, what refers to a classifier, and near names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidName
from windrow.domain.names import (
    NAME_GRAMMAR,
    REFERENCE_GRAMMAR,
    Reference,
    check_name,
    names_with_prefix,
    near_names,
    read_reference,
)


@given(st.from_regex(NAME_GRAMMAR, fullmatch=True))
def test_a_name_of_the_grammar_comes_back_unchanged(name: str) -> None:
    assert check_name(name) == name


@given(st.text())
def test_anything_else_is_refused(name: str) -> None:
    if re.fullmatch(NAME_GRAMMAR, name) is None:
        with pytest.raises(InvalidName):
            check_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "!", "..", ".hidden", "-x", "_x", "a/b", "a\\b", "a b", "a\n", "ä", "a" * 129, "\x00", "a%2e", "x@", "x@0"],
)
def test_a_name_that_could_play_a_trick_is_refused_with_the_grammar(name: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_name(name)
    assert NAME_GRAMMAR in caught.value.detail
    assert caught.value.facts["grammar"] == NAME_GRAMMAR


@pytest.mark.parametrize("reference", ["x@1", "x@latest"])
def test_a_reference_is_no_name_and_says_which_name_is_meant(reference: str) -> None:
    with pytest.raises(InvalidName, match=r"is no name of its own.*Name it without a revision: x\.$") as caught:
        check_name(reference)
    assert caught.value.facts == {"name": reference, "classifier": "x", "grammar": NAME_GRAMMAR}


@pytest.mark.parametrize("reference", ["tickets_v2@3", "tickets@latest"])
def test_a_reference_is_no_name_and_the_refusal_says_which_is(reference: str) -> None:
    with pytest.raises(InvalidName, match=rf"Name it without a revision: {reference.partition('@')[0]}\."):
        check_name(reference)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("tickets_v2", Reference("tickets_v2")),
        ("tickets_v2@3", Reference("tickets_v2", 3)),
        ("tickets_v2@999999999999999999", Reference("tickets_v2", 10**18 - 1)),
        ("tickets@latest", Reference("tickets", is_latest=True)),
        ("latest", Reference("latest")),
        ("latest@latest", Reference("latest", is_latest=True)),
    ],
)
def test_a_reference_is_a_name_a_revision_or_a_tasks_highest_version(text: str, reference: Reference) -> None:
    assert read_reference(text) == reference
    assert str(reference) == text


@given(st.from_regex(REFERENCE_GRAMMAR, fullmatch=True))
def test_a_reference_of_the_grammar_is_written_as_it_was_read(text: str) -> None:
    assert str(read_reference(text)) == text


@pytest.mark.parametrize(
    "text", ["", "@", "@3", "a@", "a@0", "a@03", "a@-1", "a@+1", "a@1.0", "a@\u0663", "a@3@4", "a@v3", "a@Latest"]
)
def test_anything_else_refers_to_nothing(text: str) -> None:
    with pytest.raises(InvalidName) as caught:
        read_reference(text)
    assert caught.value.facts["name"] == text


@pytest.mark.parametrize("text", ["a @3", "a@ 3", "a@3\n", "../a@3", f"{'a' * 129}@3", f"a@{'1' * 19}"])
def test_what_could_play_a_trick_refers_to_nothing(text: str) -> None:
    with pytest.raises(InvalidName, match="names no classifier"):
        read_reference(text)


def test_names_with_a_prefix_are_those_that_start_with_it() -> None:
    names = sorted(["A", "a", "a-", "a.b", "a_v1", "aZ", "az", "azz", "b", "z", "zz"])
    for prefix in ["", "a", "az", "a_", "b", "c", "z", "zz", "zzz", "A", "0", "~", "é"]:
        assert names_with_prefix(names, prefix) == [name for name in names if name.startswith(prefix)]


@given(st.lists(st.from_regex("[aAz0][az._-]{0,3}", fullmatch=True)).map(sorted), st.text("aAz._-", max_size=3))
def test_names_with_any_prefix_are_those_that_start_with_it(names: list[str], prefix: str) -> None:
    assert names_with_prefix(names, prefix) == [name for name in names if name.startswith(prefix)]


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
