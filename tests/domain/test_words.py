"""A sentence is filled in with facts and told in the words of whoever reads it."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidParameter
from windrow.domain.words import Words, is_same_everywhere, render


class Shouted(Words):
    """A surface with words of its own."""

    send = "shout"
    send_key = "show it"

    def argument(self, name: str) -> str:
        return name.upper()

    def given(self, name: str, value: str) -> str:
        return f"{name.upper()} {value}!"

    def switched(self, name: str, *, on: bool) -> str:
        return f"{name.upper()} {'ON' if on else 'OFF'}"

    def verb(self, name: str) -> str:
        return f"<{name}>"


@pytest.mark.parametrize(
    ("template", "facts", "in_python", "shouted"),
    [
        ("At most {limit:,}.", {"limit": 1_000}, "At most 1,000.", "At most 1,000."),
        ("{share:.0%} of {name!r}", {"share": 0.5, "name": "a b"}, "50% of 'a b'", "50% of 'a b'"),
        ("{labels:quoted} or {names:joined}", {"labels": ["a"], "names": ["b", "c"]}, "'a' or b, c", "'a' or b, c"),
        ("{arg:top_k} is wrong", {}, "top_k is wrong", "TOP_K is wrong"),
        ("{arg:{parameter}} is wrong", {"parameter": "seed"}, "seed is wrong", "SEED is wrong"),
        ("Or {no_rows} to keep none.", {}, *["Or an empty list to keep none."] * 2),
        ("To get in, {send_key}.", {}, f"To get in, {Words.send_key}.", "To get in, show it."),
        ("Or {set:purge}.", {}, "Or purge=True.", "Or PURGE ON."),
        ("Or {unset:overwrite}.", {}, "Or overwrite=False.", "Or OVERWRITE OFF."),
        ("Or {set:num_iterations=0}.", {}, "Or num_iterations=0.", "Or NUM_ITERATIONS 0!."),
        ("{Send} it, or {send} less.", {}, "Pass it, or pass less.", "Shout it, or shout less."),
        ("Or {turn_on:purge}.", {}, "Or pass purge=True.", "Or shout PURGE ON."),
        ("{Turn_on:purge}.", {}, "Pass purge=True.", "Shout PURGE ON."),
        ("See {see:list_jobs}.", {}, "See jobs.", "See <list_jobs>."),
        ("{place:texts} is blank", {"index": 2}, "texts[2] is blank", "TEXTS[2] is blank"),
        ("{place:rows} is blank", {"row": 2, "field": "text"}, "rows[2].text is blank", "ROWS[2].text is blank"),
        ("{place:rows} is bad", {"row": 2}, "rows[2] is bad", "ROWS[2] is bad"),
    ],
)
def test_each_place_is_told_in_the_words_of_the_surface(
    template: str, facts: Mapping[str, object], in_python: str, shouted: str
) -> None:
    assert render(template, facts) == in_python
    assert render(template, facts, Shouted()) == shouted


@given(st.text())
def test_a_fact_is_shown_as_it_is_whatever_braces_it_has(text: str) -> None:
    assert render("It is {fact}.", {"fact": text}) == f"It is {text}."


@given(st.text(max_size=20))
def test_a_sentence_from_elsewhere_never_fails(text: str) -> None:
    assert isinstance(render(text, {"limit": 1}), str)


@pytest.mark.parametrize("sentence", ["Write it as {file}.", "}", "{", "{0}", "{limit.real}", "{limit:>99999999999}"])
def test_what_names_no_fact_stays_as_it_is(sentence: str) -> None:
    assert render(sentence, {"limit": 1}) == sentence


@pytest.mark.parametrize(
    ("template", "is_same"),
    [
        ("At most {limit}.", True),
        ("Nothing.", True),
        ("A lone } brace.", True),
        ("{Send} it.", False),
        ("{arg:{parameter}} is wrong.", False),
        ("{place:texts} is blank.", False),
    ],
)
def test_a_sentence_that_names_a_parameter_differs_between_surfaces(template: str, is_same: bool) -> None:
    assert is_same_everywhere(template) is is_same


def test_an_error_is_told_in_the_words_that_are_asked_for() -> None:
    error = InvalidParameter("{arg:top_k} is {value}. {Send} less.", {"value": 9})
    assert str(error) == error.detail == "top_k is 9. Pass less."
    assert error.told(Shouted()) == "TOP_K is 9. Shout less."
