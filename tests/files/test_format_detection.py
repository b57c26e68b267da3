"""Files as people have them, read by the command line: no row is lost, and nothing is guessed, without a word."""

import csv
import io
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.asking import Ended, Run
from windrow.cli.labelled_file import read_labelled
from windrow.domain.dataset import Row
from windrow.domain.read_options import LabelledReadOptions

pytestmark = pytest.mark.usefixtures("trained")

HEADERLESS = "Refund my order,y\nGreat job everyone,n\nCharge me back,y\nSee you tomorrow,n\nMoney back please,y\n"
HEADERLESS += "Lunch at noon,n\n"
STRAY_QUOTE = (
    'text\tlabel\n"Refund button is gone\ttechnical\nPlease refund me\tbilling\nI was charged twice\tbilling\n'
    'My screen is 15"\ttechnical\nThe app crashes\ttechnical\nWrong invoice\tbilling\n'
)
NO_HEADER = ("--no-header", "--text-column", "1", "--label-column", "2")


def save(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def counts(ask: Run, file: Path, *options: str) -> dict[str, int]:
    """Return how many rows of each label a training has."""
    ended = ask("fit", "new", file, *options, "--num-iterations", "0", "--json")
    assert ended.code == 0, ended.err
    per_label: dict[str, int] = ask("show", "new", "--json").document["rows_per_label"]
    return per_label


# What is asked here is what is read; results have the form of the file unless they are asked for in another one.
IN_CSV = ("--to", "csv", "--output-encoding", "utf-8")


def answered(ended: Ended) -> list[str]:
    """Return the texts that were answered."""
    assert ended.code == 0, ended.err
    declared, rest = ("", ended.out) if not ended.out.startswith("sep=") else ended.out.split("\n", 1)
    table = io.StringIO(rest, newline="")
    return [row["text"] for row in csv.DictReader(table, delimiter=declared.strip()[-1:] or ",")]


def predict(ask: Run, file: Path | str, *options: str) -> list[str]:
    return answered(ask("predict", "tickets_v1", file, "--quiet", *IN_CSV, *options))


def pipe(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))


def refused(ended: Ended) -> str:
    assert ended.code == 2
    return ended.err.splitlines()[-1]


@pytest.mark.parametrize("verb", [("fit", "new"), ("predict", "tickets_v1")])
def test_a_known_word_in_the_first_row_makes_no_header_without_asking(
    ask: Run, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    file = save(tmp_path, "yn.csv", HEADERLESS)
    words = refused(ask(*verb, file))
    assert "add --no-header" in words
    assert "add --header" in words


def test_a_file_without_a_header_loses_no_row(ask: Run, tmp_path: Path) -> None:
    assert counts(ask, save(tmp_path, "yn.csv", HEADERLESS), *NO_HEADER) == {"n": 3, "y": 3}


def test_a_header_that_somebody_says_is_one(ask: Run, tmp_path: Path) -> None:
    file = save(tmp_path, "mails.csv", "mail,team\nmoney,team\nreceipt,other\n")
    assert counts(ask, file, "--header") == {"other": 1, "team": 1}
    said = ("--text-column", "mail", "--label-column", "team")
    assert "'team', which stands in the first line, comes again" in refused(ask("fit", "other", file, *said))


def test_a_greeting_is_no_header(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Team, the login is broken", "Hello, I was charged twice", "Sorry, the app crashes"]
    pipe(monkeypatch, "\n".join(texts))
    assert predict(ask, "-") == texts


@pytest.mark.parametrize("first", ["Team, login broken", "question", "team,money"])
def test_a_first_line_that_may_be_a_header_or_a_text_is_not_guessed(
    ask: Run, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    pipe(monkeypatch, f"{first}\nmoney back\n")
    words = refused(ask("predict", "tickets_v1"))
    assert "--format txt" in words
    assert "--format csv --header" in words
    pipe(monkeypatch, f"{first}\nmoney back\n")
    assert predict(ask, "-", "--format", "txt") == [first, "money back"]


def test_stray_quotation_marks_in_tsv_hold_no_rows_together(ask: Run, tmp_path: Path) -> None:
    file = save(tmp_path, "stray.tsv", STRAY_QUOTE)
    words = refused(ask("fit", "new", file))
    assert "stray.tsv, line 2: a quotation mark" in words
    assert "--quoting none" in words
    assert counts(ask, file, "--quoting", "none") == {"billing": 3, "technical": 3}
    assert predict(ask, file, "--quoting", "none")[::3] == ['"Refund button is gone', 'My screen is 15"']


def test_stray_quotation_marks_in_csv_hold_no_rows_together(ask: Run, tmp_path: Path) -> None:
    file = save(tmp_path, "stray.csv", STRAY_QUOTE.replace("\t", ","))
    assert "stray.csv, line 2: a quotation mark" in refused(ask("fit", "new", file))
    assert counts(ask, file, "--quoting", "none") == {"billing": 3, "technical": 3}


def test_a_collection_of_text_messages_is_read_as_it_is(tmp_path: Path) -> None:
    # Of the shape in which such collections are given away: no header, the label first, tabs, quotes as people type.
    texts = ['"Hi', 'He said "ok', "5' 4\"", "plain, with commas", 'all "quoted"', '"', "see u later; k?", '"whole"']
    pick = random.Random(0)
    rows = [(pick.choice(texts) + f" {number}", pick.choice(["ham", "ham", "spam"])) for number in range(5_574)]
    content = "".join(f"{label}\t{text}\n" for text, label in rows)
    for name in ("messages.tsv", "messages.txt", "messages"):
        options = LabelledReadOptions(header=False, quoting="none", text_column=("2",), label_column="1")
        found = read_labelled(save(tmp_path, name, content), options)
        assert found.rows == tuple(Row(text, label) for text, label in rows)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "I was charged\rit crashes\r"),
        ("a.csv", "text\rI was charged\rit crashes\r"),
        ("a.tsv", "text\tn\rI was charged\t1\rit crashes\t2\r"),
        ("a.jsonl", '{"text": "I was charged"}\r{"text": "it crashes"}\r'),
        ("a.json", '[{"text": "I was charged"},\r{"text": "it crashes"}]\r'),
        ("a", "I was charged\rit crashes\r"),
        ("a", "text,n\rI was charged,1\rit crashes,2\r"),
    ],
)
def test_bare_carriage_returns_end_lines_in_every_format(ask: Run, tmp_path: Path, name: str, content: str) -> None:
    assert predict(ask, save(tmp_path, name, content)) == ["I was charged", "it crashes"]


