"""What is deployed: how many replicas of which size, and the settings that they share."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from windrow.domain.errors import InvalidParameter
from windrow.domain.store_url import StoreUrl
from windrow.settings import Settings, read_settings, variable_name

# What clients are told by. Ray's dashboard shows what replicas share, and nobody there has any use for these.
_NOT_SHARED: Final = ("api_key", "api_key_file", "url")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A deployment of equal replicas.

    Args:
        name: What Ray Serve calls the application.
        min_replicas: The replicas that are always there.
        max_replicas: The most replicas under load.
        target_ongoing_requests: Requests in work at the same time for which there is to be one replica.
        cpus: The processors that Ray sets aside for a replica; it encodes with as many threads.
        upscale_delay_s: Seconds of load before there are more replicas.
        downscale_delay_s: Seconds without that load before there are fewer.
    """

    name: str = "windrow"
    min_replicas: int = 2
    max_replicas: int = 4
    target_ongoing_requests: float = 8.0
    cpus: float = 1.0
    upscale_delay_s: float = 15.0
    downscale_delay_s: float = 300.0

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            InvalidParameter: A number lies outside its range.
        """
        if not 1 <= self.min_replicas <= self.max_replicas:
            raise InvalidParameter(
                "{arg:min_replicas} is {min_replicas} and {arg:max_replicas} {max_replicas}; the first must be at "
                "least 1, and no more than the second.",
                {"parameter": "min_replicas", "min_replicas": self.min_replicas, "max_replicas": self.max_replicas},
            )
        for name in ("target_ongoing_requests", "cpus"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise InvalidParameter(
                    "{arg:{parameter}} is {value}; it must be more than 0.", {"parameter": name, "value": value}
                )
        for name in ("upscale_delay_s", "downscale_delay_s"):
            if not 0 <= (value := getattr(self, name)) < math.inf:
                raise InvalidParameter(
                    "{arg:{parameter}} is {value}; it must be at least 0.", {"parameter": name, "value": value}
                )
        # Ray Serve separates its names by other characters.
        if not _NAME.fullmatch(self.name):
            raise InvalidParameter(
                "{value!r} cannot be the name of a deployment. Use up to 64 letters, digits, - and _.",
                {"parameter": "name", "value": self.name},
            )


def shared_variables(environment: Mapping[str, str], plan: Plan, given: Mapping[str, object]) -> dict[str, str]:
    """Return the variables of the settings that all replicas share.

    Credentials are none of them: those of the store stand in the environment of each node.

    Args:
        environment: The variables of whoever deploys.
        plan: The size of a replica.
        given: Settings, by name, that are to be otherwise.

    Raises:
        InvalidParameter: A value cannot be used, or the data directory is a folder.
    """
    read_settings(environment)  # which also refuses what is no setting
    given = {"encoder_threads": math.ceil(plan.cpus), **_named(environment), **given}
    variables = {variable_name(name): str(value) for name, value in given.items() if name not in _NOT_SHARED}
    check_data_dir(read_settings(variables))
    return variables


def check_data_dir(settings: Settings) -> None:
    """Refuse a folder, which the nodes of a cluster do not share.

    Raises:
        InvalidParameter: The data directory is a folder.
    """
    if not isinstance(settings.data_dir, StoreUrl):
        raise InvalidParameter(
            "{data_dir} is a folder, which the nodes of a cluster do not share. Name an object store with "
            "{arg:data_dir}, as s3://BUCKET/PREFIX (`windrow copy-store` copies the folder to it), or serve the folder "
            "from one machine with `windrow serve`.",
            {"parameter": "data_dir", "data_dir": str(settings.data_dir)},
        )


def _named(environment: Mapping[str, str]) -> dict[str, str]:
    names = {each.name: variable_name(each.name) for each in fields(Settings)}
    return {name: environment[variable] for name, variable in names.items() if variable in environment}
