"""Refuses a record whose parts contradict each other, as one that a stranger made may."""

from collections.abc import Collection, Mapping
from itertools import pairwise

from windrow.domain.alias import check_note
from windrow.domain.classifier import Record, TestScore, check_notes
from windrow.domain.errors import InvalidInput
from windrow.domain.names import read_reference
from windrow.domain.prediction import Kind
from windrow.domain.threshold import MAX_THRESHOLD_CHANGES, Threshold
from windrow.domain.training_report import Estimate
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
    _check_kind(record)
    if not _is_estimate(record.report.estimate, record.kind):
        raise Mismatch("is no estimate", ("record", "report", "estimate"))
    if not record.scores.temperature > 0:
        raise Mismatch("is not above 0", ("record", "scores", "temperature"))
    if record.test is not None:
        _check_score(record.test, record.kind)
    _check_extension(record)
    _check_threshold_changes(record)
    _check_notes(record)


def _check_kind(record: Record) -> None:
    """Check what depends on whether a text has one label or any number of them, and on whether there were rows."""
    rows, labels = record.rows_per_label.values(), record.labels
    is_counted = sum(rows) == record.num_examples
    if record.kind == "multi_label":
        is_counted = all(0 <= count <= record.num_examples for count in rows)
    if not is_counted:
        raise Mismatch("does not fit rows_per_label", ("record", "num_examples"))
    if not record.learned_from_rows and record.num_examples:
        raise Mismatch("does not fit num_examples", ("record", "source"))
    if not record.learned_from_rows and record.label_descriptions.keys() != set(labels):
        raise Mismatch("are not those of its labels", ("record", "label_descriptions"))
    thresholds = record.label_thresholds
    if tuple(thresholds) != (labels if record.kind == "multi_label" else ()) or not _are_inside(thresholds):
        raise Mismatch("are not those of its labels", ("record", "label_thresholds"))
    described = record.label_descriptions
    if tuple(described) != tuple(label for label in labels if label in described):
        raise Mismatch("does not follow labels", ("record", "label_descriptions"))


def _are_inside(thresholds: Mapping[str, float]) -> bool:
    return all(0 < threshold < 1 for threshold in thresholds.values())


def _is_estimate(estimate: Estimate | None, kind: Kind) -> bool:
    if estimate is None:
        return True
    return 0 <= estimate.correct <= estimate.total != 0 and _fits(kind, estimate.micro_f1, estimate.macro_f1)


def _fits(kind: Kind, *figures: float | None) -> bool:
    """Whether figures that only multi-label classifiers have are there for these, and only for these."""
    if kind == "single_label":
        return all(figure is None for figure in figures)
    return all(figure is not None and 0 <= figure <= 1 for figure in figures)


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


def _check_score(test: TestScore, kind: Kind) -> None:
    correct, rows = test.correct_per_label, test.rows_per_label
    is_sound = 0 <= test.correct <= test.total != 0 and correct.keys() == rows.keys()
    is_sound &= 0 <= test.macro_f1 <= 1 and 0 <= test.ece <= 1 and _fits(kind, test.micro_f1)
    # An import may bring what a stranger counted.
    if not is_sound or not all(0 <= correct[label] <= rows[label] != 0 for label in rows):
        raise Mismatch("is no score", ("record", "test"))
    # A row may have several labels, or none.
    if kind == "single_label" and (sum(correct.values()), sum(rows.values())) != (test.correct, test.total):
        raise Mismatch("does not add up", ("record", "test"))


def _check_threshold_changes(record: Record) -> None:
    where, changes = ("record", "threshold_changes"), record.threshold_changes
    known = record.label_thresholds.keys()
    if len(changes) > MAX_THRESHOLD_CHANGES:
        raise Mismatch(f"are more than {MAX_THRESHOLD_CHANGES}", where)
    for change in changes:
        if not all(_is_threshold(each, known) for each in (change.before, change.after)):
            raise Mismatch("hold what is no threshold", where)
        try:
            check_note(change)
        except InvalidInput as error:
            raise Mismatch(f"breaks a rule ({error.detail})", where) from error
    if any(earlier.after != later.before for earlier, later in pairwise(changes)):
        raise Mismatch("do not follow from each other", where)


def _is_threshold(threshold: Threshold | None, known: Collection[str]) -> bool:
    if threshold is None:
        return True
    own = threshold.label_thresholds
    return 0 <= threshold.abstain_below <= 1 and own.keys() <= set(known) and _are_inside(own)
