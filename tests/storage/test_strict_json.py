"""Dataclasses as JSON and back: the same comes back, and nothing else is accepted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from windrow.storage.strict_json import Mismatch, from_plain, parse, to_plain


@dataclass(frozen=True, slots=True)
class Inner:
    count: int
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    kind: Literal["one", "other"]
    at: datetime
    inner: Inner
    many: tuple[Inner, ...]
    named: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Words:
    words: Mapping[str, str]


VALUE = Outer("é", "one", datetime(2025, 9, 15, 10, 30, tzinfo=UTC), Inner(1, 0.5), (Inner(2),), {"a": 1.0})
PLAIN: dict[str, Any] = {
    "name": "é",
    "kind": "one",
    "at": "2025-09-15T10:30:00Z",
    "inner": {"count": 1, "share": 0.5},
    "many": [{"count": 2, "share": None}],
    "named": {"a": 1.0},
}


def test_a_dataclass_becomes_plain_values_and_comes_back() -> None:
    assert to_plain(VALUE) == PLAIN
    assert from_plain(Outer, PLAIN) == VALUE


def test_equal_strings_of_many_values_are_in_memory_once() -> None:
    one, another = (from_plain(Outer, parse(json.dumps(PLAIN).encode())) for _ in range(2))
    assert one.name is another.name
    assert next(iter(one.named)) is next(iter(another.named))


def test_equal_mappings_of_words_are_in_memory_once_and_others_are_not_mixed_up() -> None:
    texts = (b'{"words": {"a": "1", "b": "2"}}', b'{"words": {"a": "1", "b": "2"}}', b'{"words": {"b": "2", "a": "1"}}')
    one, another, turned = (from_plain(Words, parse(text)).words for text in texts)
    assert one is another
    assert (list(one), list(turned)) == (["a", "b"], ["b", "a"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no object"),
        ({"a": 1}, "no string"),
        ({"\ud800": "a"}, "no valid Unicode"),
        ({"a": "\ud800"}, "no valid Unicode"),
    ],
)
def test_a_mapping_of_words_holds_nothing_else(words: object, message: str) -> None:
    with pytest.raises(Mismatch, match=f"words is {message}"):
        from_plain(Words, {"words": words})


def test_a_number_may_be_written_without_a_fraction() -> None:
    assert from_plain(Outer, {**PLAIN, "named": {"a": 1}}) == VALUE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 1}, "^name is no string"),
        ({"name": "\ud800"}, "^name is no valid Unicode"),
        ({"name": None}, "^name is no string"),
        ({"kind": "two"}, "^kind is not one of one, other"),
        ({"kind": None}, "^kind is not one of"),
        ({"kind": ["one"]}, "^kind is not one of"),
        ({"at": "2025-09-15 10:30:00"}, "^at is no time like"),
        ({"at": "2025-09-15T10:30:00+00:00"}, "^at is no time like"),
        ({"at": "2025-13-15T10:30:00Z"}, "^at is no time"),
        ({"inner": []}, "^inner is no object"),
        ({"inner": {"count": 1}}, r"^inner\.share is missing"),
        ({"inner": {"count": True, "share": None}}, r"^inner\.count is no whole number"),
        ({"inner": {"count": 1.0, "share": None}}, r"^inner\.count is no whole number"),
        ({"inner": {"count": 1, "share": "1"}}, r"^inner\.share is no number"),
        ({"inner": {"count": 2**53, "share": None}}, r"^inner\.count is no whole number"),
        ({"inner": {"count": 1, "share": 1e999}}, r"^inner\.share is no number"),
        ({"inner": {"count": 1, "share": 10**400}}, r"^inner\.share is no number"),
        ({"many": {}}, "^many is no array"),
        ({"many": [{"count": 1, "share": None, "more": 1}]}, r"^many\.more is an unknown field"),
        ({"named": []}, "^named is no object"),
        ({"named": {"a": False}}, "^named is no number"),
        ({"surplus": 1}, "^surplus is an unknown field"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_place(change: dict[str, object], message: str) -> None:
    with pytest.raises(Mismatch, match=message):
        from_plain(Outer, PLAIN | change)


@pytest.mark.parametrize("field", list(PLAIN))
def test_each_field_must_be_there(field: str) -> None:
    with pytest.raises(Mismatch, match=f"^{field} is missing"):
        from_plain(Outer, {name: value for name, value in PLAIN.items() if name != field})


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff", b"NaN", b"-Infinity", b"[" * 100_000, b"\xef\xbb\xbf{}", b"1" * 5000, b'{"a": 1, "a": 1}'],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(Mismatch, match="is no JSON"):
        parse(text)


def test_a_number_beyond_all_others_is_no_number() -> None:
    with pytest.raises(Mismatch, match=r"^inner\.share is no number"):
        from_plain(Outer, parse(json.dumps(PLAIN).replace("0.5", "1e999").encode()))


@pytest.mark.parametrize("year", [1, 999, 9999])
def test_a_time_of_any_year_comes_back(year: int) -> None:
    value = Outer("é", "other", datetime(year, 1, 2, 3, 4, 5, tzinfo=UTC), Inner(1), (), {})
    assert from_plain(Outer, parse(json.dumps(to_plain(value)).encode())) == value
