"""Where the key of a client in Python comes from, that it arrives, and that nothing shows it."""

import asyncio
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import windrow
from tests.client.serving import serving
from tests.client.sockets import ScriptedServer, reply
from tests.http.certificates import Authority
from tests.toy import Toy
from windrow.client.errors import UnexpectedReply
from windrow.domain.access import CreatedKey, CreateKeyRequest
from windrow.domain.errors import InsufficientScope, InvalidParameter, Unauthorized
from windrow.http.tls import RenewableCertificate
from windrow.session.async_client import AsyncClient
from windrow.session.session import Client
from windrow.settings import Settings

KEY = "wdr_unit-test-key"
JOBS = b'{"jobs": []}'
REFUSED = b'{"code": "unauthorized", "detail": "x", "template": "This server answers only to an API key. {send_key}"}'
PROBLEM = "application/problem+json"


def _jobs(url: str, api_key: str | None = None) -> Any:
    with Client(url, api_key=api_key, retries=0) as client:
        return client.jobs()


def _jobs_async(url: str, api_key: str | None = None) -> Any:
    async def ask() -> Any:
        async with AsyncClient(url, api_key=api_key, retries=0) as client:
            return await client.jobs()

    return asyncio.run(ask())


ASK = pytest.mark.parametrize("ask", [_jobs, _jobs_async])


@ASK
@pytest.mark.parametrize("source", ["argument", "variable", "file"])
def test_the_key_is_given_or_of_the_environment(
    ask: Callable[..., Any], source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    if source == "variable":
        monkeypatch.setenv("WINDROW_API_KEY", KEY)
    if source == "file":
        monkeypatch.setenv("WINDROW_API_KEY_FILE", str(file))
    with ScriptedServer([reply(body=JOBS)]) as server:
        ask(server.url, KEY if source == "argument" else None)
    assert f"authorization: bearer {KEY}".encode() in server.requests[0].lower()
    assert KEY.encode() not in server.requests[0].split(b"\r\n")[0]


@ASK
def test_beside_a_password_for_a_proxy_the_key_has_a_header_of_its_own(ask: Callable[..., Any]) -> None:
    with ScriptedServer([reply(body=JOBS)]) as server:
        ask(server.url.replace("//", "//ana:pass@"), KEY)
    sent = server.requests[0].lower()
    assert b"authorization: basic " in sent
    assert f"x-api-key: {KEY}".encode() in sent


@ASK
def test_a_server_that_wants_a_key_is_told_of_in_the_words_of_python(ask: Callable[..., Any]) -> None:
    with ScriptedServer([reply(401, REFUSED, PROBLEM)]) as server, pytest.raises(Unauthorized) as caught:
        ask(server.url)
    assert caught.value.detail.endswith("pass it as api_key, or set WINDROW_API_KEY_FILE or WINDROW_API_KEY")


@ASK
@pytest.mark.parametrize("answer", [reply(401, REFUSED, PROBLEM), reply(500, b"x", "text/plain"), b"no HTTP\r\n", None])
def test_no_error_shows_the_key(ask: Callable[..., Any], answer: bytes | None) -> None:
    with ScriptedServer([answer]) as server, pytest.raises(windrow.WindrowError) as caught:
        ask(server.url, KEY)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=False).format())
    assert KEY not in shown + str(caught.value.facts) + repr(caught.value)
    assert not isinstance(caught.value, UnexpectedReply) or caught.value.facts


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_no_client_shows_its_key_or_can_be_pickled(make: Callable[..., Any]) -> None:
    client = make("http://127.0.0.1:9", api_key=KEY)
    assert KEY not in repr(client) + repr(client.operations) + str(client)
    with pytest.raises(TypeError):
        pickle.dumps(client)


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_a_key_that_travels_over_a_network_unencrypted_is_warned_about(make: Callable[..., Any]) -> None:
    with pytest.warns(windrow.WindrowWarning, match="unencrypted") as caught:
        make("http://windrow.example", api_key=KEY)
    (warning,) = caught
    assert isinstance(warning.message, windrow.WindrowWarning)
    assert warning.message.code == "key_unencrypted"
    assert warning.filename == __file__
    assert KEY not in str(warning.message)
    make("https://windrow.example", api_key=KEY)
    make("http://windrow.example")


def test_what_is_no_key_is_refused_without_being_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidParameter, match="api_key") as caught:
        Client("http://127.0.0.1:9", api_key="hunter2")
    assert "hunter2" not in caught.value.detail
    monkeypatch.setenv("WINDROW_API_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(InvalidParameter, match="WINDROW_API_KEY_FILE"):
        Client("http://127.0.0.1:9")
    monkeypatch.setenv("WINDROW_API_KEY", KEY)
    with pytest.raises(InvalidParameter, match="Set one of them") as caught:
        Client("http://127.0.0.1:9")
    assert KEY not in caught.value.detail + str(caught.value.facts)


def test_a_key_that_was_created_is_shown_only_to_whoever_asks_for_it() -> None:
    created = CreatedKey(name="shop", scopes=("read",), hint="wdr_unit", created_at=datetime.now(UTC), key=KEY)
    assert KEY not in repr(created) + str(created) + str(created._repr_html_())
    assert "shop" in repr(created)
    assert created.key == created.to_dict()["key"] == KEY


def test_clients_send_their_key_to_a_server_whose_certificate_the_environment_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, toy = Authority(tmp_path), Toy()
    key = toy.create_key(CreateKeyRequest(name="shop", scopes=("read",))).key
    with serving(toy, Settings(), RenewableCertificate(authority.files)) as url:
        with pytest.raises(windrow.WindrowError, match="certificate"):
            _jobs(url, key)
        with pytest.raises(windrow.WindrowError, match="certificate"):
            _jobs_async(url, key)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
        for ask in (_jobs, _jobs_async):
            assert len(ask(url, key)) == 0
            with pytest.raises(Unauthorized):
                ask(url)
            with pytest.raises(InsufficientScope):
                _keys(url, key)
    toy.close()


def _keys(url: str, api_key: str) -> Any:
    with Client(url, api_key=api_key) as client:
        return client.keys()
