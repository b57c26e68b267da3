"""Whatever somebody else changes, before whichever look of a prediction at the disk: the answer is the old or the new.

A prediction is done again and again. Each time, another server's change comes one look later, until it comes too late.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.fakes.files import MemoryFiles
from tests.service.examples import ROWS, Open, ask, fake_service, fit, show
from windrow.domain.alias import AliasChangeRequest, PromoteRequest
from windrow.domain.classifier import DeleteRequest
from windrow.domain.errors import NotFound
from windrow.domain.prediction import Prediction
from windrow.service.service import Service
from windrow.storage.files import MAX_BYTES, Files
from windrow.storage.namespace import Namespace

OTHERS = tuple(replace(row, label=f"other {row.label}") for row in ROWS[1:])


def nothing(look: int, key: str) -> None: ...


@dataclass
class WatchedFiles:
    """Counts looks, and lets something happen before each, which is told its number and key."""

    files: Files
    looks: int = 0
    before_look: Callable[[int, str], object] = nothing

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        self.files.put_new(key, data, same_as)

    def remove(self, key: str) -> None:
        self.files.remove(key)

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        self._look(key)
        return self.files.get(key, max_bytes)

    def list(self, prefix: str) -> "list[str]":
        self._look(prefix)
        return self.files.list(prefix)

    def version_token(self, prefix: str) -> str | None:
        self._look(prefix)
        return self.files.version_token(prefix)

    def _look(self, key: str) -> None:
        self.looks += 1
        self.before_look(self.looks, key)


class Place:
    """Files in memory that two servers share: one that is watched, and another one that changes things.

    Args:
        like: What is there at the beginning.
        opened: Opens a service.
        knows_classifiers: Whether the watched one keeps what it has read.
    """

    def __init__(self, opened: Open, like: MemoryFiles, *, knows_classifiers: bool = True) -> None:
        memory = MemoryFiles(dict(like.kept), _changes=Counter(like._changes))
        self.files = WatchedFiles(memory)
        self.other = opened(names=Namespace(memory, memory.lock))
        self.service = opened(
            names=Namespace(self.files, memory.lock),
            classifier_cache_bytes=10**6 if knows_classifiers else 0,
            embedding_cache_bytes=0,
        )


@dataclass(frozen=True)
class Change:
    """What another server does meanwhile.

    Args:
        asked: The name that is asked.
        do: What it does.
        may_end: Whether there may be nothing to answer afterwards.
    """

    asked: str
    do: Callable[[Service], object]
    may_end: bool = False


def promote(service: Service, model_name: str) -> None:
    service.promote(PromoteRequest("tickets", model_name))


def promote_and_purge(service: Service) -> None:
    promote(service, "tickets_v2")
    service.delete(DeleteRequest("tickets_v1", purge=True, force=True))


def train_and_purge_the_older_ones(service: Service) -> None:
    fit(service, "tickets_v1", rows=OTHERS)
    service.delete(DeleteRequest("tickets_v1@1", purge=True))


def purge_and_train(service: Service) -> None:
    service.delete(DeleteRequest("tickets_v2", purge=True))
    fit(service, "tickets_v2", rows=ROWS)


CHANGES = {
    "promote": Change("tickets", lambda service: promote(service, "tickets_v2")),
    "promote and purge the old one": Change("tickets", promote_and_purge),
    "roll back": Change("tickets", lambda service: service.rollback(AliasChangeRequest("tickets"))),
    "take the alias away": Change(
        "tickets", lambda service: service.remove_alias(AliasChangeRequest("tickets")), may_end=True
    ),
    "delete by force": Change(
        "tickets", lambda service: service.delete(DeleteRequest("tickets_v1", force=True)), may_end=True
    ),
    "train again": Change("tickets_v1", lambda service: fit(service, "tickets_v1", rows=OTHERS)),
    "train again, purge the older revision": Change("tickets_v1", train_and_purge_the_older_ones),
    "the same behind an alias": Change("tickets", train_and_purge_the_older_ones),
    "delete": Change("tickets_v2", lambda service: service.delete(DeleteRequest("tickets_v2")), may_end=True),
    "purge": Change(
        "tickets_v2", lambda service: service.delete(DeleteRequest("tickets_v2", purge=True)), may_end=True
    ),
    "purge, train again": Change("tickets_v2", purge_and_train),
    "train a newer version": Change("tickets@latest", lambda service: fit(service, "tickets_v3", rows=ROWS[2:])),
    "purge the newest version": Change(
        "tickets@latest", lambda service: service.delete(DeleteRequest("tickets_v2", purge=True))
    ),
    "purge the asked revision": Change(
        "tickets_v0@1", lambda service: service.delete(DeleteRequest("tickets_v0@1", purge=True)), may_end=True
    ),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> MemoryFiles:
    """Two revisions of version 0, versions 1 and 2, and an alias that pointed to version 0 and points to version 1."""
    files = MemoryFiles()
    service = fake_service(tmp_path_factory.mktemp("template"), names=Namespace(files, files.lock))
    fit(service, "tickets_v0", rows=ROWS[3:])
    fit(service, "tickets_v0", rows=OTHERS[1:])
    fit(service, "tickets_v1", rows=ROWS)
    fit(service, "tickets_v2", rows=OTHERS)
    promote(service, "tickets_v0")
    promote(service, "tickets_v1")
    service.close()
    return files


@pytest.mark.parametrize("known", ["nothing", "everything", "the index"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_before_any_look_gives_the_old_answer_or_the_new_one(
    name: str, known: str, template: MemoryFiles, opened: Open
) -> None:
    number = 1
    while comes_in_time(number, CHANGES[name], known, Place(opened, template, knows_classifiers=known == "everything")):
        number += 1
    assert number > 1


def comes_in_time(number: int, change: Change, known: str, place: Place) -> bool:
    """Check the answer where a change comes before the look of a number; return whether there was such a look."""
    old = answer_or_none(place.other, change.asked)
    if known != "nothing":
        ask(place.service, change.asked, "error on screen")
    changed = []

    def change_once(look: int, _: str) -> None:
        if look == number:
            changed.append(change.do(place.other))

    place.files.looks, place.files.before_look = 0, change_once
    found = answer_or_none(place.service, change.asked)
    place.files.before_look = nothing
    new = answer_or_none(place.other, change.asked)
    assert found in (old, new), f"before look {number}"
    assert found is not None or change.may_end
    assert answer_or_none(place.service, change.asked) == new
    return bool(changed)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_name_that_keeps_changing_is_answered_once_it_holds_still(
    times: int, template: MemoryFiles, opened: Open
) -> None:
    place = Place(opened, template, knows_classifiers=False)
    other = place.other
    changes: list[str] = []

    def change(_: int, key: str) -> None:
        """Purge what was found, right before it is read."""
        if key.endswith(".safetensors") and len(changes) < times:
            new, old = f"new_{len(changes)}", show(other, "tickets").name
            changes.append(new)
            fit(other, new, rows=OTHERS[: -len(changes)])
            promote(other, new)
            other.delete(DeleteRequest(old, purge=True))

    place.files.before_look = change
    assert ask(place.service, "tickets", "error on screen") == ask(other, "tickets", "error on screen")
    assert len(changes) == times


def answer_or_none(service: Service, name: str) -> Prediction | None:
    try:
        return ask(service, name, "error on screen")
    except NotFound:
        return None
