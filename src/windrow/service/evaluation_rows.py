"""Checks test rows: their form, that a classifier knows their labels, and what to warn of, such as training rows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from windrow.arrays import Bools
from windrow.domain.characters import looks_like, quoted_apart
from windrow.domain.data_warnings import find_test_warnings
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidParameter, InvalidTestData
from windrow.domain.figures import counted
from windrow.domain.labelled_rows import LabelledDataset, LabelledRow, labels_of
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow
from windrow.domain.prediction import Kind
from windrow.service.dependencies import Store
from windrow.storage.catalog import ResolvedModel

_NAMED_LABELS = 5
# What a row has for a classifier of each kind.
_FORMS: Final[Mapping[Kind, str]] = {"single_label": "label", "multi_label": "labels"}


@dataclass(frozen=True, slots=True)
class SeenRows:
    """A classifier, and which test rows it was trained on.

    Args:
        model: The classifier.
        numbers: The numbers of the test rows that are training rows, and of near-duplicates of training rows; ``None``
            if unknown.
    """

    model: ResolvedModel
    numbers: tuple[list[int], list[int]] | None


def find_seen_rows(store: Store, models: Sequence[ResolvedModel], dataset: LabelledDataset) -> list[SeenRows]:
    """Return which test rows classifiers were trained on, each classifier once, whatever its names."""
    distinct = {(model.entry.record.name, model.entry.record.revision): model for model in models}
    return [SeenRows(model, store.find_seen(model.entry, dataset.texts)) for model in distinct.values()]


def find_unseen_rows(seen: Sequence[SeenRows], dataset: LabelledDataset) -> Bools:
    """Return which rows none of the classifiers was trained on, as far as can be told; all, if there are none."""
    unseen = np.ones(len(dataset.rows), np.bool_)
    for each in seen:
        for numbers in each.numbers or ():
            unseen[numbers] = False
    return unseen if unseen.any() else ~unseen


def check_same_kind(references: Sequence[str], models: Sequence[ResolvedModel]) -> None:
    """Refuse classifiers of both kinds where they are to be compared.

    Args:
        references: What the caller calls them by.
        models: What these resolve to.

    Raises:
        InvalidParameter: Some give one label, and some any number of them.
    """
    names: dict[str, list[str]] = {kind: [] for kind in _FORMS}
    for reference, model in zip(references, models, strict=True):
        names[model.entry.record.kind].append(reference)
    if all(names.values()):
        raise InvalidParameter(
            "{arg:model_names} names {single_label:joined}, which gives one label, and {multi_label:joined}, which "
            "gives any number of them; no rows fit both. Compare classifiers of one kind.",
            {"parameter": "model_names", **names},
        )


def check_form(parameter: str, rows: Sequence[LabelledRow], model: ResolvedModel) -> None:
    """Refuse rows of another form than that of a classifier's answers.

    Args:
        parameter: What the caller knows the rows by.
        rows: The rows, all of one form; there may be none.
        model: The classifier.

    Raises:
        InvalidTestData: They have one label each and the classifier gives any number of them, or the other way round.
    """
    record = model.entry.record
    if not rows or isinstance(rows[0], MultiLabelRow) == (record.kind == "multi_label"):
        return
    facts = {"parameter": parameter, "model_name": record.name, "kind": record.kind, "expected": _FORMS[record.kind]}
    if record.kind == "multi_label":
        raise InvalidTestData(
            "{model_name} gives any number of labels, and the rows of {arg:{parameter}} have one label each. {Send} "
            "labels in each row in place of label: a list, which holds one label where just that one fits, and none "
            "where none does.",
            facts,
        )
    raise InvalidTestData(
        "{model_name} gives one label, and the rows of {arg:{parameter}} have any number of labels. {Send} label in "
        "each row in place of labels, or ask a classifier that was trained on rows with labels.",
        facts,
    )


def check_known_labels(parameter: str, dataset: LabelledDataset, names: Sequence[str], known: Sequence[str]) -> None:
    """Refuse rows of which no classifier knows a label: no figure about a label would say anything.

    Args:
        parameter: What the caller knows the rows by.
        dataset: The rows.
        names: The classifiers.
        known: The labels that one of them knows, sorted.

    Raises:
        InvalidTestData: No row has one.
    """
    if not dataset.labels:
        raise InvalidTestData(
            "No row of {arg:{parameter}} has a label, so nobody can tell which labels are found. Add rows with labels.",
            {"parameter": parameter},
        )
    if not set(known) & set(dataset.labels):
        more = " …" if len(known) > _NAMED_LABELS else ""
        raise InvalidTestData(
            f"No label of {{arg:{{parameter}}}} is known to {{model_names:joined}}; known are {{known_labels:quoted}}"
            f"{more}. Correct the labels: case, white space, how characters are composed, and decimals (1 and 1.0) "
            "count.",
            {"parameter": parameter, "model_names": list(names), "known_labels": list(known[:_NAMED_LABELS])},
        )


def find_warnings(seen: Sequence[SeenRows], dataset: LabelledDataset) -> Iterator[DataWarning]:
    """Yield warnings about test rows."""
    known = {label for each in seen for label in each.model.entry.record.labels}
    rows: tuple[LabelledRow, ...] = dataset.rows
    if unknown := [number for number, row in enumerate(rows) if not known.issuperset(labels_of(row))]:
        labels = [label for label in dataset.labels if label not in known]
        counts = "is missed" if isinstance(dataset, MultiLabelDataset) else "is wrong"
        message = (
            f"{counted(len(unknown), 'row has a label', 'rows have labels')} unknown here, which {counts} in any case: "
            f"{', '.join(_unknown_labels(labels, known))}. Case, white space, how characters are composed, and "
            "decimals (1 and 1.0) count."
        )
        yield DataWarning("unknown_labels", message, tuple(unknown[:_NAMED_LABELS]))
    yield from find_test_warnings(dataset)
    for each in seen:
        yield from _overlap_warnings(each, dataset)


def _unknown_labels(labels: Sequence[str], known: Collection[str]) -> Iterator[str]:
    """Yield some labels, each with the known one that it looks like."""
    alike = {looks_like(label): label for label in known}
    for label in labels[:_NAMED_LABELS]:
        meant = alike.get(looks_like(label))
        yield repr(label) if meant is None else f"{quoted_apart(label, meant)} (like {quoted_apart(meant, label)})"


def _overlap_warnings(seen: SeenRows, dataset: LabelledDataset) -> Iterator[DataWarning]:
    record = seen.model.entry.record
    if seen.numbers is None:
        message = f"The training rows of {record.name} were not kept, so nobody can tell whether it has seen these."
        if dataset.sha256 == record.training_data_sha256:
            message = f"{record.name} was trained on exactly these rows, so they say nothing about new texts."
        yield DataWarning("overlap_unknown", message)
        return
    same, near = seen.numbers
    if same:
        are_known = counted(len(same), "test row is also a training row", "test rows are also training rows")
        message = f"{are_known} of {record.name}. Leave out what it was trained on: see rows."
        yield DataWarning("training_rows_in_test", message, tuple(same))
    if near:
        differ = counted(len(near), "test row differs", "test rows differ")
        message = f"{differ} from a training row of {record.name} by a word or less: see rows."
        yield DataWarning("near_training_rows_in_test", message, tuple(near))
