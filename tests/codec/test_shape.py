"""Values are counted before they are parsed, and how deep they are: as a parser makes them, and none in a string."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.codec.shape import MAX_DEPTH, find_excess, is_too_deep

# What it may be wrong by.
ABOUT = 256
LONG = 500_000
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def has_more_values(text: str, most: int) -> bool:
    return find_excess(text, most, len(text)) == "values"


def count(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(count, inner))


@given(any_json, st.booleans())
def test_a_list_of_any_values_is_counted_about_right(value: Any, is_spaced: bool) -> None:
    values = [value] * (3 * ABOUT // count(value) + 1)
    text = json.dumps(values, indent=1 if is_spaced else None)
    exact = count(values)
    assert has_more_values(text, exact - ABOUT - 1)
    # A list or an object that is empty counts as two.
    assert not has_more_values(text, 2 * exact + ABOUT)


@pytest.mark.parametrize("element", ["[]", "{}", "0", '""', '{"a":{}}', '[",[{"]', r'"\\"', r'"\""', "[[]]", "[1,2]"])
def test_many_of_anything_are_too_many(element: str) -> None:
    text = "[" + ",".join([element] * 50_000) + "]"
    assert has_more_values(text, 40_000)
    assert not has_more_values(text, 210_000)


@pytest.mark.parametrize(
    "text", ["", "1", '"' + "[,{" * 10_000 + '"', '"' + r"\",[" * 10_000 + '"', '"' + "," * 10_000]
)
def test_nothing_in_a_string_is_a_value(text: str) -> None:
    assert not has_more_values(text, ABOUT)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "," * 100_000, "[]," * 100_000])
def test_a_text_that_is_no_json_is_counted_too(text: str) -> None:
    assert has_more_values(text, 50_000)


@pytest.mark.parametrize("characters", ["a", r"\"", r"\u0041", ",[{", "\x00"])
def test_a_long_string_is_found_wherever_it_stands(characters: str) -> None:
    for most_chars in (LONG, 2 * LONG):
        fitting, long = (characters * (size // len(characters)) for size in (most_chars - 100, most_chars + 100))
        for before, after in (("", ""), ("[", "]"), ('{"a": [1, 2], "b": ', ', "c": []}'), ("[" + "[]," * 500, "]")):
            for each, expected in ((fitting, None), (long, "string")):
                text = f'{before}"{each}"{after}  '
                assert find_excess(text, 2_000, most_chars) == expected


@pytest.mark.parametrize("characters", [" ", "1", "]", "\x00", "a"])
def test_many_characters_without_a_value_are_found(characters: str) -> None:
    assert find_excess("[1," + characters * LONG + ",1]", 100, 1) == "blanks"
    assert find_excess('{"a": "b" ' + characters * LONG + "}", 100, 1) == "blanks"
    assert find_excess("[1," + characters * (LONG - 10) + ",1]", 100, 1) is None


def test_few_long_values_are_looked_at_once_or_twice_and_not_once_a_window() -> None:
    # What would take minutes otherwise.
    text = "[" + ",".join(['"' + "a" * 5_000 + '"'] * 4_000) + "]"
    assert find_excess(text, 5_000, 1) is None
    assert find_excess(text, 3_000, 1) == "values"


def depth_of(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


def nested(kind: str, levels: int, value: str) -> str:
    opening, closing = {"list": ("[", "]"), "object": ('{"[": ', "}"), "both": ('[1, {"}": ', "}, []]")}[kind]
    return opening * levels + value + closing * levels


@given(any_json, st.booleans(), st.sampled_from(["list", "object", "both"]), st.integers(-3, 3))
def test_a_value_is_too_deep_where_it_is_and_nowhere_else(value: Any, is_spaced: bool, kind: str, more: int) -> None:
    levels = MAX_DEPTH - depth_of(value) + more
    if kind == "both":
        levels //= 2
    text = nested(kind, levels, json.dumps(value, indent=1 if is_spaced else None))
    is_deep = depth_of(json.loads(text)) > MAX_DEPTH
    assert is_too_deep(text) == is_deep
    assert is_too_deep(f'"a", \n {text}]' + "[" * 200, 4) == is_deep


@pytest.mark.parametrize(
    "between", ["1," * 80_000, '"' + "[" * 250_000 + '",', "[]," * 80_000, "[[]]," * 50_000, " " * 250_000]
)
@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_is_counted_over_any_number_of_characters(between: str, depth: int) -> None:
    before = depth // 2
    assert is_too_deep("[" * before + between + "[" * (depth - before)) == (depth > MAX_DEPTH)


@pytest.mark.parametrize(
    "text", ["", " ", "1", '"' + "[" * 300, '["' + "[" * 300, "]" * 300, "[" * MAX_DEPTH, "[]" + "[" * 300, "[[]" * 40]
)
def test_what_breaks_off_or_is_no_json_is_as_deep_as_a_parser_would_go(text: str) -> None:
    assert not is_too_deep(text)


@pytest.mark.parametrize("opening", ["[", '{"a":', "[{", '[1, "]", '])
def test_a_pile_is_too_deep_though_nothing_closes_it(opening: str) -> None:
    assert is_too_deep(opening * 100_000)
    assert not is_too_deep(opening)


def test_what_follows_a_value_is_not_looked_at() -> None:
    text = '{"a": [1, {"b": []}]}\n' + "[" * 200
    assert not is_too_deep(" " + text, 1)
    assert is_too_deep(text, text.index("\n"))


def test_a_text_that_is_broken_is_not_looked_at_further() -> None:
    """A parser stops there, too."""
    assert not is_too_deep("[[1, " + "[}" * 200 + "[" * 200)
    assert not is_too_deep('{"a": ' + "[}" * 200 + "[" * 200)
