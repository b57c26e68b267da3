"""Measure the main job on this machine: a warm fit, single predictions, memory, disk, start.

Starts a real server on a new data directory and talks to it over HTTP. "Bare" is the same text through ``tokenizers``
and a plain ONNX Runtime session, called in this process: the standard export of the same model by ``torch.onnx``, with
no server around it. Both are measured in one run, in turns, so that a drift of the machine's speed hits both.

Run: make bench-serve
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import httpx
import psutil
from bare import Bare
from draws import tickets
from server import classifier_bytes, post, running_server

BLOCKS, CALLS_IN_A_BLOCK = 15, 20
# Each call finds an idle machine: no thread of the call before still spins.
PAUSE_S = 0.01
NAME = "ticket_classifier_v1"
TEXT = "I was charged twice for my subscription this month"


def main() -> None:
    """Measure and print a table."""
    figures: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        with running_server(data_dir):
            pass  # the first start exports the graph
        with running_server(data_dir) as (server, url, ready_s):
            figures.append(("second start, to the first answer", f"{ready_s:.2f} s"))
            measure_server(url, server, figures)
        for name in (NAME, f"{NAME}_adapted"):
            size_kb = classifier_bytes(data_dir, name) / 1000
            figures.append((f"{name} on disk, beside its rows", f"{size_kb:.1f} kB"))
    figures.append(("windrow --help", f"{measure(help_text, 7):.3f} s"))
    width = max(len(name) for name, _ in figures)
    for name, value in figures:
        print(f"{name:<{width}}  {value}")


def measure_server(url: str, server: psutil.Process, figures: list[tuple[str, str]]) -> None:
    """Measure fits and predictions over HTTP."""
    with httpx.Client(base_url=url, timeout=120) as client:
        names = {NAME: 0, f"{NAME}_adapted": 20}
        for name, num_iterations in names.items():
            request = {"model_name": name, "training_data": tickets(), "num_iterations": num_iterations}
            fit_s = measure(partial(post, client, "fit", request), 7)
            figures.append(
                (f"warm fit of 24 short texts in 3 classes, num_iterations={num_iterations}", f"{fit_s:.3f} s")
            )
        bare = {
            "bare, 2 threads": Bare(callers=1, spinning=False),
            "bare, 2 threads that spin": Bare(callers=1, spinning=True),
        }
        # The plainest client, so that what is measured is the server.
        connection = HTTPConnection(client.base_url.host, client.base_url.port)
        calls: dict[str, Callable[[str], object]] = {
            "predict over HTTP": partial(ask, connection, NAME),
            "predict over HTTP, adapter": partial(ask, connection, f"{NAME}_adapted"),
            "predict over HTTP, a text that came before": lambda _: ask(connection, NAME, TEXT),
            **{name: partial(encode_one, session) for name, session in bare.items()},
        }
        medians = in_turns(calls)
        connection.close()
        best = min(medians[name] for name in bare)
        for name, median in medians.items():
            figures.append((f"{name}, p50", f"{median:.2f} ms, {median / best:.2f} times the faster bare one"))
    figures.append(("server's resident memory", f"{server.memory_info().rss / 2**20:.0f} MiB"))
    children = sum(child.memory_info().rss for child in server.children(recursive=True))
    figures.append(("its training process's resident memory", f"{children / 2**20:.0f} MiB"))


def ask(connection: HTTPConnection, model_name: str, text: str) -> dict[str, object]:
    """Have one text classified."""
    body = json.dumps({"model_name": model_name, "text": text})
    connection.request("POST", "/v1/classifier/predict", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    answer: dict[str, object] = json.loads(reply.read())
    assert reply.status == 200, answer
    return answer


def encode_one(session: Bare, text: str) -> object:
    """Encode one text without a server."""
    return session.encode([text])


def in_turns(calls: dict[str, Callable[[str], object]]) -> dict[str, float]:
    """Return the median of each call in milliseconds, made in alternating blocks.

    The words come in another order each time, so that no text is known from before.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    words, order = TEXT.split(), random.Random(0)
    for _ in range(BLOCKS):
        for name, call in calls.items():
            call(TEXT)
            for _ in range(CALLS_IN_A_BLOCK):
                text = " ".join(order.sample(words, len(words)))
                time.sleep(PAUSE_S)
                started = time.perf_counter()
                call(text)
                times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def measure(call: Callable[[], object], runs: int) -> float:
    """Return the median wall seconds of a call, after one that does not count."""
    call()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def help_text() -> None:
    """Run ``windrow --help``."""
    environment = {**os.environ, "TERM": "dumb"}
    subprocess.run([sys.executable, "-m", "windrow", "--help"], check=True, capture_output=True, env=environment)


if __name__ == "__main__":
    main()
