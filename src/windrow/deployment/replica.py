"""One replica of a deployment: the server of this machine, behind the proxies of Ray Serve."""

from collections.abc import Mapping

from windrow.bootstrap import open_service
from windrow.deployment.figures import FigureExport
from windrow.deployment.plan import check_data_dir
from windrow.http.hosted import HostedApp, open_hosted_app
from windrow.settings import read_environment, read_settings

# Of a node's id, which has 56 characters: enough to tell nodes of one machine apart, as tasks of trainings do.
_NODE_CHARS = 8


class Replica:
    """What Ray Serve starts, asks whether it is well, and ends. ``deployment.application`` makes a deployment of it.

    Args:
        variables: The settings that all replicas share; what is not named there, the node's environment says.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._hosted: HostedApp | None = None
        self._export: FigureExport | None = None

    def __serve_build_asgi_app__(self) -> HostedApp:
        import ray
        from ray import serve

        settings = read_settings({**read_environment(), **self._variables})
        check_data_dir(settings)
        address: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        node = ray.get_runtime_context().get_node_id()[:_NODE_CHARS]
        place = {"node": f"{address}/{node}", "replica": serve.get_replica_context().replica_id.unique_id}
        self._hosted = open_hosted_app(open_service, settings, place)
        self._export = FigureExport(self._hosted.metrics)
        self._export.start()
        return self._hosted

    async def check_health(self) -> None:
        """Raise where this replica does not answer, so that another one takes its place."""
        if self._hosted is not None:
            await self._hosted.check()
