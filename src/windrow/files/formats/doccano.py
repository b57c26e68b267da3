"""Read the exports of doccano for classification: JSONL and JSON, with labels under ``label``, ``labels`` or ``cats``.

doccano packs them into a zip file: one file for all, or one for each person, whose rows of one text count together.
Labels that mark parts of a text are no classes of it, and a file of them is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from windrow.files.formats.annotators import agreed_labels
from windrow.files.formats.form import (
    CERTAIN,
    JSON_OR_CONTAINER,
    LIKELY,
    NO,
    POSSIBLE,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Reading,
)
from windrow.files.formats.json_documents import member_lines
from windrow.files.formats.raw_rows import as_list, as_object
from windrow.files.formats.row_parts import (
    JsonObject,
    NoExample,
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
# The file in the zip file where people labelled together.
_FILE_OF_ALL: Final = "all.jsonl"
# The smallest sign that a list of three is a part of the text and its label: begin and end are numbers.
_SPAN_LENGTH: Final = 3


def _sniff(beginning: Beginning) -> float:
    if beginning.member_names:
        is_own = all(_is_rows_file(name) for name in beginning.member_names)
        return NO if not is_own else CERTAIN if beginning.member_names == (_FILE_OF_ALL,) else LIKELY
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
    if document.is_container:
        rows = _read_members(document)
    else:
        parts = Parts(partial(_text_of, document), partial(_labels_of, document))
        rows = read_rows(document, document.values(), parts)
    return Reading(rows, kind_asked(document.options))


def _is_rows_file(name: str) -> bool:
    return name.lower().endswith(".jsonl")


def _read_members(document: Document) -> Iterator[Example | LeftOut]:
    """Yield the rows of all files in a zip file, numbered, those that several people labelled as one.

    Raises:
        InvalidFile: There is none, or its JSON is broken.
    """
    names = [name for name in document.member_names() if _is_rows_file(name)]
    if not names:
        raise document.error("there is no JSONL in it. Export the project as JSONL, or name the file with rows.")
    grouped: dict[object, list[object]] = {}
    for name in names:
        for line, row in member_lines(document, name):
            grouped.setdefault(_text_in_project(row) or (name, line), []).append(row)
    for place, rows in enumerate(grouped.values(), 1):
        labels = partial(_agreed, document, [as_object(row) for row in rows])
        yield from read_rows(document, [(place, rows[0])], Parts(partial(_text_of, document), labels))


def _text_in_project(row: object) -> object:
    """Return the number that doccano gave a text, with the text: after another import, a number is another text."""
    number, text = as_object(row).get("id"), as_object(row).get("text", as_object(row).get("data"))
    return (number, text) if isinstance(number, int) and isinstance(text, str) else None


def _agreed(document: Document, rows: Sequence[JsonObject], _: JsonObject) -> list[str] | None:
    """Return the labels that people gave a text together; who gave none had not looked at it, or has no say."""
    votes: list[list[str]] = []
    why: NoExample | None = None
    for row in rows:
        try:
            labels = _labels_of(document, row)
        except NoExample as error:
            if error.is_wrong:
                raise
            why = error
        else:
            if labels is not None:
                votes.append(labels)
    if not votes and why is not None:
        raise why
    return agreed_labels(votes, document.options) if votes else None


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


FORMAT: Final = FileFormat(
    name="doccano", title="doccano JSONL or JSON, also zipped", sniff=_sniff, read=_read, forms=JSON_OR_CONTAINER
)