BLANK = ("\u200b", "\ufeff\ufeff", "\u00ad", "\u2060", "\u200d", "\x07")


@pytest.mark.parametrize("blank", BLANK)
@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.jsonl"])
def test_a_text_of_which_nothing_is_seen_is_blank(ask: Run, tmp_path: Path, name: str, blank: str) -> None:
    texts = ["money", blank, "receipt"]
    contents = {
        "a.csv": "".join(f'"{text}"\n' for text in ("text", *texts)),
        "a.txt": "".join(f"{text}\n" for text in texts),
        "a.jsonl": "".join(f"{json.dumps({'text': text})}\n" for text in texts),
    }
    file = save(tmp_path, name, contents[name])
    assert "the text is blank" in refused(ask("predict", "tickets_v1", file))
    assert predict(ask, file, "--skip-bad-rows") == ["money", "receipt"]


def test_a_blank_line_among_texts_is_told_and_can_be_left_out(ask: Run, tmp_path: Path) -> None:
    file = save(tmp_path, "a.txt", "I was charged\n\nit crashes\n")
    assert "line 2: the text is blank" in refused(ask("predict", "tickets_v1", file))
    assert predict(ask, file, "--skip-bad-rows") == ["I was charged", "it crashes"]


def test_utf_16_without_a_mark_is_told_with_both_orders(ask: Run, tmp_path: Path) -> None:
    file = save(tmp_path, "a.csv", "text,label\nI was charged,billing\nit crashes,technical\n".encode("utf-16-le"))
    words = refused(ask("fit", "new", file, "--encoding", "utf-16"))
    assert "--encoding utf-16-le" in words
    assert "--encoding utf-16-be" in words
    assert counts(ask, file, "--encoding", "utf-16-le") == {"billing": 1, "technical": 1}


def test_repeated_columns_that_nobody_wants_do_no_harm(ask: Run, tmp_path: Path) -> None:
    content = "Summary,Description,Comment,Comment,Component\ncrash,The app crashes,,,tech\nbill,Charged,a,b,billing\n"
    file = save(tmp_path, "jira.csv", content)
    asked = ("--text-column", "Description")
    assert counts(ask, file, *asked, "--label-column", "Component") == {"billing": 1, "tech": 1}
    names, _, row = csv.reader(io.StringIO(ask("predict", "tickets_v1", file, *asked, "--quiet").out, newline=""))
    assert (names[2:4], row[2:4]) == (["Comment", "Comment"], ["a", "b"])
    assert "two columns are called 'Comment'" in refused(ask("predict", "tickets_v1", file))


