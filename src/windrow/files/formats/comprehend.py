"""Read what AWS Comprehend trains on: CSV without a header, the label first, and augmented manifests."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from windrow.domain.prediction import Kind
from windrow.files.formats.form import (
    CERTAIN,
    JSON_OR_TABLE,
    NO,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Note,
    Reading,
)
from windrow.files.formats.headerless import NumberedCells, cells_by_number, find_place, open_headerless
from windrow.files.formats.raw_rows import RawRow, as_list, as_object, as_text, kind_of

_SEPARATOR: Final = "|"
# A label and a text.
_COLUMNS: Final = 2
_METADATA: Final = "-metadata"
_SINGLE: Final = "groundtruth/text-classification"
_MULTI: Final = "groundtruth/text-classification-multilabel"


def _sniff(beginning: Beginning) -> float:
    # A table without a header may be anybody's.
    first = as_object(beginning.first)
    return CERTAIN if first.keys() & {"source", "source-ref"} and _attributes(first) else NO


def _read(document: Document) -> Reading:
    if document.beginning.text.lstrip().startswith("{"):
        return _read_manifest(document)
    return _read_table(document)


def _read_table(document: Document) -> Reading:
    table = open_headerless(document)
    pairs = [cells for cells in table.first if len(cells) == _COLUMNS]
    text_at, label_at, notes = find_place(document, pairs, "first")
    separator = document.options.label_separator or _SEPARATOR
    if any(separator in cells[label_at] for cells in pairs):
        words = "a label with {separator} in it is several labels. If it is one, add {set:label_separator=...} with "
        words += "something that stands in no label."
        notes.append(Note(words, {"separator": separator}))
    # Documents that are to be classified have no label.
    rows = (
        _document_row(each)
        if len(each[1]) == 1 and not document.wants_labels
        else _table_row(each, text_at, label_at, separator)
        for each in table.rows
    )
    kind: Kind | None = "multi_label" if document.options.label_separator else None
    return Reading(rows=chain(() if table.header is None else (table.header,), rows), kind=kind, notes=notes)


def _table_row(numbered: NumberedCells, text_at: int, label_at: int, separator: str) -> Example | LeftOut:
    line, cells = numbered
    values = cells_by_number(cells)
    if len(cells) != _COLUMNS:
        words = "it has {found} columns; a row has two, a label and a text. Is a text with a comma in it not quoted? "
        words += "Correct that row."
        return RawRow(line, None, values=values).wrong(words, found=len(cells))
    labels = [part for part in map(str.strip, cells[label_at].split(separator)) if part]
    return RawRow(line, cells[text_at], labels or [""], values=values).checked()


def _document_row(numbered: NumberedCells) -> Example | LeftOut:
    line, [text] = numbered
    return RawRow(line, text, values=cells_by_number([text])).checked()


def _read_manifest(document: Document) -> Reading:
    values = document.values()
    first = next(values, None)
    if first is None:
        return Reading(rows=iter(()))
    attribute, kind = _attribute(document, as_object(first[1]))
    return Reading(rows=_manifest_rows(document, chain((first,), values), attribute), kind=kind)


def _attribute(document: Document, first: Mapping[str, Any]) -> tuple[str, Kind]:
    """Return which attribute of a manifest holds the labels, and how many each text has; none where none is wanted.

    Raises:
        InvalidFile: There is none, or several, of which the options name none.
    """
    found = _attributes(first)
    asked = document.options.label_column or document.options.labels_column
    names = [name for name in found if asked in (None, name)]
    if len(names) != 1 and not document.wants_labels:
        return "", "single_label"
    if len(names) != 1:
        words = (
            "several jobs have labelled its texts, {names:joined}. Name one with {arg:label_column}."
            if names
            else "none of its attributes holds labels of texts, as the attribute with {suffix} at its end would say. "
            "Name another format with {arg:format}, or another attribute with {arg:label_column}."
        )
        raise document.error(words, names=names, suffix=_METADATA, parameter="label_column")
    return names[0], found[names[0]]


def _attributes(row: Mapping[str, Any]) -> dict[str, Kind]:
    """Return the attributes that labelling jobs have written into a row, by the twin that describes each."""
    found: dict[str, Kind] = {}
    for key, value in row.items():
        described, metadata = key.removesuffix(_METADATA), as_object(value)
        if described == key or not metadata:
            continue
        if metadata.get("type") == _MULTI or "class-map" in metadata:
            found[described] = "multi_label"
        elif metadata.get("type") == _SINGLE or "class-name" in metadata:
            found[described] = "single_label"
    return found


def _manifest_rows(
    document: Document, values: Iterator[tuple[int, Any]], attribute: str
) -> Iterator[Example | LeftOut]:
    for line, given in values:
        if not isinstance(given, dict):
            words = "a row is {kind}; it must be an object. Correct or remove it."
            yield RawRow(line, None).wrong(words, kind=kind_of(given))
        elif "source" not in given and "source-ref" in given:
            words = "its texts are files in S3, such as {uri!r}, which are not fetched. Fetch them, and write each "
            words += "into its row as source."
            raise document.error(words, line, uri=as_text(given["source-ref"])[:200])
        else:
            yield _manifest_row(line, given, attribute)


def _manifest_row(line: int, given: Mapping[str, Any], attribute: str) -> Example | LeftOut:
    metadata = as_object(given.get(attribute + _METADATA))
    row = RawRow(line, given.get("source"), values=given)
    if reason := as_text(metadata.get("failure-reason")):
        return row.left_out("nobody could label it: {reason}.", reason=reason.rstrip(".")[:200])
    if "class-map" in metadata:
        names = as_object(metadata["class-map"])
        labels = [names.get(as_text(number)) for number in as_list(given.get(attribute))]
    elif attribute in given or "class-name" in metadata:
        labels = [metadata.get("class-name")]
    else:
        return row.checked()
    return RawRow(line, given.get("source"), labels, values=given).checked()


FORMAT: Final = FileFormat("comprehend", "AWS Comprehend", _sniff, _read, JSON_OR_TABLE)
