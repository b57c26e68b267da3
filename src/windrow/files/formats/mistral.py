"""Read the training data of Mistral's Classifier Factory: texts or conversations, with labels by target."""

from functools import partial
from typing import Final

from windrow.files.columns import BETWEEN_COLUMNS
from windrow.files.formats.form import CERTAIN, NO, Beginning, Document, FileFormat, Reading
from windrow.files.formats.messages import content_of
from windrow.files.formats.questions import Questions
from windrow.files.formats.raw_rows import as_object, kind_of
from windrow.files.formats.row_parts import (
    JsonObject,
    NoExample,
    Parts,
    fitting_labels,
    kind_asked,
    labels_of,
    place_asked,
    read_rows,
    text_asked,
)


def _sniff(beginning: Beginning) -> float:
    row = as_object(beginning.first)
    has_text = isinstance(row.get("text"), str) or isinstance(row.get("messages"), list)
    return CERTAIN if has_text and isinstance(row.get("labels"), dict) and row["labels"] else NO


def _read(document: Document) -> Reading:
    asked = place_asked(document.options)
    targets = Questions(document, "target", None if asked is None else asked.removeprefix("labels."))
    parts = Parts(partial(_text_of, document), partial(_labels_of, document, targets))
    return Reading(targets.checked(read_rows(document, document.values(), parts)), kind_asked(document.options))


def _text_of(document: Document, row: JsonObject) -> object:
    """Return the text, or all messages of a conversation with a blank line between: they were classified together."""
    if document.options.text_column:
        return text_asked(row, document.options)
    messages = row.get("messages")
    if "text" in row or not isinstance(messages, list):
        return row.get("text")
    contents = [content_of(as_object(message)) for message in messages]
    return BETWEEN_COLUMNS.join(content for content in contents if content.strip()) or None


def _labels_of(document: Document, targets: Questions, row: JsonObject) -> list[str] | None:
    labels = row.get("labels")
    if labels is None:
        return None
    if not isinstance(labels, dict):
        words = "'labels' is {kind}, no object with the labels of each target. Correct or remove that row."
        raise NoExample(words, is_wrong=True, kind=kind_of(labels))
    targets.add(target for target, value in labels.items() if value is not None)
    value = labels.get(targets.name or "")
    if value is None:
        return None
    if value == [] and not document.options.label_column:
        return []
    return fitting_labels(labels_of(value), document.options, why_none="it has no label")


FORMAT: Final = FileFormat(name="mistral", title="Mistral Classifier Factory JSONL", sniff=_sniff, read=_read)
