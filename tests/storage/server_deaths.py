"""Two servers on one data directory that are killed by SIGKILL again and again, and a ledger of what they said."""

import io
import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.service.examples import ROWS, SHOUTING, fake_service, fit
from tests.storage.examples import fast_folder
from tests.storage.model import Server
from windrow.domain.alias import PromoteRequest
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.classifier import DeleteRequest, DescribeRequest, RestoreRequest
from windrow.domain.errors import WindrowError
from windrow.domain.listing import ListRequest
from windrow.service.service import Service
from windrow.storage.files import LocalFiles

SERVERS = 2
# A directory is left for a new one after so many deaths, so that looking at all of it stays quick.
DEATHS_A_FOLDER = 25
LONGEST_PAUSE_S = 0.5
SEED_NAME = "origin"
# A change: what is done, to which name, with what.
Change = tuple[str, str, str]


def _import(service: Service, name: str, _: str) -> object:
    archive = b"".join(service.export(ExportRequest(SEED_NAME)).chunks)
    return service.import_classifier(io.BytesIO(archive), ImportRequest(name)).revision


DO: Mapping[str, Callable[[Service, str, str], object]] = {
    "fit": lambda service, name, what: fit(service, name, ROWS if what < "5" else SHOUTING),
    "import": _import,
    "describe": lambda service, name, what: service.describe(DescribeRequest(name, description=what)).revision,
    "delete": lambda service, name, _: service.delete(DeleteRequest(name, force=True)).purged,
    "restore": lambda service, name, _: service.restore(RestoreRequest(name)).revision,
    "promote": lambda service, name, what: service.promote(PromoteRequest(name, what)).points_to,
}


@dataclass
class Deaths:
    """What was done.

    Args:
        kills: Servers that were killed.
        acknowledged: Changes that they had said to be done, by kind.
        unheard: Deaths after which the change in progress was found to be done.
    """

    kills: int = 0
    acknowledged: dict[str, int] = field(default_factory=dict)
    unheard: int = 0


@dataclass
class _Process:
    """A server: a child that does one change after another, and says what came of each."""

    number: int
    pid: int
    answers: io.BufferedReader
    changes: list[Change]


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
            with closing(fake_service(root)) as service:
                fit(service, SEED_NAME)
            _kill_on(root, random, min(DEATHS_A_FOLDER, kills - deaths.kills), deaths)
    return deaths


def _kill_on(root: Path, random: Random, count: int, deaths: Deaths) -> None:
    ledger = _state(root)
    for _ in range(-(-count // SERVERS)):
        processes = [_start(root, number, random) for number in range(SERVERS)]
        for process in processes:
            time.sleep(random.uniform(0, LONGEST_PAUSE_S))
            os.kill(process.pid, signal.SIGKILL)
        in_doubt: dict[str, Change] = {}
        for process in processes:
            with process.answers:
                said = [json.loads(line) for line in process.answers.readlines() if line.endswith(b"\n")]
            os.waitpid(process.pid, 0)
            deaths.kills += 1
            for change, outcome in zip(process.changes, said, strict=False):
                _enter(ledger, change, outcome)
                if "error" not in outcome:
                    deaths.acknowledged[change[0]] = deaths.acknowledged.get(change[0], 0) + 1
            if len(said) < len(process.changes):
                last = process.changes[len(said)]
                in_doubt[last[1]] = last
        found = _state(root)
        for name in ledger.keys() | found.keys():
            if ledger.get(name) != found.get(name):
                assert name in in_doubt, f"{name}: acknowledged was {ledger.get(name)}, and there is {found.get(name)}"
                _check_done(in_doubt[name], found.get(name))
                deaths.unheard += 1
        ledger = found
        Server(LocalFiles(root)).finding_codes(repair=True)


def _start(root: Path, number: int, random: Random) -> _Process:
    """Start a server that changes names of its own, in a directory that it shares with others."""
    names = [f"s{number}_{letter}" for letter in "abc"]
    changes: list[Change] = []
    for _ in range(200):
        kind = random.choice(("fit", "fit", "fit", "import", "describe", "describe", "delete", "restore", "promote"))
        name = random.choice(names)
        what = name if kind == "promote" else str(random.randrange(10**6))
        changes.append((kind, f"s{number}_live" if kind == "promote" else name, what))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            service = fake_service(root)
            service.start()
            for kind, name, what in changes:
                os.write(writer, json.dumps(_outcome(service, kind, name, what)).encode() + b"\n")
        except BaseException:  # noqa: BLE001 - nothing may leave this process
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writer)
    return _Process(number, child, os.fdopen(reader, "rb"), changes)


def _outcome(service: Service, kind: str, name: str, what: str) -> dict[str, object]:
    try:
        return {"said": DO[kind](service, name, what)}
    except WindrowError as error:
        return {"error": error.code}


def _enter(ledger: dict[str, Any], change: Change, outcome: Mapping[str, Any]) -> None:
    """Write down an acknowledged change."""
    kind, name, what = change
    if "error" in outcome:
        assert outcome["error"] in {"classifier_not_found", "not_deleted", "classifier_exists"}, outcome
        return
    said = outcome["said"]
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


def _state(root: Path) -> dict[str, Any]:
    """Return what each name is on the disk, as a fresh process sees it; every blob is read, and what is wrong told."""
    server = Server(LocalFiles(root))
    server.finding_codes()
    found: dict[str, Any] = {}
    for is_deleted, word in ((True, "deleted"), (False, "answers")):
        for one in server.catalog.listing(ListRequest(deleted=is_deleted, limit=1_000)).models:
            found[one.name] = [word, one.revision, one.description]
    for alias in server.aliases.list():
        found[alias.alias] = ["alias", alias.points_to]
    return found
