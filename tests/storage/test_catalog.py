"""The catalog: commits, what names mean, damage, and what other catalogs on the same place see."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.examples import (
    TEST_SCORE,
    THRESHOLD,
    THRESHOLD_CHANGE,
    blobs,
    new_revision,
    notes,
    open_catalog,
    open_names,
    promote,
    record,
    sealed,
    wait_for_tick,
)
from tests.storage.tickets import AT, names
from windrow.domain.classifier import DescribeRequest, Origin, Record
from windrow.domain.errors import (
    ClassifierExists,
    ClassifierNotFound,
    ConcurrentChange,
    InvalidArtifact,
    InvalidName,
    InvalidParameter,
    NameTaken,
    RevisionNotFound,
)
from windrow.domain.listing import ListRequest
from windrow.domain.names import Reference, read_reference
from windrow.domain.values import recast
from windrow.storage.artifact import ARTIFACT, ROWS
from windrow.storage.catalog import Catalog
from windrow.storage.files import CTIME_GRANULARITY_NS, Files, LocalFiles
from windrow.storage.revision import Purged, entry_to_json


class TestPublish:
    def test_makes_a_classifier_that_reads_back(self, files: Files, catalog: Catalog) -> None:
        published = catalog.publish(new_revision(contents=blobs(), description="for the help desk"))
        for each in (catalog, open_catalog(files)):
            assert each.current("tickets") == published
        assert (published.kind, published.at) == ("trained", AT)
        assert published.record == replace(record(revision=1), description="for the help desk")
        assert {role: catalog.blobs.read("tickets", ref) for role, ref in published.blobs.items()} == blobs()

    def test_of_an_existing_name_adds_a_revision_and_keeps_the_older_one(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(new_revision(mark="a", contents=blobs(1)))
        assert catalog.publish(new_revision(mark="b", contents=blobs(2))).record == record(mark="b", revision=2)
        assert catalog.current("tickets").record == record(mark="b", revision=2)
        assert catalog.find(Reference("tickets", 1)).entry.record == record(mark="a", revision=1)
        assert files.list("classifiers/tickets") == ["000001.json", "000002.json", "blobs"]

    def test_counts_whatever_its_record_says(self, catalog: Catalog) -> None:
        one = new_revision()
        assert catalog.publish(replace(one, record=replace(one.record, revision=9))).record.revision == 1

    def test_keeps_what_is_said_about_a_name_unless_it_says_otherwise(self, catalog: Catalog) -> None:
        old = replace(new_revision(), description="old", tags=("b", "a", "b"))
        assert notes(catalog.publish(old)) == ("old", ("a", "b"))
        assert notes(catalog.publish(new_revision())) == ("old", ("a", "b"))
        assert notes(catalog.publish(new_revision(description="new"))) == ("new", ("a", "b"))

    def test_says_nothing_about_a_name_that_was_deleted(self, catalog: Catalog) -> None:
        catalog.publish(new_revision(description="old"))
        catalog.delete("tickets")
        assert notes(catalog.publish(new_revision())) == ("", ())

    def test_measures_nothing_by_what_was_measured_of_another_revision(self, catalog: Catalog) -> None:
        catalog.record_evaluation(catalog.publish(new_revision()), TEST_SCORE)
        assert catalog.publish(new_revision()).record.test is None
        assert catalog.find(Reference("tickets", 1)).entry.record.test == TEST_SCORE

    def test_of_an_import_says_where_it_came_from_and_how_it_did_there(self, catalog: Catalog) -> None:
        origin = Origin("theirs", 7, AT)
        there = new_revision(origin=origin)
        measured = replace(there.record, test=TEST_SCORE, threshold_changes=(THRESHOLD_CHANGE,))
        entry = catalog.publish(replace(there, record=measured))
        assert (entry.kind, entry.is_training) == ("imported", True)
        assert (entry.record.origin, entry.record.test) == (origin, TEST_SCORE)
        assert entry.record.threshold == THRESHOLD
        assert catalog.publish(new_revision()).record.origin is None

    def test_shares_a_blob_that_is_there_already(self, files: Files, catalog: Catalog) -> None:
        for _ in range(2):
            catalog.publish(new_revision(contents=blobs()))
        assert len(files.list("classifiers/tickets/blobs")) == len(blobs())

    def test_replaces_a_blob_of_the_same_name_that_was_damaged(self, tmp_path: Path) -> None:
        catalog = open_catalog(LocalFiles(tmp_path))
        catalog.publish(new_revision(contents=blobs()))
        for path in (tmp_path / "classifiers/tickets/blobs").iterdir():
            path.write_bytes(b"")
        entry = open_catalog(LocalFiles(tmp_path)).publish(new_revision(contents=blobs()))
        assert entry.record.revision == 2
        assert catalog.blobs.read("tickets", catalog.current("tickets").blobs[ARTIFACT]) == blobs()[ARTIFACT]

    def test_goes_on_counting_after_a_deletion(self, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        catalog.delete("tickets")
        assert catalog.publish(new_revision()).record.revision == 3
        assert names(catalog) == ["tickets"]

    def test_goes_on_counting_beyond_six_digits(self, files: Files, catalog: Catalog) -> None:
        files.put_new("classifiers/tickets/999999.json", b"{}")
        assert [catalog.publish(new_revision()).record.revision for _ in range(2)] == [1_000_000, 1_000_001]
        assert catalog.current("tickets").record.revision == 1_000_001

    def test_starts_anew_where_a_purge_was_not_finished(self, files: Files, catalog: Catalog) -> None:
        for seed in (1, 2):
            catalog.publish(new_revision(contents=blobs(seed), description="old"))
        purged = entry_to_json("tickets", 3, Purged("purged", AT))
        open_names(files).classifiers.append("tickets", 3, purged)
        assert names(catalog) == []
        entry = catalog.publish(new_revision(mark="b", contents=blobs(3)))
        assert (entry.record.revision, notes(entry)) == (1, ("", ()))
        assert files.list("classifiers/tickets") == ["000001.json", "blobs"]
        assert files.list("classifiers/tickets/blobs") == sorted(ref.file_name for ref in entry.blobs.values())

    def test_that_may_not_overwrite_is_refused_by_what_exists(self, files: Files, catalog: Catalog) -> None:
        once = new_revision(overwrite=False)
        catalog.publish(once)
        for refused in (lambda: catalog.publish(once), lambda: catalog.check_name_free("tickets", overwrite=False)):
            with pytest.raises(ClassifierExists, match="pass overwrite=True") as caught:
                refused()
            assert caught.value.facts == {"model_name": "tickets"}
        catalog.delete("tickets")
        assert catalog.publish(once).record.revision == 3
        files.put_new("classifiers/tickets/000004.json", b"{")
        with pytest.raises(ClassifierExists):
            catalog.publish(once)

    def test_refuses_a_bad_name(self, files: Files, catalog: Catalog) -> None:
        with pytest.raises(InvalidName):
            catalog.publish(new_revision("../tickets", contents=blobs()))
        assert files.list("classifiers") == []

    def test_refuses_a_name_that_differs_only_in_case(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(new_revision("Tickets", contents=blobs()))
        for refused in (catalog.check_name_free, lambda name: catalog.publish(new_revision(name, contents=blobs()))):
            with pytest.raises(NameTaken) as caught:
                refused("tickets")
            assert caught.value.facts == {"name": "tickets", "existing_name": "Tickets", "kind": "classifier"}
        assert files.list("classifiers") == ["Tickets"]

    def test_refuses_the_name_of_an_alias(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        promote(files, "live", "tickets")
        for name in ("live", "LIVE"):
            with pytest.raises(NameTaken):
                catalog.publish(new_revision(name))
        assert files.list("classifiers") == ["tickets"]

    def test_takes_a_name_whose_other_spelling_was_deleted(self, catalog: Catalog) -> None:
        catalog.publish(new_revision("Tickets"))
        catalog.delete("Tickets")
        catalog.publish(new_revision("tickets"))
        assert names(catalog) == ["tickets"]

    def test_that_would_not_read_back_is_refused(self, files: Files, catalog: Catalog) -> None:
        one = new_revision()
        with pytest.raises(InvalidArtifact):
            catalog.publish(replace(one, record=replace(one.record, labels=("bug", "billing"))))
        assert names(catalog) == []

    def test_meets_a_file_that_was_put_by_hand_without_the_lock(self) -> None:
        files = MemoryFiles()
        catalog = open_catalog(files)
        catalog.publish(new_revision())
        assert names(catalog) == ["tickets"]
        files.kept["classifiers/tickets/000002.json"] = b"{}"  # no look tells
        with pytest.raises(ConcurrentChange):
            catalog.publish(new_revision())


class TestPreview:
    def test_is_what_would_be_published_and_saves_nothing(self, files: Files, catalog: Catalog) -> None:
        for description in ("first", None):
            one = new_revision(contents=blobs(), description=description)
            before = files.list("classifiers")
            previewed = catalog.preview(one)
            assert files.list("classifiers") == before
            assert catalog.publish(one) == previewed

    def test_counts_from_one_where_a_purge_was_not_finished(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        purged = entry_to_json("tickets", 2, Purged("purged", AT))
        open_names(files).classifiers.append("tickets", 2, purged)
        previewed = catalog.preview(new_revision())
        assert previewed.record.revision == 1
        assert catalog.publish(new_revision()) == previewed

    def test_refuses_what_could_not_be_published(self, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        refused = {"../x": InvalidName, "TICKETS": NameTaken, "tickets": ClassifierExists}
        for name, error in refused.items():
            with pytest.raises(error):
                catalog.preview(new_revision(name, overwrite=False))


class TestFind:
    @pytest.fixture(autouse=True)
    def _some(self, files: Files, catalog: Catalog) -> None:
        """Revisions 1 and 2 of ``t_v1``, 1 of ``t_v2``, and aliases to all of them."""
        for name, mark in (("t_v1", "a"), ("t_v1", "b"), ("t_v2", "c")):
            catalog.publish(new_revision(name, mark=mark))
        for alias, target in (("live", "t_v1"), ("pinned", "t_v1@1"), ("new", "t_v2")):
            promote(files, alias, target)

    @pytest.mark.parametrize(
        ("reference", "mark", "target", "alias"),
        [
            ("t_v1", "b", "t_v1", None),
            ("t_v1@1", "a", "t_v1@1", None),
            ("t_v1@2", "b", "t_v1@2", None),
            ("t@latest", "c", "t_v2", None),
            ("live", "b", "t_v1", "live"),
            ("pinned", "a", "t_v1@1", "pinned"),
        ],
    )
    def test_says_what_a_reference_means_and_what_to_point_at(
        self, catalog: Catalog, reference: str, mark: str, target: str, alias: str | None
    ) -> None:
        found = catalog.find(read_reference(reference))
        assert found.entry.record.training_data_sha256 == mark * 64
        assert (str(found.target), found.alias) == (target, alias)

    @pytest.mark.parametrize(
        ("reference", "error"),
        [
            ("t", ClassifierNotFound),
            ("t_v3", ClassifierNotFound),
            ("t_v3@1", ClassifierNotFound),
            ("t_v1@3", RevisionNotFound),
            ("live@1", ClassifierNotFound),
            ("live@latest", ClassifierNotFound),
            ("t_v1@latest", ClassifierNotFound),
        ],
    )
    def test_of_what_means_nothing_is_refused(self, catalog: Catalog, reference: str, error: type[Exception]) -> None:
        with pytest.raises(error):
            catalog.find(read_reference(reference))

    def test_of_an_alias_whose_classifier_is_gone_says_where_it_points(self, catalog: Catalog) -> None:
        catalog.purging.purge_revision("t_v1", 1, force=True)
        catalog.delete("t_v2", force=True)
        for alias, target, error in (("pinned", "t_v1@1", RevisionNotFound), ("new", "t_v2", ClassifierNotFound)):
            with pytest.raises(error, match=f"The alias {alias} points to {target}, which does not answer") as caught:
                catalog.find(Reference(alias))
            assert caught.value.facts["alias"] == alias
        catalog.delete("t_v1", force=True)
        with pytest.raises(ClassifierNotFound):
            catalog.find(Reference("pinned"))

    def test_of_what_is_damaged_is_an_error(self, files: Files, catalog: Catalog) -> None:
        files.put_new("classifiers/t_v1/000003.json", b"{")
        files.put_new("aliases/new/000002.json", b"{")
        for reference in ("t_v1", "t_v1@1", "live", "new"):
            with pytest.raises(InvalidArtifact):
                catalog.find(read_reference(reference))

    def test_costs_one_look_while_nothing_changes(self) -> None:
        files = MemoryFiles()
        catalog = open_catalog(files)
        for mark in "ab":
            catalog.publish(new_revision(mark=mark))
        promote(files, "live", "tickets")
        for reference, looks in (("tickets", 1), ("live", 3)):  # is it a classifier, where it points, what is there
            catalog.find(Reference(reference))
            files.calls.clear()
            catalog.find(Reference(reference))
            assert files.calls["version_token"] == looks
            assert files.calls["get"] == 0

    def test_follows_an_alias_that_was_promoted_away_from_what_was_then_deleted(self) -> None:
        files = PromotedMeanwhile()
        catalog = open_catalog(files)
        for name in ("old", "new"):
            catalog.publish(new_revision(name))
        promote(files, "live", "old")
        files.is_racing = True
        found = catalog.find(Reference("live"))
        assert (found.entry.record.name, str(found.target)) == ("new", "new")
        assert not files.is_racing


class PromotedMeanwhile(MemoryFiles):
    """Lets another server promote ``new`` and delete ``old`` once, between a look at the alias and one at ``old``."""

    is_racing = False

    def version_token(self, prefix: str) -> str | None:
        if self.is_racing and prefix == "classifiers/old":
            self.is_racing = False
            promote(self, "live", "new")
            open_catalog(self).delete("old")
        return super().version_token(prefix)


class TestCurrent:
    def test_of_an_unknown_name_lists_near_names(self, catalog: Catalog) -> None:
        for name in ("tickets_v1", "tickets_v2", "moods"):
            catalog.publish(new_revision(name))
        with pytest.raises(ClassifierNotFound, match="Did you mean tickets_v") as caught:
            catalog.current("ticket_v1")
        assert caught.value.facts["near_names"] == ["tickets_v1", "tickets_v2"]

    def test_of_an_alias_is_refused(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        promote(files, "live", "tickets")
        with pytest.raises(ClassifierNotFound, match="live is an alias"):
            catalog.current("live")

    def test_costs_one_look_while_nothing_changes(self) -> None:
        files = MemoryFiles()
        catalog = open_catalog(files)
        catalog.publish(new_revision())
        catalog.current("tickets")
        files.calls.clear()
        catalog.current("tickets")
        assert files.calls == {"version_token": 1}


class TestDescribe:
    def test_changes_what_is_said_and_nothing_else(self, files: Files, catalog: Catalog) -> None:
        origin = Origin("theirs", 7, AT)
        catalog.publish(new_revision(contents=blobs(1)))
        there = new_revision(contents=blobs(2), origin=origin)
        before = catalog.publish(replace(there, record=replace(there.record, test=TEST_SCORE)))
        after = catalog.describe(DescribeRequest("tickets", "for the help desk", ("best",)))
        assert after == replace(
            before,
            kind="described",
            record=replace(before.record, description="for the help desk", tags=("best",)),
        )
        assert open_catalog(files).current("tickets") == after
        assert notes(catalog.describe(DescribeRequest("tickets", tags=()))) == ("for the help desk", ())

    def test_adds_no_revision_and_shows_in_all_of_them(self, catalog: Catalog) -> None:
        for _ in range(2):
            catalog.publish(new_revision())
        catalog.describe(DescribeRequest("tickets", "new"))
        assert [catalog.find(Reference("tickets", number)).entry.record.description for number in (1, 2)] == ["new"] * 2
        with pytest.raises(RevisionNotFound):
            catalog.find(Reference("tickets", 3))
        assert catalog.publish(new_revision()).record.revision == 4

    def test_that_changes_nothing_writes_nothing(self, files: Files, catalog: Catalog) -> None:
        entry = catalog.publish(new_revision(description="as it is"))
        for description, tags in ((None, None), ("as it is", None), (None, ())):
            assert catalog.describe(DescribeRequest("tickets", description, tags)) == entry
        assert files.list("classifiers/tickets") == ["000001.json"]

    def test_by_what_breaks_a_rule_is_refused(self, files: Files, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        with pytest.raises(InvalidParameter):
            catalog.describe(DescribeRequest("tickets", tags=("",)))
        assert files.list("classifiers/tickets") == ["000001.json"]

    def test_of_what_is_not_there_is_refused(self, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        catalog.delete("tickets")
        for name in ("tickets", "unheard-of"):
            with pytest.raises(ClassifierNotFound):
                catalog.describe(DescribeRequest(name, "new"))
        with pytest.raises(InvalidName):
            catalog.describe(DescribeRequest("../tickets", "new"))


class TestEntries:
    def test_are_of_every_file_that_can_be_read(self, files: Files, catalog: Catalog) -> None:
        for name in ("b", "a", "a"):
            catalog.publish(new_revision(name))
        catalog.describe(DescribeRequest("b", "new"))
        catalog.delete("b")
        files.put_new("classifiers/c/000001.json", b"{")
        found = [(entry.record.name, entry.record.revision, entry.kind) for entry in catalog.entries()]
        assert found == [("a", 1, "trained"), ("a", 2, "trained"), ("b", 1, "trained"), ("b", 1, "described")]


class TestNextName:
    def test_is_free_among_classifiers_and_aliases_also_deleted_ones(self, files: Files, catalog: Catalog) -> None:
        for name in ("t_v1", "t_v2", "T_v4", "u_v9"):
            catalog.publish(new_revision(name))
        assert catalog.next_name("t_v1") == "t_v5"
        promote(files, "t_v7", "t_v1")
        catalog.delete("T_v4")
        assert catalog.next_name("t_v1") == "t_v8"
        assert catalog.next_name("a" * 126) is None


class TestPointedAt:
    def test_tells_which_of_some_classifiers_have_which_aliases(self, files: Files, catalog: Catalog) -> None:
        for name in ("a", "b", "c"):
            catalog.publish(new_revision(name))
        for alias, target in (("z", "a"), ("y", "a@1"), ("x", "b")):
            promote(files, alias, target)
        assert catalog.pointed_at(["a", "c", "unheard-of"]) == {"a": ("y", "z")}
        assert catalog.pointed_at([]) == {}


class TestOtherCatalogs:
    """Two catalogs on one directory stand for two servers."""

    @pytest.mark.parametrize("is_settled", [False, True], ids=["within one tick", "with trusted times"])
    def test_see_a_commit_a_refit_and_a_deletion_at_once(self, tmp_path: Path, is_settled: bool) -> None:
        def clock_ns() -> int:
            return time.time_ns() + (CTIME_GRANULARITY_NS * 10 if is_settled else 0)

        def pause() -> None:
            if is_settled:  # trusted times need a new tick between two changes
                wait_for_tick(tmp_path)

        ours, theirs = (open_catalog(LocalFiles(tmp_path, clock_ns)) for _ in range(2))
        for round_number in range(20):
            for mark in "ab":
                pause()
                published = theirs.publish(new_revision(mark=mark)).record
                assert ours.current("tickets").record == published
                assert [recast(Record, one) for one in ours.listing(ListRequest()).models] == [published]
            pause()
            theirs.delete("tickets")
            assert names(ours) == []
            assert published.revision == 3 * round_number + 2

    def test_see_a_folder_that_was_removed_and_made_anew(self, tmp_path: Path) -> None:
        ours, theirs = open_catalog(LocalFiles(tmp_path)), open_catalog(LocalFiles(tmp_path))
        theirs.publish(new_revision(mark="a"))
        assert ours.current("tickets").record == record(mark="a")
        (tmp_path / "classifiers/tickets/000001.json").unlink()
        (tmp_path / "classifiers/tickets").rmdir()
        theirs.publish(new_revision(mark="b"))
        assert ours.current("tickets").record == record(mark="b")

    def test_see_a_purge_and_what_is_published_afterwards(self, files: Files, catalog: Catalog) -> None:
        theirs = open_catalog(files)
        for mark in "ab":
            theirs.publish(new_revision(mark=mark))
            assert catalog.current("tickets").record == record(mark=mark)
            theirs.purging.purge("tickets")
            assert names(catalog) == []

    def test_in_many_threads_leave_no_gap(self, files: Files) -> None:
        catalogs = [open_catalog(files) for _ in range(4)]

        def publish(turn: int) -> int:
            return catalogs[turn % 4].publish(new_revision(contents=blobs(turn % 3))).record.revision

        with ThreadPoolExecutor(8) as threads:
            assert sorted(threads.map(publish, range(40))) == list(range(1, 41))

    @pytest.mark.slow
    def test_in_many_processes_leave_no_gap(self, tmp_path: Path) -> None:
        script = """
