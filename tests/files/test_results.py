"""What rows with their predictions become: every writer, from a file to results and back."""

import csv
import datetime
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
import pytest
import python_calamine
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from tests.files.answered import NONE_FITS, SEVERAL, SEVERAL_UNSURE, SURE, UNSURE
from tests.files.formats import argilla_samples, doccano_samples, label_studio_samples, prodigy_samples
from windrow.domain.characters import is_blank
from windrow.domain.errors import InvalidParameter
from windrow.domain.output_options import OutputEncoding, ResultFormat
from windrow.domain.prediction import Kind
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import Source
from windrow.files.reading import Record, Table, read_table
from windrow.files.results import (
    ENDINGS,
    ResultContext,
    ResultForm,
    check_result_labels,
    default_format,
    find_result_form,
    format_of_name,
    names_for,
    records_for,
)
from windrow.files.text_form import PLAIN, TextForm
from windrow.files.tool_results import ToolContext
from windrow.files.writing import Gained, PredictionColumns

ADDED = PredictionColumns().names
LABELS = ("account", "billing")
ROWS = 'Größe;Text;Preis\r\n1;Rechnung über 5 €;1,50\r\n2;"mit; Strichpunkt und\r\nZeile";-2\r\n'


@dataclass(frozen=True)
class Rewritten:
    """A file, and what its rows became."""

    records: Sequence[Record]
    form: ResultForm
    content: bytes


def opened(content: bytes, name: str, options: ReadOptions) -> Table:
    return read_table(Source(name, io.BytesIO(content), encoding=options.encoding), name, options)


def rewritten(
    content: bytes,
    name: str,
    to: ResultFormat | None = None,
    *,
    output_encoding: OutputEncoding | None = None,
    answers: Sequence[Gained] = (SURE, UNSURE),
    kind: Kind = "single_label",
    **options: Any,
) -> Rewritten:
    """Read a file, write its rows in chunks of two, and return both."""
    read = ReadOptions(**options)
    table = opened(content, name, read)
    form = find_result_form(table, to or default_format(table), read, output_encoding)
    columns = PredictionColumns(kind=kind)
    tool = ToolContext("tickets_v1@3", LABELS, kind)
    context = ResultContext(table.source, names_for(form, table), columns, tool)
    records = list(records_for(form, table, table.records(keep_blank=True)))
    file = io.BytesIO()
    if form.is_binary:
        writer = context.binary_writer(form, file)
    else:
        text = io.TextIOWrapper(file, form.text.encoding, form.text.errors, newline="", write_through=True)
        writer = context.text_writer(form, text)
    gained = [answers[place % len(answers)] for place in range(len(records))]
    for start in range(0, len(records), 2):
        writer.write(records[start : start + 2], gained[start : start + 2])
    writer.end()
    return Rewritten(records, form, file.getvalue())


def read_again(written: Rewritten, **options: Any) -> tuple[Table, list[Record]]:
    """Read results as any file is read: what they are, they say themselves."""
    read = ReadOptions(**options)
    table = opened(written.content, f"results{ENDINGS[written.form.format]}", read)
    return table, list(table.records(keep_blank=True))


def without_added(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name not in ADDED}


@pytest.mark.parametrize("to", ["csv", "tsv", "jsonl", "json", "xlsx"])
def test_results_are_read_again_with_the_same_columns_in_their_order(to: ResultFormat) -> None:
    written = rewritten(ROWS.encode(), "mails.csv", to)
    # A line's end in TSV is taken for that of a row unless it is said what quotation marks are.
    table, records = read_again(written, **({"quoting": "csv"} if to == "tsv" else {}))
    assert table.names == ("Größe", "Text", "Preis", *ADDED)
    assert [without_added(each.values) for each in records] == [each.values for each in written.records]
    assert [each.text for each in records] == [each.text for each in written.records]
    # What was read again becomes results of the same form.
    found = find_result_form(table, to, ReadOptions())
    assert found.text == written.form.text


