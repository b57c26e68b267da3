"""The command that puts the server on a cluster."""

from typing import TYPE_CHECKING, Annotated

import typer

from windrow.cli.exits import UNAVAILABLE
from windrow.cli.options import setting_help
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import counted
from windrow.settings import read_environment

if TYPE_CHECKING:
    from windrow.deployment.rollout import Deployed

_EXAMPLE = "Example: windrow deploy ray --data-dir s3://my-bucket/windrow --host 0.0.0.0"

verbs = typer.Typer()
deploy = typer.Typer(
    help="Put the server on a cluster: ray.", epilog=_EXAMPLE, no_args_is_help=True, rich_markup_mode=None
)
verbs.add_typer(deploy, name="deploy")


@deploy.callback()
def _deploy() -> None:
    """Put the server on a cluster."""


@deploy.command(epilog=_EXAMPLE)
def ray(  # noqa: PLR0913 - Typer makes an option of each
    data_dir: Annotated[
        str | None, typer.Option(metavar="URL", help="Place in an object store, as s3://BUCKET/PREFIX, gs:// or az://.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Head of the cluster; else RAY_ADDRESS, or that of this machine."),
    ] = None,
    min_replicas: Annotated[int, typer.Option(help="Replicas that are always there.")] = 2,
    max_replicas: Annotated[int, typer.Option(help="Most replicas under load.")] = 4,
    target_ongoing_requests: Annotated[
        float, typer.Option(help="Requests in work at the same time for which there is to be one replica.")
    ] = 8.0,
    cpus: Annotated[float, typer.Option(help="Processors set aside for a replica, and its threads to encode.")] = 1.0,
    upscale_delay: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long the load lasts before there are more replicas.")
    ] = 15.0,
    downscale_delay: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long it is over before there are fewer.")
    ] = 300.0,
    host: Annotated[str | None, typer.Option(help=setting_help("host"))] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help=setting_help("port"))] = None,
    insecure_no_keys: Annotated[
        bool | None, typer.Option("--insecure-no-keys", help=setting_help("insecure_no_keys"))
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="What Ray Serve calls the deployment.")] = "windrow",
    timeout: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="How long to wait for the replicas.")] = 300,
    status: Annotated[bool, typer.Option("--status", help="Change nothing, only show what is deployed.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Take the deployment away.")] = False,
) -> None:
    """Put the server on Ray Serve: equal replicas over one object store, as many as the load needs.

    Run it again for other settings or another release: new replicas take over one by one, and no request fails. All
    WINDROW_ variables of this shell are handed to the replicas, but for API keys; credentials of the store must be in
    the environment of each node. Every node is checked first: what cannot work there changes nothing.
    """
    if status and delete:
        raise InvalidParameter("--status shows and --delete takes away. Name one of them.", {"parameter": "delete"})
    from windrow.deployment.cluster import connected

    if status or delete:
        with connected(address):
            (_delete if delete else _show)(name)
        return
    from windrow.deployment import rollout
    from windrow.deployment.plan import Plan, shared_variables

    plan = Plan(name, min_replicas, max_replicas, target_ongoing_requests, cpus, upscale_delay, downscale_delay)
    settings = {"data_dir": data_dir, "host": host, "port": port, "insecure_no_keys": insecure_no_keys}
    given = {setting: value for setting, value in settings.items() if value is not None}
    plan.check()
    variables = shared_variables(read_environment(), plan, given)
    with connected(address):
        _print(rollout.deploy(plan, variables, timeout))


def _show(name: str) -> None:
    from windrow.deployment import rollout

    found = rollout.show(name)
    if found is None:
        print(f"Nothing called {name} is deployed.")
        raise typer.Exit(UNAVAILABLE)
    _print(found)
    if found.status != "RUNNING":
        raise typer.Exit(UNAVAILABLE)


def _delete(name: str) -> None:
    from windrow.deployment import rollout

    was_there = rollout.delete(name)
    print(f"{name} is taken away. Its data directory stays." if was_there else f"Nothing called {name} is deployed.")


def _print(found: "Deployed") -> None:
    states = ", ".join(f"{count} {state.lower()}" for state, count in found.replicas.items())
    if found.status != "RUNNING":
        print(f"{found.status.lower().replace('_', ' ')}: {states or 'no replica'}. {found.message}".rstrip())
        return
    print(f"Windrow answers on {found.url}, on each node with a replica: {counted(found.running, 'replica')}.")
    print(f"\nTry it on a node:\n\ncurl -sS {found.url}/health/ready\nwindrow list --url {found.url}\n")
    print("`windrow deploy ray --status` looks again, the same command as now upgrades, `--delete` takes it away.")
