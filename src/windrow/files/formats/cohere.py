"""Read the training data of Cohere's classify: JSONL or CSV of texts and labels, or the examples of a request.

Rows of a text and a label are anybody's: only the request is recognised, the others are to be named.
"""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any, Final

from windrow.files.formats.form import (
    CERTAIN,
    JSON_OR_TABLE,
    NO,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Reading,
)
from windrow.files.formats.headerless import NumberedCells
from windrow.files.formats.raw_rows import as_list, as_object
from windrow.files.formats.row_parts import (
    JsonObject,
    NoExample,
    Parts,
    fitting_labels,
    is_delimited,
    kind_asked,
    labels_of,
    place_asked,
    read_rows,
    text_asked,
    value_at,
)

_LABEL_KEYS: Final = ("label", "labels")
_COLUMNS: Final = frozenset(("text", *_LABEL_KEYS))


def _sniff(beginning: Beginning) -> float:
    request = as_object(beginning.first)
    examples = as_list(request.get("examples"))
    is_request = isinstance(request.get("inputs"), list) and bool(examples)
    return CERTAIN if is_request and all(_is_example(each) for each in examples) else NO


def _is_example(value: object) -> bool:
    return isinstance(value, dict) and "text" in value and any(key in value for key in _LABEL_KEYS)


def _read(document: Document) -> Reading:
    parts = Parts(partial(_text_of, document), partial(_labels_of, document))
    rows = _read_cells(document, parts) if is_delimited(document) else read_rows(document, _values(document), parts)
    return Reading(rows, kind_asked(document.options))


def _values(document: Document) -> Iterator[tuple[int, Any]]:
    """Yield the rows of JSONL, or the examples of a request by their number."""
    for line, value in document.values():
        examples = as_object(value).get("examples")
        if isinstance(examples, list):
            yield from enumerate(examples, 1)
        else:
            yield line, value


def _read_cells(document: Document, parts: Parts) -> Iterator[Example | LeftOut]:
    """Return the rows of CSV, in which the text comes first unless a header says otherwise.

    The first one is read at once, so that it is known how the table is written.
    """
    rows = document.rows()
    first = next(rows, None)
    return iter(()) if first is None else _named_cells(document, chain((first,), rows), parts)


def _named_cells(document: Document, rows: Iterator[NumberedCells], parts: Parts) -> Iterator[Example | LeftOut]:
    names = ["text", "label"]
    for place, (line, cells) in enumerate(rows):
        called = [cell.strip().casefold() for cell in cells]
        if place == 0 and "text" in called and not set(_LABEL_KEYS).isdisjoint(called):
            names = [cell.strip() if name not in _COLUMNS else name for cell, name in zip(cells, called, strict=True)]
            if repeated := next((name for name in names if names.count(name) > 1), None):
                words = "two columns are called {column!r}. Give each a name of its own, or write JSONL, where a row "
                words += "may have a list of labels."
                raise document.error(words, line, column=repeated)
        elif len(cells) != len(names):
            words = "there are {found} cells; a row has {wanted}, the text and its label. Correct or remove that row."
            yield LeftOut(line, words, {"found": len(cells), "wanted": len(names)}, is_wrong=True)
        else:
            yield from read_rows(document, [(line, dict(zip(names, cells, strict=True)))], parts)


def _text_of(document: Document, row: JsonObject) -> object:
    return text_asked(row, document.options) if document.options.text_column else row.get("text")


def _labels_of(document: Document, row: JsonObject) -> list[str] | None:
    options = document.options
    key = place_asked(options) or next((key for key in _LABEL_KEYS if key in row), "")
    value = value_at(row, key)
    if value is None:
        return None
    # Here a list says that a text may have any number of labels, so an empty one is an answer too.
    if isinstance(value, list) and not value and not options.label_column:
        return []
    if value == "":
        raise NoExample("the label is blank. Fill it in or remove that row.", is_wrong=True)
    return fitting_labels(labels_of(value), options, why_none="it has no label")


FORMAT: Final = FileFormat(
    name="cohere", title="Cohere classify JSONL, CSV or request", sniff=_sniff, read=_read, forms=JSON_OR_TABLE
)
