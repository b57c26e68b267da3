"""The sides of the predict bench, each in processes of its own: Windrow, the model without a server, other servers.

Owns how they are started, held still and asked; knows nothing of what is measured when.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, Protocol

import httpx
import numpy as np
import psutil
from bare import base_model_folder
from draws import tickets
from load import Result, closed_loop, open_loop
from predict_texts import write_bodies
from server import post, running_server
from venvs import venv_bin

HERE = Path(__file__).parent
WINDROW, ADAPTED, SETFIT, EMPTY = "windrow", "windrow_adapted", "setfit", "empty"
NUM_ITERATIONS = {WINDROW: 0, ADAPTED: 20}
BARE, BARE_STILL, BARE_TWO = "bare", "bare_still", "bare_two"
BARES: dict[str, dict[str, Any]] = {
    BARE: {"callers": 1, "spinning": True},
    BARE_STILL: {"callers": 1, "spinning": False},
    BARE_TWO: {"callers": 2, "spinning": False},
}
PEERS = {
    SETFIT: "setfit_fastapi.py",
    "regression": "regression_fastapi.py",
    "litserve": "regression_litserve.py",
    EMPTY: "empty_fastapi.py",
}
SIDES = (*NUM_ITERATIONS, *BARES, *PEERS)
NAN = float("nan")
WARM_UPS = 10
PATIENCE_S = 300
POLL_S = 0.1


class Side(Protocol):
    """What texts can be given to."""

    def open_loop(self, texts: Sequence[str], rate_per_s: float, clients: int) -> Result:
        """Give it texts at even distances in time; one that would need more than ``clients`` at once has failed."""
        ...

    def closed_loop(self, texts: Sequence[str], clients: int, seconds: float) -> Result:
        """Give it as many of the texts as it takes in this time, ``clients`` of them at once."""
        ...

    def warm_up(self) -> None:
        """Give it a few texts that do not count."""
        ...


class Server:
    """A :class:`Side` over HTTP.

    Args:
        root: Its address.
        path: Where it predicts.
        model_name: Of the classifier that is asked.
    """

    def __init__(self, root: str, path: str, model_name: str) -> None:
        self.root = root
        self._url = root + path
        self._model_name = model_name
        self._warm_ups = warm_up_texts()

    def open_loop(self, texts: Sequence[str], rate_per_s: float, clients: int) -> Result:
        """See :meth:`Side.open_loop`."""
        with self._bodies(texts) as bodies:
            return open_loop(self._url, bodies, rate_per_s, (len(texts) - 1) / rate_per_s, clients)

    def closed_loop(self, texts: Sequence[str], clients: int, seconds: float) -> Result:
        """See :meth:`Side.closed_loop`."""
        with self._bodies(texts) as bodies:
            return closed_loop(self._url, bodies, clients, seconds)

    def warm_up(self) -> None:
        """See :meth:`Side.warm_up`."""
        with httpx.Client(timeout=PATIENCE_S) as client:
            for text in islice(self._warm_ups, WARM_UPS):
                client.post(self._url, json={"model_name": self._model_name, "text": text}).raise_for_status()

    @contextmanager
    def _bodies(self, texts: Sequence[str]) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "bodies.jsonl")
            write_bodies(file, self._model_name, texts)
            yield file


class BareProcess:
    """A :class:`Side` without HTTP: ``bare.py`` in a process of its own.

    Args:
        process: Reads questions and writes answers, a line each.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.batch_size = 1

    def open_loop(self, texts: Sequence[str], rate_per_s: float, clients: int) -> Result:  # noqa: ARG002 - one by one
        """See :meth:`Side.open_loop`."""
        times_ms = self._ask(texts=texts, rate_per_s=rate_per_s)
        p50_ms, p90_ms, p99_ms = np.percentile(times_ms, (50, 90, 99)).tolist()
        return Result(rate_per_s, p50_ms, p90_ms, p99_ms, failed=0)

    def closed_loop(self, texts: Sequence[str], clients: int, seconds: float) -> Result:  # noqa: ARG002 - in batches
        """See :meth:`Side.closed_loop`."""
        return Result(self._ask(texts=texts, batch_size=self.batch_size, seconds=seconds), NAN, NAN, NAN, failed=0)

    def warm_up(self) -> None:
        """See :meth:`Side.warm_up`."""
        self._ask(texts=list(islice(warm_up_texts(), WARM_UPS)), batch_size=1, seconds=PATIENCE_S)

    def _ask(self, **question: object) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(question), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


