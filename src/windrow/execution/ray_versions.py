"""The versions that a driver and the nodes of a Ray cluster must have in common."""

import platform
from collections.abc import Mapping
from importlib.metadata import version

# By what a person installs.
_SHARED = {"windrow": "Windrow", "python": "Python", "ray": "Ray"}


def own_versions() -> dict[str, str]:
    """Return the versions of this process."""
    return {"windrow": version("windrow"), "python": platform.python_version(), "ray": version("ray")}


def find_differences(there: Mapping[str, str]) -> list[str]:
    """Return what is different on a node, in words.

    Args:
        there: What :func:`own_versions` returns on the node.
    """
    here = own_versions()
    return [
        f"{name} {there.get(key, 'unknown')} in place of {here[key]}"
        for key, name in _SHARED.items()
        if there.get(key) != here[key]
    ]
