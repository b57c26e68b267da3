"""Runs the tour of README.md as a reader would: a real server, a real shell, the blocks one after another.

In a ``sh`` block, ``make serve`` stops the server if one runs and starts one; anything else goes to a shell. A ``json``
block after it shows the reply, or those members of it that the reader needs now. Variables hold for all later blocks.
"""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

START_TIMEOUT_S = 120
SHUTDOWN_TIMEOUT_S = 60
SHOWN_ADDRESS = "127.0.0.1:14345"
VARYING = {"created_at", "training_time_seconds", "size_bytes"}
# A member that stands for all that the README leaves out.
MORE = "…"
SCORE_TOLERANCE = 0.02


@dataclass(frozen=True)
class Step:
    """One block of the tour: the commands, and the reply that the README shows, if it shows one."""

    commands: str
    shown: str | None


def steps(markdown: str, heading: str) -> list[Step]:
    """Return the blocks under a heading."""
    section = markdown.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```sh\n(.*?)```(?:\s*```json\n(.*?)```)?", section, re.DOTALL)
    return [Step(commands.strip(), shown or None) for commands, shown in blocks]


def differences(shown: object, got: object, where: str = "reply") -> Iterator[str]:
    """Yield each place where a reply is not what the README shows; times differ and scores may, a little."""
    if isinstance(shown, dict) and isinstance(got, dict):
        names = [name for name in got if name in shown] if MORE in shown else list(got)
        if [name for name in shown if name != MORE] != names:
            yield f"{where} has the fields {list(got)}, not {list(shown)}"
        for key in shown.keys() & got.keys():
            if key not in VARYING:
                yield from differences(shown[key], got[key], f"{where}.{key}")
    elif isinstance(shown, list) and isinstance(got, list) and len(shown) == len(got):
        for number, (left, right) in enumerate(zip(shown, got, strict=True)):
            yield from differences(left, right, f"{where}[{number}]")
    elif isinstance(shown, float) and isinstance(got, float):
        if abs(shown - got) > SCORE_TOLERANCE:
            yield f"{where} is {got}, not about {shown}"
    elif shown != got:
        yield f"{where} is {got!r}, not {shown!r}"


class Tour:
    """A reader at work in an empty folder: at most one server, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self._variables: list[str] = []

    def take(self, step: Step) -> str:
        """Do what a block says and return what it prints."""
        if step.commands == "make serve":
            self.stop()
            self._start()
            return ""
        commands = step.commands.replace(SHOWN_ADDRESS, f"127.0.0.1:{self._port}")
        shell = ["bash", "-euo", "pipefail", "-c", "\n".join([*self._variables, commands])]
        done = subprocess.run(shell, cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        self._variables += re.findall(r"^[A-Z]+=\S+$", commands, re.MULTILINE)
        return done.stdout

    def stop(self) -> None:
        """Press Ctrl-C, if a server runs, and wait for its end."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            code = self._server.wait(SHUTDOWN_TIMEOUT_S)
            self._server = None
            log = self._log()
            assert code == 0, log
            assert "Traceback" not in log, log
            assert "warning" not in log.casefold(), log

    def kill(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(SHUTDOWN_TIMEOUT_S)

    def _start(self) -> None:
        command = [sys.executable, "-m", "windrow", "serve", "--port", str(self._port), "--data-dir", "windrow-data"]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            assert self._server.poll() is None, self._log()
            assert time.monotonic() < deadline, self._log()
            time.sleep(0.05)

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health", timeout=5) as reply:
            return bool(json.load(reply)["status"] == "ok")
        return False

    def _log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")
