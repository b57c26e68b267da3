"""What a starting server tells: an address that works, who may ask, and commands that can be pasted."""

import pytest

from windrow.http.banner import banner, sends_unencrypted
from windrow.settings import Settings

PORT = 14345


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        (Settings(), "http://127.0.0.1:14345"),
        (Settings(host="0.0.0.0"), "http://127.0.0.1:14345"),
        (Settings(host="::"), "http://[::1]:14345"),
        (Settings(host="box.lan"), "http://box.lan:14345"),
        (Settings(host="box.lan", tls_cert="c.pem"), "https://box.lan:14345"),
        (Settings(root_path="/windrow"), "http://127.0.0.1:14345/windrow"),
    ],
)
def test_the_banner_shows_an_address_that_a_browser_can_open(settings: Settings, address: str) -> None:
    text = banner(settings, PORT, needs_key=False)
    assert f"{address}/docs" in text
    assert f"curl -sS {address}/v1/classifier/predict" in text


def test_the_banner_names_no_documentation_where_none_is_shown() -> None:
    assert "/docs" not in banner(Settings(docs=False), PORT, needs_key=False)


@pytest.mark.parametrize(
    ("settings", "is_opened", "is_tried"),
    [
        (Settings(), True, True),
        (Settings(docs=False), True, False),
        (Settings(console=False), False, True),
        (Settings(docs=False, console=False), False, False),
    ],
)
def test_the_banner_says_what_a_browser_shows(settings: Settings, is_opened: bool, is_tried: bool) -> None:
    text = banner(settings, PORT, needs_key=False)
    assert ("open it in a browser" in text) is is_opened
    assert ("to try" in text or "try it in a browser" in text) is is_tried


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "windrow.example"])
def test_without_keys_the_banner_warns_where_others_reach_the_server(host: str) -> None:
    text = " ".join(banner(Settings(host=host), PORT, needs_key=False).split())
    assert "everyone who reaches this server may train, read and delete every classifier" in text
    assert "name it in WINDROW_ALLOWED_HOSTS" in text
    assert "Authorization" not in text


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
@pytest.mark.parametrize("needs_key", [False, True])
def test_the_banner_warns_of_nothing_where_only_this_machine_reaches_the_server(host: str, needs_key: bool) -> None:
    text = banner(Settings(host=host), PORT, needs_key=needs_key)
    assert "everyone" not in text
    assert "unencrypted" not in text
    assert "ALLOWED_HOSTS" not in text


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_with_keys_the_commands_send_one(host: str) -> None:
    text = banner(Settings(host=host), PORT, needs_key=True)
    assert text.count('-H "Authorization: Bearer $WINDROW_API_KEY"') == text.count("curl -sS") == 2
    assert "everyone" not in text
    assert ("WINDROW_ALLOWED_HOSTS" in text) == (host == "0.0.0.0")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(host="0.0.0.0"), True),
        (Settings(host="0.0.0.0", tls_cert="c.pem"), False),
        (Settings(host="0.0.0.0", trusted_proxies=("10.0.0.7",)), False),
        (Settings(), False),
    ],
)
def test_keys_that_travel_unencrypted_are_warned_about(settings: Settings, expected: bool) -> None:
    assert sends_unencrypted(settings, needs_key=True) == expected
    assert ("unencrypted" in banner(settings, PORT, needs_key=True)) == expected
    assert not sends_unencrypted(settings, needs_key=False)
