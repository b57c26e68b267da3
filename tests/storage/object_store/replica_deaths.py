"""Replicas of one object store that are killed by SIGKILL again and again, and a ledger of what they said.

On the way to the store replies are lost, requests refused, and answers late.

Each replica is an HTTP server in a process of its own that is forked from this one, before anything here has asked the
store: what asks it has threads of its own, which no fork takes along.
"""

import json
import os
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tests.object_stores.lossy import lossy
from tests.object_stores.servers import moto
from tests.service.examples import SHOUTING, fake_service, fit
from tests.storage.examples import fast_folder
from tests.storage.http_processes import SEED_NAME, Change, Client, Server
from tests.storage.server_deaths import (
    CLIENTS,
    LONGEST_PAUSE_S,
    SERVERS,
    STARTS_A_KILLED_START,
    Deaths,
    check_done,
    draw_changes,
    enter,
)
from windrow.bootstrap import open_store
from windrow.domain.listing import ListRequest
from windrow.domain.store_url import StoreUrl, read_store_url
from windrow.settings import Settings

# Each directory has as many, so that looking at all of it stays quick.
DEATHS_A_STORE = 26


def kill_replicas(kills: int, seed: int, parent: str | None = None) -> Deaths:
    """Kill so many replicas, and see after each pair that every acknowledged change is there.

    Args:
        kills: How many.
        seed: Of all random choices.
        parent: Where the replicas' caches are made; in memory if that is left open.
    """
    deaths, random = Deaths(), Random(seed)
    with moto() as store, lossy(store.port, seed) as endpoint, fast_folder(parent) as folder:
        os.environ.update(store.variables(endpoint))
        while deaths.kills < kills:
            url = read_store_url(store.new_data_dir())
            alone(partial(_begin, url, Path(folder, "begin")))
            _kill_on(url, Path(folder), random, min(DEATHS_A_STORE, kills - deaths.kills), deaths)
    return deaths


def _kill_on(url: StoreUrl, folder: Path, random: Random, count: int, deaths: Deaths) -> None:
    ledger = _state(url, folder)
    for _ in range(-(-count // SERVERS)):
        in_doubt: dict[str, Change] = {}
        for client in _serve_until_killed(url, folder, random, deaths):
            for change, outcome in zip(client.changes, client.outcomes, strict=False):
                enter(ledger, change, outcome)
                if not outcome.error:
                    deaths.acknowledged[change[0]] = deaths.acknowledged.get(change[0], 0) + 1
            if len(client.outcomes) < len(client.changes):
                last = client.changes[len(client.outcomes)]
                in_doubt[last[1]] = last
        found = _state(url, folder)
        for name in ledger.keys() | found.keys():
            if ledger.get(name) != found.get(name):
                assert name in in_doubt, f"{name}: acknowledged was {ledger.get(name)}, and there is {found.get(name)}"
                check_done(in_doubt[name], found.get(name))
                deaths.unheard += 1
        ledger = found


def _serve_until_killed(url: StoreUrl, folder: Path, random: Random, deaths: Deaths) -> list[Client]:
    """Start the replicas, let clients change names of their own, kill one after the other; return the clients."""
    servers = [Server(url, folder / f"server-{number}.log", folder / f"cache-{number}") for number in range(SERVERS)]
    clients: list[Client] = []
    for number, server in enumerate(servers):
        if random.randrange(STARTS_A_KILLED_START) == 0:
            deaths.killed_starts += 1
            continue
        address = server.address()
        clients += [Client(address, draw_changes(random, f"s{number}{letter}")) for letter in "xyz"[:CLIENTS]]
    for client in clients:
        client.start()
    for server in servers:
        time.sleep(random.uniform(0, 8 * LONGEST_PAUSE_S))  # a store answers later than a folder
        server.kill()
        deaths.kills += 1
    for client in clients:
        client.join()
    return clients


def _begin(url: StoreUrl, cache: Path) -> None:
    with closing(fake_service(url, cache_dir=cache)) as service:
        fit(service, SEED_NAME)
        fit(service, SEED_NAME, SHOUTING)  # so that no server has to do a training anew


def _state(url: StoreUrl, folder: Path) -> dict[str, Any]:
    """Return what each name is in the store, as a fresh process sees it; what is damaged is told."""
    found: dict[str, Any] = alone(partial(_read_state, url, folder / "reader"))
    return found


def _read_state(url: StoreUrl, cache: Path) -> dict[str, Any]:
    store = open_store(Settings(data_dir=url, cache_dir=cache))
    report = store.maintenance.check(store.names, repair=True)
    damage = [finding for finding in report.findings if finding.severity == "damage"]
    assert not damage, damage
    found: dict[str, Any] = {}
    for is_deleted, word in ((True, "deleted"), (False, "answers")):
        for one in store.catalog.listing(ListRequest(deleted=is_deleted, limit=1_000)).models:
            found[one.name] = [word, one.revision, one.description]
    for alias in store.aliases.list():
        found[alias.alias] = ["alias", alias.points_to]
    return found


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
