"""A real Windrow server for the benches: start it, call it, watch its memory, weigh what it wrote.

Owns the server process; knows nothing of what is measured with it.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

SAMPLE_EVERY_S = 0.05
LOOK_FOR_CHILDREN_EVERY_S = 1.0  # finding them costs milliseconds, reading their size does not


@contextmanager
def running_server(
    data_dir: Path | str, log_dir: Path | None = None, variables: Mapping[str, str] | None = None
) -> Iterator[tuple[psutil.Process, str, float]]:
    """Start a server on a free port; yield its process, its address, and the seconds to its first answer.

    Args:
        data_dir: Its data directory, which may be in an object store.
        log_dir: Where its log goes; ``None`` for the data directory.
        variables: Environment variables beside those of this process.
    """
    started = time.perf_counter()
    command = [sys.executable, "-m", "windrow", "serve", "--port", "0", "--data-dir", str(data_dir)]
    log_file = Path(log_dir or data_dir, f"server-{secrets.token_hex(4)}.log")
    log = log_file.open("w+")
    environment = {**os.environ, **(variables or {})}
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    try:
        url = _wait_for_address(process, Path(log.name))
        httpx.get(f"{url}/health").raise_for_status()
        yield psutil.Process(process.pid), url, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _wait_for_address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Return the address that the server prints when it is ready."""
    while process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.01)
    raise RuntimeError(log.read_text())


def post(client: httpx.Client, verb: str, body: Mapping[str, object]) -> Any:
    """Call a verb and return its reply."""
    reply = client.post(f"/v1/classifier/{verb}", json=body)
    if reply.is_error:
        raise RuntimeError(reply.text)
    return reply.json()


def classifier_bytes(data_dir: Path, name: str) -> int:
    """Return the bytes of a classifier's newest revision, without its training rows."""
    newest = max((data_dir / "classifiers" / name).glob("*.json"))
    blobs: dict[str, dict[str, int]] = json.loads(newest.read_text())["blobs"]
    return newest.stat().st_size + sum(blob["size_bytes"] for role, blob in blobs.items() if role != "rows")


@dataclass(slots=True)
class Peak:
    """The most resident memory that was seen.

    Args:
        own_bytes: Of the process itself.
        children_bytes: Of all its descendants together.
    """

    own_bytes: int = field(default=0)
    children_bytes: int = field(default=0)


@contextmanager
def watch_memory(process: psutil.Process) -> Iterator[Peak]:
    """Sample the resident memory of a process and its descendants until the block ends."""
    peak, done = Peak(), threading.Event()
    thread = threading.Thread(target=_sample, args=(process, peak, done), daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _sample(process: psutil.Process, peak: Peak, done: threading.Event) -> None:
    look_again_at = 0.0
    while True:
        try:
            if time.monotonic() >= look_again_at:
                children = process.children(recursive=True)
                look_again_at = time.monotonic() + LOOK_FOR_CHILDREN_EVERY_S
            peak.own_bytes = max(peak.own_bytes, process.memory_info().rss)
            peak.children_bytes = max(peak.children_bytes, sum(child.memory_info().rss for child in children))
        except psutil.NoSuchProcess:
            look_again_at = 0.0  # a child ended: look who is there now
        if done.wait(SAMPLE_EVERY_S):
            return
