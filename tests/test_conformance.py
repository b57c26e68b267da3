"""Every verb does the same, and refuses the same with the same facts, on this machine and over HTTP."""

import inspect
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.client.blocking import BlockingOperations
from tests.client.serving import serving
from tests.conformance.contract import CASES, LASTING, LOCKING
from tests.conformance.examples import Case
from tests.conformance.observing import differences, observe
from tests.fakes.bucket import MemoryBucket
from tests.fakes.replicas import opened
from tests.servers import Servers
from tests.toy import Toy
from windrow.bootstrap import OpenedFiles, open_service
from windrow.client.remote import RemoteOperations
from windrow.operations import Operations
from windrow.settings import Settings


@dataclass(frozen=True)
class Sides:
    """The same verbs, done here and over HTTP, each on data of its own.

    Args:
        here: Operations on this machine.
        there: A client of a server.
    """

    here: Operations
    there: Operations


class Watched:
    """Passes every verb on, and takes note of its name."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self.verbs: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.verbs.add(name)
        return getattr(self._operations, name)


def toy(case: Case, files: OpenedFiles | None = None) -> Toy:
    """Return the product with a toy encoder, whose trainings last where a case needs that."""
    never = threading.Event()
    return Toy(before_fit=lambda: never.wait(60), opened=files) if case in LASTING else Toy(opened=files)


@pytest.fixture
def toy_sides(case: Case, client: Callable[[str], Any]) -> Iterator[Sides]:
    """The product with a toy encoder twice: in this thread, and behind a server."""
    here, there = toy(case), toy(case)
    try:
        with serving(there, Settings()) as url:
            remote = client(url)
            yield Sides(here, remote)
            remote.close()
    finally:
        here.close()
        there.close()


@pytest.fixture(scope="session")
def real_sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """The product twice: in this process, and as a server in a process of its own."""
    folder: Path = tmp_path_factory.mktemp("conformance")
    service = open_service(Settings(data_dir=folder / "here"))
    servers = Servers(folder)
    try:
        remote = RemoteOperations(str(servers.start(folder / "there").client.base_url))
        yield Sides(service, remote)
        remote.close()
    finally:
        servers.stop()
        service.close()


@pytest.mark.parametrize("client", [RemoteOperations, BlockingOperations])
@pytest.mark.parametrize("case", CASES + LOCKING, ids=lambda case: case.__name__)
def test_a_toy_does_the_same_here_and_over_http(case: Case, toy_sides: Sides) -> None:
    assert list(differences(observe(case, toy_sides.here), observe(case, toy_sides.there))) == []


@pytest.mark.parametrize("case", CASES + LOCKING, ids=lambda case: case.__name__)
def test_a_toy_does_the_same_in_a_folder_and_in_an_object_store(case: Case, tmp_path: Path) -> None:
    here = toy(case)
    there = toy(case, opened(MemoryBucket(), tmp_path / "cache"))
    try:
        assert list(differences(observe(case, here), observe(case, there))) == []
    finally:
        here.close()
        there.close()


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_product_does_the_same_here_and_over_http(case: Case, real_sides: Sides) -> None:
    assert list(differences(observe(case, real_sides.here), observe(case, real_sides.there))) == []


def test_each_verb_is_in_a_case() -> None:
    used: set[str] = set()
    for case in CASES + LOCKING:
        service = toy(case)
        watched = Watched(service)
        case(watched)
        used |= watched.verbs
        service.close()
    verbs = {name for name, _ in inspect.getmembers(Operations, inspect.isfunction) if not name.startswith("_")}
    assert len(verbs) >= 30
    assert verbs - used == set()
