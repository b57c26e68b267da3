"""The application of Ray Serve: for ``windrow deploy ray``, and for configurations that name it by its import path."""

from collections.abc import Mapping
from time import time_ns
from typing import Any

from windrow.deployment.plan import Plan, shared_variables
from windrow.deployment.replica import Replica
from windrow.http.server import ANSWER_GRACE_S
from windrow.settings import PREFIX, read_settings

# What Ray Serve calls the one deployment of the application.
DEPLOYMENT = "replica"
_HEALTH_CHECK_PERIOD_S = 5
_HEALTH_CHECK_TIMEOUT_S = 15
# Where replicas do not start, they will not the tenth time either.
_MOST_STARTS = 3
# Of the replicas, so many more at a time during an upgrade, and at least one: the old ones answer until it does.
_SURGE_PERCENT = 25
_RETRY_AFTER_S = 1


def application(plan: Plan, variables: Mapping[str, str]) -> Any:
    """Return the application that Ray Serve runs.

    Args:
        plan: How many replicas, and of which size.
        variables: The settings that they share.
    """
    from ray import serve
    from ray.serve.config import BackpressureConfig

    settings = read_settings(variables)
    deployment: Any = serve.deployment(
        serve.ingress()(Replica),
        name=DEPLOYMENT,
        # Ray may start a replica in a process that was there before, in which an older release is loaded.
        ray_actor_options={"num_cpus": plan.cpus, "runtime_env": {"env_vars": {"DEPLOYED_AT": str(time_ns())}}},
        autoscaling_config={
            "min_replicas": plan.min_replicas,
            "max_replicas": plan.max_replicas,
            "target_ongoing_requests": plan.target_ongoing_requests,
            "upscale_delay_s": plan.upscale_delay_s,
            "downscale_delay_s": plan.downscale_delay_s,
        },
        # A replica refuses by its own limits, and in words; these are for when there are too few replicas.
        max_ongoing_requests=settings.max_connections,
        max_queued_requests=settings.max_connections,
        backpressure_config=BackpressureConfig(status_code=503, retry_after_s=_RETRY_AFTER_S),
        graceful_shutdown_timeout_s=settings.shutdown_timeout_s + ANSWER_GRACE_S,
        health_check_period_s=_HEALTH_CHECK_PERIOD_S,
        health_check_timeout_s=_HEALTH_CHECK_TIMEOUT_S,
        max_constructor_retry_count=_MOST_STARTS,
        max_surge_percent=_SURGE_PERCENT,
        logging_config={"enable_access_log": False},  # each replica logs its own requests
    )
    return deployment.bind(dict(variables))


def build(args: Mapping[str, object]) -> Any:
    """Return the application for a configuration of Ray Serve: ``import_path: windrow.deployment.application:build``.

    Args:
        args: Settings by the names of their variables, and fields of a plan by theirs. Unless they say otherwise, other
            machines reach the server, so that it needs an API key.

    Raises:
        InvalidParameter: A value cannot be used, or the data directory is a folder.
    """
    variables = {"WINDROW_HOST": "0.0.0.0"}  # noqa: S104 - so the address counts as open, and a key is needed
    variables |= {name: str(value) for name, value in args.items() if name.startswith(PREFIX)}
    values: dict[str, Any] = {name: value for name, value in args.items() if not name.startswith(PREFIX)}
    plan = Plan(**values)
    plan.check()
    return application(plan, shared_variables(variables, plan, {}))
