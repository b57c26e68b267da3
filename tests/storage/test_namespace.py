"""The one space of names: what a name means, who has it, and who needs it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.examples import blobs, new_revision, open_aliases, open_catalog, open_names
from windrow.domain.alias import ChangeNote
from windrow.domain.clock import utc_now
from windrow.domain.errors import (
    AliasNotFound,
    ClassifierInUse,
    ClassifierNotFound,
    InvalidArtifact,
    InvalidName,
    NameTaken,
    RevisionNotFound,
)
from windrow.domain.names import read_reference
from windrow.storage.alias_store import Aliases
from windrow.storage.catalog import Catalog
from windrow.storage.files import LocalFiles
from windrow.storage.namespace import Namespace, in_use


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def names(files: MemoryFiles) -> Namespace:
    return open_names(files)


@pytest.fixture
def catalog(files: MemoryFiles) -> Catalog:
    return open_catalog(files)


@pytest.fixture
def aliases(files: MemoryFiles) -> Aliases:
    return open_aliases(files)


def promote(aliases: Aliases, alias: str, target: str) -> None:
    aliases.promote(alias, read_reference(target), ChangeNote())


def test_the_time_is_told_in_whole_seconds_of_utc() -> None:
    now = utc_now()
    assert (now.microsecond, str(now.tzinfo)) == (0, "UTC")


class TestEntry:
    def test_is_what_the_newest_file_says(self, names: Namespace, catalog: Catalog) -> None:
        assert names.entry("tickets") is None
        published = catalog.publish(new_revision())
        assert names.entry("tickets") == published
        catalog.delete("tickets")
        assert names.entry("tickets") is None

    def test_that_is_damaged_is_an_error_each_time(self, files: MemoryFiles, names: Namespace) -> None:
        files.put_new("classifiers/tickets/000001.json", b"{")
        for _ in range(2):
            with pytest.raises(InvalidArtifact, match=r"classifiers/tickets/000001\.json"):
                names.entry("tickets")


class TestRevision:
    def test_is_the_training_with_the_notes_of_today(self, names: Namespace, catalog: Catalog) -> None:
        first = catalog.publish(new_revision(mark="a", description="old"))
        catalog.publish(new_revision(mark="b", description="new"))
        revision = names.revision("tickets", 1)
        assert revision.record == replace(first.record, description="new")

    def test_is_counted_by_its_own_file_alone(self, names: Namespace, catalog: Catalog) -> None:
        catalog.publish(new_revision(mark="a"))
        catalog.delete("tickets")
        catalog.restore("tickets")
        catalog.publish(new_revision(mark="b"))
        assert names.revisions("tickets") == (1, 4)
        for number in (2, 3, 5, 0):
            with pytest.raises(RevisionNotFound, match=r"revision \d\. Its revisions are 1, 4\. Name one") as caught:
                names.revision("tickets", number)
            assert caught.value.facts == {
                "model_name": "tickets",
                "revision": number,
                "revisions": [1, 4],
                "newest": [1, 4],
            }

    def test_of_one_names_that(self, names: Namespace, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        with pytest.raises(RevisionNotFound, match=r"^tickets has no revision 9\. Its only revision is 1\.$"):
            names.revision("tickets", 9)

    def test_of_many_names_the_last_ten(self, names: Namespace, catalog: Catalog) -> None:
        for _ in range(12):
            catalog.publish(new_revision())
        with pytest.raises(RevisionNotFound, match=r"Its newest revisions are 3, 4, .*, 12\. Name one") as caught:
            names.revision("tickets", 13)
        assert caught.value.facts["revisions"] == [*range(1, 13)]

    def test_of_what_is_not_there_or_deleted_is_refused(self, names: Namespace, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        catalog.delete("tickets")
        for name in ("tickets", "unheard-of"):
            with pytest.raises(ClassifierNotFound):
                names.revision(name, 1)

    def test_that_is_damaged_is_an_error_and_no_other_is(
        self, files: MemoryFiles, names: Namespace, catalog: Catalog
    ) -> None:
        for mark in "abc":
            catalog.publish(new_revision(mark=mark))
        files.kept["classifiers/tickets/000002.json"] = b"{"
        with pytest.raises(InvalidArtifact, match=r"000002\.json"):
            names.revision("tickets", 2)
        assert names.revision("tickets", 1).record.training_data_sha256 == "a" * 64
        assert names.revisions("tickets") == (1, 3)

    def test_whose_own_file_is_lost_is_not_found_by_its_later_ones(
        self, files: MemoryFiles, names: Namespace, catalog: Catalog
    ) -> None:
        catalog.publish(new_revision(mark="a"))
        catalog.publish(new_revision(mark="b"))
        catalog.restore("tickets", 1)
        catalog.publish(new_revision(mark="c"))
        files.remove("classifiers/tickets/000001.json")
        with pytest.raises(RevisionNotFound, match="Its revisions are 2, 4"):
            names.revision("tickets", 1)

    def test_is_looked_for_again_when_the_name_was_purged_meanwhile(self) -> None:
        files = PurgedMeanwhile()
        names, catalog = open_names(files), open_catalog(files)
        for mark in "ab":
            catalog.publish(new_revision(mark=mark, description="old"))
        files.listings = 2  # the first one finds what answers
        with pytest.raises(ClassifierNotFound):
            names.revision("tickets", 1)

    def test_has_no_notes_of_a_name_that_was_purged_and_trained_anew_meanwhile(self) -> None:
        files = PurgedMeanwhile()
        names, catalog = open_names(files), open_catalog(files)
        for mark in "ab":
            catalog.publish(new_revision(mark=mark, description="old"))
        files.listings, files.anew = 2, "cd"
        revision = names.revision("tickets", 1)
        assert (revision.record.training_data_sha256, revision.record.description) == ("c" * 64, "new")


class PurgedMeanwhile(MemoryFiles):
    """Lets another server purge ``tickets``, and train it anew, just before one of the next listings of it."""

    listings = 0
    anew = ""

    def list(self, prefix: str) -> list[str]:
        if prefix == "classifiers/tickets" and self.listings:
            self.listings -= 1
            if not self.listings:
                open_catalog(self).purging.purge("tickets")
                for mark in self.anew:
                    open_catalog(self).publish(new_revision(mark=mark, description="new"))
        return super().list(prefix)


class TestPurgedNumbers:
    def trimmed(self, catalog: Catalog) -> None:
        for mark in "abc":
            catalog.publish(new_revision(mark=mark))
        catalog.purging.purge_revision("tickets", 2)

    def test_are_those_that_the_last_file_lists(self, names: Namespace, catalog: Catalog) -> None:
        assert names.purged("tickets") == ()
        self.trimmed(catalog)
        assert names.purged("tickets") == (2,)

    def test_are_not_forgotten_by_a_deletion_and_what_comes_after_it(self, names: Namespace, catalog: Catalog) -> None:
        self.trimmed(catalog)
        catalog.delete("tickets")
        assert names.purged("tickets") == (2,)
        assert catalog.publish(new_revision()).purged == (2,)

    def test_are_not_forgotten_when_the_newest_file_is_damaged(
        self, files: MemoryFiles, names: Namespace, catalog: Catalog
    ) -> None:
        self.trimmed(catalog)
        files.put_new("classifiers/tickets/000005.json", b"{")
        assert names.purged("tickets") == (2,)
        assert catalog.publish(new_revision()).purged == (2,)

    def test_cannot_be_reached_although_their_files_are_still_there(
        self, files: MemoryFiles, names: Namespace, catalog: Catalog
    ) -> None:
        self.trimmed(catalog)
        files.put_new("classifiers/tickets/000002.json", files.get("classifiers/tickets/000001.json"))
        assert names.revisions("tickets") == (1, 3)
        with pytest.raises(RevisionNotFound):
            names.revision("tickets", 2)
        catalog.delete("tickets")
        assert names.revisions("tickets") == (1, 3)

    def test_are_none_once_all_is_purged(self, files: MemoryFiles, names: Namespace, catalog: Catalog) -> None:
        self.trimmed(catalog)
        files.put_new(
            "classifiers/tickets/000005.json", b'{"format": 1, "kind": "purged", "at": "2025-09-16T08:00:00Z"}'
        )
        assert names.purged("tickets") == ()
        assert catalog.publish(new_revision()).record.revision == 1


class TestLastEntry:
    def test_is_what_answers_or_answered(self, names: Namespace, catalog: Catalog) -> None:
        published = catalog.publish(new_revision())
        assert names.last_entry("tickets") == published
        catalog.delete("tickets")
        assert names.last_entry("tickets") == published

    def test_of_nothing_is_not_found(self, names: Namespace) -> None:
        with pytest.raises(ClassifierNotFound):
            names.last_entry("tickets")

    def test_that_is_damaged_is_an_error(self, files: MemoryFiles, names: Namespace, catalog: Catalog) -> None:
        catalog.publish(new_revision())
        catalog.delete("tickets")
        files.kept["classifiers/tickets/000001.json"] = b"{"
        with pytest.raises(InvalidArtifact):
            names.last_entry("tickets")


class TestPointer:
    def test_is_where_an_alias_points(self, names: Namespace, catalog: Catalog, aliases: Aliases) -> None:
        catalog.publish(new_revision())
        assert names.pointer("live") is None
        promote(aliases, "live", "tickets@1")
        pointer = names.pointer("live")
        assert pointer is not None
        assert str(pointer.target) == "tickets@1"
        aliases.remove("live", ChangeNote())
        assert names.pointer("live") is None

    def test_that_is_damaged_is_an_error_and_is_left_out_of_all(
        self, files: MemoryFiles, names: Namespace, catalog: Catalog, aliases: Aliases
    ) -> None:
        catalog.publish(new_revision())
        for alias in ("b", "a"):
            promote(aliases, alias, "tickets")
        files.put_new("aliases/b/000002.json", b"{")
        with pytest.raises(InvalidArtifact, match=r"aliases/b/000002\.json"):
            names.pointer("b")
        assert [alias for alias, _ in names.pointers()] == ["a"]


class TestLatest:
    def test_is_the_highest_version_that_answers(self, names: Namespace, catalog: Catalog) -> None:
        for name in ("t_v9", "t_v2", "t_v10", "t_v02", "t_v11", "t_v1_v99", "T_v99", "other_v99"):
            catalog.publish(new_revision(name))
        assert names.latest("t").record.name == "t_v11"
        catalog.delete("t_v11")
        assert names.latest("t").record.name == "t_v10"

    @pytest.mark.parametrize("task", ["t", "t_v1", "", "unheard-of"])
    def test_of_a_task_without_versions_is_not_found(self, names: Namespace, catalog: Catalog, task: str) -> None:
        catalog.publish(new_revision("t"))
        catalog.publish(new_revision("t_v1"))
        catalog.delete("t_v1")
        with pytest.raises(ClassifierNotFound, match="has no version") as caught:
            names.latest(task)
        assert caught.value.facts == {"model_name": f"{task}@latest", "task": task, "near_names": []}

    def test_that_is_damaged_is_an_error(self, files: MemoryFiles, names: Namespace, catalog: Catalog) -> None:
        catalog.publish(new_revision("t_v1"))
        files.put_new("classifiers/t_v2/000001.json", b"{")
        with pytest.raises(InvalidArtifact):
            names.latest("t")


class TestCheckFree:
    """Whatever has a name, live or damaged, has it in every case; what is deleted or purged has it no more."""

    @pytest.mark.parametrize("taken", ["name", "NAME", "Name"])
    @pytest.mark.parametrize("wanted", ["name", "NAME", "nAME"])
    @pytest.mark.parametrize("is_alias", [False, True], ids=["classifier there", "alias there"])
    @pytest.mark.parametrize("for_alias", [False, True], ids=["for a classifier", "for an alias"])
    def test_knows_one_name_in_any_case_and_of_any_kind(
        self, files: MemoryFiles, taken: str, wanted: str, is_alias: bool, for_alias: bool
    ) -> None:
        names, catalog = open_names(files), open_catalog(files)
        catalog.publish(new_revision("other"))
        if is_alias:
            promote(open_aliases(files), taken, "other")
        else:
            catalog.publish(new_revision(taken))
        if taken == wanted and is_alias == for_alias:
            names.check_free(wanted, for_alias=for_alias)
            return
        kind = "alias" if is_alias else "classifier"
        how = "belongs to" if taken == wanted else "differs only in case from"
        with pytest.raises(
            NameTaken, match=rf"^The name {wanted} {how} the {kind} {taken};.*or delete the {kind}"
        ) as caught:
            names.check_free(wanted, for_alias=for_alias)
        assert caught.value.facts == {"name": wanted, "existing_name": taken, "kind": kind}

    def test_gives_back_the_names_of_what_was_deleted(
        self, names: Namespace, catalog: Catalog, aliases: Aliases
    ) -> None:
        catalog.publish(new_revision("Name"))
        promote(aliases, "Live", "Name")
        aliases.remove("Live", ChangeNote())
        catalog.delete("Name")
        for name in ("Name", "name", "Live", "LIVE"):
            for for_alias in (False, True):
                names.check_free(name, for_alias=for_alias)

    @pytest.mark.parametrize("kind", ["classifiers", "aliases"])
    def test_leaves_its_name_to_what_is_damaged(self, files: MemoryFiles, names: Namespace, kind: str) -> None:
        files.put_new(f"{kind}/name/000001.json", b"{")
        for wanted, for_alias in (("NAME", False), ("NAME", True), ("name", kind == "classifiers")):
            with pytest.raises(NameTaken):
                names.check_free(wanted, for_alias=for_alias)
        names.check_free("name", for_alias=kind == "aliases")

    def test_refuses_a_name_that_breaks_the_grammar(self, names: Namespace) -> None:
        for name in ("../etc", "a@2", ""):
            with pytest.raises(InvalidName):
                names.check_free(name)

    def test_ignores_folders_without_a_record(self, tmp_path: Path) -> None:
        (tmp_path / "classifiers/Name/blobs").mkdir(parents=True)
        open_names(LocalFiles(tmp_path)).check_free("name")


class TestUse:
    @pytest.fixture(autouse=True)
    def _pointed(self, catalog: Catalog, aliases: Aliases) -> None:
        for _ in range(2):
            catalog.publish(new_revision(contents=blobs()))
        catalog.publish(new_revision("moods"))
        for alias, target in (("b", "tickets"), ("a", "tickets@1"), ("c", "moods"), ("d", "tickets")):
            promote(aliases, alias, target)
        aliases.remove("d", ChangeNote())

    def test_of_a_classifier_is_by_aliases_to_it_and_to_its_revisions(self, names: Namespace) -> None:
        assert names.pointing_at("tickets") == ("a", "b")
        assert names.pointing_at("TICKETS") == names.pointing_at("a") == ()

    def test_of_a_revision_is_by_aliases_to_just_it(self, names: Namespace) -> None:
        assert names.pointing_at("tickets", 1) == ("a",)
        assert names.pointing_at("tickets", 2) == ()

    def test_is_refused_with_the_aliases_and_what_to_do(self, names: Namespace) -> None:
        with pytest.raises(
            ClassifierInUse, match=r"Aliases point to tickets \(a, b\), so nothing.*force=True"
        ) as caught:
            names.check_unused("tickets")
        assert caught.value.facts == {"aliases": ["a", "b"], "used": ["tickets (a, b)"], "more": 0}
        with pytest.raises(ClassifierInUse, match=r"tickets@1 \(a\)"):
            names.check_unused("tickets", 1)
        names.check_unused("tickets", 2)
        names.check_unused("unheard-of")

    def test_of_many_shows_ten(self) -> None:
        many = {f"t_v{number}": (f"alias_{number}",) for number in range(12)}
        error = in_use(many)
        assert "t_v9 (alias_9) and 2 more" in error.detail
        assert error.facts["aliases"] == sorted(f"alias_{number}" for number in range(12))
        assert error.facts["used"] == [f"t_v{number} (alias_{number})" for number in range(10)]
        assert error.facts["more"] == 2


class TestNotFound:
    @pytest.fixture(autouse=True)
    def _some(self, catalog: Catalog, aliases: Aliases) -> None:
        for name in ("tickets_v1", "tickets_v2", "moods"):
            catalog.publish(new_revision(name))
        promote(aliases, "tickets_live", "tickets_v1")

    def test_lists_near_names_of_both_kinds_that_live(
        self, names: Namespace, catalog: Catalog, aliases: Aliases
    ) -> None:
        assert names.not_found("ticket_v1").facts == {
            "model_name": "ticket_v1",
            "near_names": ["tickets_v1", "tickets_v2", "tickets_live"],
        }
        catalog.delete("tickets_v2")
        aliases.remove("tickets_live", ChangeNote())
        error = names.not_found("ticket_v1")
        assert error.facts["near_names"] == ["tickets_v1"]
        assert "Did you mean tickets_v1? List the classifiers" in error.detail

    def test_opens_near_names_only(self, files: MemoryFiles) -> None:
        files.calls.clear()
        open_names(files).not_found("moodz")
        assert files.calls["get"] == 1

    def test_says_when_it_was_deleted(self, files: MemoryFiles, names: Namespace) -> None:
        open_catalog(files, lambda: datetime(2025, 9, 16, 8, 0, tzinfo=UTC)).delete("moods")
        error = names.not_found("moods")
        assert error.detail.startswith("moods was deleted at 2025-09-16T08:00:00Z. Restore it")
        assert error.facts == {"model_name": "moods", "near_names": [], "deleted_at": "2025-09-16T08:00:00Z"}

    def test_says_where_an_alias_points(self, names: Namespace) -> None:
        error = names.not_found("tickets_live")
        assert error.detail == "tickets_live is an alias; it points to tickets_v1. Name the classifier itself."
        assert error.facts == {"model_name": "tickets_live", "points_to": "tickets_v1", "near_names": ["tickets_v1"]}

    def test_lists_near_aliases_where_an_alias_was_meant(self, names: Namespace) -> None:
        error = names.alias_not_found("ticket_live")
        assert isinstance(error, AliasNotFound)
        assert error.facts == {"alias": "ticket_live", "near_names": ["tickets_live"]}
        assert "Did you mean tickets_live?" in error.detail
        assert names.alias_not_found("zzz").facts["near_names"] == []