import sys
from operator import attrgetter
from pathlib import Path
from tests.storage.examples import blobs, new_revision, open_catalog
from windrow.storage.files import LocalFiles
catalog = open_catalog(LocalFiles(Path(sys.argv[1])))
print("ready", flush=True)
sys.stdin.readline()
new_revisions = (new_revision(mark=sys.argv[2], contents=blobs(turn % 3)) for turn in range(15))
print(*(catalog.publish(one).record.revision for one in new_revisions))
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
        assert sorted(marks) == list(range(1, 61))
        for number, mark in marks.items():
            kept = json.loads((tmp_path / f"classifiers/tickets/{number:06d}.json").read_bytes())["record"]
            assert (kept["revision"], kept["training_data_sha256"]) == (number, mark * 64)
        assert open_catalog(LocalFiles(tmp_path)).current("tickets").record.revision == 60


ROOT = Path(__file__).parents[2]


class TestDamage:
    @pytest.fixture
    def local(self, tmp_path: Path) -> Catalog:
        catalog = open_catalog(LocalFiles(tmp_path))
        for name in ("moods", "tickets"):
            catalog.publish(new_revision(name, contents=blobs()))
        return catalog

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 7, "kind": "trained"}'])
    def test_of_a_record_hides_that_name_alone_and_says_why(
        self, tmp_path: Path, local: Catalog, caplog: pytest.LogCaptureFixture, content: bytes
    ) -> None:
        (tmp_path / "classifiers/tickets/000002.json").write_bytes(content)
        with caplog.at_level(logging.WARNING, "windrow.storage"):
            assert names(local) == ["moods"]
            assert names(local) == ["moods"]
        assert len([line for line in caplog.messages if "tickets" in line]) == 1
        with pytest.raises(InvalidArtifact, match=r"classifiers/tickets/000002\.json"):
            local.current("tickets")

    def test_of_a_record_ends_with_a_repair_a_refit_or_a_deletion(self, tmp_path: Path, local: Catalog) -> None:
        path = tmp_path / "classifiers/tickets/000001.json"
        whole = path.read_bytes()
        path.write_bytes(b"")
        # Seen from an hour later, the folder's time is trusted, and mending the file in place does not move it.
        local = open_catalog(LocalFiles(tmp_path, lambda: time.time_ns() + 3_600_000_000_000))
        assert names(local) == ["moods"]
        path.write_bytes(whole)
        assert names(local) == ["moods", "tickets"]
        path.write_bytes(b"")
        assert open_catalog(LocalFiles(tmp_path)).publish(new_revision(contents=blobs())).record.revision == 2
        assert names(local) == ["moods", "tickets"]
        (tmp_path / "classifiers/moods/000002.json").write_bytes(b"")
        local.delete("moods")
        assert names(local) == ["tickets"]

    def test_by_renaming_a_folder_is_explained(self, tmp_path: Path, local: Catalog) -> None:
        (tmp_path / "classifiers/tickets").rename(tmp_path / "classifiers/renamed")
        with pytest.raises(InvalidArtifact, match="is the record of tickets, revision 1"):
            local.current("renamed")

    def test_by_renumbering_a_file_is_explained(self, tmp_path: Path, local: Catalog) -> None:
        folder = tmp_path / "classifiers/tickets"
        (folder / "000001.json").rename(folder / "000007.json")
        with pytest.raises(InvalidArtifact, match="revision 1"):
            local.current("tickets")

    def test_by_a_link_that_leads_nowhere_is_explained(self, tmp_path: Path, local: Catalog) -> None:
        (tmp_path / "classifiers/tickets/000002.json").symlink_to(tmp_path / "nowhere")
        with pytest.raises(InvalidArtifact, match="is a link"):
            local.current("tickets")

    @pytest.mark.parametrize("content", [None, b"", b"other", "flipped"])
    def test_of_a_blob_is_never_handed_out(self, tmp_path: Path, local: Catalog, content: bytes | str | None) -> None:
        entry = local.current("tickets")
        path = tmp_path / f"classifiers/tickets/blobs/{entry.blobs[ROWS].file_name}"
        if content == "flipped":
            whole = path.read_bytes()
            content = whole[:-1] + bytes([whole[-1] ^ 1])
        path.unlink()
        if isinstance(content, bytes):
            path.write_bytes(content)
        with pytest.raises(InvalidArtifact, match=r"blobs/.*train the classifier again"):
            local.blobs.read("tickets", entry.blobs[ROWS])
        assert local.blobs.read("tickets", entry.blobs[ARTIFACT]) == blobs()[ARTIFACT]


