"""Whose word about a client's address and scheme is taken, and whose is not."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from tests.client.serving import serving
from tests.http.asking import PREDICT, PREDICT_PATH, fit
from tests.toy import Toy
from windrow.domain.caller import current_caller
from windrow.http.proxies import TrustedProxies
from windrow.settings import Settings

PROXY, CLIENT, FORGED = "10.0.0.7", "203.0.113.9", "198.51.100.1"


def seen(peer: str | None, *headers: tuple[str, str], networks: tuple[str, ...] = ("10.0.0.0/8",)) -> tuple[Any, str]:
    """Return the client's address and the scheme behind the middleware."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    scope = {
        "type": "http",
        "client": None if peer is None else (peer, 1),
        "scheme": "http",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    asyncio.run(TrustedProxies(app, networks)(scope, None, None))  # type: ignore[arg-type]
    (found,) = scopes
    return found["client"] and found["client"][0], found["scheme"]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (CLIENT, CLIENT),
        (f"{FORGED}, {CLIENT}", CLIENT),
        (f"{FORGED}, {CLIENT}, 10.1.1.1", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        (f"::ffff:{CLIENT}", CLIENT),
        ("fe80::1%any text of the client's", "fe80::1"),
        ("10.2.2.2, 10.1.1.1", "10.2.2.2"),
        (f"{FORGED}, unknown", PROXY),
        (f"{FORGED}, unknown, 10.1.1.1", "10.1.1.1"),
        ("\r\nforged=1", PROXY),
        ("", PROXY),
    ],
)
def test_the_client_is_the_last_address_that_no_trusted_proxy_has(forwarded: str, client: str) -> None:
    assert seen(PROXY, ("x-forwarded-for", forwarded))[0] == client


def test_several_headers_are_one_list() -> None:
    assert seen(PROXY, ("x-forwarded-for", FORGED), ("x-forwarded-for", CLIENT))[0] == CLIENT


@pytest.mark.parametrize("peer", [CLIENT, "11.0.0.1", None, "unix:"])
def test_whoever_is_no_trusted_proxy_is_not_believed(peer: str | None) -> None:
    headers = (("x-forwarded-for", FORGED), ("x-forwarded-proto", "https"))
    assert seen(peer, *headers) == (peer, "http")


@pytest.mark.parametrize("peer", ["::ffff:10.0.0.7", "10.0.0.7"])
def test_a_proxy_is_known_by_its_address_also_on_a_socket_for_both_families(peer: str) -> None:
    assert seen(peer, ("x-forwarded-for", CLIENT), networks=("10.0.0.7",))[0] == CLIENT


@pytest.mark.parametrize(
    ("sent", "scheme"), [("https", "https"), ("http, https", "https"), ("gopher", "http"), ("", "http")]
)
def test_the_scheme_is_the_proxys(sent: str, scheme: str) -> None:
    assert seen(PROXY, ("x-forwarded-proto", sent))[1] == scheme


@pytest.mark.parametrize(("networks", "address"), [(("127.0.0.1",), CLIENT), ((), "127.0.0.1")])
def test_the_caller_of_a_verb_has_the_address_of_the_client(networks: tuple[str, ...], address: str) -> None:
    addresses: list[str] = []
    toy = Toy(before_predict=lambda _: addresses.append(current_caller().address))
    with serving(toy, Settings(trusted_proxies=networks)) as url, httpx.Client(base_url=url, timeout=60) as client:
        fit(client)
        assert client.post(PREDICT_PATH, json=PREDICT, headers={"X-Forwarded-For": CLIENT}).status_code == 200
    toy.close()
    assert set(addresses) == {address}
