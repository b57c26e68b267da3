"""Finds the rows that a training learns from: those of its request, and those kept of the revision that it extends."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from windrow.domain.caller import current_caller
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidArtifact, LimitExceeded, TrainingDataNotKept
from windrow.domain.extension import FitRows, extend_rows
from windrow.domain.label_descriptions import (
    check_form_of_rows,
    check_label_descriptions,
    descriptions_of,
    labels_alone,
)
from windrow.domain.label_merging import MergedLabels, merge_labels
from windrow.domain.labelled_rows import LabelledRow, check_label_count, check_training_rows, dataset_of
from windrow.domain.names import Reference
from windrow.service.dependencies import Dependencies
from windrow.storage.artifact import ROWS, rows_from_blob
from windrow.storage.revision import ClassifierState


def read_fit_rows(deps: Dependencies, request: FitRequest) -> FitRows:
    """Return the checked rows of a training; what it extends is resolved to one revision, once and for all.

    Raises:
        NotFound: What it extends is not there.
        TrainingDataNotKept: Of what it extends, no rows are kept.
        InvalidTrainingData: A row breaks a rule, rows have different forms, or there are too few labels.
        InvalidParameter: A description breaks a rule, the request describes a label that no row has, or it asks for any
            number of labels and rows have one each.
        LimitExceeded: There are too many rows or labels in all, a text is too long, or a server was asked, and the
            rows together are larger than a request may be.
    """
    limits, given = deps.settings.limits, request.label_descriptions or {}
    check_label_descriptions(given, limits)
    check_form_of_rows(request.training_data, multi_label=request.multi_label)
    if request.extends is None and not request.training_data:
        return _without_rows(given, multi_label=request.multi_label)
    if request.extends is None:
        return _completed(FitRows(check_training_rows(request.training_data, limits)), request, {}, limits)
    entry = deps.store.find(request.extends).entry
    revision = Reference(entry.record.name, entry.record.revision)
    described = entry.record.label_descriptions
    try:
        kept = _kept_rows(deps, entry)
    except InvalidArtifact:
        # Rows may have been erased between the two looks, and what is left of them be kept elsewhere.
        again = deps.store.catalog.find(revision).entry
        if again.blobs == entry.blobs:
            raise
        kept = _kept_rows(deps, again)
    if not kept and not request.training_data:
        multi_label = request.multi_label or entry.record.kind == "multi_label"
        return _without_rows({**described, **given}, str(revision), multi_label=multi_label)
    rows = _completed(extend_rows(str(revision), kept, request.training_data, limits), request, described, limits)
    if current_caller().request_id:
        _check_size(rows, deps.settings.max_body_bytes)
    return rows


def _without_rows(descriptions: Mapping[str, str], extends: str | None = None, *, multi_label: bool) -> FitRows:
    """Return labels alone, of which names and descriptions make a classifier."""
    dataset = labels_alone(descriptions, multi_label=multi_label)
    return FitRows(dataset, extends, label_descriptions=dataset.descriptions)


def _completed(rows: FitRows, request: FitRequest, described: Mapping[str, str], limits: DataLimits) -> FitRows:
    """Return rows with what their labels mean; where that is wanted, labels that look alike are merged before.

    Args:
        rows: All rows to train on.
        request: The training.
        described: What the labels of the revision that it extends mean.
        limits: They hold for the labels together.
    """
    given, merged = request.label_descriptions or {}, MergedLabels(rows.dataset.rows)
    if request.merge_labels:
        merged = merge_labels(rows.dataset.rows)
        rows = replace(rows, dataset=check_label_count(dataset_of(merged.rows), limits))
        given, described = merged.renamed(given), merged.renamed(described)
    descriptions, warnings = descriptions_of(rows.dataset.labels, given, described, rows.extends or "")
    return replace(rows, label_descriptions=descriptions, warnings=(*merged.warnings, *warnings))


def _check_size(rows: FitRows, max_bytes: int) -> None:
    """Refuse rows that no request could send at once: by extending again and again, they would outgrow the memory."""
    if (size_bytes := len(rows.dataset.jsonl)) > max_bytes:
        raise LimitExceeded(
            "Together with the kept rows of {extends}, {arg:training_data} has {size_bytes} bytes; at most {limit} are "
            "taken here. {Send} fewer, or raise {setting}.",
            {
                "parameter": "training_data",
                "extends": rows.extends,
                "size_bytes": size_bytes,
                "limit": max_bytes,
                "setting": "WINDROW_MAX_BODY_BYTES",
            },
        )


def _kept_rows(deps: Dependencies, entry: ClassifierState) -> Sequence[LabelledRow]:
    record = entry.record
    if not record.learned_from_rows:
        return ()
    if ROWS not in entry.blobs:
        raise TrainingDataNotKept(
            "No training rows of {extends} are kept here, so that no training can take them over. {Send} all rows from "
            "your own copy, and leave {arg:extends} out.",
            {"model_name": record.name, "extends": str(Reference(record.name, record.revision))},
        )
    return rows_from_blob(deps.store.read_blob(entry, ROWS))
