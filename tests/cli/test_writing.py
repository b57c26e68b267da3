"""Answered rows as a table and the API's document."""

import io

import pytest

from tests.files.answered import NONE_FITS, RECORDS, SEVERAL, SEVERAL_UNSURE, SURE, UNSURE
from windrow.api.flat import TextsReply
from windrow.cli.writing import DocumentWriter, TableWriter
from windrow.codec.values import from_json, to_json
from windrow.files.reading import Record


def test_a_table_fits_the_terminal() -> None:
    file = io.StringIO()
    records = [Record(2, "word " * 50, {}), Record(3, "ku\x1brz", {})]
    TableWriter(file, ("account", "billing"), width=60).write(records, [SURE, UNSURE])
    header, first, second = file.getvalue().splitlines()
    assert header.split() == ["label", "score", "in", "scope", "text"]
    assert len(first) <= 60
    assert first.endswith("…")
    assert second.split() == ["(abstained)", "0.50", "-", "ku", "rz"]


def test_a_table_is_whole_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    TableWriter(file, ("account",)).write([Record(2, "word " * 50, {})], [SURE])
    assert file.getvalue().count("word") == 50


def test_a_table_shows_any_number_of_labels() -> None:
    file = io.StringIO()
    answers = [SEVERAL, NONE_FITS, SEVERAL_UNSURE]
    records = [Record(2, "some words", {})] * 3
    TableWriter(file, ("account", "billing"), kind="multi_label").write(records, answers)
    header, *rows = file.getvalue().splitlines()
    assert header.split() == ["labels", "score", "in", "scope", "text"]
    shown = [row.partition("0.75")[0].strip() for row in rows]
    assert shown == ["billing, account", "(none of the labels)", "(abstained)"]


def test_the_document_of_several_labels_says_its_kind() -> None:
    file = io.StringIO()
    writer = DocumentWriter(file, ("mails_v1", 3), kind="multi_label")
    writer.write(RECORDS, [SEVERAL, NONE_FITS])
    writer.end()
    reply = from_json(TextsReply, file.getvalue(), extra="ignore")
    assert to_json(reply) == file.getvalue().rstrip("\n").encode()
    assert reply.kind == "multi_label"
    assert [each.labels for each in reply.predictions] == [("billing", "account"), ()]


@pytest.mark.parametrize("chunks", [[], [2], [1, 1]])
def test_the_document_is_the_one_of_the_http_api(chunks: list[int]) -> None:
    file = io.StringIO()
    writer = DocumentWriter(file, ("tickets_v1", 3), "tickets")
    given = [SURE, UNSURE]
    for size in chunks:
        writer.write(RECORDS[:size], given[:size])
        given = given[size:]
    writer.end()
    reply = from_json(TextsReply, file.getvalue(), extra="ignore")
    assert to_json(reply) == file.getvalue().rstrip("\n").encode()
    assert (reply.model_name, reply.revision, reply.alias) == ("tickets_v1", 3, "tickets")
    assert [one.label for one in reply.predictions] == ["billing", None][: sum(chunks)]