class TestCopies:
    @pytest.mark.slow
    @pytest.mark.parametrize("copy", [["cp", "-a"], ["cp", "-r"]])
    def test_of_a_folder_are_classifiers_of_the_other_directory(self, tmp_path: Path, copy: list[str]) -> None:
        source, target = (open_catalog(LocalFiles(tmp_path / name)) for name in ("source", "target"))
        for seed in (1, 2):
            source.publish(new_revision(contents=blobs(seed)))
        source.describe(DescribeRequest("tickets", "moved"))
        assert names(target) == []
        target.publish(new_revision("moods", contents=blobs()))
        subprocess.run([*copy, tmp_path / "source/classifiers/tickets", tmp_path / "target/classifiers"], check=True)
        assert names(target) == ["moods", "tickets"]
        assert target.current("tickets") == source.current("tickets")
        for revision, seed in ((1, 1), (2, 2)):
            entry = target.find(Reference("tickets", revision)).entry
            assert target.blobs.read("tickets", entry.blobs[ARTIFACT]) == blobs(seed)[ARTIFACT]
        assert target.publish(new_revision(contents=blobs())).record.revision == 4

    @pytest.mark.slow
    def test_of_aliases_point_where_they_did(self, tmp_path: Path) -> None:
        source, target = LocalFiles(tmp_path / "source"), LocalFiles(tmp_path / "target")
        for files in (source, target):
            open_catalog(files).publish(new_revision())
        promote(source, "live", "tickets")
        subprocess.run(["cp", "-r", tmp_path / "source/aliases", tmp_path / "target"], check=True)
        assert open_catalog(target).find(Reference("live")).target == Reference("tickets")

    def test_of_a_name_that_an_alias_has_leave_the_classifier_to_answer(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path)
        catalog = open_catalog(files)
        catalog.publish(new_revision("tickets"))
        promote(files, "live", "tickets")
        catalog.publish(new_revision("other"))
        text = files.get("classifiers/other/000001.json").replace(b'"other"', b'"live"')
        files.put_new("classifiers/live/000001.json", sealed(text))
        assert catalog.find(Reference("live")).entry.record.name == "live"


