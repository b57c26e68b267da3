"""What a key may be, which names its patterns stand for, and whether it is valid."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.access import (
    MAX_KEY_DAYS,
    MAX_PATTERNS,
    SCOPES,
    ApiKey,
    CreatedKey,
    CreateKeyRequest,
    check_create_key,
    matches,
)
from windrow.domain.errors import InvalidName, InvalidParameter

NOW = datetime(2025, 9, 22, 12, tzinfo=UTC)
GOOD = CreateKeyRequest(name="shop", scopes=("predict", "read"))
KEY = ApiKey(name="shop", scopes=("read",), hint="wdr_abcd", created_at=NOW)


@pytest.mark.parametrize(
    "request_",
    [
        GOOD,
        replace(GOOD, scopes=SCOPES, expires_in_days=1),
        replace(GOOD, only=("*",), expires_in_days=MAX_KEY_DAYS),
        replace(GOOD, only=("a-B.c_?*",) * MAX_PATTERNS),
        replace(GOOD, only=("x" * 128,)),
    ],
)
def test_a_key_with_scopes_patterns_and_an_end_can_be_created(request_: CreateKeyRequest) -> None:
    check_create_key(request_)


@pytest.mark.parametrize(
    ("wrong", "parameter"),
    [
        (replace(GOOD, scopes=()), "scopes"),
        (replace(GOOD, scopes=("read", "read")), "scopes"),
        (replace(GOOD, scopes=("read", "write")), "scopes"),
        (replace(GOOD, scopes=("Read",)), "scopes"),
        (replace(GOOD, only=("",)), "only"),
        (replace(GOOD, only=("a b",)), "only"),
        (replace(GOOD, only=("tickets_*\n",)), "only"),
        (replace(GOOD, only=("[a-z]*",)), "only"),
        (replace(GOOD, only=("x" * 129,)), "only"),
        (replace(GOOD, only=("a",) * (MAX_PATTERNS + 1)), "only"),
        (replace(GOOD, scopes=("admin",), only=("a",)), "only"),
        (replace(GOOD, expires_in_days=0), "expires_in_days"),
        (replace(GOOD, expires_in_days=-1), "expires_in_days"),
        (replace(GOOD, expires_in_days=MAX_KEY_DAYS + 1), "expires_in_days"),
    ],
)
def test_another_one_is_refused_by_what_is_wrong_with_it(wrong: CreateKeyRequest, parameter: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_create_key(wrong)
    assert caught.value.facts["parameter"] == parameter


def test_a_key_has_a_name_like_any_other() -> None:
    with pytest.raises(InvalidName):
        check_create_key(replace(GOOD, name="no name"))


@pytest.mark.parametrize(
    ("pattern", "known", "unknown"),
    [
        ("tickets_*", ("tickets_", "tickets_v1"), ("Tickets_v1", "my_tickets_v1", "tickets")),
        ("tickets_v?", ("tickets_v1",), ("tickets_v", "tickets_v12")),
        ("a.b", ("a.b",), ("aXb",)),
        ("*", ("a", "Z.9-_"), ()),
        ("a-z", ("a-z",), ("b",)),
    ],
)
def test_a_pattern_stands_for_whole_names_of_its_case(
    pattern: str, known: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    assert all(matches(name, (pattern,)) for name in known)
    assert not any(matches(name, (pattern,)) for name in unknown)


def test_no_pattern_stands_for_every_name_and_several_for_what_each_does() -> None:
    assert matches("anything", ())
    assert [matches(name, ("a*", "b")) for name in ("ab", "b", "bc")] == [True, True, False]


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z"), st.data())
def test_a_name_with_stars_in_the_place_of_parts_stands_for_that_name(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(name)))
    end = data.draw(st.integers(start, len(name)))
    assert matches(name, (f"{name[:start]}*{name[end:]}",))
    assert matches(name, (name[:start] + "?" * (end - start) + name[end:],))
    assert not matches(f"{name}x", (name[:start] + "?" * (end - start) + name[end:],))


def test_a_key_is_valid_until_it_expires_or_is_revoked() -> None:
    expiring = replace(KEY, expires_at=NOW)
    assert KEY.state(NOW + timedelta(days=9_999)) == "active"
    assert expiring.state(NOW - timedelta(seconds=1)) == "active"
    assert expiring.state(NOW) == "expired"
    assert replace(expiring, revoked_at=NOW).state(NOW - timedelta(seconds=1)) == "revoked"


def test_a_key_that_was_created_is_not_in_what_is_shown_of_it_in_a_list() -> None:
    created = CreatedKey(name="shop", scopes=("read",), hint="wdr_abcd", created_at=NOW, key="wdr_abcdefgh")
    assert "key" not in KEY.to_dict()
    assert created.to_dict()["key"] == "wdr_abcdefgh"
