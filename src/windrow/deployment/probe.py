"""What each node of a cluster is asked before anything is deployed, so that a deployment fails whole or not at all."""

import contextlib
import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windrow.bootstrap import open_service
from windrow.deployment.plan import check_data_dir
from windrow.domain.errors import WindrowError
from windrow.execution.ray_versions import own_versions
from windrow.http.server import check_access
from windrow.settings import Settings, read_environment, read_key_file, read_settings, variable_name

_CONNECT_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a node says of itself.

    Args:
        versions: What the nodes must have in common (``ray_versions.own_versions``).
        problem: Why no replica could start there; empty where one could.
        code: The code of that error.
    """

    versions: Mapping[str, str]
    problem: str = ""
    code: str = ""


def look(variables: Mapping[str, str], address: tuple[str, int] | None) -> dict[str, Any]:
    """Look whether a replica could start on this node; nothing is changed but that an empty store is tested.

    Args:
        variables: The settings that replicas share.
        address: Where the node's proxy is to listen; ``None`` where one listens already.

    Returns:
        The fields of a :class:`Finding`.
    """
    problem, code = "", ""
    try:
        settings = read_settings({**read_environment(), **variables})
        check_data_dir(settings)
        check_access(settings, needs_key=_needs_key(settings))
        problem = "" if address is None else _port_problem(*address)
        code = "invalid_parameter" if problem else ""
    except WindrowError as error:
        problem, code = error.detail, error.code
    return {"versions": own_versions(), "problem": problem, "code": code}


def _needs_key(settings: Settings) -> bool:
    """Whether a replica here would ask for an API key; the first one that starts makes the first key, if it is to."""
    service = open_service(settings)
    try:
        service.keys.update()
        if service.keys.is_needed or not settings.first_key_file:
            return service.keys.is_needed
        read_key_file(settings.first_key_file, variable_name("first_key_file"))
        return True
    finally:
        service.close()


def _port_problem(host: str, port: int) -> str:
    """Return why a proxy could not listen at an address; empty where it could."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    shown = "::1" if host == "::" else "127.0.0.1" if host in ("0.0.0.0", "") else host  # noqa: S104 - asked, not bound
    # Proxies share a port, and so may any other program of this user: one that listens answers.
    with contextlib.suppress(OSError), socket.create_connection((shown, port), _CONNECT_TIMEOUT_S):
        return f"Another program listens on port {port}. Stop it, or choose another port with --port."
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            probe.bind((host, port))
    except OSError as error:
        why = "another program listens there" if error.errno == errno.EADDRINUSE else error.strerror
        return f"Nothing can listen on {host} port {port}: {why}. Choose another address with --host and --port."
    return ""
