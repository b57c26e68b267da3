"""Ray clusters of several nodes on this machine, each in processes of its own, for tests and ``bench/``."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.ports import HOST, free_port
from tests.source_tree import ROOT
from windrow.domain.errors import ClusterUnavailable

Answer = TypeVar("Answer")

_START_TIMEOUT_S = 60
# Ray looks for free ports and takes them later, when another cluster may have them.
_STARTS = 3


@dataclass(slots=True)
class RayCluster:
    """A cluster that runs.

    Args:
        process: Starts and ends the nodes.
        address: What drivers connect to, as ``HOST:PORT``.
        client_address: What those connect to that are no part of it, as ``ray://HOST:PORT``; empty where none may.
    """

    process: "subprocess.Popen[str]"
    address: str = ""
    client_address: str = ""

    def kill_node(self, number: int) -> None:
        """End a node as a power cut would; 0 is the head, without which there is no cluster."""
        self._ask(f"kill {number}")

    def add_node(self, cpus: int = 1) -> int:
        """Start another node, and return its number."""
        return int(self._ask(f"add {cpus}"))

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of a driver."""
        return {"RAY_ADDRESS": self.address, "RAY_USAGE_STATS_ENABLED": "0"}

    def _ask(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def ray_cluster(
    *cpus: int, log: Path | None = None, has_clients: bool = False, **variables: str
) -> Iterator[RayCluster]:
    """Run a cluster inside a ``with`` block.

    Args:
        cpus: The processors that each node says it has; the first node is the head.
        log: Where what the nodes print goes; ``None`` for nowhere.
        has_clients: Whether it lets drivers in that are no part of it.
        variables: Further environment variables of the nodes.
    """
    with (Path(os.devnull) if log is None else log).open("ab") as errors:
        for _ in range(_STARTS):
            port = free_port() if has_clients else 0
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.clusters.ray_nodes", *map(str, (port, *cpus))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env=os.environ | variables,
                start_new_session=True,
            )
            try:
                assert process.stdout is not None
                if address := process.stdout.readline().strip():
                    yield RayCluster(process, address, f"ray://{HOST}:{port}" if port else "")
                    return
            finally:
                _end(process)
        raise AssertionError("the cluster did not start")


def ask_as_client(ask: Callable[[], Answer]) -> Answer:
    """Ask until Ray lets a client in: it starts a server for each one, and gives up where that takes half a minute."""
    for _ in range(_STARTS):
        try:
            return ask()
        except ClusterUnavailable as error:
            refused = error
            assert refused.facts["problem"] == "unreachable", refused
    raise refused


def _end(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_START_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
