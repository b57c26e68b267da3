"""Read the exports of doccano for classification: JSONL and JSON, with labels under ``label``, ``labels`` or ``cats``.

Labels that mark parts of a text are no classes of it, and a file of them is refused.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from windrow.files.formats.form import CERTAIN, NO, POSSIBLE, Beginning, Document, FileFormat, Reading
from windrow.files.formats.raw_rows import as_list
from windrow.files.formats.row_parts import (
    JsonObject,
    Parts,
    fitting_labels,
    kind_asked,
    labels_of,
    place_asked,
    read_rows,
    text_in,
    value_at,
)

# What only doccano writes, in its releases.
_MARKS: Final = ("Comments", "annotation_approver")
# Where it writes classes, in its releases; ``cats`` where parts of the text are marked too.
_LABEL_KEYS: Final = ("label", "labels", "cats")
_USUAL_KEYS: Final = frozenset(
    ("id", "text", "data", "meta", "comments", "entities", "relations", *_MARKS, *_LABEL_KEYS)
)
# The smallest sign that a list of three is a part of the text and its label: begin and end are numbers.
_SPAN_LENGTH: Final = 3


def _sniff(beginning: Beginning) -> float:
    row = beginning.first
    if not isinstance(row, dict) or not isinstance(row.get("text", row.get("data")), str):
        return NO
    lists = [row[key] for key in _LABEL_KEYS if isinstance(row.get(key), list)]
    if any(mark in row for mark in _MARKS) and (lists or "entities" in row or "annotations" in row):
        return CERTAIN
    if "id" not in row or not row.keys() <= _USUAL_KEYS:
        return NO
    # Anybody writes lists of labels, and they are read alike without a name for them.
    return CERTAIN if any(map(_has_spans, lists)) else POSSIBLE if lists and "label" in row else NO


def _read(document: Document) -> Reading:
    parts = Parts(partial(_text_of, document), partial(_labels_of, document))
    return Reading(read_rows(document, document.values(), parts), kind_asked(document.options))


def _text_of(document: Document, row: JsonObject) -> object:
    if document.options.text_column:
        return text_in(document, row, "a row")
    return row.get("text", row.get("data"))


def _labels_of(document: Document, row: JsonObject) -> list[str] | None:
    asked = place_asked(document.options)
    key = asked or next((key for key in _LABEL_KEYS if key in row), None)
    value = None if key is None else value_at(row, key)
    if _has_spans(value) or (value is None and _marks_parts(row)):
        raise document.error(
            "its labels mark parts of the texts (sequence labelling), and a classifier learns labels of whole texts. "
            "Export a project for text classification."
        )
    if value is None and isinstance(row.get("annotations"), list) and row["annotations"]:
        raise document.error(
            "its annotations hold the numbers of labels without their names, as old releases of doccano write JSON. "
            "Export it as JSONL with text labels."
        )
    if value is None:
        return None
    labels = labels_of(value)
    return fitting_labels(labels, document.options, why_none="nobody has labelled it, or none of the labels fits")


def _has_spans(value: object) -> bool:
    """Return whether labels mark parts of a text: lists of begin, end and label, or objects with offsets."""
    return any(
        (isinstance(each, list) and len(each) == _SPAN_LENGTH and all(isinstance(end, int) for end in each[:2]))
        or (isinstance(each, dict) and "start_offset" in each)
        for each in as_list(value)
    )


def _marks_parts(row: Mapping[str, Any]) -> bool:
    return "entities" in row


FORMAT: Final = FileFormat(name="doccano", title="doccano JSONL or JSON", sniff=_sniff, read=_read)
