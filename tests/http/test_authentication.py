"""Who sends a request: the key in its headers, and which pages answer without one.

What each endpoint says to each kind of key, ``test_authentication_matrix.py`` asks over a real server.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.access import SCOPES
from windrow.domain.caller import Caller, calling
from windrow.domain.errors import InsufficientScope, Unauthorized
from windrow.http.authentication import NO_KEYS, check_page_scope, has_key, is_public, sent_key

KEY = "wdr_" + "k" * 43


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", f"Bearer {KEY}".encode())],
        [(b"authorization", f"  bearer   {KEY}  ".encode())],
        [(b"x-api-key", KEY.encode())],
        [(b"authorization", b"Basic dXNlcjpwYXNz"), (b"x-api-key", f" {KEY}\t".encode())],
        [(b"host", b"here"), (b"authorization", b"Digest a"), (b"x-api-key", KEY.encode())],
    ],
)
def test_a_key_is_taken_from_one_of_two_headers(headers: list[tuple[bytes, bytes]]) -> None:
    assert sent_key(headers) == KEY


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"Basic dXNlcjpwYXNz")],
        [(b"authorization", KEY.encode())],
        [(b"authorization", b"")],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer " + KEY.encode()), (b"x-api-key", KEY.encode())],
        [(b"authorization", b"Bearer " + KEY.encode())] * 2,
        [(b"x-api-key", KEY.encode())] * 2,
        [(b"x-api-key", b"")],
        [(b"x-api-key", b"wdr_")],
        [(b"x-api-key", KEY.encode() + b"\xff")],
        [(b"x-api-key", b"x" + KEY.encode())],
        [(b"x-api-key", b"wdr_" + b"a" * 129)],
    ],
)
def test_none_several_and_anything_else_are_refused_without_being_repeated(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Unauthorized) as caught:
        sent_key(headers)
    told = caught.value.detail + str(caught.value.facts)
    assert "kkkk" not in told
    assert "aaaa" not in told


@given(st.lists(st.tuples(st.sampled_from([b"authorization", b"x-api-key", b"cookie"]), st.binary(max_size=60))))
def test_whatever_is_sent_is_a_key_or_refused(headers: list[tuple[bytes, bytes]]) -> None:
    try:
        key = sent_key(headers)
    except Unauthorized:
        return
    assert key.startswith("wdr_")


@pytest.mark.parametrize(
    "path",
    ["/", "/health", "/health/live", "/health/ready", "/docs", "/openapi.json", "/docs/files/swagger.js"],
)
def test_probes_and_the_documentation_answer_without_a_key(path: str) -> None:
    assert is_public(path)


@pytest.mark.parametrize(
    "path", ["", "//", "/metrics", "/v1/classifier/models", "/healthz", "/health/", "/docs/", "/DOCS", "/docs/file/x"]
)
def test_nothing_else_does(path: str) -> None:
    assert not is_public(path)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1", f"key={KEY}".encode()),
        ("/v1", b"wdr_"),
        ("/v1", b"a=%77dr_abc"),
        ("/v1", b"a=w%64%72%5Fabc"),
        (f"/v1/classifier/models/{KEY}", b""),
        (f"/v1/classifier/models/{KEY}/export", b""),
        (f"/{KEY}x", b""),
    ],
)
def test_a_key_in_an_address_is_seen_also_where_it_is_escaped(path: str, query: bytes) -> None:
    assert has_key(path, query)


@pytest.mark.parametrize(
    ("path", "query"), [("/v1", b""), ("/v1/models/wdr_v1", b"limit=1%20"), ("/wdr_" + "a" * 42, b"a=%wdr")]
)
def test_a_name_that_begins_like_a_key_is_none(path: str, query: bytes) -> None:
    assert not has_key(path, query)


def test_a_page_needs_its_scope() -> None:
    with calling(Caller("a", frozenset(SCOPES) - {"admin"})), pytest.raises(InsufficientScope, match="admin"):
        check_page_scope("admin")
    check_page_scope("admin")


def test_a_server_without_keys_accepts_none() -> None:
    assert not NO_KEYS.is_needed
    with pytest.raises(Unauthorized):
        NO_KEYS.find(KEY)
