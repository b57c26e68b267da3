"""Read texts with spaCy's ``cats``: JSONL or JSON of objects, or of pairs of a text and its annotations.

A category from 0.5 on is a label. Where scores exclude each other, so that they sum to 1, the highest is the label even
below that.
"""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from windrow.files.formats.form import CERTAIN, NO, Beginning, Document, FileFormat, Reading
from windrow.files.formats.raw_rows import as_object, kind_of
from windrow.files.formats.row_parts import (
    JsonObject,
    NoExample,
    Parts,
    fitting_labels,
    kind_asked,
    parameter_asked,
    place_asked,
    read_rows,
    text_asked,
)

_THRESHOLD: Final = 0.5
# Scores that exclude each other sum to 1 but for what rounding took away.
_SUM_TOLERANCE: Final = 0.01
_PAIR_LENGTH: Final = 2


def _sniff(beginning: Beginning) -> float:
    row = as_object(_as_row(beginning.first))
    cats = row.get("cats")
    is_own = isinstance(row.get("text"), str) and isinstance(cats, dict) and bool(cats)
    return CERTAIN if is_own and all(map(_is_score, as_object(cats).values())) else NO


def _read(document: Document) -> Reading:
    asked = place_asked(document.options)
    if document.wants_labels and asked not in (None, "cats"):
        words = "{asked!r} is not where spaCy has labels; they are in 'cats'. Leave {arg:{parameter}} out."
        raise document.error(words, asked=asked, parameter=parameter_asked(document.options))
    parts = Parts(partial(_text_of, document), partial(_labels_of, document))
    return Reading(read_rows(document, _rows(document), parts), kind_asked(document.options))


def _rows(document: Document) -> Iterator[tuple[int, Any]]:
    for line, value in document.values():
        yield line, _as_row(value)


def _as_row(value: object) -> object:
    """Return a pair of a text and its annotations as an object; anything else as it is."""
    if isinstance(value, list) and len(value) == _PAIR_LENGTH and isinstance(value[1], dict):
        return {**value[1], "text": value[0]}
    return value


def _text_of(document: Document, row: JsonObject) -> object:
    return text_asked(row, document.options) if document.options.text_column else row.get("text")


def _labels_of(document: Document, row: JsonObject) -> list[str] | None:
    cats = row.get("cats")
    if cats is None or cats == {}:
        return None
    if not isinstance(cats, dict):
        words = "'cats' is {kind}, no object with a score for each label. Correct or remove that row."
        raise NoExample(words, is_wrong=True, kind=kind_of(cats))
    if wrong := [label for label, score in cats.items() if not _is_score(score)]:
        words = "the score of {label!r} in 'cats' is no number from 0 to 1. Correct or remove that row."
        raise NoExample(words, is_wrong=True, label=wrong[0])
    options = document.options
    labels = [label for label, score in cats.items() if score >= _THRESHOLD]
    if not options.labels_column and (options.label_column or _exclude_each_other(cats)):
        labels = _highest(cats)
    if not labels and not options.label_column:
        return []
    return fitting_labels(labels, options, why_none="no category has a score")


def _is_score(value: object) -> bool:
    return isinstance(value, bool | int | float) and 0 <= value <= 1


def _exclude_each_other(cats: Mapping[str, float]) -> bool:
    return math.isclose(sum(cats.values()), 1, abs_tol=_SUM_TOLERANCE)


def _highest(cats: Mapping[str, float]) -> list[str]:
    most = max(cats.values())
    labels = [label for label, score in cats.items() if score == most]
    if most == 0:
        return []
    if len(labels) > 1:
        raise NoExample("its highest categories have the same score, {labels:quoted}.", labels=labels)
    return labels


FORMAT: Final = FileFormat(name="spacy", title="spaCy cats (JSONL, JSON)", sniff=_sniff, read=_read)
