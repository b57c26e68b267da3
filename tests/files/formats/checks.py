"""What tests of formats ask of rows that are no examples, and of files that are refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.files.formats.reading import read_format
from windrow.domain.errors import InvalidFile
from windrow.domain.words import render
from windrow.files.formats.form import Example, LeftOut

Reader = Callable[..., list[Example | LeftOut]]


def reader_of(format_: str) -> Reader:
    """Return a function that reads a text, or a value that is written as JSON, in a format."""

    def read(content: object, name: str = "export.json", **options: Any) -> list[Example | LeftOut]:
        text = content if isinstance(content, str) else json.dumps(content)
        return read_format(format_, text.encode("utf-8", "surrogatepass"), name, **options)

    return read


def left_out(rows: list[Example | LeftOut]) -> list[tuple[str, str, bool]]:
    """Return the text of each row that is no example, why, and whether it is broken."""
    return [(row.text, render(row.template, row.facts), row.is_wrong) for row in rows if isinstance(row, LeftOut)]


def refused(read: Reader, content: object, name: str = "export.json", **options: Any) -> tuple[str, object]:
    """Return the sentence that refuses a file, and the option that it asks for."""
    with pytest.raises(InvalidFile) as raised:
        read(content, name, **options)
    return str(raised.value), raised.value.facts.get("parameter")
