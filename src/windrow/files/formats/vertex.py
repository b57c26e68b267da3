"""Read what Google's Vertex AI and AutoML train on: JSONL with annotations, and CSV without a header."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

from windrow.domain.prediction import Kind
from windrow.files.formats.form import (
    CERTAIN,
    JSON_OR_TABLE,
    LIKELY,
    NO,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Note,
    Reading,
    Split,
)
from windrow.files.formats.headerless import (
    HeaderlessTable,
    NumberedCells,
    cells_by_number,
    find_place,
    open_headerless,
)
from windrow.files.formats.raw_rows import RawRow, as_object, as_text, kind_of

# What a row is for, in both spellings; unassigned says nothing.
_SPLITS: Final[dict[str, Split | None]] = {
    "train": "train",
    "training": "train",
    "validate": "validation",
    "validation": "validation",
    "test": "test",
    "unassigned": None,
}
_USE: Final = "aiplatform.googleapis.com/ml_use"
_ANNOTATION: Final = ("classificationAnnotation", "classification_annotation")
_ANNOTATIONS: Final = ("classificationAnnotations", "classification_annotations")
_TEXT: Final = ("textContent", "text_content")
_URI: Final = ("textGcsUri", "text_gcs_uri")
_BUCKET: Final = "gs://"
_ELSEWHERE: Final = "its text is a file in a bucket, {uri!r}, which is not fetched. Write the text in its place."


def _sniff(beginning: Beginning) -> float:
    first = as_object(beginning.first)
    if first.keys() & {*_TEXT, *_URI}:
        return CERTAIN if first.keys() & {*_ANNOTATION, *_ANNOTATIONS, "dataItemResourceLabels"} else LIKELY
    use, comma, _ = beginning.text.lstrip().partition(",")
    return CERTAIN if comma and use in ("TRAIN", "VALIDATION", "TEST", "UNASSIGNED") else NO


def _read(document: Document) -> Reading:
    if not document.beginning.text.lstrip().startswith(("{", "[")):
        return _read_table(document)
    values = document.values()
    first = next(values, None)
    if first is None:
        return Reading(rows=iter(()))
    # A row of several labels says so by its key; one of a single label may be the first of any kind.
    kind: Kind | None = "multi_label" if as_object(first[1]).keys() & {*_ANNOTATIONS} else None
    return Reading(rows=(_json_row(line, given) for line, given in chain((first,), values)), kind=kind)


def _json_row(line: int, given: object) -> Example | LeftOut:
    if not isinstance(given, dict):
        words = "a row is {kind}; it must be an object. Correct or remove it."
        return RawRow(line, None).wrong(words, kind=kind_of(given))
    text, uri = _either(given, _TEXT), _either(given, _URI)
    use = as_object(_either(given, ("dataItemResourceLabels", "data_item_resource_labels"))).get(_USE)
    split = _SPLITS.get(as_text(use).casefold())
    row = RawRow(line, text, _annotated(given), split, values=given)
    if text is None and uri is not None:
        return row.wrong(_ELSEWHERE, uri=as_text(uri)[:200])
    if use is not None and as_text(use).casefold() not in _SPLITS:
        words = "its ml_use is {use!r}, none of training, validation and test. Correct or remove it."
        return row.wrong(words, use=str(use)[:40])
    return row.checked()


def _annotated(given: Mapping[str, Any]) -> object:
    """Return the labels of a row; ``None`` where nobody has labelled it."""
    several = _either(given, _ANNOTATIONS)
    if several is not None:
        return [*map(_display_name, several)] if isinstance(several, list) else several
    one = _either(given, _ANNOTATION)
    return None if one is None else [_display_name(one)]


def _display_name(annotation: object) -> object:
    return _either(as_object(annotation), ("displayName", "display_name"))


def _either(given: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((given[name] for name in names if name in given), None)


def _read_table(document: Document) -> Reading:
    table = open_headerless(document)
    uses = [cells[0].strip().casefold() for cells in table.first]
    # A blank use says nothing; a row that lacks it is wrong, and no sign that all others begin with their text.
    has_use = any(use in _SPLITS for use in uses) and 2 * sum(not use or use in _SPLITS for use in uses) > len(uses)
    text_at, notes = _place(document, table, has_use=has_use)
    rows = (_table_row(each, text_at, has_use=has_use) for each in table.rows)
    return Reading(rows=chain(() if table.header is None else (table.header,), rows), notes=notes)


def _place(document: Document, table: HeaderlessTable, *, has_use: bool) -> tuple[int, list[Note]]:
    """Return the column of the text, from 0; of more columns than one for the label, it is the first."""
    if has_use:
        return 1, []
    if any(len(cells) != 2 for cells in table.first):
        return 0, []
    text_at, _, notes = find_place(document, table.first, "last")
    return text_at, notes


def _table_row(numbered: NumberedCells, text_at: int, *, has_use: bool) -> Example | LeftOut:
    line, cells = numbered
    text = cells[text_at] if len(cells) > text_at else None
    others = [cell for place, cell in enumerate(cells) if place != text_at and not (has_use and place == 0)]
    labels = [label for label in map(str.strip, others) if label]
    split = _SPLITS.get(cells[0].strip().casefold()) if has_use else None
    row = RawRow(line, text, labels or None, split, values=cells_by_number(cells))
    if text is not None and text.startswith(_BUCKET):
        return row.wrong(_ELSEWHERE, uri=text[:200])
    if has_use and cells[0].strip().casefold() not in ("", *_SPLITS):
        words = "it begins with {use!r}, none of TRAIN, VALIDATION, TEST and UNASSIGNED. Correct or remove it."
        return row.wrong(words, use=cells[0][:40])
    return row.checked()


FORMAT: Final = FileFormat("vertex", "Google Vertex AI or AutoML", _sniff, _read, JSON_OR_TABLE)
