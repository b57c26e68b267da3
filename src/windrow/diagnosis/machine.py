"""Check what the machine gives a process: memory, open files, the settings that ask for more than there is."""

import resource
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Final

from windrow.domain.diagnosis import Check
from windrow.domain.hosts import is_loopback
from windrow.encoders.cores import usable_cores
from windrow.execution.isolation import default_memory_limit, usable_memory
from windrow.http.descriptors import RESERVE
from windrow.settings import LOCAL_RUNNER, Settings, variable_name

# The encoder of the default base model, the caches as they are set by default, and Python with its libraries.
_LEAST_MEMORY_BYTES: Final = 1_000_000_000
_GB: Final = 1e9


def check_settings(settings: Settings) -> Iterator[Check]:
    """Say which settings are not the default, and warn of those that do not fit together or the machine.

    Args:
        settings: The settings; that each by itself is valid is known once they are read.
    """
    default = Settings()
    changed = [
        variable_name(each.name)
        for each in fields(Settings)
        if getattr(settings, each.name) != getattr(default, each.name)
    ]
    yield Check("settings", "ok", f"Valid. Not the default: {', '.join(changed) or 'none'}.")
    cores = usable_cores()
    for name in ("encoder_threads", "fit_threads"):
        threads = getattr(settings, name)
        if threads > cores:
            yield Check(
                "settings",
                "warning",
                f"{variable_name(name)} is {threads}, and there are {cores} cores for this process, which is slower "
                "than one thread for each. Leave it out.",
            )
    if not is_loopback(settings.host) and not settings.tls_cert and not settings.trusted_proxies:
        yield Check(
            "settings",
            "warning",
            f"{variable_name('host')} lets others reach the server, and keys and texts travel unencrypted. Set "
            f"{variable_name('tls_cert')}, or {variable_name('trusted_proxies')} for a proxy that encrypts.",
        )


def check_memory(settings: Settings, usable_bytes: Callable[[], int] = usable_memory) -> Iterator[Check]:
    """Check that the machine, or the container, has the memory for a server and for its trainings.

    Args:
        settings: How many trainings may run, and what each may take.
        usable_bytes: Returns the memory that this process may use.
    """
    total = usable_bytes()
    caches = settings.classifier_cache_bytes + settings.embedding_cache_bytes
    each_fit = settings.max_fit_memory_bytes or default_memory_limit(settings.max_concurrent_fits, total)
    there = f"{total / _GB:.1f} GB of memory for this process"
    if total < _LEAST_MEMORY_BYTES:
        yield Check("memory", "failed", f"There are {there}, and a server takes 1 GB. Give it more.")
        return
    needed = _LEAST_MEMORY_BYTES + caches + settings.max_concurrent_fits * each_fit
    if settings.runner == LOCAL_RUNNER and needed > total:
        yield Check(
            "memory",
            "warning",
            f"There are {there}; server, caches and {settings.max_concurrent_fits} trainings of at most "
            f"{each_fit / _GB:.1f} GB could want {needed / _GB:.1f} GB. A training that is too large is ended and says "
            f"so. Lower {variable_name('max_concurrent_fits')} or {variable_name('max_fit_memory_bytes')}, or train "
            "elsewhere.",
        )
        return
    yield Check("memory", "ok", f"There are {there}, and enough for server, caches and trainings.")


def check_open_files(settings: Settings) -> Iterator[Check]:
    """Check that as many connections may be open as the settings allow.

    Args:
        settings: How many connections there may be.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.max_connections + RESERVE
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        limit = "any number of" if hard == resource.RLIM_INFINITY else f"{hard:,}"
        yield Check("open files", "ok", f"A server may open {limit} files and connections.")
        return
    yield Check(
        "open files",
        "warning",
        f"A server may open {hard:,} files and connections, and {variable_name('max_connections')} wants {wanted:,}. "
        "Raise the hard limit (LimitNOFILE in systemd, ulimit -Hn), or lower the setting.",
    )
