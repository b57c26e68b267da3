"""Two HTTP servers on one data directory that are killed by SIGKILL again and again, and a ledger of what they said."""

import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

from tests.service.examples import SHOUTING, fake_service, fit
from tests.storage.examples import fast_folder
from tests.storage.http_processes import SEED_NAME, Change, Client, Outcome, Server
from tests.storage.model import Server as Reader
from windrow.domain.listing import ListRequest
from windrow.domain.store_url import StoreUrl
from windrow.storage.alias_store import Aliases
from windrow.storage.catalog import Catalog
from windrow.storage.files import LocalFiles

SERVERS = 2
# Of each server; each changes names of its own.
CLIENTS = 2
# A directory is left for a new one after so many deaths, so that looking at all of it stays quick.
DEATHS_A_FOLDER = 25
LONGEST_PAUSE_S = 0.5
# One of so many servers is killed while it starts.
STARTS_A_KILLED_START = 10
KINDS = ("fit", "fit", "fit", "import", "describe", "describe", "delete", "restore", "promote")
REFUSALS = frozenset(("classifier_not_found", "not_deleted", "classifier_exists"))


@dataclass
class Deaths:
    """What was done.

    Args:
        kills: Servers that were killed.
        killed_starts: Those of them that had not answered yet.
        acknowledged: Changes that they had said to be done, by kind.
        unheard: Changes in progress at a death that were found to be done.
    """

    kills: int = 0
    killed_starts: int = 0
    acknowledged: dict[str, int] = field(default_factory=dict)
    unheard: int = 0


class Place(Protocol):
    """Where servers are killed."""

    @property
    def longest_pause_s(self) -> float:
        """Seconds until a server is killed, at most."""
        ...

    def start(self) -> list[Server]:
        """Start the servers, all of them before there is a client: a process with threads should not fork."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what each name is, as a fresh process sees it; what is wrong fails."""
        ...

    def repair(self) -> None:
        """Remove what the deaths have left."""
        ...


@dataclass(frozen=True)
class _Folder:
    """A data directory in a folder."""

    root: Path
    longest_pause_s: float = LONGEST_PAUSE_S

    def start(self) -> list[Server]:
        return [Server(self.root, self.root.with_name(f"server-{number}.log")) for number in range(SERVERS)]

    def state(self) -> dict[str, Any]:
        server = Reader(LocalFiles(self.root))
        server.finding_codes()  # every blob is read, and what is wrong told
        return states_of(server.catalog, server.aliases)

    def repair(self) -> None:
        Reader(LocalFiles(self.root)).finding_codes(repair=True)


def kill_servers(kills: int, seed: int, parent: str | None = None) -> Deaths:
    """Kill so many servers, and see after each that every acknowledged change is there, one by one.

    Args:
        kills: How many.
        seed: Of all random choices.
        parent: Where data directories are made; in memory if that is left open.
    """
    deaths, random = Deaths(), Random(seed)
    while deaths.kills < kills:
        with fast_folder(parent) as folder:
            root = Path(folder, "data")
            begin(root)
            kill_on(_Folder(root), random, min(DEATHS_A_FOLDER, kills - deaths.kills), deaths)
    return deaths


def begin(data_dir: Path | StoreUrl, cache_dir: Path | None = None) -> None:
    """Train what all imports come from, on both sets of rows, so that no server has to do a training anew."""
    with closing(fake_service(data_dir, cache_dir=cache_dir)) as service:
        fit(service, SEED_NAME)
        fit(service, SEED_NAME, SHOUTING)


def kill_on(place: Place, random: Random, count: int, deaths: Deaths) -> None:
    """Kill so many servers in one place, and see after each group that every acknowledged change is there.

    Args:
        place: Where.
        random: Of all choices.
        count: How many.
        deaths: What was done is added to it.
    """
    ledger = place.state()
    for _ in range(-(-count // SERVERS)):
        in_doubt: dict[str, Change] = {}
        for client in _serve_until_killed(place, random, deaths):
            for change, outcome in zip(client.changes, client.outcomes, strict=False):
                _enter(ledger, change, outcome)
                if not outcome.error:
                    deaths.acknowledged[change[0]] = deaths.acknowledged.get(change[0], 0) + 1
            if len(client.outcomes) < len(client.changes):
                last = client.changes[len(client.outcomes)]
                in_doubt[last[1]] = last
        found = place.state()
        for name in ledger.keys() | found.keys():
            if ledger.get(name) != found.get(name):
                assert name in in_doubt, f"{name}: acknowledged was {ledger.get(name)}, and there is {found.get(name)}"
                _check_done(in_doubt[name], found.get(name))
                deaths.unheard += 1
        ledger = found
        place.repair()


def _serve_until_killed(place: Place, random: Random, deaths: Deaths) -> list[Client]:
    """Start the servers, let clients change names of their own, kill one server after the other; return the clients."""
    servers = place.start()
    clients: list[Client] = []
    for number, server in enumerate(servers):
        if random.randrange(STARTS_A_KILLED_START) == 0:
            deaths.killed_starts += 1
            continue
        url = server.address()
        clients += [Client(url, _draw_changes(random, f"s{number}{letter}")) for letter in "xyz"[:CLIENTS]]
    for client in clients:
        client.start()
    for server in servers:
        time.sleep(random.uniform(0, place.longest_pause_s))
        server.kill()
        deaths.kills += 1
    for client in clients:
        client.join()
    return clients


def _draw_changes(random: Random, prefix: str) -> list[Change]:
    changes: list[Change] = []
    for _ in range(200):
        kind, name = random.choice(KINDS), f"{prefix}_{random.choice('abc')}"
        what = name if kind == "promote" else str(random.randrange(10**6))
        changes.append((kind, f"{prefix}_live" if kind == "promote" else name, what))
    return changes


def _enter(ledger: dict[str, Any], change: Change, outcome: Outcome) -> None:
    """Write down an acknowledged change."""
    kind, name, what = change
    if outcome.error:
        assert outcome.error in REFUSALS, f"{change}: {outcome}"
        return
    said = outcome.said
    before: Any = ledger.get(name)
    if kind == "promote":
        ledger[name] = ["alias", said]
    elif kind == "delete":
        ledger[name] = ["deleted", *before[1:]]
    elif kind == "restore":
        ledger[name] = ["answers", said, before[2]]
    elif kind == "describe":
        ledger[name] = ["answers", said, what]
    else:  # a new training keeps the notes of what answers, and none of what was deleted
        ledger[name] = ["answers", said, before[2] if kind == "fit" and before and before[0] == "answers" else ""]


def _check_done(change: Change, found: Any) -> None:
    """See that what was found is what a change that nobody heard of makes."""
    kind, _, what = change
    expected = {"promote": "alias", "delete": "deleted"}.get(kind, "answers")
    assert found is not None, f"{change} removed what was there"
    assert found[0] == expected, f"{change} left {found}"
    if kind == "describe":
        assert found[2] == what


def states_of(catalog: Catalog, aliases: Aliases) -> dict[str, Any]:
    """Return what each name is."""
    found: dict[str, Any] = {}
    for is_deleted, word in ((True, "deleted"), (False, "answers")):
        for one in catalog.listing(ListRequest(deleted=is_deleted, limit=1_000)).models:
            found[one.name] = [word, one.revision, one.description]
    for alias in aliases.list():
        found[alias.alias] = ["alias", alias.points_to]
    return found
