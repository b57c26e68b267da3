"""Purging: what is freed, what others still need, and what waits until it is time."""

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.storage.examples import new_revision, notes, open_catalog, open_names, promote, sealed
from tests.storage.tickets import AT, FOLDER, begin_purge, contents, kept_contents, names, publish
from windrow.domain.classifier import DescribeRequest
from windrow.domain.errors import (
    ClassifierInUse,
    ClassifierNotFound,
    InvalidArtifact,
    InvalidName,
    RevisionNotFound,
    StorageFailed,
    StorageFull,
)
from windrow.domain.names import Reference
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files, LocalFiles
from windrow.storage.fsck import check
from windrow.storage.purging import Purging
from windrow.storage.revision import DeletedPredecessors


def promote_by_hand(files: Files, target: str = "tickets") -> None:
    """Point an alias at something, whether it can be read or not."""
    catalog = open_catalog(files)
    catalog.publish(new_revision("other"))
    promote(files, "live", "other")
    text = files.get("aliases/live/000001.json").replace(b'"other"', f'"{target}"'.encode())
    files.put_new("aliases/live/000002.json", sealed(text))


def test_the_blobs_of_all_revisions_are_counted_once(catalog: Catalog) -> None:
    assert catalog.purging.blob_bytes("tickets") == 0
    publish(catalog, (1, 1), (2, 1))
    catalog.describe(DescribeRequest("tickets", "new"))
    assert catalog.purging.blob_bytes("tickets") == len(b"artifact 1" + b"artifact 2" + b"rows 1")
    catalog.delete("tickets")
    assert catalog.purging.purge("tickets") == len(b"artifact 1" + b"artifact 2" + b"rows 1")


def purge(catalog: Catalog, name: str) -> None:
    catalog.purging.purge(name)


