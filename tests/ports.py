"""Ports of this machine for programs that tests start and that cannot be asked which one they took."""

import itertools
import os
import random
import socket
from contextlib import suppress

HOST = "127.0.0.1"
# Above those that Ray gives to its workers and to servers of its clients, and below those that the system gives to
# whoever asks for any, also for each connection that is made: until a program listens, nobody else is given its port.
_FIRST, _PORTS_A_WORKER, _MAX_WORKERS = 24_100, 500, 16


def _ports_of(worker: str) -> list[int]:
    """Return the ports of one of the processes that share the tests, in any order."""
    number = int(worker.removeprefix("gw") or 0) % _MAX_WORKERS
    ports = [_FIRST + number * _PORTS_A_WORKER + each for each in range(_PORTS_A_WORKER)]
    random.SystemRandom().shuffle(ports)
    return ports


_ports = itertools.cycle(_ports_of(os.environ.get("PYTEST_XDIST_WORKER", "gw0")))


def free_port() -> int:
    """Return a port on which nobody listens, and which no other test is given."""
    for port in itertools.islice(_ports, _PORTS_A_WORKER):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise AssertionError("no port is free")
