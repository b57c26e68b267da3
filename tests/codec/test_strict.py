"""Strict JSON: what is refused, in which words, and at what price for others."""

import json
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.codec.strict import parse_json, parse_value, short_key, why_refused
from windrow.domain.errors import InvalidJson

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
# Makes a document long, so that it is parsed the other way.
PADDING = b" " * 200_000


@pytest.mark.parametrize("padding", [b"", PADDING])
@given(value=VALUES)
def test_every_value_is_read_as_it_was_written(padding: bytes, value: object) -> None:
    assert parse_json(json.dumps(value).encode() + padding) == value


@pytest.mark.parametrize("padding", [b"", PADDING])
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b'{"model_name": "a",}', "line 1, column"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": -Infinity}', "-Infinity is no JSON number"),
        (b'{"text": 1, "text": 2}', "the key 'text' stands twice in one object"),
        (b'[{"a": {"te\\u0078t": 1, "text": 2}}]', "the key 'text' stands twice in one object"),
        (b'{"%s": 1, "%s": 2}' % (b"a" * 50, b"a" * 50), f"the key '{'a' * 40}…' stands twice"),
        (b"[" * 100_000, "it is nested more than 100 levels deep"),
        (b"[" * 9_000 + b"]" * 9_000, "it is nested more than 100 levels deep"),
        (b'{"text": "\xff"}', "byte 10 is no UTF-8"),
        (b"\xef\xbb\xbf{}", "it starts with a byte order mark"),
        ('{"text": 1}'.encode("utf-16"), "is no UTF-8"),
        (b'{"n": ' + b"9" * 5_000 + b"}", "a number has too many digits"),
        (b"\x00", "line 1, column 1"),
        (b'{"a": "b\n"}', "line 1, column 9"),
        (b"{} {}", "line 1, column 4"),
    ],
)
def test_what_is_no_strict_json_is_refused_with_the_reason_also_where_it_is_long(
    body: bytes, why: str, padding: bytes
) -> None:
    with pytest.raises(InvalidJson) as caught:
        parse_json(body + padding, "The file")
    assert str(caught.value).startswith("The file cannot be read as JSON: ")
    assert why in str(caught.value)
    assert "999" not in str(caught.value)


@pytest.mark.slow
@settings(max_examples=300)
@given(
    value=VALUES,
    cut=st.integers(0, 20),
    junk=st.sampled_from([b"", b",", b"]", b"}", b'"', b"\\", b":", b"1", b"{}", b"\n"]),
)
def test_what_is_wrong_is_found_in_the_same_place_either_way(value: object, cut: int, junk: bytes) -> None:
    whole = json.dumps([value, value, {"a": value}]).encode()
    body = whole[: len(whole) - cut] + junk + whole[len(whole) - cut :]

    def outcome(sent: bytes) -> object:
        try:
            return parse_json(sent)
        except InvalidJson as error:
            return error.facts["why"]

    assert outcome(body + PADDING) == outcome(body + b" ")


@pytest.mark.parametrize("second", [b"1", b'{"b": [[2]]}'])
@pytest.mark.parametrize("num_between", [0, 300, 25_000])
def test_a_key_that_comes_again_is_found_however_far_behind(second: bytes, num_between: int) -> None:
    between = b"".join(b'"key%d": 0, ' % i for i in range(num_between))
    with pytest.raises(InvalidJson, match="the key 'text' stands twice"):
        parse_json(b'{"other": 1, "text": 1, ' + between + b'"text": ' + second + b', "last": 1}' + PADDING)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"text": "half', "unterminated string"),
        ('{"text": "a\nb"}', "invalid control character"),
        ('{"text" 1}', "expecting ':' delimiter"),
    ],
)
def test_the_reason_is_a_whole_sentence_with_or_without_the_place(content: str, why: str) -> None:
    with pytest.raises(json.JSONDecodeError) as refused:
        parse_value(content)
    assert why_refused(refused.value) == why
    with pytest.raises(InvalidJson, match=rf"(?i){why} at line \d+, column \d+"):
        parse_json(content.encode())


def test_a_key_is_cut_where_it_may_be_a_text_in_the_wrong_place() -> None:
    assert short_key("a" * 40) == "a" * 40
    assert short_key("My card was billed " * 9) == "My card was billed My card was billed My…"


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b",".join([b"1"] * 1_000_000) + b"]",
        b"{" + b",".join(b'"key%d": 1' % i for i in range(300_000)) + b"}",
    ],
    ids=["list", "object"],
)
def test_a_long_document_of_any_kind_lets_other_threads_run(body: bytes) -> None:
    """What this process computes between two ticks is counted, since other processes may keep the ticks waiting too."""
    gaps: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            began = time.process_time()
            time.sleep(0.001)
            gaps.append(time.process_time() - began)

    ticker = threading.Thread(target=tick)
    ticker.start()
    parse_json(body)
    done.set()
    ticker.join()
    assert sorted(gaps)[len(gaps) * 9 // 10] < 0.05
