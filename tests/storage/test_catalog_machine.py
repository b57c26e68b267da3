"""Classifiers and aliases against their model: any order of verbs, through several servers on one place."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from tests.fakes.bucket import MemoryBucket
from tests.fakes.files import MemoryFiles
from tests.storage.examples import fast_folder, object_files
from tests.storage.model import Model, Server, verb
from windrow.domain.classifier import Classifier
from windrow.domain.listing import ListRequest, to_cursor
from windrow.domain.versions import Version, read_version
from windrow.storage.files import Files, LocalFiles
from windrow.storage.object_store import object_files as object_files_module

pytestmark = pytest.mark.slow

# Some differ in case only, some are versions of one task, and some are wanted for both kinds.
NAMES = st.sampled_from(["t_v2", "t_v10", "T_v2"])
ALIASES = st.sampled_from(["live", "live", "Live", "t_v10"])
DESCRIPTIONS = st.sampled_from(["", "one", "other"])
REVISIONS = st.integers(1, 4)
RARELY = st.sampled_from([False, False, False, True])


@pytest.fixture(autouse=True)
def _each_look_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let replicas see each other's changes at once, and not within a second."""
    monkeypatch.setattr(object_files_module, "MAX_AGE_S", -1.0)


class CatalogMachine(RuleBasedStateMachine):
    """Three servers do what they are asked; the model says what they should answer and what is there afterwards."""

    fitted: Bundle[str] = Bundle("fitted")
    pointed: Bundle[str] = Bundle("pointed")

    @initialize()
    def open(self) -> None:
        self.files = self.make_files()
        self.servers = [self.open_server() for _ in range(3)]
        self.model = Model()
        self.turn = 0

    def make_files(self) -> Files:
        return MemoryFiles()

    def open_server(self) -> Server:
        return Server(self.files)

    def do(self, method: str, *args: object) -> None:
        """Let the servers take turns, and then each see what one of them did."""
        self.turn += 1
        one = verb(method, *args)
        assert one.on(self.servers[self.turn % 3]) == one.on(self.model)

    @rule(target=fitted, name=NAMES, description=st.none() | DESCRIPTIONS)
    def fit(self, name: str, description: str | None) -> str:
        self.do("fit", name, self.turn, description)
        return name

    @rule(target=fitted, name=NAMES)
    def take_in(self, name: str) -> str:
        self.do("take_in", name, self.turn)
        return name

    @rule(name=fitted, overwrite=st.booleans())
    def refit(self, name: str, overwrite: bool) -> None:
        self.do("fit", name, self.turn, None, overwrite)

    @rule(name=fitted, description=DESCRIPTIONS)
    def describe(self, name: str, description: str) -> None:
        self.do("describe", name, description)

    @rule(name=fitted)
    def measure(self, name: str) -> None:
        self.do("measure", name, self.turn)

    @rule(name=fitted)
    def set_threshold(self, name: str) -> None:
        self.do("set_threshold", name, self.turn)

    @rule(name=fitted, force=RARELY)
    def delete(self, name: str, force: bool) -> None:
        self.do("delete", name, force)

    @rule(name=fitted, revision=st.none() | REVISIONS)
    def restore(self, name: str, revision: int | None) -> None:
        self.do("restore", name, revision)

    @rule(name=fitted, force=RARELY)
    def purge(self, name: str, force: bool) -> None:
        self.do("purge", name, force)

    @rule(name=fitted, revision=REVISIONS, force=RARELY)
    def purge_revision(self, name: str, revision: int, force: bool) -> None:
        self.do("purge_revision", name, revision, force)

    @rule()
    def sweep(self) -> None:
        self.do("sweep")

    @rule(target=pointed, alias=ALIASES, name=fitted, reason=DESCRIPTIONS)
    def promote(self, alias: str, name: str, reason: str) -> str:
        self.do("promote", alias, name, reason)
        return alias

    @rule(target=pointed, alias=ALIASES, name=fitted, revision=REVISIONS)
    def promote_a_revision(self, alias: str, name: str, revision: int) -> str:
        self.do("promote", alias, f"{name}@{revision}")
        return alias

    @rule(alias=pointed, name=fitted, revision=st.none() | REVISIONS)
    def promote_anew(self, alias: str, name: str, revision: int | None) -> None:
        self.do("promote", alias, name if revision is None else f"{name}@{revision}")

    @rule(alias=pointed, reason=DESCRIPTIONS)
    def roll_back(self, alias: str, reason: str) -> None:
        self.do("roll_back", alias, reason)

    @rule(alias=pointed, reason=DESCRIPTIONS)
    def remove(self, alias: str, reason: str) -> None:
        self.do("remove", alias, reason)

    @rule(name=NAMES, alias=ALIASES, revision=REVISIONS)
    def find(self, name: str, alias: str, revision: int) -> None:
        for reference in (name, alias, f"{name}@{revision}"):
            for server in self.servers:
                assert server.find(reference) == self.model.find(reference)

    @rule()
    def find_the_latest(self) -> None:
        versions = [(version, name) for name in self.live() if (version := read_version(name)) and version.task == "t"]
        expected = self.model.find(max(versions)[1]) if versions else "ClassifierNotFound"
        assert [server.find("t@latest") for server in self.servers] == [expected] * 3

    @rule(limit=st.integers(1, 4), after=st.none() | NAMES | st.sampled_from(["0", "b", "z"]), deleted=st.booleans())
    def page(self, limit: int, after: str | None, deleted: bool) -> None:
        names = sorted(self.deleted() if deleted else self.live())
        expected = [name for name in names if after is None or name > after]
        for server in self.servers:
            listing = server.catalog.listing(
                ListRequest(limit=limit, cursor=None if after is None else to_cursor(after), deleted=deleted)
            )
            assert names_of(listing.models) == expected[:limit]
            assert listing.next_cursor == (to_cursor(expected[limit - 1]) if len(expected) > limit else None)

    @rule()
    def versions(self) -> None:
        versions = {name: version for name in self.live() if (version := read_version(name))}
        expected = sorted(versions, key=lambda name: versions[name])
        for server in self.servers:
            classifiers = server.catalog.listing(ListRequest(task="t")).models
            assert names_of(classifiers) == [
                name for name in expected if versions[name] == Version("t", versions[name].number)
            ]

    @rule(server=st.integers(0, 2))
    def restart(self, server: int) -> None:
        self.servers[server] = self.open_server()

    @invariant()
    def all_servers_agree_with_the_model(self) -> None:
        for server in self.servers:
            assert server.state() == self.model.state()

    def live(self) -> list[str]:
        return [name for name, kept in self.model.classifiers.items() if not kept.is_deleted]

    def deleted(self) -> list[str]:
        return [name for name, kept in self.model.classifiers.items() if kept.is_deleted]