class TestPurge:
    @pytest.mark.parametrize("is_deleted", [False, True])
    def test_leaves_nothing_and_tells_what_it_freed(self, files: Files, catalog: Catalog, is_deleted: bool) -> None:
        publish(catalog, (1, 1), (2, 1))
        catalog.publish(new_revision("moods", contents=contents(1, 1)))
        if is_deleted:
            catalog.delete("tickets")
        assert catalog.purging.purge("tickets") == len(b"artifact 1" + b"artifact 2" + b"rows 1")
        assert files.list("classifiers") == ["moods"]
        assert files.list(FOLDER) == files.list(f"{FOLDER}/blobs") == []
        assert len(files.list("classifiers/moods/blobs")) == 2

    def test_leaves_no_folder_either(self, tmp_path: Path) -> None:
        catalog = open_catalog(LocalFiles(tmp_path))
        publish(catalog, (1, 1))
        catalog.purging.purge("tickets")
        assert [path.name for path in tmp_path.iterdir()] == [".aside"]

    def test_lets_the_name_begin_anew(self, catalog: Catalog) -> None:
        catalog.publish(new_revision(description="old"))
        catalog.purging.purge("tickets")
        entry = catalog.publish(new_revision(mark="b"))
        assert (entry.record.revision, notes(entry), entry.purged) == (1, ("", ()), ())

    def test_of_what_an_alias_points_to_takes_force(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        promote(files, "live", "tickets@1")
        with pytest.raises(ClassifierInUse):
            catalog.purging.purge("tickets")
        assert names(catalog) == ["tickets"]
        catalog.purging.purge("tickets", force=True)
        assert files.list("classifiers") == []

    def test_of_what_was_deleted_by_force_takes_none(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        promote(files, "live", "tickets")
        catalog.delete("tickets", force=True)
        catalog.purging.purge("tickets")
        assert files.list("classifiers") == []

    def test_of_what_is_not_there_is_refused(self, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        catalog.purging.purge("tickets")
        for name in ("tickets", "unheard-of"):
            with pytest.raises(ClassifierNotFound):
                catalog.purging.purge(name)

    def test_finishes_what_a_crash_left(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 2))
        begin_purge(files, 3)
        files.remove(f"{FOLDER}/000001.json")
        with pytest.raises(ClassifierNotFound):
            catalog.current("tickets")
        catalog.purging.purge("tickets")
        assert files.list("classifiers") == []

    def test_of_what_is_damaged_leaves_nothing(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        files.put_new(f"{FOLDER}/000002.json", b"{")
        promote_by_hand(files)
        with pytest.raises(ClassifierInUse):
            catalog.purging.purge("tickets")
        catalog.purging.purge("tickets", force=True)
        assert files.list("classifiers") == ["other"]

    def test_of_what_is_not_meant_any_more_leaves_it(self, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        with pytest.raises(ClassifierNotFound):
            catalog.purging.purge("tickets", is_meant=lambda entry: "old" in entry.record.tags)
        with pytest.raises(ClassifierNotFound):
            catalog.delete("tickets", is_meant=lambda entry: "old" in entry.record.tags)
        catalog.describe(DescribeRequest("tickets", tags=("old",)))
        catalog.delete("tickets", is_meant=lambda entry: "old" in entry.record.tags)
        with pytest.raises(ClassifierNotFound):  # deleted ones are never meant
            catalog.purging.purge("tickets", is_meant=lambda entry: True)
        assert catalog.restore("tickets").record.revision == 1


class TestPurgeRevision:
    def test_frees_its_own_blobs_and_never_shared_ones(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1), (3, 3), (4, 4))
        assert catalog.purging.purge_revision("tickets", 1) == len(b"artifact 1")
        assert kept_contents(files) == {b"artifact 2", b"artifact 3", b"artifact 4", b"rows 1", b"rows 3", b"rows 4"}
        assert catalog.purging.purge_revision("tickets", 2) == len(b"artifact 2" + b"rows 1")
        assert catalog.purging.purge_revision("tickets", 3) == len(b"artifact 3" + b"rows 3")
        assert kept_contents(files) == {b"artifact 4", b"rows 4"}
        assert files.list(FOLDER) == ["000004.json", "000005.json", "000006.json", "000007.json", "blobs"]

    def test_of_the_same_training_twice_frees_nothing(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (1, 1))
        assert catalog.purging.purge_revision("tickets", 1) == 0
        assert kept_contents(files) == set(contents(1, 1).values())

    def test_leaves_what_answers_and_the_other_revisions_as_they_are(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1), (3, 1))
        catalog.describe(DescribeRequest("tickets", "kept"))
        before = catalog.current("tickets")
        catalog.purging.purge_revision("tickets", 1)
        assert catalog.current("tickets") == replace(before, kind="trimmed", purged=(1,))
        catalog.purging.purge_revision("tickets", 2)
        assert catalog.current("tickets").purged == (1, 2)
        assert open_names(files).revisions("tickets") == (3,)
        assert catalog.publish(new_revision()).purged == (1, 2)

    def test_takes_every_file_of_the_revision(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1))
        catalog.restore("tickets", 1)
        catalog.describe(DescribeRequest("tickets", "of revision 1"))
        catalog.restore("tickets", 2)
        catalog.purging.purge_revision("tickets", 1)
        assert catalog.current("tickets").purged == (1, 3, 4)
        assert files.list(FOLDER) == ["000002.json", "000005.json", "000006.json", "blobs"]

    def test_of_what_answers_is_refused(self, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1))
        catalog.restore("tickets", 1)
        for force in (False, True):
            with pytest.raises(ClassifierInUse, match="Revision 1 of tickets is the one that answers"):
                catalog.purging.purge_revision("tickets", 1, force=force)
        catalog.purging.purge_revision("tickets", 2)

    def test_of_what_an_alias_points_to_takes_force(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 2), (3, 3))
        promote(files, "pinned", "tickets@1")
        promote(files, "live", "tickets")
        catalog.purging.purge_revision("tickets", 2)
        with pytest.raises(ClassifierInUse) as caught:
            catalog.purging.purge_revision("tickets", 1)
        assert caught.value.facts == {"aliases": ["pinned"], "used": ["tickets@1 (pinned)"], "more": 0}
        catalog.purging.purge_revision("tickets", 1, force=True)
        with pytest.raises(RevisionNotFound, match="The alias pinned points to tickets@1"):
            catalog.find(Reference("pinned"))

    def test_of_what_is_not_there_is_refused(self, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1))
        catalog.purging.purge_revision("tickets", 1)
        for revision in (1, 3, 9):
            with pytest.raises(RevisionNotFound):
                catalog.purging.purge_revision("tickets", revision)
        catalog.delete("tickets")
        for name in ("tickets", "unheard-of"):
            with pytest.raises(ClassifierNotFound):
                catalog.purging.purge_revision(name, 2)
        with pytest.raises(InvalidName):
            catalog.purging.purge_revision("../tickets", 2)

    def test_frees_nothing_where_damage_hides_what_is_needed(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 2), (3, 3))
        damage(files, 2)
        assert catalog.purging.purge_revision("tickets", 1) == 0
        assert len(kept_contents(files)) == 6
        assert files.list(FOLDER) == ["000002.json", "000003.json", "000004.json", "blobs"]

    def test_of_what_is_damaged_accepts_the_loss(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 2), (3, 3))
        damage(files, 2)
        assert catalog.purging.purge_revision("tickets", 2) == 0
        assert catalog.current("tickets").purged == (2,)
        assert files.list(FOLDER) == ["000001.json", "000003.json", "000004.json", "blobs"]
        with pytest.raises(RevisionNotFound):
            catalog.purging.purge_revision("tickets", 2)
        assert catalog.purging.purge_revision("tickets", 1) == len(b"artifact 1" + b"rows 1")

    def test_of_what_is_lost_accepts_the_loss(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 2), (3, 3))
        catalog.restore("tickets", 1)
        catalog.restore("tickets", 3)
        files.remove(f"{FOLDER}/000001.json")
        promote_by_hand(files, "tickets@1")
        with pytest.raises(ClassifierInUse):
            catalog.purging.purge_revision("tickets", 1)
        assert catalog.purging.purge_revision("tickets", 1, force=True) == len(b"artifact 1" + b"rows 1")
        assert catalog.current("tickets").purged == (1, 4)

    def test_where_the_newest_file_is_damaged_is_refused(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 2))
        damage(files, 2)
        with pytest.raises(InvalidArtifact):
            catalog.purging.purge_revision("tickets", 1)
        assert len(kept_contents(files)) == 4


