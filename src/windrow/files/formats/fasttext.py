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


_BEHIND: Final = re.compile(rf"(?:\s{_PREFIX}\S+)+$")
_LOOKED_AT_LINES: Final = 10


def _sniff(beginning: Beginning) -> float:
    lines = LINE_END.split(beginning.text.lstrip(), _LOOKED_AT_LINES)
    first, *others = [line.rstrip() for line in lines[:_LOOKED_AT_LINES]]
    if first.startswith(_PREFIX):
        return CERTAIN
    # JSON and tables may have it in a value.
    if first.startswith(("{", "[")) or not _BEHIND.search(first):
        return NO
    return CERTAIN if all(map(_LABEL.search, filter(None, others))) else NO


def _read(document: Document) -> Reading:
    return Reading(rows=_rows(document))


def _rows(document: Document) -> Iterator[Example | LeftOut]:
    for line, text in document.lines():
        labels = _LABEL.findall(text)
        plain = _LABEL.sub("", text).strip()
        yield RawRow(line, plain, labels or None, values={"text": plain}).checked()


FORMAT: Final = FileFormat("fasttext", "fastText", _sniff, _read, frozenset(("text",)))
