"""What Windrow needs of a Ray cluster, and the sentences for what may be wrong with one."""

import importlib.util
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from windrow.domain.errors import ClusterUnavailable, InvalidParameter
from windrow.execution.ray_versions import find_differences
from windrow.settings import LOCAL_RUNNER, RAY_RUNNER, Settings, read_environment, variable_name

# A driver on another machine speaks Ray's client protocol, to this kind of address.
CLIENT_SCHEME: Final = "ray://"
# What Ray says of an actor whose class it could not load, or not make.
NOT_MADE: Final = "creation task"
_PROBE_TIMEOUT_S: Final = 5.0
# The variables of a driver, beside those of a training process: where the cluster is and how it is spoken to.
_PREFIXES: Final = ("RAY_", "GRPC_")
# For so many seconds a cluster goes on for a client that is gone. Ray's 30 are long for whoever has cancelled.
_CLIENT_GRACE: Final = "RAY_CLIENT_RECONNECT_GRACE_PERIOD"
_CLIENT_GRACE_S: Final = "5"
# How a gRPC connection begins, and where the answer has its kind, which is one of the settings. Source: RFC 9113, 3.4
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
_KIND_AT: Final = 3
_SETTINGS: Final = 4
_NO_RAY: Final = "what listens there is not Ray"


@dataclass(frozen=True, slots=True)
class RayOptions:
    """What a driver is to know.

    Args:
        runner: The setting ``runner``: ``ray``, or ``ray://HOST:PORT``.
        threads: Those of a task, and so the processors that it takes of a node.
        memory_bytes: What a training process may use; 0 for its part of the node's memory.
        connect_s: How long the cluster may take to let a driver in.
        schedule_s: How long a node with enough processors may take to appear, where a cluster grows by demand.
        idle_s: How long a training process on the cluster stays warm without a task.
    """

    runner: str
    threads: int
    memory_bytes: int = 0
    connect_s: float = 60.0
    schedule_s: float = 120.0
    idle_s: float = 60.0

    def to_json(self) -> str:
        """Return the options as an argument of a process."""
        return json.dumps(asdict(self))


def driver_options(text: str) -> RayOptions:
    """Return the options that :meth:`RayOptions.to_json` wrote."""
    return RayOptions(**json.loads(text))


def check_runner(settings: Settings) -> None:
    """Refuse a setting that can never work; a cluster that is down is told by the training that needs it.

    Raises:
        InvalidParameter: Ray is to run trainings, and is not installed.
    """
    if settings.runner != LOCAL_RUNNER and importlib.util.find_spec("ray") is None:
        raise InvalidParameter(
            "The runner {value} takes Ray, which is not installed. Install it with: {command}.",
            {
                "parameter": "runner",
                "setting": variable_name("runner"),
                "value": settings.runner,
                "command": 'pip install "windrow[ray]"',
            },
        )


def driver_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a driver: a training process's, and Ray's own variables.

    Args:
        variables: The variables of a training process (``isolation.trim_environment``).
    """
    own = {name: value for name, value in read_environment().items() if name.startswith(_PREFIXES)}
    # Ray tells its makers nothing of a cluster that Windrow works with.
    return {**variables, _CLIENT_GRACE: _CLIENT_GRACE_S, **own, "RAY_USAGE_STATS_ENABLED": "0"}


def connect(options: RayOptions) -> None:
    """Connect this process to the cluster; it never starts one.

    A process whose attempt failed is of no further use: Ray may go on trying.

    Raises:
        ClusterUnavailable: There is no cluster, it cannot be reached, or its versions are others.
    """
    address = _address(options.runner)
    if (obstacle := find_obstacle(address)) is not None:
        raise unreachable(options.runner, f"{address}: {obstacle}")
    connected: list[BaseException | None] = []
    thread = threading.Thread(target=lambda: connected.append(_initialize(address)), daemon=True)
    thread.start()
    thread.join(options.connect_s)
    if not connected:
        raise unreachable(options.runner, f"it did not answer within {options.connect_s:.0f} seconds")
    if (error := connected[0]) is None:
        return
    message = words_of(error)
    if "ersion mismatch" in message or "ersions do not match" in message:
        raise other_versions("the cluster's head", [message])
    raise unreachable(options.runner, message[:300])


def words_of(error: BaseException) -> str:
    """Return what Ray says in an error on one line, without the traceback that comes from the cluster."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if any(line.startswith("Traceback") or ": Traceback" in line for line in lines):
        lines = lines[-1:]
    return " ".join(" ".join(lines).split()) or type(error).__name__


def _address(runner: str) -> str:
    if runner != RAY_RUNNER:
        return runner
    # "local" would have Ray start a cluster of its own.
    named = read_environment().get("RAY_ADDRESS", "")
    return named if named not in ("", "local") else "auto"


