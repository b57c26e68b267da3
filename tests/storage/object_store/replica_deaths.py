"""Replicas of one object store that are killed by SIGKILL again and again, and a ledger of what they said.

On the way to the store replies are lost, requests refused, and answers late.

Each replica is an HTTP server in a process of its own that is forked from this one, before anything here has asked the
store: what asks it has threads of its own, which no fork takes along.
"""

import json
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tests.object_stores.lossy import lossy
from tests.object_stores.servers import moto
from tests.storage.examples import fast_folder
from tests.storage.http_processes import Server
from tests.storage.server_deaths import LONGEST_PAUSE_S, SERVERS, Deaths, begin, kill_on, states_of
from windrow.bootstrap import open_store
from windrow.domain.store_url import StoreUrl, read_store_url
from windrow.settings import Settings

# Each directory has as many, so that looking at all of it stays quick.
DEATHS_A_STORE = 26


@dataclass(frozen=True)
class _Store:
    """A data directory in an object store.

    Args:
        url: Its address.
        folder: For logs and caches.
        longest_pause_s: Until a replica is killed; a store answers later than a folder.
    """

    url: StoreUrl
    folder: Path
    longest_pause_s: float = 8 * LONGEST_PAUSE_S

    def start(self) -> list[Server]:
        folder = self.folder
        return [Server(self.url, folder / f"server-{each}.log", folder / f"cache-{each}") for each in range(SERVERS)]

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = alone(partial(_read_state, self.url, self.folder / "reader"))
        return found

    def repair(self) -> None:
        """Do nothing: what reads the state repairs first."""


def kill_replicas(kills: int, seed: int, parent: str | None = None) -> Deaths:
    """Kill so many replicas, and see after each pair that every acknowledged change is there.

    Args:
        kills: How many.
        seed: Of all random choices.
        parent: Where the replicas' caches are made; in memory if that is left open.
    """
    deaths, random = Deaths(), Random(seed)
    with moto() as store, lossy(store.port, seed) as endpoint, fast_folder(parent) as name:
        folder = Path(name)
        os.environ.update(store.variables(endpoint))
        while deaths.kills < kills:
            url = read_store_url(store.new_data_dir())
            alone(partial(begin, url, cache_dir=folder / "begin"))
            kill_on(_Store(url, folder), random, min(DEATHS_A_STORE, kills - deaths.kills), deaths)
    return deaths


def _read_state(url: StoreUrl, cache: Path) -> dict[str, Any]:
    store = open_store(Settings(data_dir=url, cache_dir=cache))
    report = store.maintenance.check(store.names, repair=True)
    damage = [finding for finding in report.findings if finding.severity == "damage"]
    assert not damage, damage
    return states_of(store.catalog, store.aliases)


def alone(work: Callable[[], Any]) -> Any:
    """Return what some work returns, as JSON has it, done in a process of its own."""
    ours, theirs = os.pipe()
    process_id = os.fork()
    if process_id == 0:
        try:
            os.close(ours)
            with os.fdopen(theirs, "w") as out:
                json.dump(work(), out)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - nothing may leave this process
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(theirs)
    with os.fdopen(ours) as answer:
        text = answer.read()
    _, status = os.waitpid(process_id, 0)
    assert status == 0, f"a process that looked at the store failed: {status}"
    return json.loads(text)
