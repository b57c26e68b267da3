"""The values of a JSON document, whatever the blocks in which it comes."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidFile
from windrow.files.decoding import Source
from windrow.files.json_values import listed_values

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def read(document: str, block: int = 3) -> list[tuple[int, object]]:
    blocks = (document[start : start + block] for start in range(0, len(document), block))
    return list(listed_values(Source("rows.json", io.BytesIO()), blocks))


@given(st.lists(VALUES), st.integers(1, 50), st.sampled_from([None, 2]))
def test_each_value_of_a_list_comes_whole(values: list[object], block: int, indent: int | None) -> None:
    assert [value for _, value in read(json.dumps(values, indent=indent), block)] == values


@given(st.lists(VALUES), st.dictionaries(st.text(), VALUES), st.integers(1, 50))
def test_a_request_of_the_http_api_is_read_for_its_rows(
    values: list[object], more: dict[str, object], block: int
) -> None:
    more = {key: value for key, value in more.items() if key not in ("texts", "training_data", "test_data")}
    found = read(json.dumps({**more, "texts": values, "top_k": 12}), block)
    assert [value for _, value in found] == values


def test_each_value_knows_its_line() -> None:
    assert read('[\n"a",\n\n {"b":\n 1}, "c"]\n') == [(2, "a"), (4, {"b": 1}), (5, "c")]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('["a",\n"b"', "line 2: the JSON is broken: , is missing"),
        ('["a"\n "b"]', "line 2: the JSON is broken: , is missing"),
        ('["a",\n]', "line 2: the JSON is broken: expecting value"),
        ('{"texts": ["a"],\n}', "line 2: the JSON is broken: expecting property name"),
        ('{1: 2, "texts": ["a"]}', "expecting property name"),
        ('["a"] "b"', "something follows the end"),
        (
            '{"text": "a"}',
            "line 1: the object holds no list under texts, training_data, test_data, and none of objects.",
        ),
        ('{"n": 1,\n"n": 2, "texts": ["a"]}', "line 2: the JSON is broken: the key 'n' stands twice in one object"),
        ('[1,\n{"text": "a", "text": "b"}]', "line 2: the JSON is broken: the key 'text' stands twice in one object"),
        ("[1,\nNaN]", "line 2: the JSON is broken: NaN is no JSON number"),
        ("[1,\n-Infinity]", "line 2: the JSON is broken: -Infinity is no JSON number"),
        ("[1,\n1e999]", "line 2: the JSON is broken: a number is too large"),
        ("[1,\n" + "9" * 5_000 + "]", "line 2: the JSON is broken: a number has too many digits"),
        ('{"texts": [], "test_data": []}', "a second list of rows, test_data"),
        ('{"texts" ["a"]}', ": is missing"),
        ("text", "begins with"),
        ("[" * 100_000, "nested more than 100 levels deep"),
    ],
)
def test_what_is_broken_is_told_with_its_line(document: str, words: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        read(document, 7)
    assert words in refused.value.detail


@pytest.mark.parametrize("key", ["data", "rows", "examples", "anything"])
def test_a_list_of_objects_is_found_under_any_key(key: str) -> None:
    content = json.dumps({"version": 3, "tags": ["a"], key: [{"text": "a"}, {"text": "b"}], "more": {"x": []}})
    assert [value for _, value in read(content)] == [{"text": "a"}, {"text": "b"}]


def test_of_two_lists_of_objects_neither_is_chosen() -> None:
    with pytest.raises(InvalidFile, match=r"there are several lists of objects, under a, b\. Keep only the one"):
        list(read('{"a": [{"text": "x"}], "b": [ {"text": "y"}]}'))


def test_the_list_of_a_request_comes_before_other_lists() -> None:
    content = '{"a": [{"text": "x"}], "training_data": [{"text": "y"}], "b": [{"text": "z"}]}'
    assert [value for _, value in read(content)] == [{"text": "y"}]


def test_an_object_with_a_text_is_a_row_whatever_lists_it_holds() -> None:
    for row in ('{"text": "a", "entities": [{"start": 0}]}', '{"entities": [{"start": 0}], "text": "a"}'):
        with pytest.raises(InvalidFile, match="add format=jsonl"):
            list(read(row))
