"""Which URLs are taken, and that a password in one is never shown."""

import base64

import pytest

from windrow.client.address import Address, read_address
from windrow.domain.errors import InvalidParameter


@pytest.mark.parametrize(
    ("url", "address", "shown"),
    [
        ("http://127.0.0.1:8000", Address("http", "127.0.0.1", 8000, "", None), "http://127.0.0.1:8000"),
        ("http://host/", Address("http", "host", 80, "", None), "http://host"),
        (" https://host/ai/windrow/ ", Address("https", "host", 443, "/ai/windrow", None), "https://host/ai/windrow"),
        ("HTTP://HOST:1", Address("http", "host", 1, "", None), "http://host:1"),
        ("http://[::1]:8000", Address("http", "::1", 8000, "", None), "http://[::1]:8000"),
        (
            "http://bücher.example",
            Address("http", "xn--bcher-kva.example", 80, "", None),
            "http://xn--bcher-kva.example",
        ),
    ],
)
def test_a_url_says_where_the_server_is(url: str, address: Address, shown: str) -> None:
    assert read_address(url) == address
    assert str(read_address(url)) == shown


def test_user_and_password_become_a_header_and_are_shown_nowhere() -> None:
    address = read_address("https://ana:s%20ecret@host/x")
    assert address.authorization == f"Basic {base64.b64encode(b'ana:s ecret').decode()}"
    assert "ecret" not in str(address) + repr(address)
    assert "ana" not in str(address) + repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "localhost:8000",
        "ftp://ana:secret@host",
        "http://",
        "http://ana:secret@",
        "http://ana:secret@host:port",
        "http://host:99999",
        "http://[::1",
        "http://ana:secret@host/?x=1",
        "http://host/#x",
        "http://host/a b",
        "http://..",
        f"http://{'a' * 70}.example",
    ],
)
def test_another_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(InvalidParameter, match="Write it like http://") as caught:
        read_address(url)
    assert "secret" not in caught.value.detail
    assert caught.value.facts == {"parameter": "url"}
