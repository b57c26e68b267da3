"""The tools over real HTTP, with the mcp package's own client, with and without API keys."""

import asyncio
import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from tests.agents.talking import MODES, ROWS, START_TIMEOUT_S, create_keys, opened, over_http, serving, talk, train
from tests.servers import Servers, hard_rows
from windrow.domain.audit import AuditRequest
from windrow.domain.job import JobListRequest

pytestmark = pytest.mark.slow

NAME = "t_v1"
FIT = {"model_name": NAME, "training_data": ROWS, "num_iterations": 0}
ACCEPT = {"Accept": "application/json, text/event-stream"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@dataclass(frozen=True)
class Place:
    """A data directory with keys, and where its tools are."""

    url: str
    data_dir: Path
    trainer: str
    reader: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("agents")
    train(folder / "data")
    trainer, reader = create_keys(folder / "data")
    with serving(folder, "--data-dir", folder / "data", "--allow-changes") as url:
        yield Place(url, folder / "data", trainer, reader)


def refusal(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@pytest.mark.parametrize("mode", MODES)
def test_a_key_may_call_what_its_scopes_and_names_allow(mode: str, place: Place) -> None:
    name = f"t_{mode}"

    async def do_train(client: Client) -> None:
        done: list[float] = []

        async def report(progress: float, total: float | None, message: str | None) -> None:
            done.append(progress)

        fitted = await client.call_tool("classifier_fit", {**FIT, "model_name": name}, progress_callback=report)
        assert fitted.structured_content["status"] == "trained"
        assert done[-1] == 5.0

    async def read(client: Client) -> None:
        answer = await client.call_tool("classifier_predict", {"model_name": "tickets_v1", "text": "charged again"})
        assert answer.structured_content["label"] == "billing"
        refused = await client.call_tool("classifier_fit", {**FIT, "model_name": "tickets_v2"})
        assert refused.structured_content["code"] == "insufficient_scope"
        hidden = await client.call_tool("classifier_predict", {"model_name": name, "text": "a"})
        assert hidden.structured_content["code"] == "classifier_not_found"
        listed = await client.call_tool("classifier_models", {})
        assert [each["name"] for each in listed.structured_content["models"]] == ["tickets_v1"]

    talk(over_http(place.url, place.trainer, mode), do_train)
    talk(over_http(place.url, place.reader, mode), read)


@pytest.mark.parametrize("key", ["", "wr_nonsense"])
def test_without_a_valid_key_nothing_is_answered(key: str, place: Place) -> None:
    async def list_tools(client: Client) -> Any:
        return await client.list_tools()

    with pytest.raises((MCPError, BaseExceptionGroup)) as raised:
        talk(over_http(place.url, key), list_tools)
    assert isinstance(refusal(raised.value), MCPError)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    reply = httpx.post(place.url, json=INITIALIZE, headers={**ACCEPT, **headers})
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthorized")


def test_a_session_belongs_to_the_key_that_began_it(place: Place) -> None:
    def post(key: str, **headers: str) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {key}"}
        return httpx.post(place.url, json=INITIALIZE, headers={**ACCEPT, **bearer, **headers})

    session = post(place.trainer).headers["mcp-session-id"]
    assert post(place.reader, **{"mcp-session-id": session}).status_code == 404
    assert post(place.trainer, **{"mcp-session-id": session}).status_code != 404


def test_pages_of_other_sites_other_names_and_other_paths_are_refused(place: Place) -> None:
    bearer = {**ACCEPT, "Authorization": f"Bearer {place.trainer}"}
    foreign = httpx.post(place.url, json=INITIALIZE, headers={**bearer, "Origin": "https://evil.example"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "cross_site_request")
    rebound = httpx.post(place.url, json=INITIALIZE, headers={**bearer, "Host": "evil.example"})
    assert (rebound.status_code, rebound.json()["code"]) == (421, "misdirected_request")
    astray = httpx.post(place.url.removesuffix("/mcp") + "/v1", json=INITIALIZE, headers=bearer)
    assert (astray.status_code, astray.json()["code"]) == (404, "not_found")
    streamed = httpx.get(place.url, headers=bearer)
    assert (streamed.status_code, streamed.headers["allow"]) == (405, "POST, DELETE")
    typed = {**bearer, "Content-Type": "application/json"}
    assert httpx.post(place.url, content="no json", headers=typed).status_code == 400
    untyped = httpx.post(place.url, content="no json", headers=bearer)
    assert (untyped.status_code, untyped.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_beyond_the_limit_is_refused_with_what_to_do_whether_its_length_is_declared_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDROW_MAX_BODY_BYTES", "20000")
    train(tmp_path / "data")
    headers = {**ACCEPT, "Content-Type": "application/json"}
    large = json.dumps({**INITIALIZE, "more": "a" * 20_000}).encode()
    with serving(tmp_path, "--data-dir", tmp_path / "data") as url:
        packed = {"Content-Encoding": "gzip"}
        for content, more in ((large, {}), (iter([large]), {}), (gzip.compress(large), packed)):
            refused = httpx.post(url, content=content, headers={**headers, **more})
            assert refused.status_code == 413
            assert "raise WINDROW_MAX_BODY_BYTES" in refused.json()["detail"]
        small = gzip.compress(json.dumps(INITIALIZE).encode())
        assert httpx.post(url, content=small, headers={**headers, **packed}).status_code == 200


def test_a_call_that_its_client_cancels_over_http_cancels_its_training(place: Place) -> None:
    name = "cancelled_v1"

    async def leave(client: Client) -> None:
        begun = asyncio.Event()

        async def begin(progress: float, total: float | None, message: str | None) -> None:
            if progress:
                begun.set()

        long = {**FIT, "model_name": name, "training_data": hard_rows(), "num_iterations": 1000}
        task = asyncio.ensure_future(client.call_tool("classifier_fit", long, progress_callback=begin))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for mode in MODES:
        talk(over_http(place.url, place.trainer, mode), leave)
        deadline = time.monotonic() + START_TIMEOUT_S
        with opened(place.data_dir) as operations:
            while {job.state for job in operations.list_jobs(JobListRequest()).jobs if job.model_name == name} != {
                "cancelled"
            }:
                assert time.monotonic() < deadline
                time.sleep(0.1)


def test_the_tools_of_a_server_take_each_callers_own_key_to_it(tmp_path: Path) -> None:
    train(tmp_path / "data")
    trainer, reader = create_keys(tmp_path / "data")
    servers = Servers(tmp_path)
    server = servers.start(tmp_path / "data")

    async def do_train(client: Client) -> None:
        fitted = await client.call_tool("classifier_fit", FIT)
        assert fitted.structured_content["status"] == "trained"

    async def read(client: Client) -> None:
        answer = await client.call_tool("classifier_predict", {"model_name": "tickets_v1", "text": "charged again"})
        assert answer.structured_content["label"] == "billing"
        refused = await client.call_tool("classifier_fit", {**FIT, "model_name": "tickets_v2"})
        assert refused.structured_content["code"] == "insufficient_scope"

    async def be_refused(client: Client) -> None:
        refused = await client.call_tool("classifier_models", {})
        assert refused.structured_content["code"] == "unauthorized"

    try:
        with serving(tmp_path, "--url", str(server.client.base_url), "--allow-changes") as url:
            talk(over_http(url, trainer), do_train)
            talk(over_http(url, reader), read)
            talk(over_http(url, ""), be_refused)
            two = httpx.post(url, json=INITIALIZE, headers={**ACCEPT, "X-API-Key": "a", "Authorization": "Bearer b"})
            assert two.status_code == 401
    finally:
        servers.stop()
    with opened(tmp_path / "data") as operations:
        lines = operations.audit(AuditRequest(target=NAME)).lines
    assert {line.key_name for line in lines if line.verb == "start_fit"} == {"trainer"}
