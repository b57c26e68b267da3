"""Answered rows as CSV and JSONL."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.files.answered import NONE_FITS, RECORDS, SEVERAL, SEVERAL_UNSURE, SURE, UNSURE
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.prediction import Prediction
from windrow.files.decoding import Source
from windrow.files.reading import Record
from windrow.files.text_form import TextForm
from windrow.files.writing import (
    CsvWriter,
    Gained,
    JsonLinesWriter,
    KeysShape,
    Note,
    PredictionColumns,
    RowWriter,
    check_labels_for_csv,
)
from windrow.files.xlsx_writing import XlsxWriter

SOURCE = Source("mails.csv", io.BytesIO())


def test_csv_holds_all_columns_of_the_file_and_then_the_new_ones() -> None:
    file = io.StringIO(newline="")
    writer = CsvWriter(file, PredictionColumns(), SOURCE)
    writer.write(RECORDS[:1], [SURE])
    writer.write(RECORDS[1:], [UNSURE])
    assert file.getvalue() == (
        "id,text,predicted_label,score,in_scope,abstained,truncated\n"
        "7,My bill,billing,0.75,0.5,false,false\n"
        '8,"two\nlines",,0.5,,true,true\n'
    )


def test_numbers_have_four_digits_after_the_point_since_more_are_noise() -> None:
    scores = {"account": 0.2500491, "billing": 0.7499509}
    noisy = Prediction(
        label="billing", scores=scores, model_name="tickets_v1", revision=3, truncated=False, in_scope=0.5123456
    )
    assert PredictionColumns(all_scores=True).values(noisy) == (
        *("billing", 0.75, 0.5123, False, False),
        {"account": 0.25, "billing": 0.75},
    )


def test_json_lines_hold_all_keys_of_the_file_and_then_the_new_ones() -> None:
    file = io.StringIO()
    JsonLinesWriter(file, KeysShape(PredictionColumns("new_", all_scores=True), SOURCE)).write(
        [Record(1, "é", {"text": "é", "tags": ["a", None]})], [UNSURE]
    )
    assert "é" in file.getvalue()
    assert json.loads(file.getvalue()) == {
        "text": "é",
        "tags": ["a", None],
        "new_predicted_label": None,
        "new_score": 0.5,
        "new_in_scope": None,
        "new_abstained": True,
        "new_truncated": True,
        "new_scores": {"account": 0.5, "billing": 0.5},
    }


def test_any_number_of_labels_is_one_cell_of_csv_and_a_list_in_json() -> None:
    answers: list[Gained] = [SEVERAL, NONE_FITS, SEVERAL_UNSURE, Note("blank")]
    columns = PredictionColumns(with_note=True, kind="multi_label")
    records = [RECORDS[0]] * len(answers)
    file = io.StringIO(newline="")
    CsvWriter(file, columns, SOURCE).write(records, answers)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert list(rows[0])[2:] == ["predicted_labels", "score", "in_scope", "abstained", "truncated", "note"]
    shown = [(row["predicted_labels"], row["abstained"], row["note"]) for row in rows]
    assert shown == [("billing;account", "false", ""), ("", "false", ""), ("", "true", ""), ("", "", "blank")]
    lines = io.StringIO()
    JsonLinesWriter(lines, KeysShape(columns, SOURCE)).write(records, answers)
    found = [json.loads(line)["predicted_labels"] for line in lines.getvalue().splitlines()]
    assert found == [["billing", "account"], [], None, None]


def test_labels_that_hold_the_separator_go_into_no_cell_together() -> None:
    check_labels_for_csv(("a;b", "c"), "single_label")
    check_labels_for_csv(("a,b", "c"), "multi_label")
    with pytest.raises(InvalidParameter, match=r"The label 'a;b' holds ';'.*Write jsonl in its place"):
        check_labels_for_csv(("c", "a;b"), "multi_label")


def test_csv_holds_scores_and_values_of_json_as_json() -> None:
    file = io.StringIO(newline="")
    record = Record(1, "a", {"text": "a", "tags": ["b"], "is_new": True, "none": None})
    CsvWriter(file, PredictionColumns(all_scores=True), SOURCE).write([record], [SURE])
    [row] = csv.DictReader(io.StringIO(file.getvalue()))
    assert json.loads(row["scores"]) == SURE.scores
    assert (row["tags"], row["is_new"], row["none"]) == ('["b"]', "true", "")


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_csv_keeps_every_text(texts: list[str]) -> None:
    file = io.StringIO(newline="")
    records = [Record(1, text, {"text": text}) for text in texts]
    CsvWriter(file, PredictionColumns(), SOURCE).write(records, [SURE] * len(texts))
    assert [row["text"] for row in csv.DictReader(io.StringIO(file.getvalue(), newline=""))] == texts


def test_new_numbers_may_have_a_comma_before_their_decimals() -> None:
    file = io.StringIO(newline="")
    form = TextForm(delimiter=";", decimal_comma=True)
    record = Record(1, "a", {"text": "1.5", "n": 2.5, "is_new": True})
    CsvWriter(file, PredictionColumns(), SOURCE, form=form).write([record], [SURE])
    assert file.getvalue().splitlines()[1] == "1.5;2,5;true;billing;0,75;0,5;false;false"


def test_a_column_that_has_the_name_of_a_new_one_is_refused() -> None:
    record = Record(2, "a", {"text": "a", "score": "1"})

    def writers(columns: PredictionColumns) -> list[RowWriter]:
        shape = KeysShape(columns, SOURCE)
        texts: list[RowWriter] = [
            CsvWriter(io.StringIO(), columns, SOURCE),
            JsonLinesWriter(io.StringIO(), shape),
        ]
        return [*texts, XlsxWriter(io.BytesIO(), columns, SOURCE)]

    for writer in writers(PredictionColumns()):
        with pytest.raises(InvalidFile, match=r"mails.csv: there is a column 'score' already.*--prefix"):
            writer.write([record], [SURE])
    for writer in writers(PredictionColumns("new_")):
        writer.write([record], [SURE])
        writer.end()


def test_csv_leaves_a_missing_key_empty_and_refuses_a_new_one() -> None:
    file = io.StringIO(newline="")
    writer = CsvWriter(file, PredictionColumns(), SOURCE)
    writer.write([RECORDS[0], Record(3, "a", {"text": "a"})], [SURE, SURE])
    assert file.getvalue().splitlines()[2] == ",a,billing,0.75,0.5,false,false"
    with pytest.raises(InvalidFile, match=r"line 4: 'more' stands in no row before.*--to jsonl"):
        writer.write([Record(4, "a", {"text": "a", "more": 1})], [SURE])
