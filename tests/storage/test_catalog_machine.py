"""The catalog against its model, a dictionary: any order of verbs, through two catalogs on one place."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.fakes.files import MemoryFiles
from tests.storage.examples import record
from windrow.domain.classifier import Record
from windrow.domain.errors import ClassifierNotFound, NameTaken
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files, LocalFiles

NAMES = st.sampled_from(["a", "A", "b", "tickets_v1"])
SERVERS = st.sampled_from([0, 1])


class CatalogMachine(RuleBasedStateMachine):
    """Two servers publish, delete and read; the model knows each name's live record and its count of revisions."""

    @initialize()
    def open(self) -> None:
        files = self.make_files()
        self.catalogs = [Catalog(files), Catalog(files)]
        self.live: dict[str, Record] = {}
        self.revisions: dict[str, int] = {}

    def make_files(self) -> Files:
        return MemoryFiles()

    @rule(server=SERVERS, name=NAMES, mark=st.sampled_from("abc"), blob=st.binary(max_size=2))
    def publish(self, server: int, name: str, mark: str, blob: bytes) -> None:
        if any(other != name and other.casefold() == name.casefold() for other in self.live):
            with pytest.raises(NameTaken):
                self.catalogs[server].publish(record(name, mark), {"artifact": blob})
            return
        self.revisions[name] = self.revisions.get(name, 0) + 1
        self.live[name] = record(name, mark, self.revisions[name])
        assert self.catalogs[server].publish(record(name, mark), {"artifact": blob}).record == self.live[name]
        (ref,) = self.catalogs[1 - server].current(name).blobs.values()
        assert self.catalogs[1 - server].read_blob(name, ref) == blob

    @rule(server=SERVERS, name=NAMES)
    def delete(self, server: int, name: str) -> None:
        if name not in self.live:
            with pytest.raises(ClassifierNotFound):
                self.catalogs[server].delete(name)
            return
        self.catalogs[server].delete(name)
        self.revisions[name] += 1
        del self.live[name]

    @rule(server=SERVERS, name=NAMES)
    def read(self, server: int, name: str) -> None:
        if name in self.live:
            assert self.catalogs[server].current(name).record == self.live[name]
        else:
            with pytest.raises(ClassifierNotFound):
                self.catalogs[server].current(name)

    @rule(server=SERVERS, limit=st.integers(1, 4), after=st.none() | NAMES | st.sampled_from(["0", "aa", "z"]))
    def page(self, server: int, limit: int, after: str | None) -> None:
        expected = [name for name in sorted(self.live) if after is None or name > after]
        entries, last = self.catalogs[server].page(limit, after)
        assert [entry.record for entry in entries] == [self.live[name] for name in expected[:limit]]
        assert last == (expected[limit - 1] if len(expected) > limit else None)

    @rule(server=SERVERS)
    def restart(self, server: int) -> None:
        self.catalogs[server] = Catalog(self.catalogs[server]._files)

    @invariant()
    def both_servers_list_what_is_live(self) -> None:
        for catalog in self.catalogs:
            assert [entry.record for entry in catalog.live()] == [self.live[name] for name in sorted(self.live)]


class LocalCatalogMachine(CatalogMachine):
    """The same on a real directory."""

    def make_files(self) -> Files:
        self.folder = tempfile.TemporaryDirectory()
        return LocalFiles(Path(self.folder.name))

    def teardown(self) -> None:
        self.folder.cleanup()


CatalogMachine.TestCase.settings = settings(deadline=None, max_examples=60, stateful_step_count=25)
LocalCatalogMachine.TestCase.settings = settings(deadline=None, max_examples=12, stateful_step_count=15)
TestCatalogInMemory = CatalogMachine.TestCase
TestCatalogOnDisk = LocalCatalogMachine.TestCase
