"""Thresholds: what is noted of each change, which revision has it, and when nothing is changed."""

from datetime import timedelta

import pytest

from tests.storage.examples import THRESHOLD, new_revision, open_catalog, open_names
from tests.storage.tickets import AT, publish
from windrow.domain.alias import ChangeNote
from windrow.domain.caller import Caller, calling
from windrow.domain.errors import ClassifierNotFound, ConcurrentChange, RevisionNotFound
from windrow.domain.names import Reference
from windrow.domain.threshold import MAX_THRESHOLD_CHANGES, Threshold, ThresholdChange
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files

TICKETS = Reference("tickets")
NOTE = ChangeNote(reason="Sure answers only", author="Ada")


def test_a_change_is_noted_with_who_when_why_and_the_former_value(files: Files, catalog: Catalog) -> None:
    catalog.publish(new_revision())
    entry, before = catalog.set_threshold(TICKETS, THRESHOLD, NOTE)
    later = open_catalog(files, lambda: AT + timedelta(hours=1))
    cleared, former = later.set_threshold(TICKETS, None, ChangeNote())
    assert (before, former) == (None, THRESHOLD)
    assert (entry.kind, entry.record.threshold, cleared.record.threshold) == ("threshold_set", THRESHOLD, None)
    assert cleared.record.threshold_changes == (
        ThresholdChange(at=entry.at, before=None, after=THRESHOLD, reason="Sure answers only", author="Ada"),
        ThresholdChange(at=AT + timedelta(hours=1), before=THRESHOLD, after=None),
    )
    assert open_catalog(files).current("tickets") == cleared


def test_a_change_names_the_key_that_acted_and_the_record_the_one_that_trained(catalog: Catalog) -> None:
    with calling(Caller("night")):
        assert catalog.publish(new_revision()).record.key_name == "night"
    with calling(Caller("shop")):
        catalog.set_threshold(TICKETS, THRESHOLD, NOTE)
    entry, _ = catalog.set_threshold(TICKETS, None, NOTE)
    assert [change.key_name for change in entry.record.threshold_changes] == ["shop", None]
    assert entry.record.key_name == "night"


def test_the_same_threshold_again_changes_nothing(files: Files, catalog: Catalog) -> None:
    catalog.publish(new_revision())
    assert catalog.set_threshold(TICKETS, None, NOTE)[0].record.threshold_changes == ()
    first, _ = catalog.set_threshold(TICKETS, THRESHOLD, NOTE)
    assert catalog.set_threshold(TICKETS, THRESHOLD, ChangeNote(reason="Once more")) == (first, THRESHOLD)
    assert open_names(files).classifiers.numbers("tickets") == (1, 2)


def test_of_many_changes_the_last_ones_are_kept(catalog: Catalog) -> None:
    catalog.publish(new_revision())
    for number in range(MAX_THRESHOLD_CHANGES + 2):
        entry, _ = catalog.set_threshold(TICKETS, Threshold(number / 1_000), NOTE)
    changes = entry.record.threshold_changes
    assert len(changes) == MAX_THRESHOLD_CHANGES
    assert (changes[0].before, changes[-1].after) == (Threshold(0.001), Threshold((MAX_THRESHOLD_CHANGES + 1) / 1_000))


def test_a_revision_that_does_not_answer_is_refused(files: Files, catalog: Catalog) -> None:
    publish(catalog, (1, 1), (2, 1))
    catalog.set_threshold(Reference("tickets", 2), THRESHOLD, NOTE)
    with pytest.raises(ConcurrentChange, match="Revision 2 of tickets answers, not revision 1, so nothing was changed"):
        catalog.set_threshold(Reference("tickets", 1), Threshold(0.5), NOTE)
    with pytest.raises(RevisionNotFound):
        catalog.set_threshold(Reference("tickets", 3), Threshold(0.5), NOTE)
    assert open_catalog(files).current("tickets").record.threshold == THRESHOLD


def test_what_is_not_there_or_deleted_has_no_threshold(catalog: Catalog) -> None:
    with pytest.raises(ClassifierNotFound):
        catalog.set_threshold(TICKETS, THRESHOLD, NOTE)
    catalog.publish(new_revision())
    catalog.delete("tickets")
    with pytest.raises(ClassifierNotFound):
        catalog.set_threshold(TICKETS, THRESHOLD, NOTE)
