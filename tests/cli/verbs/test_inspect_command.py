"""`inspect`, and texts of several columns wherever the command line reads a file."""

import io
import sys
from pathlib import Path

import pytest

from tests.cli.asking import Run, run
from tests.files.workbooks import Cell, workbook
from tests.toy import Toy
from windrow.domain.classifier import ModelRequest

MAILS = "Subject,Body,Team\nHi,I was charged,billing\n,No bill,billing\n,,technical\nHo,It crashes,technical\n"


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    file = tmp_path / "mails.csv"
    file.write_text(MAILS)
    return file


def test_a_file_is_told_with_its_columns_labels_and_problems(ask: Run, mails: Path) -> None:
    ended = ask("inspect", mails, "--text-column", "Subject,Body", "--label-column", "Team")
    assert "Format CSV, UTF-8, fields parted by ',', the first line names the columns" in ended.lines
    assert {"Texts Subject and Body", "Labels Team", "Rows 3, and 1 row with a problem"} <= set(ended.lines)
    assert {"Subject 2 Hi, Ho", "Team 2 billing, technical", "billing 2", "technical 1"} <= set(ended.lines)
    assert "4 the text is blank. Fill it in or remove that row." in ended.lines
    assert "Warning: 2 labels have fewer than 4 rows: 'billing' (2), 'technical' (1)." in ended.err
    assert "Lines: 2, 3, 5." in ended.err


