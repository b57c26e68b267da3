"""What counts as a test row that was seen in training, to the letter or nearly so."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from windrow.domain.overlap import MAX_WORDS, MIN_WORDS_FOR_ONE_TO_DIFFER, find_overlap

SAME: tuple[list[int], list[int]] = ([0], [])
NEAR: tuple[list[int], list[int]] = ([], [0])
NEITHER: tuple[list[int], list[int]] = ([], [])
SENTENCE = "please reset my password for me"
words = st.text("abcdefgh", min_size=1, max_size=4)
sentences = st.lists(words, min_size=MIN_WORDS_FOR_ONE_TO_DIFFER, max_size=30)


def test_a_text_to_the_letter_is_the_same_and_not_also_nearly_so() -> None:
    assert find_overlap([SENTENCE], [SENTENCE]) == SAME
    assert find_overlap(["ok"], ["ok", "OK"]) == SAME


@pytest.mark.parametrize(
    "other",
    [
        "Please reset my PASSWORD for me",
        "please, reset my password for me!",
        "  please reset\nmy  password -- for me ",
        "«please» (reset) my “password” for me…",
    ],
)
def test_case_and_punctuation_make_it_nearly_the_same(other: str) -> None:
    assert find_overlap([other], [SENTENCE]) == NEAR


def test_numbers_make_it_nearly_the_same() -> None:
    assert find_overlap(["order 17 of 2024"], ["Order 4711 of 1999."]) == NEAR
    assert find_overlap(["room B12"], ["room b7"]) == NEAR
    assert find_overlap(["order 17"], ["order"]) == NEITHER
    assert find_overlap(["١٢ orders"], ["7 orders"]) == NEAR


def test_letters_that_differ_only_in_case_are_equal_in_every_script() -> None:
    assert find_overlap(["GROẞE STRASSE"], ["große straße"]) == NEAR
    assert find_overlap(["ΔΙΕΥΘΥΝΣΗΣ"], ["διευθυνσης"]) == NEAR


@pytest.mark.parametrize(
    "other",
    [
        "please reset my password for",
        "reset my password for me",
        "please reset password for me",
        "please reset my old password for me",
        "now please reset my password for me",
        "please reset my password for me now",
        "please change my password for me",
        "kindly reset my password for me",
        "please reset my password for him",
        "Please, reset my PIN for me!",
    ],
)
def test_one_word_may_be_missing_added_or_replaced(other: str) -> None:
    assert find_overlap([other], [SENTENCE]) == NEAR
    assert find_overlap([SENTENCE], [other]) == NEAR


@pytest.mark.parametrize(
    "other",
    [
        "please reset my password",
        "kindly change my password for me",
        "please reset my password for me right now",
        "kindly reset my password for him",
    ],
)
def test_two_words_may_not(other: str) -> None:
    assert find_overlap([other], [SENTENCE]) == NEITHER
    assert find_overlap([SENTENCE], [other]) == NEITHER


def test_in_short_texts_every_word_counts() -> None:
    short = "please reset my password now"
    assert find_overlap([short], ["Please reset my password now!"]) == NEAR
    for other in ("please reset my password", "please reset my pin now", "reset my password now"):
        assert find_overlap([short], [other]) == NEITHER


def test_texts_without_words_are_the_same_only_to_the_letter() -> None:
    assert find_overlap(["?!"], ["!?", "..."]) == NEITHER
    assert find_overlap(["?!"], ["!?", "?!"]) == SAME


def test_texts_that_begin_with_very_many_equal_words_are_nearly_the_same() -> None:
    beginning = " ".join(f"{letter}{other}" for letter in "abcdefghij" for other in "abcdefghij")
    assert len(beginning.split()) == MAX_WORDS
    assert find_overlap([f"{beginning} and then"], [f"{beginning} but not"]) == NEAR
    assert find_overlap([f"so {beginning}"], [beginning]) == NEAR
    assert find_overlap([f"so it was {beginning}"], [beginning]) == NEITHER


def test_each_test_row_is_told_once_by_its_number_in_order() -> None:
    tests = ["Reset it!", "other", "reset it", "other", "OTHER"]
    assert find_overlap(tests, ["reset it", "other", "reset it", "Other"]) == ([1, 2, 3], [0, 4])


def test_training_rows_are_read_once() -> None:
    assert find_overlap(["b", "C"], iter(["a", "b", "c"])) == ([0], [1])
    assert find_overlap([], iter(["a"])) == ([], [])
    assert find_overlap(["a"], iter([])) == NEITHER


@given(st.lists(st.text(min_size=1), max_size=8))
@settings(deadline=None)
def test_every_text_overlaps_itself(texts: list[str]) -> None:
    assert find_overlap(texts, iter(texts)) == (list(range(len(texts))), [])


@given(st.lists(st.text(min_size=1), max_size=6), st.lists(st.text(min_size=1), max_size=6))
@settings(deadline=None)
def test_no_test_row_is_both_the_same_and_nearly_so(tests: list[str], training: list[str]) -> None:
    same, near = find_overlap(tests, training)
    assert same == [number for number, text in enumerate(tests) if text in training]
    assert not set(same) & set(near)


@given(sentences, st.data())
@settings(deadline=None)
def test_any_one_word_may_differ_in_a_text_of_six_words_or_more(sentence: list[str], data: st.DataObject) -> None:
    place, word = data.draw(st.integers(0, len(sentence) - 1)), data.draw(words)
    before, after = sentence[:place], sentence[place + 1 :]
    text = " ".join(sentence)
    for other in ([*before, *after], [*before, word, *after], [*before, word, sentence[place], *after]):
        assert find_overlap([" ".join(other)], [text]) in (NEAR, SAME)


@given(sentences, sentences)
@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_texts_without_a_common_word_do_not_overlap(one: list[str], other: list[str]) -> None:
    assume(not set(one) & set(other))
    assert find_overlap([" ".join(one)], [" ".join(other)]) == NEITHER


def test_of_very_many_test_texts_only_those_of_the_same_words_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.domain.overlap.MAX_TESTS_FOR_ONE_TO_DIFFER", 2)
    shorter = "please reset my password for"
    assert find_overlap([shorter, "other"], [SENTENCE]) == NEAR
    assert find_overlap([shorter, "other", SENTENCE.upper()], [SENTENCE]) == ([], [2])