class TestOnAFullDisk:
    """What is to be removed makes the room that its removal takes."""

    def test_a_purge_takes_no_room_at_all(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path)
        catalog = open_catalog(files)
        publish(catalog, (1, 1), (2, 2))
        freed = catalog.purging.blob_bytes("tickets")
        assert open_catalog(FullFiles(tmp_path)).purging.purge("tickets") == freed > 0
        assert files.list("classifiers") == []

    def test_so_does_a_purge_of_what_was_deleted_long_ago(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path)
        catalog = open_catalog(files, lambda: AT)
        publish(catalog, (1, 1))
        catalog.delete("tickets")
        full = open_catalog(FullFiles(tmp_path))
        assert full.purging.purge_expired(AT + timedelta(days=7)) == ["tickets"]
        assert files.list("classifiers") == []

    @pytest.mark.slow
    def test_a_revision_makes_the_room_for_the_note_that_it_is_gone(self, tmp_path: Path) -> None:
        mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(tmp_path)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("mounting a small disk takes root")
        try:
            files = LocalFiles(tmp_path)
            catalog = open_catalog(files)
            publish(catalog, (1, 1), (2, 2))
            with suppress(OSError), (tmp_path / ".filler").open("wb", buffering=0) as filler:
                while filler.write(bytes(4096)):
                    pass
            with pytest.raises(StorageFull):
                catalog.delete("tickets")
            found = finding_codes(files)
            assert catalog.purging.purge_revision("tickets", 1) > 0
            assert open_catalog(files).current("tickets").purged == (1,)
            assert finding_codes(files) <= found
        finally:
            subprocess.run(["umount", str(tmp_path)], check=True)


def finding_codes(files: LocalFiles) -> set[str]:
    return {finding.code for finding in check(files.root, open_names(files)).findings}


class FullFiles(LocalFiles):
    """Files of a disk without any room."""

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        raise StorageFull("The disk is full.")


def damage(files: Files, number: int) -> None:
    files.remove(f"{FOLDER}/{number:06d}.json")
    files.put_new(f"{FOLDER}/{number:06d}.json", b"{")


