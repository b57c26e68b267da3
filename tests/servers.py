"""Real server processes, the real encoder, real training: the product as users run it, and what they ask of it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

START_TIMEOUT_S = 120
# Tickets in words of our own, mixed up enough that the encoder alone misplaces some, so that an adapter is trained.
TICKETS = {
    "refund": ["give me my money back", "I want what I paid returned", "cancel it and repay me", "reimburse the fee"],
    "invoice": ["send me the bill", "the amount on the receipt is odd", "which fee is this", "a paper for what I paid"],
    "login": ["it does not let me in", "my code is refused", "the door stays shut for me", "who changed my password"],
}


def hard_rows(num_rows: int = 900) -> list[dict[str, str]]:
    """Return rows whose label has nothing to do with the text, so that the encoder is trained, which takes minutes."""
    return [
        {"text": f"row {place} says this and more", "label": "abc"[place * place // 7 % 3]} for place in range(num_rows)
    ]


@dataclass(frozen=True)
class Running:
    """A server process and a client of it."""

    process: "subprocess.Popen[str]"
    client: httpx.Client
    log: Path


Start = Callable[..., Running]


class Servers:
    """Starts servers, each with a log of its own.

    Args:
        folder: Where the logs are kept.
        python: Of the environment that Windrow is installed in.
    """

    def __init__(self, folder: Path, python: Path | str = sys.executable) -> None:
        self._folder = folder
        self._python = str(python)
        self._started: list[Running] = []

    def start(self, data_dir: Path | str, *options: str, **variables: str) -> Running:
        """Start a server on a data directory, and wait until it listens."""
        log = self._folder / f"server-{len(self._started)}.log"
        with log.open("w") as sink:
            process = subprocess.Popen(
                [self._python, "-m", "windrow", "serve", "--port", "0", *options],
                stdout=sink,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, "WINDROW_DATA_DIR": str(data_dir), **variables},
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        self._started.append(Running(process, httpx.Client(base_url=found[0], timeout=120), log))
        return self._started[-1]

    def stop(self) -> None:
        """Kill them all."""
        for server in self._started:
            server.client.close()
            server.process.kill()
            server.process.wait()


def fit(server: Running, name: str = "tickets_v1", *, swapped: bool = False, **more: object) -> dict[str, object]:
    labels = dict(zip(TICKETS, reversed(TICKETS), strict=True)) if swapped else {label: label for label in TICKETS}
    rows = [{"text": text, "label": labels[label]} for label, texts in TICKETS.items() for text in texts]
    reply = server.client.post("/v1/classifier/fit", json={"model_name": name, "training_data": rows, **more})
    assert reply.status_code == 200, reply.text
    answer: dict[str, object] = reply.json()
    return answer


def predict(server: Running, name: str = "tickets_v1", text: str = "send me the bill") -> httpx.Response:
    return server.client.post("/v1/classifier/predict", json={"model_name": name, "text": text})