def test_results_as_parquet_have_columns_of_text_and_those_of_predictions() -> None:
    table = pq.read_table(io.BytesIO(rewritten(ROWS.encode(), "mails.csv", "parquet").content))
    assert table.column_names == ["Größe", "Text", "Preis", *ADDED]
    assert table.column("Preis").to_pylist() == ["1,50", "-2"]
    assert table.column("predicted_label").to_pylist() == ["billing", None]


GERMAN = [
    pytest.param(ROWS.encode("cp1252"), {"encoding": "cp1252"}, id="cp1252"),
    pytest.param(b"\xef\xbb\xbf" + ROWS.encode(), {}, id="utf-8 with a mark"),
    pytest.param(b"\xff\xfe" + ROWS.encode("utf-16-le"), {}, id="utf-16"),
    pytest.param(("sep=;\r\n" + ROWS).encode("cp1252"), {"encoding": "cp1252"}, id="sep line"),
    pytest.param(ROWS.replace("\r\n", "\n").encode(), {}, id="line feeds"),
    pytest.param(ROWS.replace(";", "\t").encode(), {"format": "tsv", "quoting": "csv"}, id="tabs"),
]


@pytest.mark.parametrize(("content", "options"), GERMAN)
def test_results_begin_with_what_the_file_has(content: bytes, options: dict[str, Any]) -> None:
    written = rewritten(content, "mails.csv", **options)
    text, encoding = written.form.text, written.form.text.encoding
    # Each row of the file, byte by byte, is the beginning of a row of the results.
    end = text.line_end.encode(encoding)
    rows = content.removesuffix(end).split(end)
    at = 0
    for row in rows:
        at = written.content.index(row, at) + len(row)
    assert written.content.startswith(rows[0])
    assert written.content.endswith(end)
    assert read_again(written, **options)[1][1].text == written.records[1].text


def test_a_file_without_a_header_gains_none() -> None:
    options: dict[str, Any] = {"header": False, "text_column": ("2",)}
    written = rewritten(b"1;money\n2;receipt\n", "mails.csv", answers=[SURE], **options)
    assert written.content.decode() == "1;money;billing;0.75;0.5;false;false\n2;receipt;billing;0.75;0.5;false;false\n"
    assert [each.text for each in read_again(written, **options)[1]] == ["money", "receipt"]
    comprehend = rewritten(b'bug,"It, too"\nask,Why is that\nbug,It is so\n', "c.csv", format="comprehend")
    assert comprehend.content.decode().splitlines()[0] == 'bug,"It, too",billing,0.75,0.5,false,false'


def test_columns_that_are_called_alike_stay_so() -> None:
    written = rewritten(b"text;note;note\r\na;1;2\r\n", "mails.csv", answers=[SURE])
    assert written.content.decode().splitlines()[0] == f"text;note;note;{';'.join(ADDED)}"
    assert read_again(written)[1][0].values["note_2"] == "2"


def test_quotation_marks_that_are_characters_stay_so() -> None:
    content = b'id;text\n1;6" pipe\n2;"\n'
    written = rewritten(content, "mails.csv", quoting="none")
    assert [line.split(b";")[1] for line in written.content.splitlines()] == [b"text", b'6" pipe', b'"']
    assert [each.values["text"] for each in read_again(written, quoting="none")[1]] == ['6" pipe', '"']


def test_all_cells_stay_in_quotation_marks_where_all_were() -> None:
    written = rewritten(b'"id","text"\n"1","money"\n', "mails.csv", answers=[SURE])
    assert written.content.decode().splitlines()[1] == '"1","money","billing","0.75","0.5","false","false"'


def test_json_keeps_its_values_whatever_they_are() -> None:
    values = [{"text": "é", "n": 1, "deep": {"a": [None, True]}}, {"text": "b", "more": 2.5}]
    lines = "\r\n".join(json.dumps(each) for each in values) + "\r\n"
    written = rewritten(lines.encode(), "mails.jsonl")
    assert written.content.count(b"\r\n") == 2
    assert [without_added(each.values) for each in read_again(written)[1]] == values
    listed = rewritten(json.dumps({"data": values}).encode(), "mails.json")
    assert [without_added(each) for each in json.loads(listed.content)] == values
    assert listed.content.startswith('[\n{"text": "é",'.encode())
    assert rewritten(b"[]", "mails.json").content == b"[]\n"
    ascii_alone = rewritten(json.dumps(values, ensure_ascii=False).encode("cp1252"), "a.json", encoding="cp1252")
    assert json.loads(ascii_alone.content)[0]["text"] == "é"
    assert ascii_alone.content.isascii()
    assert (
        rewritten(ROWS.encode("cp1252"), "a.csv", encoding="cp1252", output_encoding="utf-8-sig")
        .content.decode("utf-8-sig")
        .startswith("Größe;Text;Preis;predicted_label")
    )


