"""predict: a text, several classifiers, and files of any length."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.toy import Toy
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import ShuttingDown
from windrow.domain.prediction import IsConnected, PredictRequest
from windrow.execution import prediction_stream

pytestmark = pytest.mark.usefixtures("trained")

MAILS = [("7", "I want my money back"), ("8", "The receipt, again,\nis odd"), ("9", "money")]
OTHER_ROWS = FitRequest("tickets_v1", (Row("money", "a"), Row("receipt", "b")), num_iterations=0)
# Those of the first revision, which no later one has.
OLD_LABELS = {"refund", "invoice"}
ADDED = ["predicted_label", "score", "in_scope", "abstained", "truncated"]


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    return write(tmp_path / "mails.csv", MAILS)


def write(file: Path, rows: list[tuple[str, str]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([("id", "text"), *rows])
    return file


def many(file: Path, count: int) -> Path:
    return write(file, [(str(number), f"money {number}") for number in range(count)])


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_text_is_answered_with_its_scores(ask: Run) -> None:
    lines = ask("predict", "tickets_v1", "--text", "I want my money back").lines
    assert lines[0] == "refund (by tickets_v1@1)"
    assert any(line.startswith("refund 0.") for line in lines)
    assert any(line.startswith("In scope: 1.00. That is the share of the training rows") for line in lines)


def test_a_text_is_answered_by_the_document_of_the_http_api(ask: Run) -> None:
    document = ask("predict", "tickets_v1", "--text", "money", "--top-k", "1", "--json").document
    assert document["label"] == "refund"
    assert list(document["scores"]) == ["refund"]
    assert document["explanation"] is None


def test_a_text_is_explained_word_by_word(ask: Run, toy: Toy) -> None:
    text = "I want my money back"
    [answer] = toy.predict(PredictRequest(model_name="tickets_v1", text=text, explain=True))
    assert answer.explanation is not None
    lines = ask("predict", "tickets_v1", "--text", "I want my money back", "--explain").lines
    assert any("would fall without each word" in line for line in lines)
    assert {f"{word.word} {word.effect:+.3f}" for word in answer.explanation.words} <= set(lines)
    assert any("refund" in line and "I want my money back" in line for line in lines)
    document = ask("predict", "tickets_v1", "--text", "money back", "--explain", "--json").document
    assert document["explanation"]["label"] == "refund"


def test_several_classifiers_answer_one_text(ask: Run) -> None:
    asked = ("predict", "tickets_v1", "--also", "tickets_v2@1", "--text", "money")
    assert [line.split()[0] for line in ask(*asked).lines[2:]] == ["tickets_v1@1", "tickets_v2@1"]
    assert [one["model_name"] for one in ask(*asked, "--json").document["predictions"]] == ["tickets_v1", "tickets_v2"]


def test_texts_that_are_not_read_whole_are_warned_of(ask: Run, tmp_path: Path) -> None:
    long = "money back " * 400
    ended = ask("predict", "tickets_v1", "--text", long)
    assert "Warning: The text is longer than the encoder reads. Its end decided nothing" in ended.err
    file = write(tmp_path / "long.csv", [("1", long), ("2", "money"), ("3", long), ("4", "bill")])
    err = ask("predict", "tickets_v1", file).err
    assert "Warning: 2 of 4 rows (50.0 %) are longer than the encoder reads." in err
    assert "the label is a guess, whatever score and in_scope say" in err


def test_a_text_without_a_label_says_so(ask: Run) -> None:
    assert ask("predict", "tickets_v1", "--text", "zebra", "--min-in-scope", "0.5").lines[0].startswith("(abstained)")


def test_a_file_is_answered_row_by_row_on_standard_output(ask: Run, mails: Path) -> None:
    ended = ask("predict", "tickets_v1", mails)
    assert ended.code == 0, ended.err
    rows = read(ended.out)
    assert list(rows[0]) == ["id", "text", *ADDED]
    assert [(row["id"], row["text"]) for row in rows] == MAILS
    assert [row["predicted_label"] for row in rows] == ["refund", "invoice", "refund"]
    said = ended.err.splitlines()
    assert said[0] == "tickets_v1@1 answers all rows."
    assert [line.partition("  mean score ")[0] for line in said[1:3]] == ["  refund   2", "  invoice  1"]
    assert said[-1].startswith("3 rows in ")


def test_quiet_says_nothing_but_data(ask: Run, mails: Path) -> None:
    ended = ask("predict", "tickets_v1", mails, "--quiet", "--to", "jsonl", "--scores")
    assert ended.err == ""
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [row["id"] for row in rows] == ["7", "8", "9"]
    assert set(rows[0]["scores"]) == {"refund", "invoice"}


def test_standard_input_is_read_where_no_file_is_named(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ((), ("-",)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "money"}\n{"text": "receipt"}\n')))
        ended = ask("predict", "tickets_v1", *name)
        assert [json.loads(row)["predicted_label"] for row in ended.out.splitlines()] == ["refund", "invoice"]


def test_a_file_is_answered_by_the_document_of_the_http_api(ask: Run, toy: Toy, mails: Path) -> None:
    toy.promote(PromoteRequest("tickets", "tickets_v1"))
    document = ask("predict", "tickets", mails, "--json").document
    assert (document["model_name"], document["revision"], document["alias"]) == ("tickets_v1", 1, "tickets")
    assert [one["label"] for one in document["predictions"]] == ["refund", "invoice", "refund"]


def test_nothing_that_a_terminal_obeys_is_shown_and_data_stay_as_they_are(ask: Run, tmp_path: Path) -> None:
    text = "\x1b[31mI was charged\u202e"
    file = write(tmp_path / "ansi.csv", [("1", text)])
    assert all(map(str.isprintable, ask("predict", "tickets_v1", file, "--to", "table").out.splitlines()))
    assert [row["text"] for row in read(ask("predict", "tickets_v1", file).out)] == [text]
    [line] = ask("predict", "tickets_v1", file, "--to", "jsonl").out.splitlines()
    assert json.loads(line)["text"] == text
    refused = ask("predict", "tickets_v1", tmp_path / "none\x1b[31m.csv")
    assert (refused.code, refused.refusal.isprintable()) == (2, True)


def test_a_table_is_for_people(ask: Run, mails: Path) -> None:
    lines = ask("predict", "tickets_v1", mails, "--to", "table").lines
    assert lines[0] == "label score in scope text"
    assert lines[2].endswith("The receipt, again, is odd")


def test_a_file_is_written_whole(ask: Run, mails: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    ended = ask("predict", "tickets_v1", mails, "--out", out)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[-1].endswith(f"written to {out}.")
    assert [json.loads(line)["predicted_label"] for line in out.read_text().splitlines()] == [
        "refund",
        "invoice",
        "refund",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mails.csv", "out.jsonl"]


def test_an_output_that_is_there_is_not_overwritten_unasked(ask: Run, mails: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("mine")
    ended = ask("predict", "tickets_v1", mails, "--out", out)
    assert ended.code == 2
    assert "add --overwrite" in ended.refusal
    assert out.read_text() == "mine"
    assert ask("predict", "tickets_v1", mails, "--out", out, "--overwrite").code == 0
    assert len(read(out.read_text())) == 3


def test_a_wrong_row_is_told_with_its_line_and_the_rows_before_are_kept(ask: Run, tmp_path: Path) -> None:
    rows = [*MAILS, ("10", " ")]
    file, out = write(tmp_path / "mails.csv", rows), tmp_path / "out.csv"
    ended = ask("predict", "tickets_v1", file, "--out", out, "--quiet")
    assert ended.code == 2
    assert ended.refusal == (
        f"{file}, line 6 (10): the text is blank. Fill it in or remove that row. "
        "To leave such rows out, begin anew with --skip-bad-rows and --overwrite. "
        f"The rows before are in {out}.partial; go on with --resume."
    )
    assert not out.exists()
    write(file, [*MAILS, ("10", "money")])
    resumed = ask("predict", "tickets_v1", file, "--out", out, "--resume")
    assert resumed.code == 0, resumed.err
    assert "3 rows are there already" in resumed.err
    assert [row["id"] for row in read(out.read_text())] == ["7", "8", "9", "10"]


def test_what_leaves_a_wrong_row_out_is_done_as_it_is_told(ask: Run, tmp_path: Path) -> None:
    file, out = write(tmp_path / "mails.csv", [*MAILS, ("10", " ")]), tmp_path / "out.csv"
    assert ask("predict", "tickets_v1", file, "--out", out, "--quiet").code == 2
    anew = ask("predict", "tickets_v1", file, "--out", out, "--quiet", "--skip-bad-rows", "--overwrite")
    assert anew.code == 0, anew.err
    assert [row["id"] for row in read(out.read_text())] == ["7", "8", "9"]
    # No row can be left out of one document, so nothing is said of it.
    assert "--skip-bad-rows" not in ask("predict", "tickets_v1", file, "--json").err


def test_a_row_that_the_service_refuses_is_told_with_its_line(ask: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "mails.csv", [*MAILS, ("10", "a" * 30_000)])
    ended = ask("predict", "tickets_v1", file, "--quiet")
    assert ended.code == 2
    assert ended.refusal == (
        f"{file}, line 6 (10): the text has 30000 characters; at most 20000 are taken here. Shorten it, or raise "
        "WINDROW_MAX_TEXT_CHARS. Add --skip-bad-rows to leave such rows out."
    )


def test_all_rows_come_from_one_revision_whatever_is_promoted_meanwhile(ask: Run, toy: Toy, tmp_path: Path) -> None:
    toy.promote(PromoteRequest("tickets", "tickets_v1"))

    asked = 0

    def train(is_connected: IsConnected) -> None:
        nonlocal asked
        asked += 1
        if asked == 3:  # the alias and its revision were asked before
            toy.fit(OTHER_ROWS)

    toy.before_predict = train
    ended = ask("predict", "tickets", many(tmp_path / "many.csv", 200))
    assert ended.err.splitlines()[0] == "tickets_v1@1 answers all rows."
    assert {row["predicted_label"] for row in read(ended.out)} <= OLD_LABELS


def interrupt_after(toy: Toy, monkeypatch: pytest.MonkeyPatch, chunks: int) -> None:
    """Have Ctrl-C pressed once so many chunks were asked for, and the classifier trained again before that."""
    monkeypatch.setattr(prediction_stream, "_FIRST_CHUNK_TEXTS", 8)
    monkeypatch.setattr(prediction_stream, "MAX_CHUNK_TEXTS", 8)
    asked = 0

    def before(is_connected: IsConnected) -> None:
        nonlocal asked
        asked += 1
        if asked == 2:  # the name was asked before
            toy.fit(OTHER_ROWS)
        if asked > chunks + 1:
            raise KeyboardInterrupt

    toy.before_predict = before


def test_ctrl_c_leaves_whole_rows_and_the_run_can_go_on(
    ask: Run, toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, out = many(tmp_path / "many.csv", 500), tmp_path / "out.csv"
    interrupt_after(toy, monkeypatch, 4)
    stopped = ask("predict", "tickets_v1", file, "--out", out, "--quiet")
    assert stopped.code == 130
    assert stopped.refusal == f"stopped; the rows before are in {out}.partial; go on with --resume."
    toy.before_predict = lambda is_connected: None
    resumed = ask("predict", "tickets_v1", file, "--out", out, "--resume")
    assert resumed.code == 0, resumed.err
    assert "tickets_v1@1 answers all rows." in resumed.err
    rows = read(out.read_text())
    assert [row["id"] for row in rows] == [str(number) for number in range(500)]
    assert {row["predicted_label"] for row in rows} <= OLD_LABELS
    assert "is whole already" in ask("predict", "tickets_v1", file, "--out", out, "--resume").err


def test_a_run_is_gone_on_with_only_as_it_began(
    ask: Run, toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, out = many(tmp_path / "many.csv", 500), tmp_path / "out.csv"
    interrupt_after(toy, monkeypatch, 4)
    ask("predict", "tickets_v1", file, "--out", out)
    toy.before_predict = lambda is_connected: None
    asked = ("predict", "tickets_v1", file, "--out", out)
    assert "Go on with --resume" in ask(*asked).refusal
    assert "begun by tickets_v1, not by tickets_v2" in ask("predict", "tickets_v2", *asked[2:], "--resume").refusal
    assert "another value of all_scores" in ask(*asked, "--resume", "--scores").refusal
    write(file, MAILS)
    other = ask(*asked, "--resume")
    assert other.code == 2
    assert "Is it another file?" in other.err
    assert ask(*asked, "--overwrite").code == 0
    assert len(read(out.read_text())) == 3


def test_a_server_that_stops_says_how_to_go_on(ask: Run, toy: Toy, mails: Path, tmp_path: Path) -> None:
    def stop(is_connected: IsConnected) -> None:
        raise ShuttingDown("The server stops. Ask again later.")

    toy.before_predict = stop
    ended = ask("predict", "tickets_v1", mails, "--out", tmp_path / "out.csv", "--quiet")
    assert ended.code == 4
    assert ended.refusal == "The server stops. Ask again later."
    assert [path.name for path in tmp_path.iterdir()] == ["mails.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tickets_v1", "no such file.csv"), "For a single text, write --text before it"),
        (("tickets_v1", "none.csv"), "There is no file none.csv"),
        (("tickets_v1", "-", "--text", "a"), "Both --text and a file"),
        (
            ("tickets_v1", "--text", "a", "--out", "x.csv"),
            "--out, --split-by-label, --to, --resume and --skip-bad-rows go with a file",
        ),
        (("tickets_v1", "-", "--explain"), "go with a single text"),
        (("tickets_v1", "-", "--json", "--to", "csv"), "--json prints one document"),
        (("tickets_v1", "-", "--out", "x.csv", "--to", "table"), "A table is for a terminal"),
        (("tickets_v1", "-", "--resume"), "go with --out"),
        (("tickets_v1", "--text", "a", "--skip-bad-rows"), "--skip-bad-rows go with a file"),
        (("tickets_v1", "-", "--out", "x.csv", "--skip-bad-rows", "--resume"), "Leave one of them out"),
        (("tickets_v1", "-", "--json", "--skip-bad-rows"), "Leave one of them out"),
        (("tickets_v1", "--text", " "), "The text is blank"),
    ],
)
def test_what_does_not_go_together_is_refused(ask: Run, arguments: tuple[str, ...], words: str) -> None:
    ended = ask("predict", *arguments)
    assert ended.code == 2
    assert words in ended.refusal


def test_an_unknown_classifier_is_not_possible(ask: Run, mails: Path, tmp_path: Path) -> None:
    ended = ask("predict", "tickets_v9", mails, "--out", tmp_path / "out.csv")
    assert ended.code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["mails.csv"]


def test_columns_that_are_not_called_text_are_told_and_named(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("id,body\n1,money\n")
    assert "the texts stand in 'body'" in ask("predict", "tickets_v1", file).err
    file.write_text("id,what\n1,money\n")
    assert "--text-column" in ask("predict", "tickets_v1", file).refusal
    assert read(ask("predict", "tickets_v1", file, "--text-column", "what").out)[0]["predicted_label"] == "refund"


def test_new_columns_can_have_other_names(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("text,score\nmoney,1\n")
    assert "--prefix" in ask("predict", "tickets_v1", file, "--quiet").refusal
    assert read(ask("predict", "tickets_v1", file, "--prefix", "new_").out)[0]["new_predicted_label"] == "refund"


def test_a_file_without_rows_gives_none(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("id,text\n")
    header = ",".join(("id", "text", *ADDED)) + "\n"
    ended = ask("predict", "tickets_v1", file)
    assert (ended.code, ended.out) == (0, header)
    assert ask("predict", "tickets_v1", file, "--to", "jsonl").out == ""
    out = tmp_path / "out.csv"
    assert ask("predict", "tickets_v1", file, "--out", out).code == 0
    assert out.read_text() == header
    assert list(read(ask("predict", "tickets_v1", out, "--prefix", "new_").out)) == []


BAD_ROWS = [("1", "money"), ("2", " "), ("3", "receipt"), ("4", "a" * 30_000), ("5", ""), ("6", "money back")]


def test_bad_rows_are_left_out_and_told_where_that_is_wanted(ask: Run, tmp_path: Path) -> None:
    file, out = write(tmp_path / "mails.csv", BAD_ROWS), tmp_path / "out.csv"
    ended = ask("predict", "tickets_v1", file, "--out", out, "--skip-bad-rows")
    assert ended.code == 0, ended.err
    rows = read(out.read_text())
    assert [(row["id"], row["predicted_label"]) for row in rows] == [("1", "refund"), ("3", "invoice"), ("6", "refund")]
    told = [
        f"Left out of {file}: 3 rows that are wrong.",
        "  line 3 (2): the text is blank. Fill it in or remove that row.",
        "  line 5 (4): the text has 30000 characters; at most 20000 are taken here. Shorten it, or raise "
        "WINDROW_MAX_TEXT_CHARS.",
        "  line 6 (5): the text is blank. Fill it in or remove that row.",
    ]
    assert ended.err.splitlines()[-4:] == told
    document = ask("predict", "tickets_v1", file, "--out", out, "--skip-bad-rows", "--overwrite", "--json").document
    [warning] = document["warnings"]
    assert warning["code"] == "rows_left_out"
    assert warning["message"] == " ".join(told).replace("  line", "Line")


def test_a_training_and_a_prediction_leave_out_the_same_rows_with_the_same_words(ask: Run, tmp_path: Path) -> None:
    lines = [
        {"text": "charged twice", "label": "billing", "id": "a"},
        '{"text": "broken',
        ["no object"],
        {"text": 7, "label": "billing", "id": "b"},
        {"label": "billing", "id": "c"},
        {"text": "it crashes", "label": "bug", "id": "d"},
        {"text": "\u200b", "label": "bug", "id": "e"},
        {"text": "money back", "label": "billing", "id": "f"},
        {"text": "it hangs", "label": "bug", "id": "g"},
        {"text": "a" * 30_000, "label": "bug", "id": "h"},
    ]
    file, out = tmp_path / "mails.jsonl", tmp_path / "out.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))

    def told(err: str) -> list[str]:
        after = err.splitlines()
        begin = after.index(f"Left out of {file}: 6 rows that are wrong.")
        return after[begin : begin + 7]

    fitted = ask("fit", "new", file, "--num-iterations", "0", "--skip-bad-rows")
    predicted = ask("predict", "tickets_v1", file, "--out", out, "--skip-bad-rows")
    assert (fitted.code, predicted.code) == (0, 0), fitted.err + predicted.err
    same = [line.replace("an object with a text and a label", "an object or a text") for line in told(fitted.err)]
    assert told(predicted.err) == same
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["a", "d", "f", "g"]
    for ended in (ask("fit", "new", file), ask("predict", "tickets_v1", file, "--quiet")):
        assert ended.code == 2
        assert f"{file}, line 2: " in ended.err
        assert "dd --skip-bad-rows to leave such rows out." in ended.err


def test_bad_lines_of_plain_text_are_left_out_too(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.txt"
    file.write_text("money\n\n \nreceipt\n")
    assert "line 2: the text is blank" in ask("predict", "tickets_v1", file, "--quiet").refusal
    rows = read(ask("predict", "tickets_v1", file, "--skip-bad-rows").out)
    assert [row["text"] for row in rows] == ["money", "receipt"]


def test_a_single_row_that_is_left_out_is_told_by_its_line(ask: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "mails.csv", [("1", "money"), ("2", " ")])
    ended = ask("predict", "tickets_v1", file, "--skip-bad-rows")
    assert f"Left out of {file}: 1 row that is wrong.\n  line 3 (2): the text is blank." in ended.err


def test_a_file_of_bad_rows_alone_gives_none(ask: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "mails.csv", [("2", " "), ("4", "a" * 30_000)])
    ended = ask("predict", "tickets_v1", file, "--skip-bad-rows")
    assert (ended.code, read(ended.out)) == (0, [])


def test_a_run_that_leaves_rows_out_is_not_gone_on_with(
    ask: Run, toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, out = many(tmp_path / "many.csv", 500), tmp_path / "out.csv"
    interrupt_after(toy, monkeypatch, 4)
    stopped = ask("predict", "tickets_v1", file, "--out", out, "--quiet", "--skip-bad-rows")
    assert stopped.refusal == f"stopped; the rows before are in {out}.partial."
    refused = ask("predict", "tickets_v1", file, "--out", out, "--resume")
    assert refused.code == 2
    assert "another value of skip_bad_rows" in refused.refusal


def test_ctrl_c_on_standard_output_says_how_many_rows_are_out(
    ask: Run, toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    interrupt_after(toy, monkeypatch, 4)
    stopped = ask("predict", "tickets_v1", many(tmp_path / "many.csv", 500), "--quiet")
    assert stopped.code == 130
    rows = len(read(stopped.out))
    assert 0 < rows < 500
    assert stopped.refusal == f"stopped; {rows} rows were written before."
