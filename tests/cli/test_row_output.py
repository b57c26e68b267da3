"""Where answered rows go, from the command line: in the form of the file, in others, and gone on with."""

import errno
import gzip
import io
import json
import os
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.asking import Run
from tests.pages import shown_blocks
from tests.toy import Toy
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import ShuttingDown
from windrow.domain.prediction import IsConnected
from windrow.domain.read_options import ReadOptions
from windrow.execution import prediction_stream
from windrow.files.decoding import Source
from windrow.files.reading import read_table

TRAINED = FitRequest("tickets_v1", (Row("money back", "refund"), Row("receipt odd", "invoice")), num_iterations=0)
ADDED = "predicted_label;score;in_scope;abstained;truncated"


@pytest.fixture(autouse=True)
def _trained(toy: Toy) -> None:
    toy.fit(TRAINED)


def excel(file: Path, rows: int, encoding: str = "cp1252", mark: str = "", end: str = "\r\n") -> Path:
    lines = [
        *("sep=;", "Größe;text"),
        *(f'{n};"Geld; {"zurück" if n % 3 else "zurück" + end + "bitte"} {n}"' for n in range(rows)),
    ]
    file.write_bytes((mark + end.join([*lines, ""])).encode(encoding))
    return file


def test_a_german_file_of_excel_stays_one(ask: Run, tmp_path: Path) -> None:
    file, out = excel(tmp_path / "mails.csv", 4), tmp_path / "out.csv"
    assert ask("predict", "tickets_v1", file, "--encoding", "cp1252", "--out", out).code == 0
    text = out.read_bytes().decode("cp1252")
    assert text.startswith(f'sep=;\r\nGröße;text;{ADDED}\r\n0;"Geld; zurück\r\nbitte 0";invoice;0.')
    asked = ("predict", "tickets_v1", file, "--encoding", "cp1252", "--out", out, "--overwrite", "--decimal-comma")
    assert ask(*asked).code == 0
    assert ";invoice;0," in out.read_bytes().decode("cp1252").splitlines()[3]
    again = ("--encoding", "cp1252", "--prefix", "new_", "--out", tmp_path / "again.csv")
    assert ask("predict", "tickets_v1", out, *again).code == 0
    assert (tmp_path / "again.csv").read_bytes().startswith(out.read_bytes().partition(b"\r\n1;")[0][:60])


@pytest.mark.parametrize(
    "written",
    [("cp1252", "", "\r\n"), ("utf-8", "\ufeff", "\r\n"), ("utf-16-le", "\ufeff", "\n"), ("utf-8", "", "\r")],
    ids=["cp1252", "utf-8 with a mark", "utf-16", "old lines"],
)
def test_an_output_of_any_form_is_gone_on_with(
    ask: Run, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: tuple[str, str, str]
) -> None:
    for to in ("csv", "jsonl", "json"):
        folder = tmp_path / to
        folder.mkdir()
        goes_on(ask, toy, folder, monkeypatch, written)


