"""Refuses a record whose parts contradict each other, as one that a stranger made may."""

from collections.abc import Sequence
from itertools import pairwise

from windrow.domain.alias import check_note
from windrow.domain.classifier import Record, TestScore, check_notes
from windrow.domain.errors import InvalidInput
from windrow.domain.names import read_reference
from windrow.domain.threshold import MAX_THRESHOLD_CHANGES, Threshold, ThresholdChange
from windrow.storage.format import Mismatch


def check_record(record: Record) -> None:
    """Refuse a record whose parts contradict each other.

    Raises:
        Mismatch: They do.
    """
    if record.revision < 1:
        raise Mismatch("is below 1", ("record", "revision"))
    if not record.labels or record.labels != tuple(sorted(set(record.labels))):
        raise Mismatch("are not sorted and distinct", ("record", "labels"))
    if tuple(record.rows_per_label) != record.labels:
        raise Mismatch("does not follow labels", ("record", "rows_per_label"))
    if (estimate := record.report.estimate) is not None and not 0 <= estimate.correct <= estimate.total != 0:
        raise Mismatch("is no estimate", ("record", "report", "estimate"))
    if not record.scores.temperature > 0:
        raise Mismatch("is not above 0", ("record", "scores", "temperature"))
    if record.test is not None:
        _check_score(record.test)
    _check_extension(record)
    _check_threshold_changes(record.threshold_changes)
    _check_notes(record)


def _check_notes(record: Record) -> None:
    try:
        is_checked = check_notes(record.description, record.tags) == record.tags
    except InvalidInput as error:
        raise Mismatch(f"breaks a rule ({error.detail})", ("record",)) from error
    if not is_checked:
        raise Mismatch("are not sorted and distinct", ("record", "tags"))


def _check_extension(record: Record) -> None:
    if not 0 <= record.taken_over_rows <= record.num_examples or record.replaced_rows < 0:
        raise Mismatch("are no numbers of rows that were taken over", ("record", "taken_over_rows"))
    # Where it was exported by somebody who does not know the name, only the numbers are left.
    if record.extends is None:
        return
    try:
        is_exact = read_reference(record.extends).revision is not None
    except InvalidInput:
        is_exact = False
    if not is_exact:
        raise Mismatch("is no revision", ("record", "extends"))


def _check_score(test: TestScore) -> None:
    correct, rows = test.correct_per_label, test.rows_per_label
    is_sound = 0 <= test.correct <= test.total != 0 and correct.keys() == rows.keys()
    is_sound &= 0 <= test.macro_f1 <= 1 and 0 <= test.ece <= 1
    # An import may bring what a stranger counted.
    if not is_sound or not all(0 <= correct[label] <= rows[label] != 0 for label in rows):
        raise Mismatch("is no score", ("record", "test"))
    if (sum(correct.values()), sum(rows.values())) != (test.correct, test.total):
        raise Mismatch("does not add up", ("record", "test"))


def _check_threshold_changes(changes: Sequence[ThresholdChange]) -> None:
    where = ("record", "threshold_changes")
    if len(changes) > MAX_THRESHOLD_CHANGES:
        raise Mismatch(f"are more than {MAX_THRESHOLD_CHANGES}", where)
    for change in changes:
        if not all(map(_is_threshold, (change.before, change.after))):
            raise Mismatch("hold what is no threshold", where)
        try:
            check_note(change)
        except InvalidInput as error:
            raise Mismatch(f"breaks a rule ({error.detail})", where) from error
    if any(earlier.after != later.before for earlier, later in pairwise(changes)):
        raise Mismatch("do not follow from each other", where)


def _is_threshold(threshold: Threshold | None) -> bool:
    return threshold is None or 0 <= threshold.abstain_below <= 1
