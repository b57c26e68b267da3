"""The catalog: commits, deletions, names, damage, and what other catalogs on the same place see."""

import json
import logging
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.examples import blobs, record, wait_for_tick
from windrow.domain.classifier import Record
from windrow.domain.errors import ArtifactInvalid, ClassifierNotFound, InvalidName, NameTaken
from windrow.storage.artifact import ARTIFACT, ROWS
from windrow.storage.catalog import Catalog
from windrow.storage.files import FRESH_NS, Files, LocalFiles


@pytest.fixture(params=["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return LocalFiles(tmp_path) if request.param == "local" else MemoryFiles()


@pytest.fixture
def catalog(files: Files) -> Catalog:
    return Catalog(files)


def names(catalog: Catalog) -> list[str]:
    return [entry.record.name for entry in catalog.live()]


class TestPublish:
    def test_makes_a_classifier_that_reads_back(self, catalog: Catalog) -> None:
        published = catalog.publish(record(), blobs())
        entry = catalog.current("tickets")
        assert published == entry
        assert entry.record == record(revision=1)
        assert {role: catalog.read_blob("tickets", ref) for role, ref in entry.blobs.items()} == blobs()

    def test_of_an_existing_name_adds_a_revision_and_keeps_the_older_one(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(record(mark="a"), blobs(1))
        assert catalog.publish(record(mark="b"), blobs(2)).record == record(mark="b", revision=2)
        assert catalog.current("tickets").record == record(mark="b", revision=2)
        assert files.list("classifiers/tickets") == ["000001.json", "000002.json", "blobs"]

    def test_shares_a_blob_that_is_there_already(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(record(), blobs())
        catalog.publish(record(), blobs())
        assert len(files.list("classifiers/tickets/blobs")) == len(blobs())

    def test_replaces_a_blob_of_the_same_name_that_was_damaged(self, tmp_path: Path) -> None:
        catalog = Catalog(LocalFiles(tmp_path))
        catalog.publish(record(), blobs())
        for path in (tmp_path / "classifiers/tickets/blobs").iterdir():
            path.write_bytes(b"")
        entry = Catalog(LocalFiles(tmp_path)).publish(record(), blobs())
        ref = catalog.current("tickets").blobs[ARTIFACT]
        assert entry.record.revision == 2
        assert catalog.read_blob("tickets", ref) == blobs()[ARTIFACT]

    def test_goes_on_counting_after_a_deletion(self, catalog: Catalog) -> None:
        catalog.publish(record(), blobs())
        catalog.delete("tickets")
        assert catalog.publish(record(), blobs()).record.revision == 3
        assert names(catalog) == ["tickets"]

    def test_goes_on_counting_beyond_six_digits(self, files: Files, catalog: Catalog) -> None:
        files.put_new("classifiers/tickets/999999.json", b"{}")
        assert [catalog.publish(record(), {}).record.revision for _ in range(2)] == [1_000_000, 1_000_001]
        assert catalog.current("tickets").record.revision == 1_000_001

    def test_refuses_a_bad_name(self, files: Files, catalog: Catalog) -> None:
        with pytest.raises(InvalidName):
            catalog.publish(record("../tickets"), blobs())
        assert files.list("classifiers") == []

    def test_refuses_a_name_that_differs_only_in_case(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(record("Tickets"), blobs())
        for refused in (catalog.check_name_free, lambda name: catalog.publish(record(name), blobs())):
            with pytest.raises(NameTaken) as caught:
                refused("tickets")
            assert caught.value.facts == {"name": "tickets", "existing_name": "Tickets"}
        assert files.list("classifiers") == ["Tickets"]

    def test_takes_a_name_whose_other_spelling_was_deleted(self, catalog: Catalog) -> None:
        catalog.publish(record("Tickets"), blobs())
        catalog.delete("Tickets")
        catalog.publish(record("tickets"), blobs())
        assert names(catalog) == ["tickets"]

    def test_withdraws_when_another_spelling_was_committed_meanwhile(self) -> None:
        files = RacingFiles()
        catalog = Catalog(files)
        files.race = lambda: Catalog(files).publish(record("Tickets"), blobs())
        with pytest.raises(NameTaken):
            catalog.publish(record("tickets"), blobs())
        assert names(catalog) == ["Tickets"]

    def test_does_not_withdraw_a_name_that_was_live_before(self) -> None:
        files = RacingFiles()
        catalog = Catalog(files)
        catalog.publish(record("tickets"), blobs())
        content = files.get("classifiers/tickets/000001.json").replace(b"tickets", b"Tickets")
        files.race = partial(files.put_new, "classifiers/Tickets/000001.json", content)
        assert catalog.publish(record("tickets"), blobs()).record.revision == 2
        assert names(catalog) == ["Tickets", "tickets"]

    def test_withdraws_its_own_revision_only(self) -> None:
        files = RacingFiles()

        class OvertakenCatalog(Catalog):
            """Between its commit and its withdrawal, another server trains the same name."""

            def _withdraw(self, record: Record) -> None:
                Catalog(files)._append(replace(record, data_sha256="b" * 64), {})
                super()._withdraw(record)

        catalog = OvertakenCatalog(files)
        files.race = lambda: Catalog(files).publish(record("Tickets"), {})
        with pytest.raises(NameTaken):
            catalog.publish(record("tickets"), blobs())
        assert catalog.current("tickets").record.data_sha256 == "b" * 64

    def test_takes_the_next_number_when_another_catalog_was_faster(self) -> None:
        files = RacingFiles()
        files.race = lambda: Catalog(files).publish(record(mark="b"), {})
        assert Catalog(files).publish(record(mark="a"), {}).record == record(mark="a", revision=2)
        assert Catalog(files).current("tickets").record == record(mark="a", revision=2)


class RacingFiles(MemoryFiles):
    """Lets another server act once, just before the next commit."""

    race: Callable[[], object] | None = None

    def put_new(self, key: str, data: bytes) -> None:
        if key.endswith(".json") and self.race is not None:
            race, self.race = self.race, None
            race()
        super().put_new(key, data)


class TestDelete:
    def test_hides_a_classifier_and_keeps_its_files(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(record(), blobs())
        catalog.delete("tickets")
        assert names(catalog) == []
        with pytest.raises(ClassifierNotFound):
            catalog.current("tickets")
        assert len(files.list("classifiers/tickets/blobs")) == len(blobs())

    def test_writes_a_dated_tombstone(self, files: Files) -> None:
        catalog = Catalog(files, now=lambda: datetime(2025, 9, 16, 8, 0, tzinfo=UTC))
        catalog.publish(record(), blobs())
        catalog.delete("tickets")
        tombstone = json.loads(files.get("classifiers/tickets/000002.json"))
        assert tombstone == {"format": 1, "kind": "deleted", "at": "2025-09-16T08:00:00Z"}

    def test_of_what_is_not_there_is_refused(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(record(), blobs())
        catalog.delete("tickets")
        for name in ("tickets", "unheard-of"):
            with pytest.raises(ClassifierNotFound):
                catalog.delete(name)
        assert files.list("classifiers") == ["tickets"]

    def test_that_meets_another_deletion_leaves_one_tombstone(self) -> None:
        files = RacingFiles()
        catalog = Catalog(files)
        catalog.publish(record(), {})
        files.race = lambda: Catalog(files).delete("tickets")
        with pytest.raises(ClassifierNotFound):
            catalog.delete("tickets")
        assert files.list("classifiers/tickets") == ["000001.json", "000002.json"]


class TestCurrent:
    def test_of_an_unknown_name_lists_near_names(self, catalog: Catalog) -> None:
        for name in ("tickets_v1", "tickets_v2", "moods"):
            catalog.publish(record(name), {})
        with pytest.raises(ClassifierNotFound, match="Did you mean tickets_v") as caught:
            catalog.current("ticket_v1")
        assert caught.value.facts["near_names"] == ["tickets_v1", "tickets_v2"]

    def test_of_an_unknown_name_opens_near_names_only_and_lists_the_live_ones(self) -> None:
        files = MemoryFiles()
        for name in ("tickets_v1", "tickets_v2", *"abcdef"):
            Catalog(files).publish(record(name), {})
        Catalog(files).delete("tickets_v2")
        files.calls.clear()
        with pytest.raises(ClassifierNotFound) as caught:
            Catalog(files).current("ticket_v1")
        assert caught.value.facts["near_names"] == ["tickets_v1"]
        assert files.calls["get"] == 2

    def test_costs_one_look_while_nothing_changes(self) -> None:
        files = MemoryFiles()
        catalog = Catalog(files)
        catalog.publish(record(), {})
        catalog.current("tickets")
        files.calls.clear()
        catalog.current("tickets")
        assert files.calls == {"change_token": 1}

    def test_sees_a_commit_that_came_while_it_was_listing(self) -> None:
        files = ListingRaces()
        catalog = Catalog(files)
        catalog.publish(record(mark="a"), {})
        files.race = lambda: Catalog(files).publish(record(mark="b"), {})
        catalog.current("tickets")
        assert catalog.current("tickets").record == record(mark="b", revision=2)

    def test_remembers_nothing_of_names_that_do_not_exist(self, catalog: Catalog) -> None:
        for number in range(10):
            with pytest.raises(ClassifierNotFound):
                catalog.current(f"guess_{number}")
        assert catalog._index == {}

    def test_refuses_a_name_that_could_lead_elsewhere(self, catalog: Catalog) -> None:
        for verb in (catalog.current, catalog.delete, catalog.check_name_free):
            with pytest.raises(InvalidName):
                verb("../../etc")


class ListingRaces(MemoryFiles):
    """Lets another server act once, just after the next listing."""

    race: Callable[[], object] | None = None

    def list(self, prefix: str) -> list[str]:
        names = super().list(prefix)
        if self.race is not None and prefix == "classifiers/tickets":
            race, self.race = self.race, None
            race()
        return names


class TestLive:
    def test_is_sorted_by_name_and_leaves_out_the_deleted(self, catalog: Catalog) -> None:
        for name in ("b", "c", "a"):
            catalog.publish(record(name), {})
        catalog.delete("b")
        assert names(catalog) == ["a", "c"]

    def test_costs_one_look_a_name_while_nothing_changes(self) -> None:
        files = MemoryFiles()
        catalog = Catalog(files)
        for name in ("a", "b", "c"):
            catalog.publish(record(name), {})
        catalog.live()
        files.calls.clear()
        catalog.live()
        assert files.calls == {"change_token": 4}

    def test_ignores_what_is_no_classifier(self, tmp_path: Path) -> None:
        root = tmp_path / "classifiers"
        for folder in ("bad name", ".hidden", "empty", "tickets"):
            (root / folder).mkdir(parents=True)
        catalog = Catalog(LocalFiles(tmp_path))
        catalog.publish(record(), {})
        whole = (root / "tickets/000001.json").read_bytes()
        strays = ["bad name/000001.json", ".hidden/000001.json", "README", "empty/1.json", "empty/000001.json.bak"]
        for stray in [*strays, "tickets/000000.json.tmp", "tickets/2.json", "tickets/0000002.json", "tickets/notes"]:
            (root / stray).write_bytes(whole)
        assert names(catalog) == names(Catalog(LocalFiles(tmp_path))) == ["tickets"]
        assert catalog.publish(record(), {}).record.revision == 2


def test_a_name_takes_less_than_2_kb_of_memory() -> None:
    files, count = MemoryFiles(), 200
    for number in range(count):
        Catalog(files).publish(record(f"tickets_{number}", mark=f"{number % 16:x}"), {})
    catalog = Catalog(files)
    catalog.page(1)
    tracemalloc.start()
    catalog.live()
    taken_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken_bytes < 2_000 * count


class TestPage:
    def pages(self, catalog: Catalog, limit: int) -> list[str]:
        """Return the names of every page, a page a string."""
        found, after = [], None
        while True:
            entries, after = catalog.page(limit, after)
            found.append("".join(entry.record.name for entry in entries))
            if after is None:
                return found

    @pytest.mark.parametrize(
        ("limit", "expected"), [(1, ["a", "c", "d", "f"]), (2, ["ac", "df"]), (3, ["acd", "f"]), (4, ["acdf"])]
    )
    def test_after_page_shows_each_live_name_once(self, catalog: Catalog, limit: int, expected: list[str]) -> None:
        for name in "fbdaec":
            catalog.publish(record(name), {})
        catalog.delete("b")
        catalog.delete("e")
        assert self.pages(catalog, limit) == expected

    def test_of_nothing_is_empty_and_the_last(self, catalog: Catalog) -> None:
        assert catalog.page(10, None) == ((), None)

    @pytest.mark.parametrize(("after", "expected"), [("a", "b"), ("aa", "b"), ("0", "a"), ("c", ""), ("~", "")])
    def test_starts_after_any_name_also_one_that_is_gone(self, catalog: Catalog, after: str, expected: str) -> None:
        for name in "abc":
            catalog.publish(record(name), {})
        catalog.delete("c")
        entries, _ = catalog.page(1, after)
        assert "".join(entry.record.name for entry in entries) == expected

    def test_looks_at_its_own_names_and_one_more(self) -> None:
        files = MemoryFiles()
        for name in "abcdefgh":
            Catalog(files).publish(record(name), {})
        catalog = Catalog(files)
        files.calls.clear()
        assert catalog.page(2, "b")[1] == "d"
        assert files.calls["get"] == 3
        files.calls.clear()
        catalog.page(2, "b")
        assert files.calls == {"change_token": 1 + 3}

    def test_leaves_out_a_damaged_name(self, tmp_path: Path) -> None:
        catalog = Catalog(LocalFiles(tmp_path))
        for name in "abc":
            catalog.publish(record(name), {})
        (tmp_path / "classifiers/b/000001.json").write_text("{")
        assert self.pages(catalog, 1) == ["a", "c"]


class TestOtherCatalogs:
    """Two catalogs on one directory stand for two servers."""

    @pytest.mark.parametrize("is_settled", [False, True], ids=["within one tick", "with trusted times"])
    def test_see_a_commit_a_refit_and_a_deletion_at_once(self, tmp_path: Path, is_settled: bool) -> None:
        def clock_ns() -> int:
            return time.time_ns() + (FRESH_NS * 10 if is_settled else 0)

        def pause() -> None:
            if is_settled:  # trusted times need a new tick between two changes
                wait_for_tick(tmp_path)

        ours, theirs = (Catalog(LocalFiles(tmp_path, clock_ns)) for _ in range(2))
        for round_number in range(20):
            for mark in "ab":
                pause()
                published = theirs.publish(record(mark=mark), {}).record
                assert ours.current("tickets").record == published
                assert [entry.record for entry in ours.live()] == [published]
            pause()
            theirs.delete("tickets")
            assert names(ours) == []
            assert published.revision == 3 * round_number + 2

    def test_see_a_folder_that_was_removed_and_made_anew(self, tmp_path: Path) -> None:
        ours, theirs = Catalog(LocalFiles(tmp_path)), Catalog(LocalFiles(tmp_path))
        theirs.publish(record(mark="a"), {})
        assert ours.current("tickets").record == record(mark="a")
        (tmp_path / "classifiers/tickets/000001.json").unlink()
        (tmp_path / "classifiers/tickets").rmdir()
        theirs.publish(record(mark="b"), {})
        assert ours.current("tickets").record == record(mark="b")

    def test_in_many_threads_leave_no_gap(self, files: Files) -> None:
        catalogs = [Catalog(files) for _ in range(4)]
        with ThreadPoolExecutor(8) as threads:
            published = list(threads.map(lambda turn: catalogs[turn % 4].publish(record(), blobs(turn % 3)), range(40)))
        assert sorted(entry.record.revision for entry in published) == list(range(1, 41))

    def test_in_many_processes_leave_no_gap(self, tmp_path: Path) -> None:
        script = """
import sys
from pathlib import Path
from tests.storage.examples import blobs, record
from windrow.storage.catalog import Catalog
from windrow.storage.files import LocalFiles
catalog = Catalog(LocalFiles(Path(sys.argv[1])))
print("ready", flush=True)
sys.stdin.readline()
print(*(catalog.publish(record(mark=sys.argv[2]), blobs(turn % 3)).record.revision for turn in range(25)))
"""
        command = [sys.executable, "-c", script, str(tmp_path)]
        workers = [
            subprocess.Popen([*command, mark], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
            for mark in "abcd"
        ]
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        replies = [worker.communicate()[0] for worker in workers]
        marks = {int(word): mark for mark, reply in zip("abcd", replies, strict=True) for word in reply.split()}
        assert sorted(marks) == list(range(1, 101))
        for number, mark in marks.items():
            kept = json.loads((tmp_path / f"classifiers/tickets/{number:06d}.json").read_bytes())["record"]
            assert (kept["revision"], kept["data_sha256"]) == (number, mark * 64)
        assert Catalog(LocalFiles(tmp_path)).current("tickets").record.revision == 100


ROOT = Path(__file__).parents[2]


class TestDamage:
    @pytest.fixture
    def local(self, tmp_path: Path) -> Catalog:
        catalog = Catalog(LocalFiles(tmp_path))
        for name in ("moods", "tickets"):
            catalog.publish(record(name), blobs())
        return catalog

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 2, "kind": "trained"}'])
    def test_of_a_record_hides_that_name_alone_and_says_why(
        self, tmp_path: Path, local: Catalog, caplog: pytest.LogCaptureFixture, content: bytes
    ) -> None:
        (tmp_path / "classifiers/tickets/000002.json").write_bytes(content)
        with caplog.at_level(logging.WARNING, "windrow.storage"):
            assert names(local) == ["moods"]
            assert names(local) == ["moods"]
        assert len([line for line in caplog.messages if "tickets" in line]) == 1
        with pytest.raises(ArtifactInvalid, match=r"classifiers/tickets/000002\.json"):
            local.current("tickets")

    def test_of_a_record_ends_with_a_repair_a_refit_or_a_deletion(self, tmp_path: Path, local: Catalog) -> None:
        path = tmp_path / "classifiers/tickets/000001.json"
        whole = path.read_bytes()
        path.write_bytes(b"")
        # Seen from an hour later, the folder's time is trusted, and mending the file in place does not move it.
        local = Catalog(LocalFiles(tmp_path, lambda: time.time_ns() + 3_600_000_000_000))
        assert names(local) == ["moods"]
        path.write_bytes(whole)
        assert names(local) == ["moods", "tickets"]
        path.write_bytes(b"")
        assert Catalog(LocalFiles(tmp_path)).publish(record("tickets"), blobs()).record.revision == 2
        assert names(local) == ["moods", "tickets"]
        (tmp_path / "classifiers/moods/000002.json").write_bytes(b"")
        local.delete("moods")
        assert names(local) == ["tickets"]

    def test_by_renaming_a_folder_is_explained(self, tmp_path: Path, local: Catalog) -> None:
        (tmp_path / "classifiers/tickets").rename(tmp_path / "classifiers/renamed")
        with pytest.raises(ArtifactInvalid, match="is the record of tickets, revision 1"):
            local.current("renamed")

    def test_by_renumbering_a_file_is_explained(self, tmp_path: Path, local: Catalog) -> None:
        folder = tmp_path / "classifiers/tickets"
        (folder / "000001.json").rename(folder / "000007.json")
        with pytest.raises(ArtifactInvalid, match="revision 1"):
            local.current("tickets")

    def test_by_a_link_that_leads_nowhere_is_explained(self, tmp_path: Path, local: Catalog) -> None:
        (tmp_path / "classifiers/tickets/000002.json").symlink_to(tmp_path / "nowhere")
        with pytest.raises(ArtifactInvalid, match="cannot be opened"):
            local.current("tickets")

    @pytest.mark.parametrize("content", [None, b"", b"other", "flipped"])
    def test_of_a_blob_is_never_handed_out(self, tmp_path: Path, local: Catalog, content: bytes | str | None) -> None:
        entry = local.current("tickets")
        path = tmp_path / f"classifiers/tickets/blobs/{entry.blobs[ROWS].sha256}.jsonl.gz"
        if content == "flipped":
            whole = path.read_bytes()
            content = whole[:-1] + bytes([whole[-1] ^ 1])
        path.unlink()
        if isinstance(content, bytes):
            path.write_bytes(content)
        with pytest.raises(ArtifactInvalid, match=r"blobs/.*train the classifier again"):
            local.read_blob("tickets", entry.blobs[ROWS])
        assert local.read_blob("tickets", entry.blobs[ARTIFACT]) == blobs()[ARTIFACT]

    def test_of_a_reference_to_a_blob_of_another_size_is_noticed(self, local: Catalog) -> None:
        ref = local.current("tickets").blobs[ARTIFACT]
        with pytest.raises(ArtifactInvalid):
            local.read_blob("tickets", replace(ref, size_bytes=ref.size_bytes + 1))


def test_a_copied_folder_is_a_classifier_of_the_other_directory(tmp_path: Path) -> None:
    source, target = Catalog(LocalFiles(tmp_path / "source")), Catalog(LocalFiles(tmp_path / "target"))
    source.publish(record(), blobs())
    assert names(target) == []
    target.publish(record("moods"), blobs())
    subprocess.run(
        ["cp", "-a", str(tmp_path / "source/classifiers/tickets"), str(tmp_path / "target/classifiers")], check=True
    )
    assert names(target) == ["moods", "tickets"]
    assert target.read_blob("tickets", target.current("tickets").blobs[ARTIFACT]) == blobs()[ARTIFACT]