def names_of(classifiers: tuple[Classifier, ...]) -> list[str]:
    return [classifier.name for classifier in classifiers]


class LocalCatalogMachine(CatalogMachine):
    """The same on a real directory, which fsck finds in order at the end."""

    def make_files(self) -> Files:
        self.folder = tempfile.TemporaryDirectory()
        return LocalFiles(Path(self.folder.name))

    def teardown(self) -> None:
        assert self.servers[0].finding_codes() == set()
        self.folder.cleanup()


class ReplicatedCatalogMachine(CatalogMachine):
    """The same on an object store, each server with an index and a cache of its own."""

    def make_files(self) -> Files:
        self.bucket = MemoryBucket()
        self.folder = fast_folder()
        self.parent = self.folder.__enter__()
        return self.replica()

    def open_server(self) -> Server:
        return Server(self.replica())

    def replica(self) -> Files:
        return object_files(Path(tempfile.mkdtemp(dir=self.parent)), self.bucket)

    def teardown(self) -> None:
        self.folder.__exit__(None, None, None)


CatalogMachine.TestCase.settings = settings(deadline=None, max_examples=80, stateful_step_count=40)
LocalCatalogMachine.TestCase.settings = settings(deadline=None, max_examples=10, stateful_step_count=30)
ReplicatedCatalogMachine.TestCase.settings = settings(deadline=None, max_examples=40, stateful_step_count=40)
TestCatalogInMemory = CatalogMachine.TestCase
TestCatalogOnDisk = LocalCatalogMachine.TestCase
TestCatalogInAnObjectStore = ReplicatedCatalogMachine.TestCase