TEXTS = st.text(st.characters(exclude_characters="\0\r\n\ufeff", exclude_categories=["Cs"]), min_size=1, max_size=9)
NAMES = st.lists(st.text("abcdefgäß _", min_size=2, max_size=6).filter(lambda name: name.strip() == name), max_size=3)


@given(
    st.sampled_from(["csv", "tsv", "jsonl", "json", "xlsx"]),
    st.lists(TEXTS.filter(lambda text: not is_blank(text)), min_size=1, max_size=4),
    NAMES,
    st.sampled_from([PLAIN, TextForm(encoding="utf-16-le", has_mark=True), TextForm(has_mark=True, line_end="\r\n")]),
    st.sampled_from([",", ";", "|"]),
)
def test_any_text_comes_back(
    to: ResultFormat, texts: list[str], names: list[str], form: TextForm, delimiter: str
) -> None:
    columns = [*dict.fromkeys(name for name in names if name not in ADDED), "text"]
    file = io.StringIO(newline="")
    rows = [columns, *([*("x" for _ in columns[:-1]), text] for text in texts)]
    csv.writer(file, delimiter=delimiter, lineterminator=form.line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    content = (form.mark() + file.getvalue()).encode(form.encoding)
    options: dict[str, Any] = {"header": True, "quoting": "csv", "text_column": ("text",)}
    written = rewritten(content, "a.csv", to, **options)
    table, records = read_again(written, **options)
    assert [each.text for each in records] == texts
    assert table.names == (*written.records[0].values, *ADDED)
    if to == "csv":
        assert written.form.text.line_end == form.line_end
        assert written.form.text.encoding == form.encoding


@pytest.mark.parametrize(
    ("to", "sample"),
    [
        ("label_studio", label_studio_samples.JSON),
        ("argilla", argilla_samples.NESTED),
    ],
)
def test_lists_of_labelling_tools_keep_their_records(to: ResultFormat, sample: list[dict[str, object]]) -> None:
    written = rewritten(json.dumps(sample).encode(), "export.json")
    assert written.form.format == to
    table, records = read_again(written)
    assert table.format == to
    assert [each.text for each in records] == [each.text for each in written.records]
    changed = "predictions" if to == "label_studio" else "suggestions"
    for before, after in zip(sample, json.loads(written.content), strict=True):
        assert {**before, changed: 0} == {**after, changed: 0}
        assert list(before) == [name for name in after if name in before]


def test_lines_of_labelling_tools_keep_their_records() -> None:
    for to, lines in (("doccano", doccano_samples.JSONL), ("prodigy", prodigy_samples.BINARY)):
        written = rewritten(lines.encode(), "export.jsonl")
        assert written.form.format == to
        table, records = read_again(written)
        assert table.format == to
        assert [each.text for each in records] == [each.text for each in written.records]


@pytest.mark.parametrize("to", [*ENDINGS])
def test_several_labels_are_written_by_every_writer(to: ResultFormat) -> None:
    content = b"id,text\n1,a\n2,b\n3,c\n"
    answers = [SEVERAL, NONE_FITS, SEVERAL_UNSURE]
    written = rewritten(content, "mails.csv", to, answers=answers, kind="multi_label")
    text = written.content.decode("utf-8", "replace")
    found = {
        "csv": "billing;account",
        "tsv": "billing;account",
        "jsonl": '["billing", "account"]',
        "json": '["billing", "account"]',
        "label_studio": '"choices": ["billing", "account"]',
        "argilla": '"value": ["billing", "account"], "score": [0.75, 0.25]',
        "doccano": '"label": ["billing", "account"]',
        "prodigy": '"accept": ["billing", "account"]',
    }
    if to == "xlsx":
        assert [each.values["predicted_labels"] for each in read_again(written)[1]] == ["billing;account", "", ""]
    elif to == "parquet":
        column = pq.read_table(io.BytesIO(written.content)).column("predicted_labels").to_pylist()
        assert column == [["billing", "account"], [], None]
    else:
        assert found[to] in text


def test_the_name_of_an_output_says_what_it_is_to_be() -> None:
    assert format_of_name("a.CSV", "jsonl") == "csv"
    assert format_of_name("a.json", "label_studio") == "label_studio"
    assert format_of_name("a.json", "doccano") == "json"
    assert format_of_name("a.ndjson", "prodigy") == "prodigy"
    assert format_of_name("a.tab", "csv") == "tsv"
    assert format_of_name("labelled", "xlsx") == "xlsx"


def test_what_a_form_has_no_place_for_is_refused_before_anything_is_written() -> None:
    columns = PredictionColumns(all_scores=True)
    check_result_labels(ResultForm("csv"), columns.of_table(LABELS), LABELS)
    check_result_labels(ResultForm("xlsx", TextForm(encoding="cp1252")), columns, ("żółty",))
    with pytest.raises(InvalidParameter, match="what argilla imports has no place for all scores"):
        check_result_labels(ResultForm("argilla"), columns, LABELS)
    with pytest.raises(InvalidParameter, match="does not have"):
        check_result_labels(ResultForm("csv", TextForm(encoding="cp1252")), columns.of_table(("żółty",)), ("żółty",))
    quoteless = ResultForm("csv", TextForm(delimiter=";", quoting="none"))
    check_result_labels(quoteless, PredictionColumns(), LABELS)
    with pytest.raises(InvalidParameter, match="without quotation marks"):
        check_result_labels(quoteless, PredictionColumns(kind="multi_label"), LABELS)


def test_a_workbook_stays_one_with_its_sheet_and_the_kinds_of_its_cells() -> None:
    book = io.BytesIO()
    made = xlsxwriter.Workbook(book)
    sheet = made.add_worksheet("Mails 2026")
    day = made.add_format({"num_format": "yyyy-mm-dd"})
    cells: list[list[Any]] = [
        ["text", "n", "at", "id", "sum"],
        ["money", 7.5, datetime.date(2027, 3, 1), "007", "=1+1"],
    ]
    sheet.write_row(0, 0, cells[0])
    sheet.write_row(1, 0, cells[1][:2])
    sheet.write_datetime(1, 2, cells[1][2], day)
    sheet.write_string(1, 3, "007")
    sheet.write_string(1, 4, "=1+1")
    made.close()
    written = rewritten(book.getvalue(), "mails.xlsx", answers=[SURE])
    found = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(written.content))
    assert (written.form.format, found.sheet_names) == ("xlsx", ["Mails 2026"])
    rows = found.get_sheet_by_index(0).to_python()
    assert [row[:5] for row in rows] == cells
    assert rows[1][5:] == ["billing", 0.75, 0.5, False, False]
    assert read_again(written)[1][0].text == "money"


def test_tables_of_tools_with_a_header_keep_their_columns_and_line_ends_and_each_row() -> None:
    header = "text,id,mood,annotator,annotation_id,lead_time"
    content = f'{header}\r\n"It, too",1,bad,1,1,1.5\r\n"It, too",1,good,2,2,1.5\r\n'.encode()
    lines = rewritten(content, "export.csv", answers=[SURE]).content.decode().split("\r\n")
    assert lines == [
        f"{header},predicted_label,score,in_scope,abstained,truncated",
        '"It, too",1,bad,1,1,1.5,billing,0.75,0.5,false,false',
        '"It, too",1,good,2,2,1.5,billing,0.75,0.5,false,false',
        "",
    ]
    cohere = rewritten(b"label;text;note\r\nbug;It is so;x\r\n", "c.csv", format="cohere")
    assert cohere.content.decode().split("\r\n")[1] == "bug;It is so;x;billing;0.75;0.5;false;false"
