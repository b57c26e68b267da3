"""Puts a deployment on a cluster, exchanges it for a new one while it answers, shows it and takes it away.

Everything that can be known before is looked at on every node first: what fails there leaves all as it is.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from windrow import __version__
from windrow.deployment.application import DEPLOYMENT, application
from windrow.deployment.plan import Plan
from windrow.deployment.probe import Finding, look
from windrow.domain.errors import DeploymentFailed, InvalidParameter, WindrowError, class_of
from windrow.domain.words import literal
from windrow.execution.ray_versions import find_differences
from windrow.settings import Settings, read_settings, variable_name

_PROXIES: Final = "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"
_FRONT: Final = "windrow.http.front.proxy_middlewares"
# What the proxies need to know; Ray Serve keeps it until it is shut down.
_FOR_PROXIES: Final = ("max_body_bytes", "max_import_bytes")
_EVERY_ADDRESS: Final = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
_PROBE_TIMEOUT_S: Final = 60.0
_POLL_S: Final = 0.5
_LONGEST_MESSAGE: Final = 500
_OWN_ERROR: Final = re.compile(r"windrow\.domain\.errors\.\w+: (.+)")


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is on a cluster.

    Args:
        status: As Ray Serve calls it: ``RUNNING``, ``DEPLOYING``, ``UNHEALTHY``, ``DEPLOY_FAILED``.
        replicas: How many there are in each state.
        message: What Ray Serve says beside it.
        url: Where the proxies answer: on this machine's node, and on each other one with a replica.
    """

    status: str
    replicas: Mapping[str, int]
    message: str
    url: str

    @property
    def running(self) -> int:
        """The replicas that answer."""
        return self.replicas.get("RUNNING", 0)


def deploy(plan: Plan, variables: Mapping[str, str], timeout_s: float) -> Deployed:
    """Put a deployment on the connected cluster, or exchange the one of this name for it; wait until it answers.

    Args:
        plan: How many replicas, and of which size.
        variables: The settings that all replicas share.
        timeout_s: How long to wait.

    Raises:
        InvalidParameter: A value cannot be used on a node, or Ray Serve listens elsewhere already.
        DeploymentFailed: The nodes have another release, or the replicas do not start. An earlier deployment goes on.
        WindrowError: What a node says.
    """
    settings = read_settings(variables)
    serving = _http_config()
    if serving is not None:
        _check_address(settings, serving)
    _check_nodes(variables, (settings.host, settings.port) if serving is None else None)
    if serving is None:
        _start_proxies(settings)
    _run(plan, variables)
    return _wait(plan, timeout_s)


def show(name: str) -> Deployed | None:
    """Return what is on the connected cluster under a name; ``None`` for nothing.

    Args:
        name: What Ray Serve calls the application.
    """
    from ray import serve

    config = _http_config()
    if config is None or (found := serve.status().applications.get(name)) is None:
        return None
    deployment = found.deployments.get(DEPLOYMENT)
    replicas = {} if deployment is None else {str(state): count for state, count in deployment.replica_states.items()}
    messages = [found.message, "" if deployment is None else deployment.message]
    return Deployed(str(found.status.value), replicas, _reason(" ".join(filter(None, messages))), _url(config))


def delete(name: str) -> bool:
    """Take a deployment away; running requests are finished first. Return whether there was one.

    Where nothing else is served, the proxies end too, so that the next deployment may listen elsewhere.

    Args:
        name: What Ray Serve calls the application.
    """
    from ray import serve

    if show(name) is None:
        return False
    serve.delete(name)
    if not serve.status().applications:
        serve.shutdown()  # type: ignore[no-untyped-call]
    return True


def _http_config() -> Any:
    """Return how the proxies of the cluster listen; ``None`` where Ray Serve does not run there."""
    from ray.serve.context import _get_global_client

    client = _get_global_client(raise_if_no_controller_running=False)
    return None if client is None else client.http_config


def _url(config: Any) -> str:
    """Return where the proxies answer: at the node of this machine, where they listen on every address."""
    import ray

    host = str(config.host)
    if host in _EVERY_ADDRESS:
        host = str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
    return f"http{'s' if config.ssl_certfile else ''}://{f'[{host}]' if ':' in host else host}:{config.port}"


def _check_address(settings: Settings, serving: Any) -> None:
    if (serving.host, serving.port) != (settings.host, settings.port):
        raise InvalidParameter(
            "Ray Serve listens on {host} port {port} on this cluster already, and cannot change that while it runs. "
            "Name these with {arg:host} and {arg:port}; or, where nothing else is served, end it with `serve shutdown` "
            "first.",
            {"parameter": "port", "host": serving.host, "port": serving.port},
        )