def test_what_is_not_clear_is_told_with_the_option_that_says_it(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "post.csv"
    file.write_text("Farbe,Form\na,b\n")
    ended = ask("inspect", file)
    assert (ended.code, "Answer with --header or --no-header." in ended.err) == (0, True)
    ended = ask("inspect", file, "--header")
    assert ended.err.splitlines()[-1] == (
        "Not clear: it is not clear which column holds the text. Answer with --text-column."
    )
    assert "Not clear" not in ask("inspect", file, "--text-column", "Form").err


def test_the_document_is_that_of_the_server(ask: Run, mails: Path) -> None:
    options = ("--text-column", "Subject", "--text-column", "Body", "--include-values", "--json")
    document = ask("inspect", mails, *options).document
    assert document["text_columns"] == ["Subject", "Body"]
    assert document["rows"][0] == {
        "line": 2,
        "text": "Hi\n\nI was charged",
        "label": "billing" if document["label_column"] else None,
        "values": {"Subject": "Hi", "Body": "I was charged", "Team": "billing"},
        "labels": None,
        "split": None,
        "id": "",
    }


def test_neither_a_server_nor_a_data_directory_is_needed(
    mails: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere"
    monkeypatch.setenv("WINDROW_DATA_DIR", str(nowhere))
    ended = run(monkeypatch, capsys, "inspect", mails, "--json")
    assert ended.document["text_columns"] == ["Body"]
    assert not nowhere.exists()


def test_standard_input_is_inspected_too(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "a", "label": "b"}\n')))
    document = ask("inspect", "-", "--json").document
    assert (document["format"], document["rows_per_label"]) == ("jsonl", {"b": 1})


def test_what_cannot_be_read_is_refused_in_the_words_of_the_command_line(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"text\nx\xffx\x81x\xfe\n")
    assert ask("inspect", file).refusal == (
        "a.csv, line 2: the byte 0xff at offset 6 is not UTF-8. Name its encoding, often --encoding cp1252, or save "
        "the file as UTF-8."
    )
    assert "There is no file" in ask("inspect", tmp_path / "none.csv").refusal
    (tmp_path / "b.csv").write_text("text,label\n")
    assert "no project of a known tool" in ask("inspect", tmp_path).refusal
    assert "'xls' is not one of" in ask("inspect", file, "--format", "xls").err


def test_many_problems_are_counted(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,label\n" + ",a\n" * 25)
    ended = ask("inspect", file)
    assert "5 more rows with a problem; --json tells of a hundred." in ended.err
    assert sum("the text is blank" in line for line in ended.lines) == 20


def test_a_training_takes_its_texts_from_several_columns(ask: Run, toy: Toy, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text(MAILS.replace(",,technical\n", "Down,,technical\n"))
    options = ("--text-column", "Subject,Body", "--label-column", "Team")
    assert ask("fit", "mails_v1", file, *options, "--num-iterations", "0").code == 0
    inspected = ask("inspect", file, *options, "--json").document
    assert toy.show(ModelRequest("mails_v1")).training_data_sha256 == inspected["sha256"]
    ended = ask("predict", "mails_v1", file, "--text-column", "Subject,Body", "--to", "jsonl")
    assert "and the texts stand in 'Subject' and 'Body'" in ended.err
    assert '"Subject": "Hi", "Body": "I was charged"' in ended.out.splitlines()[0]
    assert ask("evaluate", "mails_v1", file, *options).code == 0


def test_a_run_over_several_columns_can_be_resumed(ask: Run, trained: Toy, tmp_path: Path, mails: Path) -> None:
    out = tmp_path / "out.csv"
    options = ("--text-column", "Subject,Body", "--out", out)
    refused = ask("predict", "tickets_v1", mails, *options)
    assert "line 4: the text is blank" in refused.err
    mails.write_text(MAILS.replace(",,technical\n", "Down,,technical\n"))
    ended = ask("predict", "tickets_v1", mails, *options, "--resume")
    assert ended.code == 0, ended.err
    assert len(out.read_text().splitlines()) == 5


def test_rows_with_any_number_of_labels_are_told_as_such(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("text,tags\ncharged twice,billing|urgent\nmy invoice,billing\nthank you,\n")
    ended = ask("inspect", file, "--labels-column", "tags", "--label-separator", "|")
    assert "Labels tags, any number a row (a multi-label classifier); 1 row has none" in ended.lines
    assert {"billing 2", "urgent 1"} <= set(ended.lines)
    assert "Warning: 1 row has no label. It counts as a text that no label fits" in ended.err


def test_columns_of_one_and_zero_are_told_by_their_names(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("text,billing,urgent\ncharged twice,1,1\nmy invoice,1,0\n")
    ended = ask("inspect", file, "--indicator-columns", "billing,urgent")
    assert "Labels billing and urgent, any number a row (a multi-label classifier); 0 rows have none" in ended.lines


def test_a_separator_that_nobody_named_is_asked_for(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("text,labels\ncharged twice,billing;urgent\nmy invoice,billing\n")
    ended = ask("inspect", file)
    assert "'labels' may hold several labels here. Answer with --label-separator." in ended.err


def test_lists_of_labels_are_asked_about_once_and_in_the_words_of_the_command_line(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text('{"text": "charged twice", "label": ["billing", "urgent"]}\n' * 9)
    ended = ask("inspect", file)
    assert ended.err.count("'label' holds 2 labels here. Answer with --labels-column.") == 1
    assert "Rows 9" in ended.lines
    assert "labels_column" not in ended.out + ended.err
    assert "add --labels-column label" in ask("fit", "notes_v1", file).refusal


def test_columns_that_may_hold_labels_are_named_with_their_option(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("text,billing,urgent\ncharged twice,1,1\nmy invoice,1,0\n")
    assert "so each may be a label. Answer with --indicator-columns." in ask("inspect", file).err
    assert "name them with --indicator-columns." in ask("fit", "mails_v1", file).refusal
    file.write_text("text,tags\ncharged twice,billing;urgent\nmy invoice,billing\n")
    assert "Answer with --labels-column." in ask("inspect", file).err
    assert "add --labels-column tags and --label-separator" in ask("evaluate", "mails_v1", file).refusal


def test_a_file_without_a_known_column_of_labels_is_told_what_a_training_needs(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("Nr,Text,Gruppe\n1,charged twice,billing\n2,it crashes,technical\n")
    hint = "No column is known to hold labels. To train on the file, name one with --label-column."
    assert hint in ask("inspect", file).err
    assert hint not in ask("inspect", file, "--no-labelled").err + ask("inspect", file, "--label-column", "Nr").err


def test_columns_that_a_prediction_wrote_are_no_labels(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "labelled.csv"
    file.write_text("text,predicted_label,score,in_scope,abstained,truncated\ncharged,billing,0.9,0.8,false,false\n")
    assert "--indicator-columns" not in ask("inspect", file).err


def test_an_empty_separator_is_refused(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("text,labels\ncharged twice,billing;urgent\n")
    assert "--label-separator is empty" in ask("fit", "mails_v1", file, "--label-separator", "").refusal


def test_a_workbook_is_told_with_its_sheet(ask: Run, tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["text", "label"], ["I was charged", 0.0], ["It crashes", 1.0]]
    (tmp_path / "mails.xlsx").write_bytes(workbook(rows, rows, names=["May", "June"]))
    ended = ask("inspect", tmp_path / "mails.xlsx")
    assert "Not clear: it has several sheets with rows, 'May', 'June'. Answer with --sheet." in ended.err
    assert ended.lines[0].startswith("Format XLSX, the first of several sheets")
    (tmp_path / "names.json").write_text('{"0": "billing", "1": "technical"}')
    names = ("--label-names", tmp_path / "names.json")
    ended = ask("inspect", tmp_path / "mails.xlsx", "--sheet", "May", *names)
    assert "Format XLSX, the sheet 'May', the first line names the columns" in ended.lines
    assert {"billing 1", "technical 1"} <= set(ended.lines)


def test_the_encoding_that_was_proposed_is_told_with_its_option(ask: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text;label\nRückgabe;Retoure\n".encode("cp1252"))
    ended = ask("inspect", tmp_path / "a.csv")
    assert "it is not UTF-8, and was read as cp1252, in which line 2 has 'Rückgabe;Retoure'" in ended.err
    assert "Answer with --encoding." in ended.err
