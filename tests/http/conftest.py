"""A running server for the tests: in a thread with the product on a toy encoder, or as a process of its own."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import structlog
import uvicorn

from tests.toy import Toy
from windrow.domain.server_stats import ServerStats
from windrow.http.app import create_app
from windrow.http.server import listen, uvicorn_config
from windrow.local_operations import LocalOperations
from windrow.settings import Settings

ROOT = Path(__file__).parents[2]
SETTINGS = Settings(
    max_body_bytes=20_000,
    max_rows=20,
    max_labels=4,
    max_text_chars=600,
    max_texts=10,
    max_model_names=5,
    max_queued_requests=8,
    max_import_bytes=20_000,
)


@dataclass
class Switch:
    """Passes every verb on to the operations of the test that runs."""

    chosen: Toy | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.chosen, name)

    def server_stats(self) -> ServerStats:
        assert self.chosen is not None
        return self.chosen.server_stats()


@dataclass(frozen=True)
class RunningApp:
    """The application under a real uvicorn.

    Args:
        port: On 127.0.0.1.
        switch: Chooses what it works with.
    """

    port: int
    switch: Switch


@pytest.fixture
def operations() -> Iterator[Toy]:
    toy = Toy(SETTINGS)
    yield toy
    toy.close()


@pytest.fixture(scope="session")
def running_app() -> Iterator[RunningApp]:
    """A running application, whose log lines go nowhere."""
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    (listener,) = listen("127.0.0.1", 0)
    switch = Switch()
    app = create_app(cast(LocalOperations, switch), SETTINGS)
    server = uvicorn.Server(uvicorn_config(app, SETTINGS))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield RunningApp(listener.getsockname()[1], switch)
    server.should_exit = True
    thread.join()
    app.state.context.close()
    structlog.reset_defaults()
    listener.close()


@pytest.fixture
def client(running_app: RunningApp, operations: Toy) -> Iterator[httpx.Client]:
    """An HTTP client of the running application, which works with this test's operations."""
    running_app.switch.chosen = operations
    # A context without certificates: reading them takes longer than most tests.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(base_url=f"http://127.0.0.1:{running_app.port}", timeout=30, verify=context) as http:
        yield http


class ServerProcess:
    """A real server process; ``banner`` is what it printed up to its readiness."""

    def __init__(self, flags: list[str], log: Path, variables: dict[str, str]) -> None:
        self.log = log
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WINDROW_")}
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.fakes.server", *flags],
                cwd=ROOT,
                env={**environment, "WINDROW_PORT": "0", "WINDROW_DATA_DIR": f"{log}-data", **variables},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith('  -d \'{"model_name"') and line.rstrip().endswith("}'"):
                break
        self.banner = "".join(lines)
        self.url = self.banner.split()[3]

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait_for_line(self, line: str) -> None:
        assert self.process.stdout is not None
        assert any(said.strip() == line for said in self.process.stdout), self.log.read_text()

    def wait(self) -> int:
        return self.process.wait(timeout=30)


StartServer = Callable[..., ServerProcess]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start a server process; whatever happens, it is gone after the test."""
    started: list[ServerProcess] = []

    def start(*flags: str, **variables: str) -> ServerProcess:
        started.append(ServerProcess(list(flags), tmp_path / f"log{len(started)}", variables))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.communicate()
