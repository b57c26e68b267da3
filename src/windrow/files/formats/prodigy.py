"""Read the annotations of Prodigy for classification: one label that was accepted, or choices among options.

A rejected or ignored row is no example; that a label does not fit does not say which one does.
"""

from functools import partial
from typing import Any, Final

from windrow.files.formats.form import CERTAIN, NO, Beginning, Document, FileFormat, Reading
from windrow.files.formats.raw_rows import as_label, as_list, as_object
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

# What an annotator may have said of a row.
_ANSWERS: Final = ("accept", "reject", "ignore")
_HASHES: Final = ("_input_hash", "_task_hash")


def _sniff(beginning: Beginning) -> float:
    row = beginning.first
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return NO
    if any(isinstance(row.get(name), int) for name in _HASHES):
        return CERTAIN
    is_answered = row.get("answer") in _ANSWERS
    return CERTAIN if is_answered and any(name in row for name in ("label", "accept", "options")) else NO


def _read(document: Document) -> Reading:
    parts = Parts(partial(_text_of, document), partial(_labels_of, document), _name_of)
    return Reading(read_rows(document, document.values(), parts), kind_asked(document.options))


def _text_of(document: Document, row: JsonObject) -> object:
    return text_in(document, row, "a row") if document.options.text_column else row.get("text")


def _name_of(row: JsonObject) -> object:
    """Return what the user called a row in its metadata, or the number that Prodigy gave it."""
    return as_object(row.get("meta")).get("id", row.get("id", row.get("_task_hash")))


def _labels_of(document: Document, row: JsonObject) -> object:
    options = document.options
    asked, answer = place_asked(options), row.get("answer")
    if asked == "answer":
        return answer
    if answer in ("reject", "ignore"):
        raise NoExample("its answer is {answer}, so it is no example.", answer=answer)
    if answer not in (None, "accept"):
        words = "its answer is none of accept, reject and ignore. Correct or remove that row."
        raise NoExample(words, is_wrong=True)
    if asked not in (None, "accept", "label"):
        value = value_at(row, asked)
        return None if value is None else fitting_labels(labels_of(value), options, why_none="it has no label")
    if asked != "label" and ("accept" in row or "options" in row):
        return _chosen(document, row)
    if row.get("label") is None:
        if isinstance(row.get("spans"), list):
            raise document.error(
                "its labels mark parts of the texts (spans), and a classifier learns labels of whole texts. Export a "
                "data set that a recipe for text classification made."
            )
        return None
    return fitting_labels(labels_of(row["label"]), options, why_none="it has no label")


def _chosen(document: Document, row: JsonObject) -> list[str] | None:
    """Return the options that were chosen by their ids, or by their texts where ids are numbers."""
    if "accept" not in row:
        return None  # as long as nobody has answered
    texts: dict[object, Any] = {
        option["id"]: option.get("text")
        for option in map(as_object, as_list(row.get("options")))
        if isinstance(option.get("id"), int)
    }
    accepted = row["accept"] if isinstance(row["accept"], list) else [row["accept"]]
    labels = labels_of([texts.get(each) or as_label(each) if isinstance(each, int) else each for each in accepted])
    is_several = as_object(row.get("config")).get("choice_style") == "multiple"
    if is_several and not labels and not document.options.label_column:
        return []
    return fitting_labels(labels, document.options, why_none="none of its options was chosen")


FORMAT: Final = FileFormat(name="prodigy", title="Prodigy JSONL", sniff=_sniff, read=_read)
