"""Answered rows as XLSX: text stays text, values keep their kind, and limits of a sheet are told."""

import datetime
import io
import sys
from collections.abc import Sequence

import pytest
import python_calamine

from tests.files.answered import SEVERAL, SURE, UNSURE
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.read_options import ReadOptions
from windrow.files import xlsx_writing
from windrow.files.decoding import Source
from windrow.files.reading import Record, read_table
from windrow.files.workbook import CellText
from windrow.files.writing import Gained, Note, PredictionColumns
from windrow.files.xlsx_writing import XlsxWriter, check_xlsx_writer

TEXTS = [
    *("=1+1", "+49 170", "-5", "@SUM(A1)", "\tx", "_x0041_", "a\x0bb", "two\nlines", " space ", "007"),
    *("https://example.org", "1e5", "TRUE", "é😀", '"', "'quoted"),
]


def sheet_of(content: bytes) -> list[list[object]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return [list(row) for row in book.get_sheet_by_index(0).to_python()]


def written(
    records: Sequence[Record],
    answers: Sequence[Gained],
    columns: PredictionColumns | None = None,
    sheet: str | None = None,
) -> bytes:
    file, source = io.BytesIO(), Source("mails.csv", io.BytesIO())
    source.sheet = sheet
    writer = XlsxWriter(file, columns or PredictionColumns(), source)
    writer.write(records, answers)
    writer.end()
    return file.getvalue()


def test_text_is_text_whatever_it_looks_like() -> None:
    content = written([Record(n, text, {"text": text}) for n, text in enumerate(TEXTS, 2)], [SURE] * len(TEXTS))
    rows = sheet_of(content)
    assert rows[0] == ["text", "predicted_label", "score", "in_scope", "abstained", "truncated"]
    assert [row[0] for row in rows[1:]] == TEXTS
    assert b"<f>" not in content
    source = Source("results.xlsx", io.BytesIO(content))
    assert [each.text for each in read_table(source, "results.xlsx", ReadOptions()).records()] == TEXTS


def test_values_keep_their_kind() -> None:
    values = [7.0, 0.5, True, datetime.date(2027, 3, 1), datetime.datetime(2027, 3, 1, 14, 30), "007"]
    cells = {str(place): CellText.of(value) for place, value in enumerate(values)}
    columns = PredictionColumns(all_scores=True, kind="multi_label").of_table(("account", "billing"))
    rows = sheet_of(written([Record(2, "a", cells)], [SEVERAL], columns))
    assert rows[1] == [*values, "billing;account", 0.75, 0.5, False, False, 0.25, 0.75]


def test_a_row_without_an_answer_has_empty_cells() -> None:
    records = [Record(2, "a", {"text": "a", "more": [1]}), Record(3, "b", {"text": "b", "more": None})]
    rows = sheet_of(written(records, [UNSURE, Note("blank")], PredictionColumns(with_note=True)))
    assert rows[1:] == [["a", "[1]", "", 0.5, "", True, True, ""], ["b", "", "", "", "", "", "", "blank"]]


def test_a_sheet_is_called_as_that_of_the_file() -> None:
    content = written([Record(2, "a", {"text": "a"})], [SURE], sheet="Mails 2026")
    assert python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).sheet_names == ["Mails 2026"]


def test_a_file_without_rows_has_a_header() -> None:
    file = io.BytesIO()
    XlsxWriter(file, PredictionColumns(), Source("mails.csv", io.BytesIO()), ("id", "text")).end()
    assert sheet_of(file.getvalue())[0][:3] == ["id", "text", "predicted_label"]


def refused(records: Sequence[Record], words: str) -> None:
    writer = XlsxWriter(io.BytesIO(), PredictionColumns(), Source("mails.csv", io.BytesIO()))
    try:
        with pytest.raises(InvalidFile, match=words):
            writer.write(records, [SURE] * len(records))
    finally:
        writer.close()


def test_what_a_sheet_cannot_hold_is_told_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    refused([Record(7, "a", {"text": "a" * 32_768})], r"mails.csv, line 7: a cell has more than 32,767 characters")
    refused([Record(7, "a", {"text": "😀" * 16_384})], "more than 32,767 characters")
    written([Record(7, "a", {"text": "😀" * 16_383})], [SURE])
    refused([Record(2, "a", {"text": "a"}), Record(3, "a", {"more": 1})], r"line 3: 'more' stands in no row before")
    refused([Record(2, "a", {str(n): "" for n in range(16_384)})], "no more than 16,384 columns; with the new ones")
    monkeypatch.setattr(xlsx_writing, "MAX_ROWS", 2)
    refused([Record(n, "a", {"text": "a"}) for n in (2, 3)], r"line 3: a sheet has no more than 2 rows. Add --to csv")


def test_a_missing_package_is_told_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    check_xlsx_writer("mails.csv")
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(InvalidParameter, match=r'pip install "windrow\[xlsx\]"'):
        check_xlsx_writer("mails.csv")
