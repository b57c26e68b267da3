"""Values are counted before they are parsed: no fewer than a parser makes, and none that stands in a string."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.codec.shape import has_more_values

# What it may be wrong by.
ABOUT = 1_000
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


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
