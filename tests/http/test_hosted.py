"""The application inside another program: it begins, says where it is, is asked whether it is well, and ends."""

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from tests.http.asking import PREDICT_PATH, check_problem
from tests.toy import Toy
from windrow.domain.errors import InvalidParameter, ShuttingDown
from windrow.http.hosted import HostedApp, open_hosted_app
from windrow.settings import Settings

PLACE = {"node": "n1", "replica": "r1"}


def opened(tmp_path: Path, **changes: object) -> HostedApp:
    settings = Settings(data_dir=tmp_path, shutdown_timeout_s=5, **changes)  # type: ignore[arg-type]
    return open_hosted_app(Toy, settings, PLACE)


async def live(app: HostedApp, *kinds: str) -> list[str]:
    """Return what a lifespan of some messages is answered."""
    left, sent = [f"lifespan.{kind}" for kind in kinds], list[str]()

    async def receive() -> Message:
        return {"type": left.pop(0)}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan"}, receive, send)
    return sent


def test_it_answers_says_where_it_is_and_ends(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def go() -> None:
        app = opened(tmp_path)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            reply = await client.get("/health")
            assert (reply.status_code, len(reply.headers.get_list("x-request-id"))) == (200, 1)
            # Whoever is in front sends the id back that it gave.
            assert "x-request-id" not in (await client.get("/health", headers={"x-request-id": "mine"})).headers
            unknown = await client.post(PREDICT_PATH, json={"model_name": "none_v1", "text": "x"})
            check_problem(unknown, 404, "classifier_not_found")
            figures = (await client.get("/metrics")).text
            assert all('node="n1"' in line for line in figures.splitlines() if line.startswith("windrow_queued"))
            assert 'replica="r1"' in figures
        await app.check()
        assert await live(app, "startup", "shutdown") == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        with pytest.raises(ShuttingDown):
            await app.check()

    asyncio.run(go())
    lines = [line for line in capfd.readouterr().err.splitlines() if "path=/health" in line]
    assert lines
    assert all("node=n1 replica=r1" in line for line in lines)


def test_an_open_address_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="there is no API key"):
        opened(tmp_path, host="0.0.0.0")
