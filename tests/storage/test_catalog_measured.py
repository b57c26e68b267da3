"""Measuring: what is kept of a test with a revision, for how long, and when it is not kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.storage.examples import TEST_SCORE, THRESHOLD, new_revision, notes, open_catalog, open_names
from tests.storage.model import Server
from tests.storage.tickets import AT, publish
from windrow.domain.alias import ChangeNote
from windrow.domain.classifier import DescribeRequest
from windrow.domain.errors import ClassifierNotFound, ConcurrentChange
from windrow.domain.listing import ListRequest
from windrow.domain.names import Reference
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files

NOTE = ChangeNote(reason="Sure answers only", author="Ada")
BETTER = replace(
    TEST_SCORE,
    correct=10,
    correct_per_label={"bug": 10},
    rows_per_label={"bug": 10},
    macro_f1=1.0,
    test_data_sha256="9" * 64,
)


def test_a_score_is_kept_with_the_revision_and_nothing_else_changes(files: Files, catalog: Catalog) -> None:
    publish(catalog, (1, 1), (2, 1))
    before = catalog.describe(DescribeRequest("tickets", "for the help desk", ("best",)))
    later = open_catalog(files, lambda: AT + timedelta(hours=1))
    measured = later.record_evaluation(before, TEST_SCORE)
    at = AT + timedelta(hours=1)
    assert measured == replace(before, kind="measured", at=at, record=replace(before.record, test=TEST_SCORE))
    assert catalog.current("tickets") == catalog.find(Reference("tickets", 2)).entry == measured
    assert catalog.find(Reference("tickets", 1)).entry.record.test is None


def test_a_score_is_there_after_a_restart(files: Files, catalog: Catalog) -> None:
    measured = catalog.record_evaluation(catalog.publish(new_revision()), TEST_SCORE)
    assert open_catalog(files).current("tickets") == measured


def test_a_score_shows_in_the_list(files: Files, catalog: Catalog) -> None:
    catalog.record_evaluation(catalog.publish(new_revision()), TEST_SCORE)
    for each in (catalog, open_catalog(files)):
        (shown,) = each.listing(ListRequest()).models
        assert shown.test == TEST_SCORE
        assert shown.test is not None
        assert shown.test.accuracy == 0.9


def test_a_score_takes_the_place_of_the_one_before(catalog: Catalog) -> None:
    entry = catalog.record_evaluation(catalog.publish(new_revision()), TEST_SCORE)
    assert catalog.record_evaluation(entry, BETTER).record.test == BETTER
    assert catalog.record_evaluation(entry, TEST_SCORE).record.test == TEST_SCORE  # found before the last change


def test_a_score_is_kept_although_rows_were_erased_while_it_was_measured(files: Files) -> None:
    server = Server(files)
    server.fit("a", 3)
    measured = server.catalog.current("a")
    server.erase("a", 3)
    assert server.catalog.current("a").blobs != measured.blobs
    kept = server.catalog.record_evaluation(measured, TEST_SCORE)
    assert kept.record.test == TEST_SCORE
    assert kept.blobs == server.catalog.current("a").blobs != measured.blobs
    assert kept.has_erased_rows


def test_a_threshold_stays_when_a_score_is_kept(catalog: Catalog) -> None:
    entry = catalog.publish(new_revision())
    catalog.set_threshold(Reference("tickets"), THRESHOLD, NOTE)
    assert catalog.record_evaluation(entry, TEST_SCORE).record.threshold == THRESHOLD


def test_notes_that_were_changed_meanwhile_are_kept(catalog: Catalog) -> None:
    entry = catalog.publish(new_revision())
    catalog.describe(DescribeRequest("tickets", "said while rows were answered"))
    measured = catalog.record_evaluation(entry, TEST_SCORE)
    assert (notes(measured), measured.record.test) == (("said while rows were answered", ()), TEST_SCORE)


def test_describing_deleting_and_restoring_leave_score_and_threshold(catalog: Catalog) -> None:
    catalog.record_evaluation(catalog.publish(new_revision()), TEST_SCORE)
    measured, _ = catalog.set_threshold(Reference("tickets"), THRESHOLD, NOTE)
    catalog.describe(DescribeRequest("tickets", "another"))
    catalog.delete("tickets")
    restored = catalog.restore("tickets")
    assert (restored.record.test, restored.record.threshold_changes) == (TEST_SCORE, measured.record.threshold_changes)


def test_a_training_that_follows_has_neither_and_the_revision_before_keeps_both(catalog: Catalog) -> None:
    catalog.record_evaluation(catalog.publish(new_revision()), TEST_SCORE)
    catalog.set_threshold(Reference("tickets"), THRESHOLD, NOTE)
    trained = catalog.publish(new_revision(mark="b"))
    before = catalog.find(Reference("tickets", 1)).entry
    assert (trained.record.test, trained.record.threshold) == (None, None)
    assert (before.record.test, before.record.threshold) == (TEST_SCORE, THRESHOLD)
    assert catalog.restore("tickets", 1).record.threshold == THRESHOLD


def test_a_score_is_refused_once_another_revision_answers(files: Files, catalog: Catalog) -> None:
    entry = catalog.publish(new_revision())
    catalog.publish(new_revision(mark="b"))
    with pytest.raises(ConcurrentChange, match=r"Revision 1 of tickets.*revision 2 answers now.*Evaluate again\.$"):
        catalog.record_evaluation(entry, TEST_SCORE)
    assert open_names(files).classifiers.numbers("tickets") == (1, 2)
    catalog.restore("tickets", 1)
    assert catalog.record_evaluation(entry, TEST_SCORE).record.test == TEST_SCORE


def test_a_score_is_refused_once_the_name_was_purged_and_its_numbers_begin_anew(files: Files, catalog: Catalog) -> None:
    entry = catalog.publish(new_revision())
    catalog.purging.purge("tickets")
    assert catalog.publish(new_revision(mark="b")).record.revision == entry.record.revision
    with pytest.raises(ConcurrentChange, match="so the score was not kept"):
        catalog.record_evaluation(entry, TEST_SCORE)
    assert open_catalog(files).current("tickets").record.test is None


def test_a_score_of_what_was_deleted_meanwhile_is_refused(catalog: Catalog) -> None:
    entry = catalog.publish(new_revision())
    catalog.delete("tickets")
    with pytest.raises(ClassifierNotFound):
        catalog.record_evaluation(entry, TEST_SCORE)
    catalog.restore("tickets")
    assert catalog.current("tickets").record.test is None
