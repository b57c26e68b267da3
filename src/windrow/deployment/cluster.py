"""Connects a command to a Ray cluster, or says in a sentence why it cannot."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from windrow.domain.errors import ClusterUnavailable
from windrow.execution.ray_cluster import find_obstacle, words_of
from windrow.settings import read_environment

_ADDRESS = "RAY_ADDRESS"
# What Ray calls the cluster that runs on this machine.
_HERE = "auto"


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Be connected to a cluster inside a ``with`` block.

    Args:
        address: Its head, as HOST:PORT, or as ray://HOST:PORT; ``None`` for what RAY_ADDRESS says, or the cluster of
            this machine.

    Raises:
        ClusterUnavailable: Ray is not installed, or no cluster can be reached there.
    """
    try:
        import ray
    except ImportError as error:
        raise ClusterUnavailable(
            'Ray is not installed here. Install it with `pip install "windrow[ray]"`.', {"package": "ray"}
        ) from error
    address = address or read_environment().get(_ADDRESS) or _HERE
    if (obstacle := find_obstacle(address)) is not None:
        raise _unreachable(address, obstacle)
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise _unreachable(address, words_of(error)) from error
    import ray.serve

    # It tells each of its steps, in which users of Windrow find nothing.
    logging.getLogger(ray.serve.__name__).setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def _unreachable(address: str, why: str) -> ClusterUnavailable:
    if address == _HERE:
        return ClusterUnavailable(
            "No Ray cluster runs on this machine. Start one with `ray start --head`, or name one as HOST:PORT with "
            "--address or RAY_ADDRESS.",
            {"address": address},
        )
    return ClusterUnavailable(
        "The Ray cluster at {address} cannot be reached: {why}. Check that address, and that the cluster runs: "
        "`ray status --address {address}`.",
        {"address": address, "why": why},
    )