def is_client(runner: str) -> bool:
    """Whether a driver speaks Ray's client protocol, and so is no part of the cluster.

    Args:
        runner: The setting.
    """
    return _address(runner).startswith(CLIENT_SCHEME)


def find_obstacle(address: str) -> str | None:
    """Look whether Ray may listen at a cluster's address: Ray itself takes minutes, and may then end this process.

    Args:
        address: HOST:PORT or ray://HOST:PORT; any other one is not looked at.

    Returns:
        What is in the way; ``None`` for nothing.
    """
    host, colon, port = address.removeprefix(CLIENT_SCHEME).rpartition(":")
    if not colon:
        return None
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _PROBE_TIMEOUT_S) as connection:
            return None if _has_tls() or _speaks_grpc(connection) else _NO_RAY
    except (OSError, ValueError, OverflowError) as error:  # the port may be no number, or none that there is
        return getattr(error, "strerror", None) or str(error)


def _has_tls() -> bool:
    return read_environment().get("RAY_USE_TLS", "0").lower() in ("1", "true")


def _speaks_grpc(connection: socket.socket) -> bool:
    """Whether the other side answers as what Ray listens with, within some seconds."""
    answer = b""
    try:
        connection.sendall(_PREFACE)
        while len(answer) <= _KIND_AT and (more := connection.recv(64)):
            answer += more
    except OSError:  # it says nothing, or breaks off
        return False
    return len(answer) > _KIND_AT and answer[_KIND_AT] == _SETTINGS


def _initialize(address: str) -> BaseException | None:
    import ray

    try:
        ray.init(address=address, configure_logging=False, log_to_driver=False)
    except BaseException as error:  # noqa: BLE001  Ray also raises SystemExit
        return error
    return None


def largest_node() -> float:
    """Return the processors of the largest node that lives; 0 where none has any."""
    import ray

    nodes: list[Mapping[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return max((float(each["Resources"].get("CPU", 0.0)) for each in nodes if each["Alive"]), default=0.0)


def check_versions(there: Mapping[str, str]) -> None:
    """Refuse a node with other versions than this process's.

    Args:
        there: What the node says (``ray_versions.own_versions``, and its name).

    Raises:
        ClusterUnavailable: A version is another one.
    """
    if differences := find_differences(there):
        raise other_versions(f"node {there.get('node', '?')}", differences)


def unreachable(runner: str, why: str) -> ClusterUnavailable:
    """Return the error of a cluster that does not let a driver in.

    Args:
        runner: The setting.
        why: What Ray or the system said.
    """
    return ClusterUnavailable(
        "The Ray cluster that {runner} stands for cannot be reached ({why}), so nothing ran there. Start it, or "
        "correct {setting}, --runner or RAY_ADDRESS, and try again.",
        {"problem": "unreachable", "setting": variable_name("runner"), "runner": runner, "why": why},
    )


def lost() -> ClusterUnavailable:
    """Return the error of a task whose driver lost the cluster."""
    return ClusterUnavailable(
        "The connection to the Ray cluster was lost while it trained. Nothing was saved; an earlier revision, if there "
        "is one, still answers. Look whether the cluster's head runs, and try again.",
        {"problem": "lost"},
    )


def other_versions(where: str, differences: list[str]) -> ClusterUnavailable:
    """Return the error of a cluster that has other versions than the server.

    Args:
        where: Of the cluster.
        differences: Each in words.
    """
    return ClusterUnavailable(
        "The versions on {where} are not the server's: {differences:joined}. Nothing was saved. Install the same "
        "versions of Windrow, Python and Ray on every node, and try again.",
        {"problem": "other_versions", "where": where, "differences": differences},
    )


def windrow_missing(why: str) -> ClusterUnavailable:
    """Return the error of a node on which Windrow's code cannot be loaded.

    Args:
        why: What Ray said.
    """
    return ClusterUnavailable(
        "A node of the Ray cluster cannot load Windrow ({why}). Nothing was saved. Install the server's version there: "
        "{command}, and try again.",
        {"problem": "windrow_missing", "why": why, "command": 'pip install "windrow[ray]"'},
    )


def no_processors(threads: int, largest: float) -> ClusterUnavailable:
    """Return the error of a cluster without a node that could ever take a task.

    Args:
        threads: The processors that were asked for.
        largest: Those of its largest node.
    """
    return ClusterUnavailable(
        "No node of the Ray cluster has the {processors} processors that a training takes; the largest has "
        "{largest:g}. Nothing was saved. Add a node with more, or lower {setting}, and try again.",
        {
            "problem": "no_processors",
            "processors": threads,
            "largest": largest,
            "setting": variable_name("fit_threads"),
        },
    )