def warm_up_texts() -> Iterator[str]:
    """Yield texts that nothing else asks about, without an end; no cache knows one."""
    return (f"How long does it take until answer number {number} is there?" for number in count())


@dataclass(frozen=True, slots=True)
class Contestant:
    """A side and its processes, which are held still while it is not its turn: an idle server may still poll or spin.

    Args:
        name: One of ``SIDES``.
        side: What is asked.
        process: The first of its processes.
    """

    name: str
    side: Side
    process: psutil.Process

    @contextmanager
    def turn(self) -> Iterator[Side]:
        """Let it run, warmed up, until the block ends."""
        for process in processes(self.process):
            process.resume()
        try:
            self.side.warm_up()
            yield self.side
        finally:
            for process in processes(self.process):
                process.suspend()


@contextmanager
def started(names: Sequence[str]) -> Iterator[list[Contestant]]:
    """Start sides, all of them with a classifier of the same rows; end them when the block ends."""
    with ExitStack() as stack:
        contestants = []
        for name in names:
            print(f"Starting {name} …", file=sys.stderr, flush=True)
            start = windrow if name in NUM_ITERATIONS else bare if name in BARES else peer
            contestant = stack.enter_context(start(name))
            stack.enter_context(held(contestant))
            contestants.append(contestant)
        yield contestants


@contextmanager
def held(contestant: Contestant) -> Iterator[None]:
    """Hold a contestant still until the block ends."""
    with contestant.turn():
        pass
    try:
        yield
    finally:
        for process in processes(contestant.process):
            process.resume()


def processes(first: psutil.Process) -> list[psutil.Process]:
    """Return a process and its descendants."""
    return [first, *first.children(recursive=True)]


@contextmanager
def windrow(name: str) -> Iterator[Contestant]:
    """Start a Windrow server and fit a classifier."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (process, url, _):
        with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
            post(
                client, "fit", {"model_name": name, "training_data": tickets(), "num_iterations": NUM_ITERATIONS[name]}
            )
        yield Contestant(name, Server(url, "/v1/classifier/predict", name), process)


@contextmanager
def bare(name: str) -> Iterator[Contestant]:
    """Start the model without a server."""
    command = [sys.executable, str(HERE / "bare.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        print(json.dumps(BARES[name]), file=process.stdin, flush=True)
        try:
            yield Contestant(name, BareProcess(process), psutil.Process(process.pid))
        finally:
            process.kill()


@contextmanager
def peer(name: str) -> Iterator[Contestant]:
    """Start another server, which trains its classifier itself."""
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log.txt").open("w+") as log:
        rows, port = Path(folder, "rows.json"), free_port()
        rows.write_text(json.dumps(tickets()))
        program = [str(venv_bin("setfit") / "python"), str(HERE / "peers" / PEERS[name])]
        process = psutil.Popen(
            [*program, str(base_model_folder()), str(rows), str(port)],
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            root = f"http://127.0.0.1:{port}"
            wait_until_healthy(process, f"{root}/health", Path(log.name))
            yield Contestant(name, Server(root, "/predict", name), process)
        finally:
            # All at once: not every server ends its workers itself.
            for part in processes(process):
                part.kill()
            process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until_healthy(process: psutil.Popen, url: str, log: Path) -> None:
    """Wait for a server's first answer."""
    give_up_at = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass  # it does not listen yet
        time.sleep(POLL_S)
    raise RuntimeError(f"No answer from {url}:\n{log.read_text()[-4_000:]}")
