"""What the Python client adds to one predict: beside a bare socket that sends the same bytes, in turns, in one run.

Prints Markdown for bench/RESULTS.md. The text is the same each time, so that the server's part is short and even.
"""

import json
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from server import post, running_server

import windrow
from windrow.api.examples import EXAMPLE_ROWS, EXAMPLE_TEXT
from windrow.client.remote import RemoteOperations
from windrow.domain.prediction import PredictRequest

NAME = "tickets"
BLOCKS = 40
CALLS_IN_A_BLOCK = 100
TARGET_MS = 1.0


class BareSocket:
    """Sends one request again and again, and waits for the last byte of each reply.

    Args:
        url: The server's address.
    """

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        body = json.dumps({"model_name": NAME, "text": EXAMPLE_TEXT}).encode()
        head = (
            f"POST /v1/classifier/predict HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __call__(self) -> None:
        """Ask once."""
        self._socket.sendall(self._request)
        reply = b""
        while not reply.endswith(b"}\n"):
            reply += self._socket.recv(65_536)
        assert reply.startswith(b"HTTP/1.1 200"), reply

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def in_turns(calls: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the milliseconds of each call, in blocks that alternate."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(BLOCKS):
        for name, call in calls.items():
            call()
            for _ in range(CALLS_IN_A_BLOCK):
                started = time.perf_counter()
                call()
                times[name].append((time.perf_counter() - started) * 1e3)
    return times


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (_, url, _):
        with httpx.Client(base_url=url, timeout=60) as http:
            post(http, "fit", {"model_name": NAME, "training_data": EXAMPLE_ROWS, "num_iterations": 0})
        bare, remote, client = BareSocket(url), RemoteOperations(url), windrow.Client(url)
        request = PredictRequest(model_name=NAME, text=EXAMPLE_TEXT)
        times = in_turns(
            {
                "a bare socket (the server's own time)": bare,
                "`RemoteOperations.predict`": lambda: remote.predict(request),
                "`windrow.Client.predict`": lambda: client.predict(NAME, EXAMPLE_TEXT),
            }
        )
        bare.close()
        remote.close()
        client.close()
    own = statistics.median(times["a bare socket (the server's own time)"])
    print(
        f"| one predict of a known text, {BLOCKS * CALLS_IN_A_BLOCK} calls each, in turns | p50 | beyond the socket |"
    )
    print("|---|---|---|")
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"| {name} | {median:.2f} ms | {median - own:+.2f} ms |")
    print(f"\nWanted: less than {TARGET_MS:.0f} ms beyond.")


if __name__ == "__main__":
    main()