def _check_nodes(variables: Mapping[str, str], address: tuple[str, int] | None) -> None:
    """Ask each node whether a replica could start there.

    Raises:
        DeploymentFailed: A node has no Windrow, or another release.
        WindrowError: What a node says is in the way.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    probe = ray.remote(look)
    listed: Any = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = [each["NodeID"] for each in listed if each["Alive"]]
    asked = {
        node: probe.options(
            num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
        ).remote(dict(variables), address)
        for node in nodes
    }
    for node, answer in asked.items():
        try:
            found = Finding(**ray.get(answer, timeout=_PROBE_TIMEOUT_S))
        except Exception as error:  # Ray raises what it likes where a node cannot load the function
            raise _no_answer(node, error) from error
        if differences := find_differences(found.versions):
            raise DeploymentFailed(
                "Node {node} has other versions than this command: {differences:joined}. Install the same ones on all "
                "nodes, then deploy again; nothing was changed.",
                {"node": node, "differences": differences},
            )
        if found.problem:
            kind = class_of(found.code) or DeploymentFailed
            raise kind(literal(f"Node {node}: {found.problem}"), {"node": node})


def _no_answer(node: str, error: Exception) -> DeploymentFailed:
    return DeploymentFailed(
        'Node {node} cannot load this release of Windrow: {why}. Install "windrow[ray]" {expected} there, then deploy '
        "again; nothing was changed.",
        {"node": node, "why": _short(str(error).strip().rpartition("\n")[2]), "expected": __version__},
    )


def _start_proxies(settings: Settings) -> None:
    """Start Ray Serve, with a proxy on each node that has a replica.

    Raises:
        DeploymentFailed: The proxies do not start.
    """
    from ray import serve

    variables = {variable_name(name): str(getattr(settings, name)) for name in _FOR_PROXIES}
    http = {"host": settings.host, "port": settings.port, "keep_alive_timeout_s": settings.keep_alive_s}
    if settings.tls_cert:
        http |= {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key or settings.tls_cert}
    with _as_failure():
        serve.start(
            proxy_location="EveryNode",
            http_options=http,
            controller_options={"runtime_env": {"env_vars": {_PROXIES: _FRONT, **variables}}},
        )


def _run(plan: Plan, variables: Mapping[str, str]) -> None:
    from ray import serve

    with _as_failure():
        target = serve.RunTarget(application(plan, variables), name=plan.name, route_prefix="/")
        serve.run_many([target], wait_for_applications_running=False)


@contextmanager
def _as_failure() -> Iterator[None]:
    """Tell what Ray refuses as an error of ours.

    Raises:
        DeploymentFailed: Ray refused something.
    """
    try:
        yield
    except WindrowError:
        raise
    except Exception as error:  # Ray raises what it likes
        raise DeploymentFailed(
            "Ray Serve refuses the deployment: {why}. What was deployed before goes on; put that right and deploy "
            "again.",
            {"why": _short(str(error))},
        ) from error


def _wait(plan: Plan, timeout_s: float) -> Deployed:
    """Wait until all replicas are new ones and answer.

    Raises:
        DeploymentFailed: They do not start, or not in time.
    """
    deadline = time.monotonic() + timeout_s
    while (found := show(plan.name)) is None or found.status not in ("RUNNING", "DEPLOY_FAILED"):
        if time.monotonic() > deadline:
            raise DeploymentFailed(
                "The replicas do not all answer after {seconds:.0f} s ({replicas}{message}). Ray goes on trying, and "
                "an earlier deployment goes on answering: look again with `windrow deploy ray --status`, and whether "
                "the nodes have {cpus:g} processors free for one more replica with `ray status`.",
                {
                    "seconds": timeout_s,
                    "replicas": "no replica" if found is None else _states(found),
                    "message": f"; {found.message}" if found is not None and found.message else "",
                    "cpus": plan.cpus,
                },
            )
        time.sleep(_POLL_S)
    if found.status != "RUNNING":
        raise DeploymentFailed(
            "The replicas do not start: {message}. An earlier deployment goes on answering. Look at the log of a "
            "replica with `ray logs`, put that right and deploy again.",
            {"message": found.message or found.status},
        )
    return found


def _states(found: Deployed) -> str:
    return ", ".join(f"{count} {state.lower()}" for state, count in found.replicas.items()) or "no replica"


def _reason(message: str) -> str:
    """Return what an error of ours says in what Ray Serve tells, which has the whole traceback; else its end."""
    own = _OWN_ERROR.search(message)
    return _short(message) if own is None else own[1]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_MESSAGE else f"…{line[-_LONGEST_MESSAGE:]}"