class TestPurgeExpired:
    def delete(self, files: Files, name: str, day: int) -> None:
        catalog = open_catalog(files, lambda: AT.replace(day=day))
        catalog.publish(new_revision(name, contents=contents(1, 1)))
        catalog.delete(name)

    def test_purges_what_was_deleted_before_a_time_and_what_was_half_purged(self, files: Files) -> None:
        for name, day in (("old", 10), ("older", 9), ("new", 20), ("restored", 9)):
            self.delete(files, name, day)
        catalog = open_catalog(files)
        catalog.restore("restored")
        publish(catalog, (1, 1))
        begin_purge(files, 2)
        assert catalog.purging.purge_expired(AT.replace(day=10)) == ["older", "tickets"]
        assert catalog.purging.purge_expired(AT.replace(day=10)) == []
        assert catalog.purging.purge_expired(AT.replace(day=11)) == ["old"]
        assert files.list("classifiers") == ["new", "restored"]
        catalog.restore("new")

    def test_needs_no_force_where_an_alias_points_to_what_was_deleted(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        promote(files, "live", "tickets")
        catalog.delete("tickets", force=True)
        assert catalog.purging.purge_expired(AT + timedelta(days=7)) == ["tickets"]

    @pytest.mark.parametrize("meanwhile", [Catalog.restore, purge])
    def test_passes_over_what_another_server_took_first(
        self, files: Files, meanwhile: Callable[[Catalog, str], object]
    ) -> None:
        for name in ("a", "b"):
            self.delete(files, name, 9)
        names, races = open_names(files), iter("a")
        lock = names.lock

        def race_and_lock() -> AbstractContextManager[object]:
            for name in races:
                meanwhile(open_catalog(files), name)
            return lock()

        names.lock = race_and_lock
        assert Catalog(names).purging.purge_expired(AT) == ["b"]

    def test_passes_over_what_cannot_be_purged_and_says_so(
        self, files: Files, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("a", "b"):
            self.delete(files, name, 9)
        catalog = open_catalog(files)
        finish = Purging.finish

        def fail_at_a(self: Purging, name: str) -> int:
            if name == "a":
                raise StorageFailed("The disk failed. Look at it.")
            return finish(self, name)

        monkeypatch.setattr(Purging, "finish", fail_at_a)
        assert catalog.purging.purge_expired(AT) == ["b"]
        (message,) = caplog.messages
        assert message.startswith("a is to be purged, and is not yet. ")
        assert "The disk failed. Look at it." in message
        monkeypatch.undo()
        assert catalog.purging.purge_expired(AT) == ["a"]


class TestBuried:
    """What was deleted before a training under the same name waits to be purged like any deleted classifier."""

    @pytest.fixture(autouse=True)
    def _buried(self, catalog: Catalog) -> None:
        """Revisions 1 and 2 were deleted by number 3, and revision 4 was trained afterwards."""
        publish(catalog, (1, 1), (2, 2))
        catalog.delete("tickets")
        publish(catalog, (4, 2))

    def purge_expired(self, files: Files) -> list[str]:
        return open_catalog(files, lambda: AT).purging.purge_expired(AT + timedelta(seconds=1))

    def test_is_remembered_by_everything_that_follows(self, catalog: Catalog) -> None:
        buried = DeletedPredecessors(3, AT)
        assert catalog.current("tickets").buried == buried
        assert catalog.describe(DescribeRequest("tickets", "new")).buried == buried
        publish(catalog, (5, 5))
        assert catalog.current("tickets").buried == buried
        catalog.delete("tickets")
        assert catalog.restore("tickets").buried == buried
        catalog.delete("tickets")
        assert catalog.publish(new_revision()).buried == DeletedPredecessors(9, AT)

    def test_can_be_reached_until_it_is_purged(self, files: Files, catalog: Catalog) -> None:
        assert catalog.find(Reference("tickets", 2)).entry.record.revision == 2
        assert catalog.purging.purge_expired(AT) == []
        assert self.purge_expired(files) == ["tickets"]
        assert open_names(files).revisions("tickets") == (4,)
        entry = catalog.current("tickets")
        assert (entry.kind, entry.purged, entry.buried) == ("trimmed", (1, 2, 3), None)
        assert kept_contents(files) == set(contents(4, 2).values())
        assert self.purge_expired(files) == []

    def test_stays_where_it_was_brought_back(self, files: Files, catalog: Catalog) -> None:
        assert catalog.restore("tickets", 2).buried is None
        publish(catalog, (6, 6))
        assert self.purge_expired(files) == []
        assert open_names(files).revisions("tickets") == (1, 2, 4, 6)

    def test_stays_as_long_as_an_alias_points_to_it(self, files: Files, catalog: Catalog) -> None:
        promote(files, "pinned", "tickets@1")
        promote(files, "live", "tickets")
        assert self.purge_expired(files) == ["tickets"]
        assert self.purge_expired(files) == []
        assert catalog.find(Reference("pinned")).entry.record.revision == 1
        assert open_names(files).revisions("tickets") == (1, 4)
        promote(files, "pinned", "tickets@4")
        assert self.purge_expired(files) == ["tickets"]
        assert open_names(files).revisions("tickets") == (4,)
