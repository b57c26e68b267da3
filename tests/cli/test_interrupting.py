"""Ctrl-C at a terminal, as a signal to a group of processes, while a server is silent."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.sockets import ScriptedServer
from tests.http.conftest import RunningApp, operations, running_app
from tests.toy import Toy
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.prediction import IsConnected

pytestmark = pytest.mark.slow

__all__ = ["operations", "running_app"]
# Without having heard Ctrl-C, a verb would wait for its server twice as long, or for ever.
CANCEL_TIMEOUT_S = 30


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What a silent server waits for."""
    released = threading.Event()
    yield released
    released.set()


def start(*arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "windrow", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def press_ctrl_c(process: "subprocess.Popen[str]", times: int = 1) -> tuple[int, str]:
    """Return the exit code and what was said, once the verb has ended."""
    try:
        for _ in range(times):
            os.killpg(process.pid, signal.SIGINT)
            threading.Event().wait(0.05)  # so that they come one after the other
        _, said = process.communicate(timeout=CANCEL_TIMEOUT_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    return process.returncode, said


def test_ctrl_c_ends_a_fit_whose_server_is_silent(rows_file: Path, released: threading.Event) -> None:
    asked = threading.Event()

    def stay_silent(connection: object) -> None:
        asked.set()
        released.wait(60)

    with ScriptedServer([stay_silent]) as server:
        process = start("fit", "tickets_v1", rows_file, "--url", server.url)
        assert asked.wait(60)
        code, said = press_ctrl_c(process)
        released.set()
    assert code == 130
    [line] = said.splitlines()
    assert line.startswith("windrow: stopped; but the training could not be cancelled: ")
    assert "may go on" in line
    assert "`windrow jobs`" in line


@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_ends_a_predict_whose_server_is_silent(
    times: int, rows_file: Path, running_app: RunningApp, operations: Toy, released: threading.Event
) -> None:
    asked = threading.Event()

    def stay_silent(is_connected: IsConnected) -> None:
        asked.set()
        released.wait(60)

    operations.fit(FitRequest("tickets_v1", (Row("a", "b"), Row("c", "d"))))
    operations.before_predict = stay_silent
    running_app.switch.chosen = operations
    process = start("predict", "tickets_v1", rows_file, "--quiet", "--url", f"http://127.0.0.1:{running_app.port}")
    assert asked.wait(60)
    code, said = press_ctrl_c(process, times)
    assert code == 130
    [line] = said.splitlines()
    assert line.startswith("windrow: stopped; ")
