"""Ray clusters of several nodes on this machine, each in processes of its own, for tests and ``bench/``."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.source_tree import ROOT

_START_TIMEOUT_S = 60


@dataclass(slots=True)
class RayCluster:
    """A cluster that runs.

    Args:
        process: Starts and ends the nodes.
        address: What drivers connect to, as ``HOST:PORT``.
    """

    process: "subprocess.Popen[str]"
    address: str = ""

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
def ray_cluster(*cpus: int, log: Path | None = None, **variables: str) -> Iterator[RayCluster]:
    """Run a cluster inside a ``with`` block.

    Args:
        cpus: The processors that each node says it has; the first node is the head.
        log: Where what the nodes print goes; ``None`` for nowhere.
        variables: Further environment variables of the nodes.
    """
    with (Path(os.devnull) if log is None else log).open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.clusters.ray_nodes", *map(str, cpus)],
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
            cluster = RayCluster(process, process.stdout.readline().strip())
            assert cluster.address, "the cluster did not start"
            yield cluster
        finally:
            _end(process)


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
