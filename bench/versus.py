"""Compare this checkout with another one, in turns: predictions, throughput, start, help, memory.

Both servers run at the same time, each on a copy of one data directory that the other checkout trained, and are asked
in alternating blocks, so that a drift of the machine's speed hits both. A ratio is this checkout's figure divided by
the other's: of each pair of blocks; shown are the median of the ratios and an interval of 95 % for it (the bootstrap).

Run: make bench-versus OTHER=/path/to/another/checkout
"""

import argparse
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil
from draws import tickets

HERE = Path(__file__).resolve().parents[1]
NAME = "ticket_classifier_v1"
WORDS = ["I", "was", "charged", "twice", "for", "my", "subscription", "this", "month"]
CALLS_IN_A_BLOCK = 50
CLIENTS, CALLS_OF_A_CLIENT = 64, 4
RESAMPLES = 2_000
Ask = Callable[[], float]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--starts", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "other"
        with running(asked.other, kept) as (url, _, _):
            train(url)
        mine = Path(folder) / "mine"
        shutil.copytree(kept, mine)
        sides = ((HERE, mine), (asked.other, kept))
        with ExitStack() as stack:
            servers = [stack.enter_context(running(*side)) for side in sides]
            show("predict over HTTP, p50", pairs(asked.rounds, *(one_client(url) for url, _, _ in servers)), "ms")
            show(f"{CLIENTS} clients, a request", pairs(asked.rounds, *(many(url) for url, _, _ in servers)), "ms")
            rss = [server.memory_info().rss / 2**20 for _, server, _ in servers]
            print(f"{'resident memory':<28} {rss[0]:8.1f} MiB {rss[1]:8.1f} MiB  ratio {rss[0] / rss[1]:.3f}")
        show("start to the first answer", pairs(asked.starts, *(start(*side) for side in sides)), "s")
        show("windrow --help", pairs(asked.rounds, *(help_text(checkout) for checkout, _ in sides)), "s")


def environment_of(checkout: Path) -> dict[str, str]:
    """Return the environment in which a checkout's own source is what Python imports."""
    return {**os.environ, "PYTHONPATH": str(checkout / "src"), "TERM": "dumb"}


@contextmanager
def running(checkout: Path, data_dir: Path) -> Iterator[tuple[str, psutil.Process, float]]:
    """Run a checkout's server; gives its address, its process and the seconds until it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "windrow", "serve", "--port", str(port), "--data-dir", str(data_dir)]
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment_of(checkout), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not is_up(port):
            assert process.poll() is None, "the server ended"
            time.sleep(0.002)
        yield f"127.0.0.1:{port}", psutil.Process(process.pid), time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(60)


def is_up(port: int) -> bool:
    """Whether a server answers."""
    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False


def post(connection: HTTPConnection, verb: str, body: object) -> None:
    """Send a request and wait for its whole answer."""
    connection.request("POST", f"/v1/classifier/{verb}", json.dumps(body), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    content = reply.read()
    assert reply.status == 200, content


def train(url: str) -> None:
    """Train the classifier that both sides are asked about."""
    request = {"model_name": NAME, "training_data": tickets(), "num_iterations": 0}
    post(HTTPConnection(url, timeout=120), "fit", request)


def one_client(url: str) -> Ask:
    """Return what measures the median milliseconds of a predict, one after the other."""
    order = random.Random(0)

    def block() -> float:
        times, connection = [], opened(url)
        for _ in range(CALLS_IN_A_BLOCK):
            text = " ".join(order.sample(WORDS, len(WORDS)))
            began = time.perf_counter()
            post(connection, "predict", {"model_name": NAME, "text": text})
            times.append((time.perf_counter() - began) * 1e3)
        connection.close()
        return statistics.median(times)

    return block


def opened(url: str) -> HTTPConnection:
    """Return a connection that has been used: a server closes one that is idle for long."""
    connection = HTTPConnection(url, timeout=60)
    post(connection, "predict", {"model_name": NAME, "text": " ".join(WORDS)})
    return connection


def many(url: str) -> Ask:
    """Return what measures the milliseconds that a request takes of the whole, with many clients at once."""
    threads = ThreadPoolExecutor(CLIENTS)
    order = random.Random(1)

    def client(connection: HTTPConnection) -> None:
        for _ in range(CALLS_OF_A_CLIENT):
            text = " ".join(order.sample(WORDS, len(WORDS)))
            post(connection, "predict", {"model_name": NAME, "text": text})

    def block() -> float:
        connections = list(threads.map(opened, [url] * CLIENTS))
        began = time.perf_counter()
        list(threads.map(client, connections))
        taken_s = time.perf_counter() - began
        for connection in connections:
            connection.close()
        return taken_s * 1e3 / (CLIENTS * CALLS_OF_A_CLIENT)

    return block


def start(checkout: Path, data_dir: Path) -> Ask:
    """Return what measures the seconds until a server answers."""

    def block() -> float:
        with running(checkout, data_dir) as (_, _, ready_s):
            return ready_s

    return block


def help_text(checkout: Path) -> Ask:
    """Return what measures the seconds that ``windrow --help`` takes."""

    def block() -> float:
        began = time.perf_counter()
        command = [sys.executable, "-m", "windrow", "--help"]
        subprocess.run(command, env=environment_of(checkout), check=True, capture_output=True)
        return time.perf_counter() - began

    return block


def pairs(rounds: int, mine: Ask, other: Ask) -> list[tuple[float, float]]:
    """Measure both sides in turns, the first one changing from round to round; a round before does not count."""
    mine(), other()
    found = []
    for number in range(rounds):
        if number % 2:
            late = other()
            found.append((mine(), late))
        else:
            found.append((mine(), other()))
    return found


def show(what: str, measured: list[tuple[float, float]], unit: str) -> None:
    """Print both medians, and the ratio with its interval."""
    ratios = [mine / other for mine, other in measured]
    order = random.Random(0)
    medians = sorted(statistics.median(order.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    low, high = medians[int(RESAMPLES * 0.025)], medians[int(RESAMPLES * 0.975)]
    mine, other = (statistics.median(side) for side in zip(*measured, strict=True))
    print(
        f"{what:<28} {mine:8.3f} {unit:<3} {other:8.3f} {unit:<3}  ratio {statistics.median(ratios):.3f} "
        f"({low:.3f} to {high:.3f})",
        flush=True,
    )


if __name__ == "__main__":
    main()
