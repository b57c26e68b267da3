"""What the tests of the HTTP side send, and what they expect of every refusal."""

import re
import socket
import time
from collections.abc import Callable

import httpx

from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT

# A time as the API writes it: UTC, whole seconds.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SECRET = "Unser Geheimnis steht hier"
ROWS = list(EXAMPLE_ROWS)
FIT = {"model_name": EXAMPLE_NAME, "training_data": ROWS}
PREDICT = {"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT}
JSON = {"Content-Type": "application/json"}
API = "/v1/classifier"
FIT_PATH, PREDICT_PATH, MODELS, ALIASES = f"{API}/fit", f"{API}/predict", f"{API}/models", f"{API}/aliases"
MODEL, JOBS = f"{MODELS}/{EXAMPLE_NAME}", f"{API}/jobs"


def fit(client: httpx.Client, *names: str, **more: object) -> None:
    """Train the example's rows under each name."""
    for name in names or (EXAMPLE_NAME,):
        assert client.post(FIT_PATH, json={**FIT, "model_name": name, **more}).status_code == 200


def check_problem(reply: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Check that a reply is a problem of one kind, and return it."""
    document: dict[str, object] = reply.json()
    assert (reply.status_code, document["code"]) == (status, code), document
    assert reply.headers["content-type"] == "application/problem+json"
    assert document.keys() >= {"type", "title", "status", "code", "detail", "request_id"}
    assert document["status"] == status
    assert document["type"] == f"urn:windrow:problem:{code}"
    assert document["request_id"] == reply.headers["x-request-id"]
    assert SECRET not in reply.text
    return document


def read_head(connection: socket.socket) -> bytes:
    """Return an answer up to the end of its head at least."""
    return read_while(connection, lambda received: b"\r\n\r\n" not in received)


def read_while(connection: socket.socket, is_needed: Callable[[bytes], bool]) -> bytes:
    """Receive until no more is needed; a server that hangs up before is an error, not a wait without end."""
    connection.settimeout(30)
    received = b""
    while is_needed(received):
        part = connection.recv(65_536)
        assert part, received
        received += part
    return received


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for something that happens in another thread or process: soon, or never."""
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)
