"""predict into a folder: shards of files, on the product itself with a toy encoder, and as a process."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tests.cli.asking import Run

pytestmark = pytest.mark.usefixtures("trained")


def write(file: Path, texts: list[str]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([("id", "text"), *((str(n), text) for n, text in enumerate(texts))])
    return file


def rows(out: Path) -> list[dict[str, str]]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(out.glob("part-*.csv"))]
    return [row for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_files_of_a_pattern_go_to_a_folder_in_shards(ask: Run, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ["money"] * 3)
    write(tmp_path / "b.csv", ["receipt"])
    out = tmp_path / "labelled"
    ended = ask("predict", "tickets_v1", f"{tmp_path}/*.csv", "--out", f"{out}/", "--shard-rows", 2)
    assert (ended.code, ended.out) == (0, "")
    assert f"4 rows in {out}/." in ended.err
    assert "by tickets_v1@1" in ended.err
    assert [path.name for path in sorted(out.glob("part-*"))] == [
        *("part-00001-00001.csv", "part-00001-00002.csv", "part-00002-00001.csv"),
    ]
    assert [row["predicted_label"] for row in rows(out)] == ["refund"] * 3 + ["invoice"]


def test_the_same_command_goes_on_and_another_one_is_refused(ask: Run, tmp_path: Path) -> None:
    source, out = write(tmp_path / "a.csv", ["money"] * 5), tmp_path / "labelled"
    command = ("predict", "tickets_v1", source, "--out", f"{out}/", "--shard-rows", 2)
    ask(*command)
    (out / "part-00001-00002.csv").unlink()
    assert "2 rows in" in (again := ask(*command).err)
    assert "2 of 3 shards were there already" in again
    for name in ("part-00001-00001.csv", "part-00001-00002.csv"):
        (out / name).unlink()
    assert "1 of 3 shards was there already" in ask(*command, "--resume").err
    refusal = ask(*command, "--scores").refusal
    assert "this one differs: scores is True in place of False" in refusal
    assert "begin anew with --overwrite" in refusal
    assert ask(*command, "--scores", "--overwrite").code == 0
    assert "score_refund" in rows(out)[0]


def test_what_was_done_is_one_document(ask: Run, tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv", ["money", " "])
    options = ("--out", f"{tmp_path}/out/", "--note-bad-rows", "--to", "jsonl", "--prefix", "new_")
    document = ask("predict", "tickets_v1", source, *options, "--json").document
    assert (document["rows"], document["noted"], document["model_name"]) == (2, 1, "tickets_v1")
    lines = (tmp_path / "out" / "part-00001-00001.jsonl").read_text().splitlines()
    assert [json.loads(line)["new_note"] for line in lines] == [None, "the text is blank"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--shard-rows", 5), "Name it, like --out labelled/"),
        (("--out", "{}/out/", "--skip-bad-rows"), "Add --note-bad-rows in place of --skip-bad-rows"),
        (("--out", "{}/out/", "--to", "table"), "A folder of shards holds csv, tsv, jsonl, parquet, not table"),
        (("--out", "{}/out/", "--to", "xlsx"), "A folder of shards holds"),
        (("--shard-rows", 5, "--split-by-label", "{}/x"), "--split-by-label goes with one file"),
        (("--out", "{}/out/", "--workers", 2), "--workers goes with a Ray cluster"),
        (("--out", "{}/out/", "--runner", "spark"), "--runner 'spark' is no runner"),
        (("--out", "{}/out/", "--shard-rows", 0), "--shard-rows is 0; it must lie between 1 and 1000000"),
        (("--out", "{}/a.csv/x/"), "a.csv"),
        (("--out", "{}/"), "Name another folder"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    ask: Run, tmp_path: Path, options: tuple[object, ...], words: str
) -> None:
    source = write(tmp_path / "a.csv", ["money"])
    ended = ask("predict", "tickets_v1", source, *(str(option).format(tmp_path) for option in options))
    assert words in ended.refusal
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_wrong_row_is_told_with_its_file_and_line(ask: Run, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ["money"])
    write(tmp_path / "b.csv", ["money", "x" * 20_001])
    refusal = ask("predict", "tickets_v1", tmp_path, "--out", f"{tmp_path}/out/").refusal
    assert f"{tmp_path}/b.csv, line 3: the text" in refusal
    assert len(rows(tmp_path / "out")) == 1


def test_no_file_is_told_with_what_was_named(ask: Run, tmp_path: Path) -> None:
    refusal = ask("predict", "tickets_v1", f"{tmp_path}/*.csv", "--out", f"{tmp_path}/out/").refusal
    assert refusal.startswith(f"No file matches {tmp_path}/*.csv.")


@pytest.mark.slow
def test_a_process_that_is_killed_is_gone_on_with(tmp_path: Path) -> None:
    data, source, out = (
        tmp_path / "data",
        write(tmp_path / "a.csv", [f"money {n}" for n in range(3_000)]),
        tmp_path / "out",
    )
    train = write_training(tmp_path / "train.csv")
    environment = {**os.environ, "WINDROW_DATA_DIR": str(data), "WINDROW_OFFLINE": "1"}
    windrow = [sys.executable, "-m", "windrow"]
    subprocess.run([*windrow, "fit", "tickets", str(train), "--num-iterations", "0"], env=environment, check=True)
    command = [*windrow, "predict", "tickets", str(source), "--out", f"{out}/", "--shard-rows", "100"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    deadline_s = time.monotonic() + 60
    while len(list(out.glob("part-*"))) < 3:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    there = len(list(out.glob("part-*")))
    assert not (out / "_SUCCESS").exists()
    done = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert (report["shards_before"], report["rows_now"]) == (there, 3_000 - 100 * there)
    assert [row["text"] for row in rows(out)] == [f"money {n}" for n in range(3_000)]
    process = subprocess.Popen([*command, "--overwrite"], env=environment, stderr=subprocess.PIPE, text=True)
    while (out / "_SUCCESS").exists() or not list(out.glob("part-*")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in said


def write_training(path: Path) -> Path:
    examples = [(f"money back {n}", "refund") for n in range(4)] + [
        (f"receipt is odd {n}", "invoice") for n in range(4)
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *examples])
    return path


def test_parquet_becomes_one_file_of_another_format_where_its_name_says_so(ask: Run, tmp_path: Path) -> None:
    source, out = tmp_path / "mails.parquet", tmp_path / "labelled.csv"
    table = pyarrow.table({"id": [7, 8], "text": ["money, back", "a bill"], "label": [1, 0], "means": [[0.5], []]})
    names = {"names": ["no", "yes"], "_type": "ClassLabel"}
    said = json.dumps({"info": {"features": {"label": names}}}).encode()
    pyarrow.parquet.write_table(table.replace_schema_metadata({b"huggingface": said}), source)
    assert ask("predict", "tickets_v1", source, "--out", out).code == 0
    [first, second] = csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"), newline=""))
    assert list(first)[:5] == ["id", "text", "label", "means", "predicted_label"]
    assert list(first.values())[:4] == ["7", "money, back", "1", "[0.5]"]
    assert second["text"] == "a bill"
    ask("predict", "tickets_v1", source, "--out", tmp_path / "labelled.parquet")
    assert (tmp_path / "labelled.parquet" / "part-00001-00001.parquet").exists()
