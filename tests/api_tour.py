"""Runs the commands of docs/api.md as a reader would, one after another, on a server of FakeOperations.

A ``json`` block after a command shows the reply: its fields and their order count, not what they say.
"""

import os
import subprocess
from pathlib import Path

import httpx

from tests.http.conftest import ServerProcess
from windrow.wire.shapes import EXAMPLE_ROWS

# Is still being trained when it is cancelled.
HELD = "ticket_classifier_v3"
NAMES = ("ticket_classifier_v1", "ticket_classifier_v2", "cv_fold_1", "cv_fold_2")
ALIASES = ("ticket_classifier", "trial")
# Objects whose fields are data.
_FREE = {"scores", "rows_per_label", "versions"}


class ApiTour:
    """A server on which a few classifiers and aliases exist already.

    Args:
        folder: Where the commands run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = ServerProcess(["--hold", HELD], folder / "log", {})
        self._api = f"{self._server.url}/v1/classifier"
        rows = [{"text": text, "label": label} for text, label in EXAMPLE_ROWS]
        for name in NAMES:
            body = {"model_name": name, "training_data": rows}
            httpx.post(f"{self._api}/fit", json=body).raise_for_status()
        for alias in ALIASES:
            httpx.put(f"{self._api}/aliases/{alias}", json={"model_name": NAMES[1]}).raise_for_status()

    def take(self, commands: str) -> str:
        """Do what a block says and return what it prints."""
        shell = ["bash", "-euo", "pipefail", "-c", commands]
        environment = {**os.environ, "API": self._api}
        done = subprocess.run(shell, cwd=self._folder, env=environment, capture_output=True, text=True, check=True)
        assert '"urn:windrow:problem:' not in done.stdout, f"{commands}\n{done.stdout}"
        return done.stdout

    def kill(self) -> None:
        """Leave nothing behind, whatever happened."""
        self._server.process.kill()
        self._server.process.communicate()


def form(reply: object, like: object) -> object:
    """Return a reply's form: the fields of each object, in their order; of a list, that of its first entry.

    Args:
        reply: Parsed JSON.
        like: Another one; where it has no entry or no value, this one's does not count.
    """
    if isinstance(reply, dict) and isinstance(like, dict):
        return [(key, None if key in _FREE else form(value, like.get(key))) for key, value in reply.items()]
    if isinstance(reply, list) and isinstance(like, list) and reply and like:
        return [form(reply[0], like[0])]
    return None
