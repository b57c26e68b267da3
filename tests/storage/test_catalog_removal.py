"""Deleting and restoring: what is hidden, and what comes back."""

import json
from dataclasses import replace

import pytest

from tests.storage.examples import TEST_SCORE, new_revision, notes, open_catalog, open_names, promote, sealed
from tests.storage.tickets import FOLDER, begin_purge, contents, kept_contents, names, publish
from windrow.domain.classifier import DescribeRequest
from windrow.domain.errors import (
    ClassifierInUse,
    ClassifierNotFound,
    InvalidArtifact,
    InvalidName,
    NameTaken,
    NotDeleted,
    RevisionNotFound,
)
from windrow.domain.names import Reference, read_reference
from windrow.storage.artifact import ARTIFACT
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files
from windrow.storage.revision import entry_to_json


class TestDelete:
    def test_hides_a_classifier_and_keeps_its_files(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        catalog.delete("tickets")
        assert names(catalog) == []
        for reference in ("tickets", "tickets@1"):
            with pytest.raises(ClassifierNotFound):
                catalog.find(read_reference(reference))
        assert kept_contents(files) == set(contents(1, 1).values())

    def test_writes_a_dated_tombstone(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        catalog.delete("tickets")
        tombstone = json.loads(files.get(f"{FOLDER}/000002.json"))
        assert len(tombstone.pop("sha256")) == 64
        assert tombstone == {"format": 7, "kind": "deleted", "at": "2025-09-16T08:00:00Z", "erased": {}}

    def test_of_what_is_not_there_is_refused(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        catalog.delete("tickets")
        for name in ("tickets", "unheard-of"):
            with pytest.raises(ClassifierNotFound):
                catalog.delete(name)
        assert files.list("classifiers") == ["tickets"]
        assert files.list(FOLDER) == ["000001.json", "000002.json", "blobs"]

    @pytest.mark.parametrize("target", ["tickets", "tickets@1"])
    def test_of_what_an_alias_points_to_takes_force(self, files: Files, catalog: Catalog, target: str) -> None:
        shown = "tickets (live)"
        publish(catalog, (1, 1), (2, 1))
        promote(files, "live", target)
        with pytest.raises(ClassifierInUse) as caught:
            catalog.delete("tickets")
        assert caught.value.facts == {"aliases": ["live"], "used": [shown], "more": 0}
        assert names(catalog) == ["tickets"]
        catalog.delete("tickets", force=True)
        assert names(catalog) == []
        catalog.restore("tickets")
        assert catalog.find(Reference("live")).entry.record.name == "tickets"

    def test_of_what_is_damaged_hides_it(self, files: Files, catalog: Catalog) -> None:
        files.put_new(f"{FOLDER}/000001.json", b"{")
        promote_by_hand(files)
        with pytest.raises(ClassifierInUse):
            catalog.delete("tickets")
        catalog.delete("tickets", force=True)
        with pytest.raises(ClassifierNotFound):
            catalog.current("tickets")


def promote_by_hand(files: Files) -> None:
    """Point an alias at ``tickets``, whether it can be read or not."""
    catalog = open_catalog(files)
    catalog.publish(new_revision("other"))
    promote(files, "live", "other")
    text = files.get("aliases/live/000001.json").replace(b'"other"', b'"tickets"')
    files.put_new("aliases/live/000002.json", sealed(text))


class TestRestore:
    def test_brings_a_deleted_classifier_back_as_it_was(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1))
        catalog.describe(DescribeRequest("tickets", "kept", ("best",)))
        before = catalog.current("tickets")
        catalog.delete("tickets")
        after = catalog.restore("tickets")
        assert after == replace(before, kind="restored")
        assert catalog.current("tickets") == open_catalog(files).current("tickets") == after
        assert catalog.find(Reference("tickets", 1)).entry.record.training_data_sha256 == "a" * 64

    def test_makes_an_older_revision_answer_with_the_notes_of_today(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1))
        measured = replace(catalog.find(Reference("tickets", 1)).entry, kind="measured")
        measured = replace(measured, record=replace(measured.record, test=TEST_SCORE))
        open_names(files).classifiers.append("tickets", 3, entry_to_json("tickets", 3, measured))
        catalog.restore("tickets", 2)
        catalog.describe(DescribeRequest("tickets", "today"))
        restored = catalog.restore("tickets", 1)
        assert (restored.record.revision, notes(restored), restored.record.test) == (1, ("today", ()), TEST_SCORE)
        assert catalog.blobs.read("tickets", catalog.current("tickets").blobs[ARTIFACT]) == b"artifact 1"
        assert open_names(files).revisions("tickets") == (1, 2)
        assert catalog.publish(new_revision()).record.revision == 7

    def test_brings_back_an_older_revision_of_a_deleted_classifier(self, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1))
        catalog.delete("tickets")
        assert catalog.restore("tickets", 1).record.revision == 1
        assert catalog.current("tickets").record.training_data_sha256 == "a" * 64

    def test_of_what_answers_is_refused_with_what_there_is(self, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1))
        for revision in (None, 2):
            with pytest.raises(NotDeleted, match="its revision 2 answers") as caught:
                catalog.restore("tickets", revision)
            assert caught.value.facts == {"model_name": "tickets", "revision": 2, "revisions": [1, 2], "other": 1}

    def test_of_what_answers_says_what_else_there_is(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        with pytest.raises(NotDeleted, match="It has no other revision, so there is nothing to restore"):
            catalog.restore("tickets")
        publish(catalog, (2, 1), (3, 1))
        catalog.describe(DescribeRequest("tickets", "new"))
        files.remove(f"{FOLDER}/000003.json")  # its own file is lost, and a later one still says what answers
        with pytest.raises(NotDeleted, match=r"name it, such as tickets@2\.") as caught:
            catalog.restore("tickets")
        assert caught.value.facts == {"model_name": "tickets", "revision": 3, "revisions": [1, 2, 3], "other": 2}

    def test_of_a_revision_that_is_not_there_is_refused(self, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1), (3, 1))
        catalog.purging.purge_revision("tickets", 2)
        for _ in range(2):
            for revision in (2, 4, 9):
                with pytest.raises(RevisionNotFound) as caught:
                    catalog.restore("tickets", revision)
                assert caught.value.facts["revisions"] == [1, 3]
            if names(catalog):
                catalog.delete("tickets")

    def test_of_what_was_never_there_or_is_purged_is_refused(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        catalog.delete("tickets")
        catalog.purging.purge("tickets")
        for name in ("tickets", "unheard-of"):
            with pytest.raises(ClassifierNotFound):
                catalog.restore(name)
        publish(catalog, (1, 1))
        begin_purge(files, 2)
        with pytest.raises(ClassifierNotFound):
            catalog.restore("tickets")

    def test_of_a_name_that_was_given_away_is_refused(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1))
        catalog.delete("tickets")
        catalog.publish(new_revision("TICKETS"))
        with pytest.raises(NameTaken, match="differs only in case from the classifier TICKETS"):
            catalog.restore("tickets")
        promote(files, "live", "TICKETS")
        catalog.publish(new_revision("other"))
        catalog.delete("other")
        promote(files, "other", "TICKETS")
        with pytest.raises(NameTaken, match="belongs to the alias other"):
            catalog.restore("other")

    def test_of_what_lost_a_blob_is_refused(self, files: Files, catalog: Catalog) -> None:
        publish(catalog, (1, 1), (2, 1))
        lost = catalog.find(Reference("tickets", 1)).entry.blobs[ARTIFACT]
        files.remove(f"{FOLDER}/blobs/{lost.file_name}")
        with pytest.raises(InvalidArtifact, match="is missing"):
            catalog.restore("tickets", 1)
        catalog.delete("tickets")
        assert catalog.restore("tickets").record.revision == 2

    def test_of_what_is_damaged_is_refused(self, files: Files, catalog: Catalog) -> None:
        files.put_new(f"{FOLDER}/000001.json", b"{")
        with pytest.raises(InvalidArtifact):
            catalog.restore("tickets")
        catalog.delete("tickets")
        with pytest.raises(InvalidArtifact):
            catalog.restore("tickets")

    def test_of_a_bad_name_is_refused(self, catalog: Catalog) -> None:
        with pytest.raises(InvalidName):
            catalog.restore("../tickets")
