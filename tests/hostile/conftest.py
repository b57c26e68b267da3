"""A server for strangers: a process with a limit on its memory, which says how much it took at most."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
# Of addresses, which the stacks of threads take too; far less than what the faults took.
MAX_ADDRESS_BYTES = 6 * 10**9


@dataclass(frozen=True)
class Victim:
    """A server process that is attacked.

    Args:
        process: The process.
        port: On 127.0.0.1.
        client: Asks it in the usual way.
    """

    process: "subprocess.Popen[str]"
    port: int
    client: httpx.Client

    def forget_peak(self) -> int:
        """Return its resident memory in bytes, from which the next peak is measured."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._memory_bytes("VmRSS")

    def peak_bytes(self) -> int:
        """Return the most resident memory since :meth:`forget_peak`, in bytes."""
        return self._memory_bytes("VmHWM")

    def _memory_bytes(self, which: str) -> int:
        found = re.search(rf"{which}:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) * 1024


StartVictim = Callable[..., Victim]


@pytest.fixture
def start_victim(tmp_path: Path) -> Iterator[StartVictim]:
    """Start a server with some settings; whatever happens, it is gone after the test."""
    started: list[Victim] = []

    def start(*flags: str, **variables: str) -> Victim:
        log = tmp_path / f"log{len(started)}"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.fakes.server", *flags],
                cwd=ROOT,
                env={**os.environ, "WINDROW_PORT": "0", **variables},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MAX_ADDRESS_BYTES, MAX_ADDRESS_BYTES))
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None, log.read_text()
        started.append(Victim(process, int(found[1]), httpx.Client(base_url=found[0], timeout=120)))
        return started[-1]

    yield start
    for victim in started:
        victim.client.close()
        victim.process.kill()
        victim.process.communicate()