def goes_on(ask: Run, toy: Toy, folder: Path, monkeypatch: pytest.MonkeyPatch, written: tuple[str, str, str]) -> None:
    to = folder.name
    monkeypatch.setattr(prediction_stream, "THREADS", 1)
    file, out = excel(folder / "mails.csv", 90, *written), folder / f"out.{to}"
    partial = out.with_name(f"{out.name}.partial")
    named = () if written[1] else ("--encoding", written[0])
    asked = ("predict", "tickets_v1", file, *named, "--quoting", "csv", "--out", out)
    assert ask(*asked).code == 0
    whole = out.read_bytes()
    out.unlink()
    calls: list[IsConnected] = []

    def stop(is_connected: IsConnected) -> None:
        calls.append(is_connected)
        if len(calls) > 2:  # the name was asked for, and the first rows
            raise ShuttingDown("The server stops. Ask again later.")

    toy.before_predict = stop
    assert ask(*asked).code != 0
    toy.before_predict = lambda _: None
    kept = partial.read_bytes()
    assert whole.startswith(kept)
    for torn in (kept[:-1], kept[: len(kept) // 2], kept):
        partial.write_bytes(torn)
        marker = partial.with_name(f"{partial.name}.json")
        fingerprint = marker.read_text()
        assert ask(*asked, "--resume").code == 0
        assert out.read_bytes() == whole
        out.unlink()
        partial.write_bytes(kept)
        marker.write_text(fingerprint)


def test_an_output_is_gone_on_with_only_in_the_form_in_which_it_was_begun(ask: Run, tmp_path: Path) -> None:
    file, out = excel(tmp_path / "mails.csv", 2), tmp_path / "out.csv"
    asked = ("predict", "tickets_v1", file, "--encoding", "cp1252", "--out", out)
    assert ask(*asked).code == 0
    out.rename(tmp_path / "out.csv.partial")
    options = {"format": "csv", "top_k": None, "abstain_below": None, "min_in_scope": None, "prefix": ""}
    begun = {"model_name": "tickets_v1", "reference": "tickets_v1@1", "options": options}
    begun["options"] = {**options, "all_scores": False, "with_note": False}
    (tmp_path / "out.csv.partial.json").write_text(json.dumps(begun))
    assert "with another value of text_form" in ask(*asked, "--resume").refusal


def test_each_command_of_the_page_does_what_the_page_says(
    ask: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mails.csv").write_text("id,text\n1,money back\n2,the receipt\n")
    excel(tmp_path / "excel.csv", 3)
    for block in shown_blocks("results-of-files", "sh"):
        for line in block.splitlines():
            ended = ask(*shlex.split(line)[1:])
            assert ended.code == 0, f"{line}: {ended.err}"
    assert (
        (tmp_path / "labelled-excel.csv")
        .read_bytes()
        .startswith("sep=;\r\nGröße;text;predicted_label".encode("cp1252"))
    )
    assert (tmp_path / "again.csv").read_text().splitlines()[0].startswith("id,text,predicted_label,score,")
    assert {path.name for path in (tmp_path / "by_label").iterdir()} == {"_labels.json", "refund.csv", "invoice.csv"}
    [task, _] = json.loads((tmp_path / "tasks.json").read_text())
    assert task["predictions"][0]["result"][0]["from_name"] == "topic"
    assert json.loads((tmp_path / "suggestions.jsonl").read_text().splitlines()[0])["label"] == ["refund"]


def test_formulas_are_escaped_where_that_is_asked_for(ask: Run, tmp_path: Path) -> None:
    file, out = tmp_path / "mails.csv", tmp_path / "out.csv"
    file.write_text("text,=note\n=1+1,-5\n@money,+49 170\n-money,-1.5e3\n")
    assert ask("predict", "tickets_v1", file, "--out", out, "--escape-formulas").code == 0
    rows = [line.split(",")[:2] for line in out.read_text().splitlines()]
    assert rows == [["text", "'=note"], ["'=1+1", "-5"], ["'@money", "'+49 170"], ["'-money", "-1.5e3"]]
    assert ask("predict", "tickets_v1", file, "--out", out, "--overwrite").code == 0
    assert out.read_text().splitlines()[1].startswith("=1+1,")


def test_a_label_that_the_encoding_does_not_have_is_refused_before_anything_is_written(
    ask: Run, toy: Toy, tmp_path: Path
) -> None:
    toy.fit(FitRequest("colours", (Row("money back", "żółty"), Row("receipt odd", "gelb")), num_iterations=0))
    file, out = excel(tmp_path / "mails.csv", 2), tmp_path / "out.csv"
    asked = ("predict", "colours", file, "--encoding", "cp1252", "--out", out)
    refusal = ask(*asked).refusal
    assert "The label 'żółty' holds 'ż', which the encoding of the file, cp1252, does not have" in refusal
    assert "--output-encoding utf-8-sig" in refusal
    assert [path.name for path in tmp_path.iterdir()] == ["mails.csv"]
    assert ask(*asked, "--output-encoding", "utf-8-sig").code == 0
    assert out.read_bytes().startswith("\ufeffsep=;\r\nGröße;text;".encode())


def test_results_are_never_packed(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv.gz"
    file.write_bytes(gzip.compress(b"id;text\r\n1;money\r\n"))
    refusal = ask("predict", "tickets_v1", file, "--out", f"{file}.gz").refusal
    assert f"Name {file}.gz without .gz" in refusal
    assert ask("predict", "tickets_v1", file, "--out", tmp_path / "out.csv").code == 0
    assert (tmp_path / "out.csv").read_bytes().startswith(b"id;text;predicted_label")


@pytest.mark.parametrize("to", ["xlsx", "parquet"])
def test_workbooks_and_parquet_are_written_at_once(ask: Run, tmp_path: Path, to: str) -> None:
    file, out = excel(tmp_path / "mails.csv", 3), tmp_path / f"out.{to}"
    asked = ("predict", "tickets_v1", file, "--encoding", "cp1252", "--out", out, "--scores")
    document = ask(*asked, "--json").document
    assert (document["rows"], document["output"]) == (3, str(out))
    refusal = ask(*asked[:-2], tmp_path / f"b.{to}", "--resume").refusal
    assert "--resume goes with csv, tsv, jsonl and json" in refusal
    assert "or Parquet into a folder, by shards: --out FOLDER/ --to parquet" in refusal
    assert "add --overwrite" in ask(*asked).refusal
    added = [*ADDED.split(";"), "score_invoice", "score_refund"]
    if to == "parquet":
        assert pq.read_table(out).column_names == ["Größe", "text", *added]
    else:
        source = Source("out.xlsx", io.BytesIO(out.read_bytes()))
        table = read_table(source, "out.xlsx", ReadOptions())
        assert table.names == ("Größe", "text", *added)
        assert [each.values["Größe"] for each in table.records()] == ["0", "1", "2"]
        again = tmp_path / "again.xlsx"
        assert ask("predict", "tickets_v1", out, "--out", again, "--prefix", "new_").code == 0
        assert "is no text. Name a file" in ask("predict", "tickets_v1", out, "--to", "xlsx", "--prefix", "b_").refusal
        assert ask("predict", "tickets_v1", out, "--prefix", "new_").out.startswith("Größe,text,predicted_label,")
    assert sorted(path.name for path in tmp_path.iterdir() if "again" not in path.name) == ["mails.csv", f"out.{to}"]


def test_a_file_of_a_labelling_tool_becomes_one_of_the_same_tool(ask: Run, tmp_path: Path) -> None:
    file, out = tmp_path / "tasks.json", tmp_path / "out.json"
    tasks = [{"id": n, "data": {"text": "money"}, "annotations": [], "predictions": []} for n in range(2)]
    file.write_text(json.dumps(tasks))
    ended = ask("predict", "tickets_v1", file, "--out", out)
    assert ended.code == 0, ended.err
    written = json.loads(out.read_text())
    assert [{**each, "predictions": []} for each in written] == tasks
    assert written[0]["predictions"][0]["model_version"] == "tickets_v1@1"
    assert "Label Studio shows these predictions where the Choices are called 'label'" in ended.err
    assert "has no place for all scores" in ask("predict", "tickets_v1", file, "--scores").refusal
    rows = ask("predict", "tickets_v1", file, "--to", "csv", "--quiet").out.splitlines()
    assert rows[0] == f"id,text,split,{ADDED.replace(';', ',')}"
    assert rows[1].startswith("0,money,,refund,")


def test_a_disk_that_cannot_be_written_is_told_and_leaves_nothing(
    ask: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = excel(tmp_path / "mails.csv", 2)
    asked = ("predict", "tickets_v1", file, "--encoding", "cp1252", "--quiet")
    monkeypatch.setattr(os, "fsync", full)
    for out in (("--out", tmp_path / "out.xlsx"), ("--split-by-label", tmp_path / "out")):
        ended = ask(*asked, *out)
        assert ended.code == 5
        assert f"{out[1]} cannot be written: No space left on device. Make room" in ended.refusal
        assert [path.name for path in tmp_path.iterdir()] == ["mails.csv"]
