"""Read what fastText trains on: a text on each line, with its labels before it."""

import re
from collections.abc import Iterator
from typing import Final

from windrow.files.decoding import LINE_END
from windrow.files.formats.form import CERTAIN, NO, Beginning, Document, Example, FileFormat, LeftOut, Reading
from windrow.files.formats.raw_rows import RawRow

_PREFIX: Final = "__label__"
# fastText takes each such word for a label, wherever it stands.
_LABEL: Final = re.compile(rf"(?<!\S){_PREFIX}(\S*)\s*")


def _sniff(beginning: Beginning) -> float:
    first = LINE_END.split(beginning.text.lstrip(), 1)[0]
    # JSON and tables may have it in a value, where nothing but a blank may stand before it here.
    return CERTAIN if _LABEL.search(first) and not first.startswith(("{", "[")) else NO


def _read(document: Document) -> Reading:
    return Reading(rows=_rows(document))


def _rows(document: Document) -> Iterator[Example | LeftOut]:
    for line, text in document.lines():
        labels = _LABEL.findall(text)
        plain = _LABEL.sub("", text).strip()
        yield RawRow(line, plain, labels or None, values={"text": plain}).checked()


FORMAT: Final = FileFormat("fasttext", "fastText", _sniff, _read, frozenset(("text",)))
