"""The words of a text, the effect of each, and the nearest training rows."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.learning.examples import around_centres, unit
from windrow.arrays import Floats
from windrow.domain.dataset import Row
from windrow.domain.explanation import MAX_EXPLAINED_WORDS, NEAREST_ROWS, WordEffect
from windrow.learning.attribution import MAX_WORD_CHARS, last_layer, nearest, split_words, without_words, word_effects

ANY_TEXT = st.text(max_size=200) | st.lists(
    st.sampled_from(
        ["card", "don't", "e-mail", ",", " ", "  ", "\n", "\u3000", "我想退款", "ราคา", "हिन्दी", "!", "x" * 90]
    )
).map("".join)


def written(text: str) -> str:
    """Return a text without its white space."""
    return "".join(text.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" ?! ", []),
        ("Hello", ["Hello"]),
        ("My card, please!", ["My", "card", "please"]),
        ("I don't have e-mail", ["I", "don't", "have", "e-mail"]),
        ("it\u2019s state\u2010of\u2010the\u2011art", ["it\u2019s", "state\u2010of\u2010the\u2011art"]),
        ("'quoted' -x- a--b", ["quoted", "x", "a", "b"]),
        ("error 500 in upload_file", ["error", "500", "in", "upload_file"]),
        ("Straße naïve Ελλάδα", ["Straße", "naïve", "Ελλάδα"]),
        ("हिन्दी में लिखना", ["हिन्दी", "में", "लिखना"]),
        ("می\u200cروم بیرون", ["می\u200cروم", "بیرون"]),
        ("cafe\u0301 ok", ["cafe\u0301", "ok"]),
    ],
)
def test_a_word_is_a_run_of_letters_with_apostrophes_and_hyphens_inside(text: str, words: list[str]) -> None:
    assert [word for word, _ in split_words(text)] == words


def test_where_a_script_has_no_spaces_words_are_pieces_of_four_letters_with_their_marks() -> None:
    assert [word for word, _ in split_words("我的银行卡被扣了两次。请退款")] == [
        "我的银行",
        "卡被扣了",
        "两次",
        "请退款",
    ]
    assert [word for word, _ in split_words("買いbuyもの")] == ["買い", "buy", "もの"]
    thai = [word for word, _ in split_words("ที่นี่ที่นี่ที่")]
    assert thai == ["ที่นี่ที่นี่", "ที่"]


def test_a_run_of_no_language_is_cut_so_that_no_word_is_long() -> None:
    words = split_words("see " + "0123456789" * 9 + " there")
    assert [len(word) for word, _ in words] == [3, 40, 40, 10, 5]


@settings(deadline=None)
@given(ANY_TEXT)
@example("e" + "\u0301" * 100)
@example("我" + "\u0301" * 100)
def test_words_stand_where_they_are_said_to_do_not_overlap_and_are_short(text: str) -> None:
    end = 0
    for word, start in split_words(text):
        assert start >= end
        assert text[start : start + len(word)] == word
        assert 0 < len(word) <= MAX_WORD_CHARS
        assert not any(char.isspace() for char in word)
        end = start + len(word)


@settings(deadline=None)
@given(ANY_TEXT)
def test_every_letter_and_digit_is_in_a_word(text: str) -> None:
    inside = {index for word, start in split_words(text) for index in range(start, start + len(word))}
    assert [char for index, char in enumerate(text) if char.isalnum() and index not in inside] == []


@settings(deadline=None)
@given(ANY_TEXT)
def test_each_shortened_text_lacks_one_word_and_nothing_else(text: str) -> None:
    words = split_words(text)
    shortened = without_words(text, words)
    assert len(shortened) == (min(len(words), MAX_EXPLAINED_WORDS) if len(words) > 1 else 0)
    for (word, start), rest in zip(words, shortened, strict=False):
        assert written(rest) == written(text[:start] + text[start + len(word) :])
        assert rest.strip()


@pytest.mark.parametrize(
    ("text", "shortened"),
    [
        ("pay my bill", ["my bill", "pay bill", "pay my"]),
        ("pay\n my\tbill ", ["my\tbill ", "pay\n bill ", "pay\n my"]),
        ("Hello, world!", [", world!", "Hello, !"]),
        ("我的银行卡", ["卡", "我的银行"]),
        ("single", []),
        ("single!", []),
        ("...", []),
    ],
)
def test_the_space_of_a_word_goes_with_it(text: str, shortened: list[str]) -> None:
    assert without_words(text, split_words(text)) == shortened


def test_of_a_long_text_only_the_first_words_are_left_out() -> None:
    words = split_words("word " * 500)
    assert len(words) == 500
    assert len(without_words("word " * 500, words)) == MAX_EXPLAINED_WORDS == 60


def test_a_word_has_the_effect_by_which_the_labels_score_falls_without_it() -> None:
    words = [("pay", 0), ("my", 4), ("bill", 7)]
    assert word_effects(words, 0.75, np.array([0.5, 0.875, 0.75], np.float32)) == (
        WordEffect("pay", 0, 0.25),
        WordEffect("my", 4, -0.125),
        WordEffect("bill", 7, 0.0),
    )


def test_words_that_were_not_left_out_have_no_effect_to_tell_of() -> None:
    assert word_effects([("single", 0)], 0.75, np.empty(0, np.float32)) == ()
    assert len(word_effects([("a", 0), ("b", 2)], 0.75, np.array([0.5], np.float32))) == 1


def features_of(last: Floats, seed: int = 0) -> Floats:
    """Return features whose first two thirds are noise."""
    noise = np.random.default_rng(seed).normal(size=(2, *last.shape))
    return np.concatenate([unit(noise[0]), unit(noise[1]), last], axis=1)


def test_the_nearest_rows_are_those_with_the_highest_cosine_in_the_last_layer() -> None:
    points, _ = around_centres(1, 30, spread=0.0)
    text, rows = points[0], [Row(f"text {number}", f"label {number % 3}") for number in range(29)]
    found = nearest(features_of(points)[0], features_of(points)[1:], rows, range(100, 129))
    cosines = (points[1:] @ text).tolist()
    best = sorted(range(29), key=lambda number: -cosines[number])[:NEAREST_ROWS]
    assert [near.row for near in found] == [100 + number for number in best]
    assert [(near.text, near.label) for near in found] == [(rows[number].text, rows[number].label) for number in best]
    assert [near.similarity for near in found] == pytest.approx([cosines[number] for number in best], abs=1e-6)


def test_of_equally_near_rows_the_first_comes_first_and_no_cosine_exceeds_1() -> None:
    point = features_of(unit(np.random.default_rng(3).normal(size=(1, 384))))
    numbers = [9, 2, 7, 4, 1, 8, 3]
    found = nearest(point[0], np.repeat(point, 7, axis=0), [Row("a", "b")] * 7, numbers)
    assert [near.row for near in found] == [1, 2, 3, 4, 7]
    assert all(near.similarity == pytest.approx(1) and near.similarity <= 1 for near in found)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_fewer_rows_than_are_shown_are_all_near(count: int) -> None:
    points = features_of(around_centres(1, 5, spread=0.0)[0])
    assert len(nearest(points[4], points[:count], [Row("a", "b")] * count, range(count))) == count


def test_the_last_layer_has_length_1_and_zeros_stay_zeros() -> None:
    features = np.array([[9, 9, 9, 9, 3, 4], [1, 1, 1, 1, 0, 0]], np.float32)
    assert last_layer(features).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]
    assert features[0].tolist() == [9, 9, 9, 9, 3, 4]
