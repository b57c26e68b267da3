"""Writers that change the same names through two replicas of one object store, and what the store holds afterwards.

Each change bears a mark of its own, by which it is found again: what was acknowledged must be in the logs exactly once,
what was refused must not be, and no log has a gap. On the way to the store, replies are lost.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.object_stores.lossy import lossy
from tests.object_stores.servers import Store
from tests.service.examples import fake_service, fit
from tests.storage.examples import fast_folder
from tests.storage.http_processes import Server
from tests.storage.object_store.replica_deaths import alone
from windrow.api.endpoints import ROOT
from windrow.bootstrap import open_store
from windrow.domain.store_url import StoreUrl, read_store_url
from windrow.settings import Settings
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.revision import ClassifierState, Pointer

SERVERS = 2
NAMES, ALIASES = ("a", "b", "c"), ("x", "y")
# Of the servers' refusals, those that a race may bring about; nothing else may go wrong.
REFUSALS = frozenset(("classifier_not_found", "concurrent_change", "not_deleted", "classifier_in_use"))
# The change may hold or not.
UNCERTAIN = frozenset(("storage_uncertain", "no answer"))
TIMEOUT_S = 120


@dataclass
class Race:
    """What was done, and found to be right.

    Args:
        acknowledged: Changes that a server has said to be done, by kind.
        refused: Those that it refused, by code.
        uncertain: Those of which it could not tell.
        commits: What the store's log holds.
    """

    acknowledged: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    uncertain: int = 0
    commits: int = 0


@dataclass(frozen=True)
class _Change:
    """A change that was asked for, and the code of its refusal; empty where it was acknowledged."""

    kind: str
    name: str
    mark: str
    code: str


def race_replicas(
    seconds: float,
    seed: int,
    parent: str | None = None,
    *,
    running: Callable[[], AbstractContextManager[Store]],
    writers: int,
) -> Race:
    """Let writers race for a while, and check what is there afterwards.

    Args:
        seconds: For how long.
        seed: Of all random choices.
        parent: Where the servers' caches are made; in memory if that is left open.
        running: Starts the store.
        writers: How many, shared out between the servers.
    """
    with running() as store, lossy(store.port, seed) as endpoint, fast_folder(parent) as name:
        folder = Path(name)
        os.environ.update(store.variables(endpoint))
        url = read_store_url(store.new_data_dir())
        alone(partial(_begin, url, folder / "begin"))
        servers = [Server(url, folder / f"{each}.log", folder / f"cache-{each}") for each in range(SERVERS)]
        addresses = [server.address() for server in servers]
        clients = [_Writer(addresses[each % SERVERS], Random(f"{seed} {each}"), each) for each in range(writers)]
        for client in clients:
            client.start()
        time.sleep(seconds)
        for client in clients:
            client.stop()
        for server in servers:
            server.kill()
        race = Race()
        found: dict[str, Any] = alone(partial(_read_marks, url, folder / "reader"))
        race.commits = found["commits"]
        marks = Counter(found["marks"])
        for change in (change for client in clients for change in client.changes):
            _check(change, marks, race)
        assert max(marks.values(), default=0) <= 1, marks.most_common(3)
    return race


def _check(change: _Change, marks: Counter[str], race: Race) -> None:
    if not change.code:
        assert marks[change.mark] == 1, f"{change} was acknowledged, and is there {marks[change.mark]} times"
        race.acknowledged[change.kind] += 1
    elif change.code in UNCERTAIN:
        race.uncertain += 1
    else:
        assert change.code in REFUSALS, change
        assert marks[change.mark] == 0, f"{change} was refused, and is there"
        race.refused[change.code] += 1


class _Writer:
    """Changes the same few names as all others, one change after the other."""

    def __init__(self, address: str, random: Random, number: int) -> None:
        self._address, self._random, self._number = address, random, number
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.changes: list[_Change] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        num_asked = 0
        with httpx.Client(base_url=self._address + ROOT, timeout=TIMEOUT_S) as http:
            while not self._stopped.is_set():
                kind = self._random.choice(("describe", "describe", "promote", "promote", "delete", "restore"))
                name = self._random.choice(ALIASES if kind == "promote" else NAMES)
                num_asked += 1
                mark = f"{self._number}-{num_asked}"
                try:
                    reply = self._ask(http, kind, name, mark)
                    code = "" if reply.is_success else reply.json()["code"]
                except httpx.TransportError:
                    code = "no answer"
                # The others leave no mark, and neither does a promotion to where the alias points already.
                if kind == "describe" or (kind == "promote" and (code or reply.json()["reason"] == mark)):
                    self.changes.append(_Change(kind, name, mark, code))

    def _ask(self, http: httpx.Client, kind: str, name: str, mark: str) -> httpx.Response:
        if kind == "describe":
            return http.patch(f"/models/{name}", json={"description": mark})
        if kind == "promote":
            return http.put(f"/aliases/{name}", json={"model_name": self._random.choice(NAMES), "reason": mark})
        if kind == "delete":
            return http.delete(f"/models/{name}", params={"force": "true"})
        return http.post(f"/models/{name}/restore")


def _begin(url: StoreUrl, cache: Path) -> None:
    with closing(fake_service(url, cache_dir=cache)) as service:
        for name in NAMES:
            fit(service, name)


def _read_marks(url: StoreUrl, cache: Path) -> dict[str, Any]:
    """Return each mark that the logs hold, as often as they do; a gap in a log, or damage, fails."""
    store = open_store(Settings(data_dir=url, cache_dir=cache))
    report = store.maintenance.check(store.names, repair=False)
    assert report.sound, report.findings
    marks: list[str] = []
    for classifier in store.names.classifiers.names():
        states = store.names.classifiers.values(classifier)
        _check_gaps(classifier, states)
        # A state holds the description until the next one; it is of the change that described it.
        described = (one for one in states.values() if isinstance(one, ClassifierState) and one.kind == "described")
        marks += [one.record.description for one in described]
    for alias in store.names.aliases.names():
        steps = store.names.aliases.values(alias)
        _check_gaps(alias, steps)
        marks += [one.reason for one in steps.values() if isinstance(one, Pointer)]
    assert isinstance(store.names.files, ObjectFiles)
    return {"marks": [mark for mark in marks if mark], "commits": store.names.files.commit_number}


def _check_gaps(name: str, log: Mapping[int, object]) -> None:
    assert list(log) == list(range(1, len(log) + 1)), f"the log of {name} has gaps: {list(log)}"