@pytest.mark.parametrize("verb", ["current", "check_name_free", "delete", "purging.purge", "restore"])
def test_a_name_that_could_lead_elsewhere_is_refused(catalog: Catalog, verb: str) -> None:
    with pytest.raises(InvalidName):
        attrgetter(verb)(catalog)("../../etc")


class ListingRaces(MemoryFiles):
    """Lets another server act once, just after the next listing of ``tickets``."""

    race: Callable[[], object] | None = None

    def list(self, prefix: str) -> list[str]:
        found = super().list(prefix)
        if self.race is not None and prefix == "classifiers/tickets":
            race, self.race = self.race, None
            race()
        return found


def test_a_reader_that_meets_a_purge_and_a_refit_sees_one_of_them() -> None:
    files = ListingRaces()
    ours, theirs = open_catalog(files), open_catalog(files)
    theirs.publish(new_revision(mark="a"))

    def purge_and_refit() -> None:
        theirs.purging.purge("tickets")
        theirs.publish(new_revision(mark="b"))

    files.race = lambda: theirs.purging.purge("tickets")
    with pytest.raises(ClassifierNotFound):
        ours.current("tickets")
    theirs.publish(new_revision(mark="a"))
    files.race = purge_and_refit
    assert ours.current("tickets").record == record(mark="b")
