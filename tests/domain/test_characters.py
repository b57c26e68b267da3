"""Texts of which nothing is seen, and texts that look alike."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.characters import is_blank, looks_like, quoted_apart

UNSEEN = [
    "\u200b",
    "\ufeff",
    "\u00ad",
    "\u2060",
    "\u200d",
    "\x00",
    "\x1b",
    "\x7f",
    "\x85",
    "\u2028",
    "\u3164",
    "\u2800",
]


@given(st.lists(st.sampled_from([*UNSEEN, " ", "\n", "\u3000", "\ufe0f"])).map("".join))
def test_a_text_of_what_nobody_sees_is_blank(text: str) -> None:
    assert is_blank(text)
    assert not is_blank(f"{text}a{text}")


@pytest.mark.parametrize("text", ["a", ".", "é", "e\u0301", "👍", "👨\u200d👩", "\u0627", "한", "\u200bא"])
def test_a_text_of_which_something_is_seen_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Billing", "billing"),
        ("bug  report", " bug\u00a0report "),
        ("R\u00fcckfrage", "Ru\u0308ckfrage"),
        ("STRASSE", "straße"),
        ("\ufb01nance", "finance"),
        ("\uff22ug", "bug"),
        ("1", "1.0"),
        ("-12", " -12,00"),
        ("1.0000", "1"),
        *((f"bu{char}g", "bug") for char in ("\u200b", "\ufeff", "\u00ad", "\u200d", "\u202e", "\x00")),
    ],
)
def test_what_a_person_takes_for_the_same_looks_alike(one: str, other: str) -> None:
    assert looks_like(one) == looks_like(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bug", "bugs"),
        ("über", "uber"),
        ("a b", "ab"),
        ("1", "l"),
        ("1", "1.000"),
        ("1", "01"),
        ("3.1", "3.10"),
        ("v1", "v1.0"),
        ("1", "1."),
    ],
)
def test_what_differs_to_the_eye_does_not_look_alike(one: str, other: str) -> None:
    assert looks_like(one) != looks_like(other)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_each_way_to_compose_a_text_looks_alike(text: str) -> None:
    forms = {looks_like(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    assert forms == {looks_like(text)}


def test_quotes_show_what_tells_two_texts_apart_where_it_is_not_seen() -> None:
    assert quoted_apart("R\u00fcck", "Ru\u0308ck") == r"'R\xfcck'"
    assert quoted_apart("Ru\u0308ck", "R\u00fcck") == r"'Ru\u0308ck'"
    assert quoted_apart("bug", "Bug") == "'bug'"
    assert quoted_apart("bu\u200bg", "bug") == r"'bu\u200bg'"
    assert quoted_apart("über", "über") == "'über'"
