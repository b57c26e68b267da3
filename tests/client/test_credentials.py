"""What a client shows a server to be let in, and that nobody else sees it."""

import pytest

from windrow.client.address import read_address
from windrow.client.credentials import exposes_key, headers_of
from windrow.domain.secret import Secret

KEY = Secret("wdr_secret")


def test_a_key_is_sent_as_a_bearer_token() -> None:
    headers = headers_of(read_address("https://host"), KEY)
    assert headers["Authorization"] == "Bearer wdr_secret"
    assert "X-API-Key" not in headers


def test_a_key_has_a_header_of_its_own_where_a_proxy_asks_for_a_password() -> None:
    headers = headers_of(read_address("https://ana:pass@host"), KEY)
    assert headers["Authorization"].startswith("Basic ")
    assert headers["X-API-Key"] == "wdr_secret"


def test_without_a_key_none_is_sent() -> None:
    assert headers_of(read_address("https://host"), None).keys() == {"User-Agent"}


@pytest.mark.parametrize("url", ["https://host", "https://ana:pass@host"])
def test_headers_show_neither_key_nor_password(url: str) -> None:
    shown = repr(headers_of(read_address(url), KEY))
    assert "wdr_" not in shown
    assert "Basic" not in shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://box.lan:14345", True),
        ("http://192.0.2.1", True),
        ("https://box.lan", False),
        ("http://127.0.0.1:14345", False),
        ("http://[::1]:14345", False),
        ("http://localhost", False),
    ],
)
def test_a_key_is_exposed_where_it_travels_over_a_network_unencrypted(url: str, expected: bool) -> None:
    assert exposes_key(read_address(url), KEY) == expected
    assert not exposes_key(read_address(url), None)
