"""The mcp package's own client, over real processes and real sockets."""

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from windrow.bootstrap import open_service
from windrow.domain.access import CreateKeyRequest, Scope
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.operations import Operations
from windrow.settings import Settings

ROWS = [
    {"text": text, "label": label}
    for label, texts in {
        "billing": ["I was charged twice", "Refund my invoice", "The bill is wrong", "Why is it so expensive"],
        "technical": ["The app crashes", "I get error 500", "The search finds nothing", "Pages are slow"],
    }.items()
    for text in texts
]
# The handshake of 2025 and the requests without a session of 2026.
MODES = ("legacy", "auto")
START_TIMEOUT_S = 120
KEYS: dict[str, tuple[tuple[Scope, ...], tuple[str, ...]]] = {
    "trainer": (("train", "predict", "read", "promote"), ()),
    "reader": (("predict", "read"), ("tickets*",)),
}
Talk = Callable[[Client], Awaitable[Any]]


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Operations]:
    """Give the verbs on a data directory."""
    service = open_service(Settings(data_dir=folder))
    try:
        yield service
    finally:
        service.close()


def train(folder: Path) -> None:
    """Train tickets_v1 in a data directory, and promote it to tickets."""
    rows = tuple(Row(row["text"], row["label"]) for row in ROWS)
    with opened(folder) as operations:
        operations.fit(FitRequest("tickets_v1", rows, num_iterations=0))
        operations.promote(PromoteRequest("tickets", "tickets_v1"))


def create_keys(folder: Path) -> list[str]:
    """Return new API keys of a data directory: the trainer's, and that of a reader who knows tickets alone."""
    requests = [CreateKeyRequest(name=name, scopes=scopes, only=only) for name, (scopes, only) in KEYS.items()]
    with opened(folder) as operations:
        return [operations.create_key(request).key for request in requests]


def over_stdio(*options: str | Path, mode: str = "auto", log: Path | None = None) -> Any:
    """Return what gives a client of `windrow mcp` with some options."""
    arguments = ["-m", "windrow", "mcp", *map(str, options)]

    @contextlib.asynccontextmanager
    async def connect() -> AsyncIterator[Client]:
        parameters = StdioServerParameters(command=sys.executable, args=arguments)
        with contextlib.ExitStack() as stack:
            errors = sys.stderr if log is None else stack.enter_context(log.open("w"))
            async with Client(stdio_client(parameters, errlog=errors), mode=mode) as client:
                yield client

    return connect()


def over_http(url: str, key: str = "", mode: str = "auto") -> Any:
    """Return what gives a client of an address, with an API key."""

    @contextlib.asynccontextmanager
    async def connect() -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=START_TIMEOUT_S) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            yield client

    return connect()


def talk(connection: Any, talk_to: Talk) -> Any:
    """Return what a conversation returns."""

    async def run() -> Any:
        async with connection as client:
            return await talk_to(client)

    return asyncio.run(run())


@contextlib.contextmanager
def serving(folder: Path, *options: str | Path) -> Iterator[str]:
    """Give the address of a running `windrow mcp --http`."""
    log = folder / "mcp.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "windrow", "mcp", "--http", "127.0.0.1:0", *map(str, options)],
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while (found := re.search(r"http://\S+/mcp", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield found[0]
    finally:
        process.terminate()
        assert process.wait(60) == 0
