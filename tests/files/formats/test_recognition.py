"""Which format a file is of: told from its content alone, and never guessed."""

import io
import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from tests.files.formats.packing import zipped
from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions, ToolFormat
from windrow.files.decoding import Source
from windrow.files.formats import recognition
from windrow.files.formats.document import open_document
from windrow.files.formats.form import CERTAIN, LIKELY, POSSIBLE, FileFormat
from windrow.files.formats.recognition import candidates_of, recognise
from windrow.files.formats.registry import FORMATS, format_called
from windrow.files.reading import Table, read_table

TABLE = b'{"text": "a", "label": "b"}\n'
OTHER = b'{"words": "a", "kind": "b"}\n'


def sure(name: ToolFormat, certainty: float) -> FileFormat:
    """Return a format that is as sure of each file."""
    found = format_called(name)
    assert found is not None
    return replace(found, sniff=lambda _: certainty)


def known(monkeypatch: pytest.MonkeyPatch, **certainties: float) -> None:
    formats = tuple(sure(name, certainties[name]) for name in get_args(ToolFormat) if name in certainties)
    monkeypatch.setattr(recognition, "FORMATS", formats)


def recognised(content: bytes, *, labelled: bool = True, **options: Any) -> tuple[str, float] | None:
    document = open_document(Source("a.jsonl", io.BytesIO(content)), ReadOptions(**options))
    found = recognise(document, labelled=labelled)
    return None if found is None else (found[0].name, found[1])


def table_of(content: bytes, name: str, **options: Any) -> Table:
    return read_table(Source(name, io.BytesIO(content)), name, ReadOptions(**options), labelled=True)


def test_every_format_that_may_be_named_is_there() -> None:
    assert sorted(each.name for each in FORMATS) == sorted(get_args(ToolFormat))


@pytest.mark.parametrize(
    ("certainties", "found"),
    [
        ({"doccano": CERTAIN}, ("doccano", 1.0)),
        ({"doccano": 0.9, "prodigy": LIKELY}, ("doccano", 0.9)),
        ({"doccano": POSSIBLE}, None),
        ({"doccano": LIKELY, "prodigy": LIKELY}, None),
        ({}, None),
    ],
)
def test_a_table_is_of_a_tool_only_where_that_is_sure(
    monkeypatch: pytest.MonkeyPatch, certainties: dict[str, float], found: tuple[str, float] | None
) -> None:
    known(monkeypatch, **certainties)
    assert recognised(TABLE) == found


@pytest.mark.parametrize(
    ("content", "certainties", "named"),
    [
        (TABLE, {"doccano": CERTAIN, "prodigy": 0.9}, ["doccano", "prodigy"]),
        (OTHER, {"doccano": LIKELY}, ["doccano", "jsonl"]),
        (OTHER, {"doccano": LIKELY, "prodigy": LIKELY}, ["doccano", "prodigy", "jsonl"]),
    ],
)
def test_what_is_not_certain_is_refused_with_the_candidates(
    monkeypatch: pytest.MonkeyPatch, content: bytes, certainties: dict[str, float], named: list[str]
) -> None:
    known(monkeypatch, **certainties)
    with pytest.raises(InvalidFile) as refused:
        recognised(content)
    assert refused.value.facts["parameter"] == "format"
    for name in named:
        assert f"format={name}" in str(refused.value)


def test_columns_that_the_user_names_make_a_table_of_what_is_only_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, doccano=LIKELY)
    assert recognised(OTHER, text_column=("words",), label_column="kind") is None
    assert recognised(b'{"text": "a"}\n', labelled=False) is None


def test_the_candidates_are_told_the_surest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, doccano=POSSIBLE, prodigy=LIKELY)
    document = open_document(Source("a", io.BytesIO(TABLE)), ReadOptions())
    assert [each.name for each, _ in candidates_of(document.beginning)] == ["prodigy", "doccano"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"text,label\na,b\nc,d\n"),
        ("a.tsv", b"text\tlabel\na\tb\n"),
        ("a.jsonl", TABLE),
        ("a.jsonl", b'{"text": "a", "labels": ["b", "c"]}\n'),
        ("a.json", json.dumps([{"text": "a", "label": "b"}]).encode()),
        ("a.json", json.dumps({"training_data": [{"text": "a", "label": "b"}]}).encode()),
        ("a.csv", b"id,text,label\n1,a,b\n"),
        ("a.csv", b"text;label;split\na;b;train\n"),
        ("a.jsonl", b'{"id": 1, "text": "a", "label": "b"}\n'),
        ("a.jsonl", b'{"text": "a", "label": "b", "metadata": {"source": "mail"}}\n'),
    ],
)
def test_a_table_of_ones_own_stays_one(name: str, content: bytes) -> None:
    table = table_of(content, name)
    assert table.tool is None
    assert len(list(table.records())) >= 1


def test_what_the_user_names_is_read_as_such_whatever_it_looks_like() -> None:
    table = table_of(b'{"text": "a", "label": ["b"], "id": 7}\n', "a.jsonl", format="doccano")
    assert table.tool is not None
    assert (table.format, table.tool.certainty) == ("doccano", 1.0)
    [record] = table.records()
    assert (record.text, record.id) == ("a", "7")


def test_a_zip_file_of_several_files_is_not_said_to_be_a_table() -> None:
    content = zipped({"ann.jsonl": TABLE, "bob.jsonl": TABLE})
    document = open_document(Source("rows.zip", io.BytesIO(content)), ReadOptions())
    with pytest.raises(InvalidFile, match=r"Say what it is: format=doccano for [^.]*zipped\.$"):
        recognise(document, labelled=True)
