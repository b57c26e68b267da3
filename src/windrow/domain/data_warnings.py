"""What is odd about labelled rows of either form: warnings that name the rows, and never stop a training."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from windrow.domain.characters import looks_like, quoted_apart
from windrow.domain.dataset import SMALL_CLASS_ROWS, DataWarning
from windrow.domain.figures import counted, listed
from windrow.domain.label_merging import groups_alike
from windrow.domain.labelled_rows import LabelledDataset
from windrow.domain.multi_label import MultiLabelDataset

_NAMED_ROWS = 5
# What stands between labels where a cell of a table holds several.
_SEPARATORS = ";|,"


def find_data_warnings(dataset: LabelledDataset) -> tuple[DataWarning, ...]:
    """Return what is odd about training rows.

    Those of either form: duplicates, contradictions, small classes, labels that look alike, numbers. Of multi-label
    rows also those without a label, and labels that each row has; of the others, labels that look like several in one.
    """
    candidates = (
        _warn_of_duplicates(dataset),
        _warn_of_contradictions(dataset),
        *(_multi_label_candidates(dataset) if isinstance(dataset, MultiLabelDataset) else ()),
        _warn_of_small_classes(dataset),
        _warn_of_labels_alike(dataset),
        _warn_of_number_labels(dataset),
        _warn_of_labels_joined(dataset),
    )
    return tuple(warning for warning in candidates if warning is not None)


def with_every_row(warnings: Iterable[DataWarning], dataset: LabelledDataset) -> tuple[DataWarning, ...]:
    """Return warnings that :func:`find_data_warnings` found, each with all the rows behind it.

    Args:
        warnings: The warnings.
        dataset: The rows that they are about.
    """
    return tuple(replace(warning, rows=_rows_behind(warning.code, dataset)) for warning in warnings)


def find_test_warnings(dataset: LabelledDataset) -> tuple[DataWarning, ...]:
    """Return what is odd about test rows: duplicates, which count twice, and contradictions."""
    candidates = (_warn_of_duplicates(dataset), _warn_of_contradictions(dataset))
    return tuple(warning for warning in candidates if warning is not None)


def _multi_label_candidates(dataset: MultiLabelDataset) -> tuple[DataWarning | None, ...]:
    return _warn_of_rows_without_labels(dataset), _warn_of_labels_of_every_row(dataset)


def _warn_of_duplicates(dataset: LabelledDataset) -> DataWarning | None:
    repeats = dataset.duplicate_rows
    if not repeats:
        return None
    repeat = counted(len(repeats), "row repeats", "rows repeat")
    labels = "labels" if isinstance(dataset, MultiLabelDataset) else "label"
    return _warn("duplicate_rows", f"{repeat} an earlier row with the same {labels}.", repeats)


def _warn_of_contradictions(dataset: LabelledDataset) -> DataWarning | None:
    torn = dataset.contradicting_rows
    if not torn:
        return None
    carry = counted(len(torn), "row carries", "rows carry")
    elsewhere = "with other labels" if isinstance(dataset, MultiLabelDataset) else "under another label"
    return _warn("contradicting_rows", f"{carry} a text that also stands {elsewhere}.", torn)


def _warn_of_rows_without_labels(dataset: MultiLabelDataset) -> DataWarning | None:
    without = dataset.rows_without_labels
    if not without:
        return None
    have, count = counted(len(without), "row has", "rows have"), "It counts" if len(without) == 1 else "They count"
    what = "a text" if len(without) == 1 else "texts"
    return _warn(
        "rows_without_labels",
        f"{have} no label. {count} as {what} that no label fits; leave out rows that nobody has labelled yet.",
        without,
    )


def _warn_of_labels_of_every_row(dataset: MultiLabelDataset) -> DataWarning | None:
    everywhere = _labels_of_every_row(dataset)
    if not everywhere:
        return None
    return _warn(
        "label_of_every_row",
        f"Every row has {listed(map(repr, everywhere))}, so that it will be given to every text. Add rows without it, "
        "or leave it out.",
    )


def _warn_of_small_classes(dataset: LabelledDataset) -> DataWarning | None:
    small = dataset.small_classes
    if not small:
        return None
    named = listed(f"{label!r} ({dataset.rows_per_label[label]})" for label in small)
    return _warn(
        "small_classes",
        f"{counted(len(small), 'label has', 'labels have')} fewer than {SMALL_CLASS_ROWS} rows: {named}. "
        "About 8 rows a label work well.",
    )


def _rows_behind(code: str, dataset: LabelledDataset) -> tuple[int, ...]:
    if code == "duplicate_rows":
        return dataset.duplicate_rows
    if code == "contradicting_rows":
        return dataset.contradicting_rows
    if code == "rows_without_labels" and isinstance(dataset, MultiLabelDataset):
        return dataset.rows_without_labels
    if code == "label_of_every_row":  # it is about a label, not about rows to look at
        return ()
    labels = {
        "small_classes": dataset.small_classes,
        "labels_alike": [label for group in groups_alike(dataset.labels) for label in group],
        "number_labels": _number_labels(dataset),
        "labels_joined": _labels_joined(dataset),
    }[code]
    return _rows_with(dataset, set(labels))


def _rows_with(dataset: LabelledDataset, labels: set[str]) -> tuple[int, ...]:
    """Return the rows that have one of some labels, by number from 0."""
    if isinstance(dataset, MultiLabelDataset):
        return tuple(number for number, row in enumerate(dataset.rows) if not labels.isdisjoint(row.labels))
    return tuple(number for number, row in enumerate(dataset.rows) if row.label in labels)


def _labels_of_every_row(dataset: MultiLabelDataset) -> list[str]:
    return [label for label, count in dataset.rows_per_label.items() if count == len(dataset.rows)]


def _number_labels(dataset: LabelledDataset) -> list[str]:
    return [label for label in dataset.labels if looks_like(label).removeprefix("-").isdecimal()]


def _labels_joined(dataset: LabelledDataset) -> list[str]:
    """Return labels of rows with one label each that consist of others, or share a part with one that does."""
    if isinstance(dataset, MultiLabelDataset):
        return []
    parts_of = {label: parts for label in dataset.labels if len(parts := _parts_of(label)) > 1}
    uses = Counter(part for parts in parts_of.values() for part in parts)
    uses.update(dataset.labels)
    return [label for label, parts in parts_of.items() if any(uses[part] > 1 for part in parts)]


def _parts_of(label: str) -> set[str]:
    """Return the distinct parts of a label between separators of one kind."""
    separator = next((each for each in _SEPARATORS if each in label), None)
    return {part for part in map(str.strip, label.split(separator)) if part} if separator else {label}


def _warn_of_labels_alike(dataset: LabelledDataset) -> DataWarning | None:
    alike = groups_alike(dataset.labels)
    if not alike:
        return None
    named = listed((" / ".join(_quoted_in(group)) for group in alike), between="; ")
    return _warn(
        "labels_alike",
        f"Some labels look alike: {named}. They count as different labels. Give each label one spelling, or train with "
        "merge_labels (on the command line --merge-labels), which gives all of them the one that most rows have.",
    )


def _warn_of_number_labels(dataset: LabelledDataset) -> DataWarning | None:
    numbers = _number_labels(dataset)
    if not numbers:
        return None
    named = listed(map(repr, numbers))
    return _warn(
        "number_labels",
        f"Labels that are whole numbers are taken as their text ({named}), and predictions have text, too. Names that "
        "say what is meant can be read by people, and by the training; of a file, label_names gives them (on the "
        "command line --label-names 0=negative,1=positive).",
    )


def _warn_of_labels_joined(dataset: LabelledDataset) -> DataWarning | None:
    joined = _labels_joined(dataset)
    if not joined:
        return None
    rows = _rows_with(dataset, set(joined))
    named = listed(map(repr, joined))
    have = counted(len(rows), "row has a label that looks", "rows have a label that looks")
    return _warn(
        "labels_joined",
        f"{have} like several in one: {named}. Each counts as one label. If these are several, give each row a list of "
        "its labels as labels; of a file, name the column of labels and what stands between two of them "
        "(labels_column and label_separator; on the command line --labels-column and --label-separator).",
        rows,
    )


def _quoted_in(group: Sequence[str]) -> list[str]:
    return [quoted_apart(label, group[0] if label != group[0] else group[1]) for label in group]


def _warn(code: str, message: str, rows: Sequence[int] = ()) -> DataWarning:
    return DataWarning(code, message, tuple(rows[:_NAMED_ROWS]))