def test_the_empty_end_of_a_spreadsheet_is_left_out(ask: Run, tmp_path: Path) -> None:
    assert predict(ask, save(tmp_path, "a.csv", "id,text\n1,I was charged\n,\n,\n,,,\n")) == ["I was charged"]


def test_blanks_around_labels_mean_nothing_in_csv(ask: Run, tmp_path: Path) -> None:
    spaced = save(tmp_path, "a.csv", "text, label\nmoney, refund\nback, refund\nreceipt, invoice\n")
    mixed = save(tmp_path, "b.csv", "text,label\nmoney,refund\nback, refund\nreceipt,invoice \n")
    for file in (spaced, mixed):
        assert counts(ask, file, "--header") == {"invoice": 1, "refund": 2}
        assert ask("delete", "new", "--purge").code == 0


def test_a_list_of_one_label_is_that_label(ask: Run, tmp_path: Path) -> None:
    content = '{"text": "money", "label": ["refund"]}\n{"text": "receipt", "label": ["invoice"]}\n'
    assert counts(ask, save(tmp_path, "a.jsonl", content)) == {"invoice": 1, "refund": 1}
    for labels in ([], ["a", "b"]):
        file = save(tmp_path, "b.jsonl", content + json.dumps({"text": "c", "label": labels}))
        words = refused(ask("fit", "other", file))
        assert f"line 3: 'label' holds {len(labels)} labels" in words
        assert "If rows have any number of labels, add --labels-column label; if each has exactly one" in words


def test_excels_unicode_text_is_a_table(ask: Run, tmp_path: Path) -> None:
    file = save(
        tmp_path, "Book1.txt", "id\ttext\tlabel\r\n1\tmoney, back\trefund\r\n2\treceipt\tinvoice\r\n".encode("utf-16")
    )
    assert counts(ask, file) == {"invoice": 1, "refund": 1}
    assert predict(ask, file) == ["money, back", "receipt"]
    strange = save(tmp_path, "Book2.txt", "Nr\tWortlaut\r\n1\tmoney\r\n".encode("utf-16"))
    assert "--format tsv" in refused(ask("predict", "tickets_v1", strange))


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a"])
def test_excels_line_about_the_delimiter_is_no_text(ask: Run, tmp_path: Path, name: str) -> None:
    assert predict(ask, save(tmp_path, name, "sep=;\r\nid;text\r\n1;I was charged, twice\r\n")) == [
        "I was charged, twice"
    ]


@pytest.mark.parametrize(
    "beginning", ["<html><body>\n<table>", "<!DOCTYPE html>\n", '<?xml version="1.0"?>\n', "<table>"]
)
def test_a_page_that_calls_itself_a_spreadsheet_is_told_as_such(ask: Run, tmp_path: Path, beginning: str) -> None:
    file = save(tmp_path, "report.xls", f"{beginning}<tr><td>text</td></tr>\n")
    assert "it is HTML or XML" in refused(ask("predict", "tickets_v1", file))
    assert predict(ask, file, "--format", "txt")[-1].endswith("</tr>")


def test_rows_that_were_rejected_in_prodigy_are_left_out_and_told(ask: Run, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"text": "money", "label": "refund", "answer": "accept"},
        {"text": "receipt", "label": "refund", "answer": "reject"},
        {"text": "bill", "label": "invoice", "answer": "accept"},
        {"text": "?", "label": "invoice", "answer": "ignore"},
    ]
    file = save(tmp_path, "prodigy.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    assert counts(ask, file) == {"invoice": 1, "refund": 1}
    said = ask("fit", "other", file, "--num-iterations", "0").err
    assert f"Left out of {file}: 2 rows." in said
    assert "line 2: its answer is reject, so it is no example." in said
    assert "line 4: its answer is ignore, so it is no example." in said


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_labels_that_are_whole_numbers_are_taken_as_their_text_with_a_warning(
    ask: Run, tmp_path: Path, name: str
) -> None:
    contents = {
        "a.csv": "text,label\nmoney,0\nreceipt,1\n",
        "a.jsonl": '{"text": "money", "label": 0}\n{"text": "receipt", "label": 1}\n',
    }
    ended = ask("fit", "new", save(tmp_path, name, contents[name]), "--num-iterations", "0")
    assert "Labels that are whole numbers are taken as their text ('0', '1')" in ended.err
