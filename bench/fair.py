"""Fair sharing: how long a client with few requests waits beside one that floods the server, by API key.

One client has 64 connections and sends on each the next request as soon as it has its answer; the other one sends 5
requests a second, whatever becomes of them. It is measured alone, with the API key of the flood, where requests wait in
one line, and with a key of its own.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx
from server import post, running_server

CONNECTIONS: Final = 64
RATE_PER_S: Final = 5.0
WORDS: Final = ("order", "refund", "parcel", "invoice", "login", "password", "crash", "update", "slow", "screen")
PREDICT: Final = "/v1/classifier/predict"
NAME: Final = "tickets_v1"


def text() -> str:
    """Return a text that nobody has sent before, of about 20 tokens."""
    return " ".join(random.choice(WORDS) for _ in range(12)) + f" {random.randrange(10**9)}"


def request(url: str, key: str, sent: str | None = None) -> bytes:
    """Return a predict of a text, or of a new one, as it is sent."""
    body = json.dumps({"model_name": NAME, "text": sent or text()}).encode()
    host = url.removeprefix("http://")
    headers = f"Host: {host}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json"
    return f"POST {PREDICT} HTTP/1.1\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send a request and read its answer.

    Raises:
        RuntimeError: It is not answered with status 200.
    """
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    body = await reader.readexactly(length)
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(body.decode())


async def flood(url: str, key: str, sent: str | None) -> None:
    """Ask on each connection as fast as it is answered, until the process is ended."""
    host, _, port = url.removeprefix("http://").partition(":")

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while True:
            await ask(reader, writer, request(url, key, sent))

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))


async def probe(url: str, key: str, seconds: float) -> list[float]:
    """Ask at even distances in time, and return how long each answer took, in milliseconds, sorted."""
    host, _, port = url.removeprefix("http://").partition(":")
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    took_ms: list[float] = []

    async def one(due_s: float) -> None:
        streams = free.pop() if free else await asyncio.open_connection(host, int(port))
        await ask(*streams, request(url, key))
        took_ms.append((time.perf_counter() - due_s) * 1e3)
        free.append(streams)

    began_s = time.perf_counter()
    tasks = []
    for number in range(round(seconds * RATE_PER_S)):
        due_s = began_s + number / RATE_PER_S
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due_s)))
    await asyncio.gather(*tasks)
    return sorted(took_ms)


def measure(
    url: str, key: str, seconds: float, flooding_key: str | None = None, *, more: Sequence[str] = ()
) -> list[float]:
    """Return the latencies of the client with few requests, beside a flood or alone."""
    if flooding_key is None:
        return asyncio.run(probe(url, key, seconds))
    command = [sys.executable, __file__, "--flood", url, *more]
    other = subprocess.Popen(command, env={**os.environ, "FLOODING_KEY": flooding_key})
    try:
        time.sleep(3)  # until it is in full flow
        return asyncio.run(probe(url, key, seconds))
    finally:
        other.terminate()
        other.wait()


def set_up(url: str) -> tuple[str, str]:
    """Train a classifier, and create the keys of the two clients."""
    with httpx.Client(base_url=url, timeout=300) as client:
        rows = [{"text": text(), "label": label} for label in ("billing", "technical") for _ in range(8)]
        post(client, "fit", {"model_name": NAME, "training_data": rows, "num_iterations": 0})
        first = post(client, "keys", {"name": "flood", "scopes": ["predict", "admin"]})["key"]
        client.headers["Authorization"] = f"Bearer {first}"
        return first, post(client, "keys", {"name": "other", "scopes": ["predict"]})["key"]


def percentile(sorted_ms: list[float], percent: float) -> float:
    """Return a percentile, in milliseconds."""
    return sorted_ms[min(len(sorted_ms) - 1, int(len(sorted_ms) * percent / 100))]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--known", action="store_true", help="the flood sends one text, which need not be encoded")
    parser.add_argument("--flood", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.flood:
        asyncio.run(flood(options.flood, os.environ["FLOODING_KEY"], text() if options.known else None))
        return
    more = ["--known"] if options.known else []
    took: dict[str, list[float]] = {"alone": [], "in the flood's line": [], "with a line of its own": []}
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (_, url, _):
        flooding, other = set_up(url)
        for _ in range(options.rounds):
            took["alone"] += measure(url, other, options.seconds)
            took["in the flood's line"] += measure(url, flooding, options.seconds, flooding, more=more)
            took["with a line of its own"] += measure(url, other, options.seconds, flooding, more=more)
    print(f"{'':24}{'p50 ms':>9}{'p90 ms':>9}{'p99 ms':>9}{'requests':>10}")
    for name, unsorted_ms in took.items():
        found = sorted(unsorted_ms)
        print(
            f"{name:24}{statistics.median(found):9.1f}{percentile(found, 90):9.1f}{percentile(found, 99):9.1f}"
            f"{len(found):10}"
        )
    alone, shared, fair = (percentile(sorted(found), 99) for found in took.values())
    print(
        f"p99 with a line of its own: {fair / alone:.1f} times alone, {fair / shared:.2f} of that in the flood's line"
    )


if __name__ == "__main__":
    main()
