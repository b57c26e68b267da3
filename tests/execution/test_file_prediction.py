"""Whole files, predicted in shards on this machine: each row once, in order; runs that broke off, and other ones."""

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.object_stores import servers
from tests.toy import Toy
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import ConcurrentChange, InvalidFile, InvalidParameter, TrainingCancelled, WindrowError
from windrow.domain.file_prediction import FileProgress, PredictFilesRequest, PredictFilesSummary
from windrow.domain.prediction import PredictRequest
from windrow.domain.threshold import SetThresholdRequest
from windrow.execution.control import TrainingControl
from windrow.execution.file_manifest import DONE, MANIFEST
from windrow.execution.file_prediction import predict_files
from windrow.storage.input_files import find_input_files, open_input
from windrow.storage.places import open_place

ROWS = (Row("money back", "refund"), Row("receipt odd", "invoice"))
ADDED = ["predicted_label", "score", "in_scope", "abstained", "truncated"]


@pytest.fixture(scope="module")
def toy() -> Iterator[Toy]:
    toy = Toy()
    toy.start()
    toy.fit(FitRequest("tickets", ROWS, num_iterations=0))
    yield toy
    toy.close()


def ask(toy: Toy, source: Path | str, out: Path | str, **options: object) -> PredictFilesSummary:
    request = PredictFilesRequest(model_name="tickets", input=str(source), output=str(out), **options)  # type: ignore[arg-type]
    return predict_files(toy, request)


def write_csv(path: Path, texts: Sequence[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text"), *((str(n), text) for n, text in enumerate(texts))])
    return path


def parts(out: Path | str) -> dict[str, bytes]:
    place, _ = open_place(str(out))
    return {name: place.get(name) for name in sorted(place.names()) if name.startswith("part-")}


def csv_rows(out: Path | str) -> list[dict[str, str]]:
    texts = [part.decode() for name, part in parts(out).items() if name.endswith(".csv")]
    return [row for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))]


def labels(toy: Toy, texts: Sequence[str]) -> list[str | None]:
    return [each.label for each in toy.predict(PredictRequest(model_name="tickets", texts=tuple(texts)))]


@given(
    texts=st.lists(st.sampled_from(["money", "receipt", 'a "b",\nc', "é\r\n€"]), min_size=1, max_size=9),
    size=st.integers(1, 4),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_the_rows_of_all_parts_are_those_of_the_file(
    toy: Toy, tmp_path_factory: pytest.TempPathFactory, texts: list[str], size: int
) -> None:
    folder = tmp_path_factory.mktemp("run")
    report = ask(toy, write_csv(folder / "mails.csv", texts), folder / "out", shard_rows=size, quoting="csv")
    rows = csv_rows(folder / "out")
    assert [row["text"] for row in rows] == texts
    assert [row["id"] for row in rows] == [str(n) for n in range(len(texts))]
    assert [row["predicted_label"] for row in rows] == labels(toy, texts)
    assert (report.rows, report.rows_now, report.shards) == (len(texts), len(texts), -(-len(texts) // size))


def test_each_file_has_parts_of_its_own_kind(toy: Toy, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    write_csv(source / "a.csv", ["money", "receipt"])
    (source / "b.jsonl").write_text('{"text": "money", "n": [1]}\n{"text": "receipt"}\n')
    table = pa.table({"n": pa.array([1, 2], pa.int16()), "text": ["money", "receipt"]})
    pq.write_table(table, source / "c.parquet")
    (source / "d.tsv").write_text("text\tid\nmoney\t1\n")
    (source / "notes.txt").write_text("not read\n")
    report = ask(toy, source, tmp_path / "out", shard_rows=1)
    assert list(parts(tmp_path / "out")) == [
        *("part-00001-00001.csv", "part-00001-00002.csv", "part-00002-00001.jsonl", "part-00002-00002.jsonl"),
        *("part-00003-00001.parquet", "part-00003-00002.parquet", "part-00004-00001.tsv"),
    ]
    assert (report.files, report.rows, report.model_name, report.revision) == (4, 7, "tickets", 1)
    first = json.loads((tmp_path / "out" / "part-00002-00001.jsonl").read_text())
    assert (first["n"], first["predicted_label"]) == ([1], "refund")
    found = pa.concat_tables(pq.read_table(path) for path in sorted((tmp_path / "out").glob("*.parquet")))
    assert found.select(["n", "text"]) == table
    assert found.column("predicted_label").to_pylist() == ["refund", "invoice"]
    done = json.loads((tmp_path / "out" / DONE).read_text())
    assert (done["rows"], done["shards"]) == (7, 7)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_parts_are_written_as_the_file_is(toy: Toy, tmp_path: Path, line_end: str) -> None:
    lines = ["sep=;", "Größe;text", *(f'"{n};5";money für {n}' for n in range(5))]
    source = tmp_path / "excel.csv"
    source.write_bytes(line_end.join([*lines, ""]).encode("cp1252"))
    report = ask(toy, source, tmp_path / "out", shard_rows=2, encoding="cp1252", scores=True)
    written = list(parts(tmp_path / "out").values())
    assert [each.decode("cp1252").split(line_end)[:2] for each in written] == [
        ["sep=;", ";".join(["Größe", "text", *ADDED, "score_invoice", "score_refund"])]
    ] * 3
    kept = [row for each in written for row in each.decode("cp1252").split(line_end)[2:-1]]
    assert [row.rpartition(";refund;")[0] for row in kept] == lines[2:]
    assert [(each.label, each.rows) for each in report.labels] == [("refund", 5)]
    assert 0 < report.labels[0].mean_score <= 1


def test_parts_may_have_an_encoding_of_their_own(toy: Toy, tmp_path: Path) -> None:
    source = tmp_path / "formulas.csv"
    source.write_bytes("text;=né\nmoney;=1+1\nreceipt;-5\n".encode("cp1252"))
    options = {"encoding": "cp1252", "output_encoding": "utf-8-sig", "escape_formulas": True, "decimal_comma": True}
    ask(toy, source, tmp_path / "out", **options)
    [content] = parts(tmp_path / "out").values()
    assert content.decode("utf-8").startswith("\ufefftext;'=né;predicted_label;")
    assert [line.split(";")[1] for line in content.decode("utf-8").splitlines()[1:]] == ["'=1+1", "-5"]
    assert all(line.split(";")[3].startswith("0,") for line in content.decode("utf-8").splitlines()[1:])
    with pytest.raises(InvalidParameter, match="is none of utf-8, utf-8-sig"):
        ask(toy, source, tmp_path / "other", output_encoding="cp1252")


@pytest.mark.parametrize("wanted", ["csv", "tsv", "jsonl", "parquet"])
def test_rows_are_written_as_another_kind(toy: Toy, tmp_path: Path, wanted: str) -> None:
    source = tmp_path / "in"
    source.mkdir()
    write_csv(source / "a.csv", ["money", "receipt"])
    pq.write_table(pa.table({"id": ["0", "1"], "text": ["money", "receipt"]}), source / "b.parquet")
    ask(toy, source, tmp_path / "out", output_format=wanted, scores=True, prefix="new_")
    paths = sorted((tmp_path / "out").glob("part-*"))
    if wanted != "parquet":
        assert paths[0].read_text() == paths[1].read_text()
    else:
        assert pq.read_table(paths[0]).to_pylist() == pq.read_table(paths[1]).to_pylist()
    assert {path.suffix for path in paths} == {f".{wanted}"}


def test_json_lines_are_not_written_as_parquet(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"text": "money"}\n')
    with pytest.raises(InvalidParameter, match="Write jsonl or csv"):
        ask(toy, tmp_path / "b.jsonl", tmp_path / "out", output_format="parquet")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("lost", [[], [0], [1, 3], [0, 1, 2, 3, 4]])
def test_a_run_goes_on_where_parts_are_missing(toy: Toy, tmp_path: Path, lost: list[int]) -> None:
    source = write_csv(tmp_path / "mails.csv", [f"money {n}" for n in range(9)])
    out = tmp_path / "out"
    ask(toy, source, out, shard_rows=2)
    whole = parts(out)
    for number in lost:
        (out / list(whole)[number]).unlink()
    times = {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}
    (out / DONE).unlink()
    report = ask(toy, source, out, shard_rows=2)
    assert parts(out) == whole
    assert (report.shards_before, report.rows_now) == (5 - len(lost), sum((2, 2, 2, 2, 1)[number] for number in lost))
    assert {name: (out / name).stat().st_mtime_ns for name in times} == times
    assert (out / DONE).exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scores": True}, "scores is True in place of False"),
        ({"shard_rows": 3}, "shard_rows is 3 in place of 2"),
        ({"text_column": ("id",)}, r"text_column is \['id'\] in place of \[\]"),
        ({"abstain_below": 0.5}, "abstain_below is 0.5 in place of None"),
    ],
)
def test_another_run_is_refused_with_what_differs(
    toy: Toy, tmp_path: Path, options: dict[str, object], words: str
) -> None:
    source, out = write_csv(tmp_path / "mails.csv", ["money"] * 5), tmp_path / "out"
    ask(toy, source, out, shard_rows=2)
    before = parts(out)
    with pytest.raises(InvalidParameter, match=words):
        ask(toy, source, out, **{"shard_rows": 2, **options})
    assert parts(out) == before
    report = ask(toy, source, out, overwrite=True, **{"shard_rows": 2, **options})
    assert report.rows_now == 5


def test_other_files_are_refused_with_what_happened_to_them(toy: Toy, tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a", "b", "c"):
        write_csv(source / f"{name}.csv", ["money"] * 3)
    ask(toy, source, out)
    (source / "a.csv").unlink()
    write_csv(source / "b.csv", ["money"] * 4)
    write_csv(source / "d.csv", ["money"])
    with pytest.raises(InvalidParameter, match=r"d.csv is new; .*a.csv is gone; .*b.csv is changed"):
        ask(toy, source, out)


def test_another_classifier_or_threshold_is_refused(toy: Toy, tmp_path: Path) -> None:
    source, out = write_csv(tmp_path / "mails.csv", ["money"]), tmp_path / "out"
    toy.fit(FitRequest("other", ROWS, num_iterations=0))
    request = PredictFilesRequest(model_name="other", input=str(source), output=str(out))
    predict_files(toy, request)
    with pytest.raises(InvalidParameter, match="the classifier is tickets in place of other"):
        ask(toy, source, out)
    toy.set_threshold(SetThresholdRequest("other", 0.9))
    with pytest.raises(InvalidParameter, match="another threshold"):
        predict_files(toy, request)


def test_a_newer_revision_answers_nothing_of_a_run_that_goes_on(toy: Toy, tmp_path: Path) -> None:
    source, out = write_csv(tmp_path / "mails.csv", ["money"] * 3), tmp_path / "out"
    toy.fit(FitRequest("older", ROWS, num_iterations=0))
    request = PredictFilesRequest(model_name="older", input=str(source), output=str(out), shard_rows=1)
    predict_files(toy, request)
    toy.fit(FitRequest("older", (Row("money", "x"), Row("receipt", "y")), num_iterations=0))
    (out / "part-00001-00002.csv").unlink()
    assert predict_files(toy, request).revision == 1
    assert {row["predicted_label"] for row in csv_rows(out)} == {"refund"}


def test_a_folder_of_other_parts_or_of_a_damaged_manifest_is_refused(toy: Toy, tmp_path: Path) -> None:
    source, out = write_csv(tmp_path / "mails.csv", ["money"]), tmp_path / "out"
    out.mkdir()
    (out / "part-0.csv").write_text("")
    with pytest.raises(InvalidParameter, match=r"holds part-0.csv, and nothing that says what it is of"):
        ask(toy, source, out)
    (out / MANIFEST).write_text("{")
    with pytest.raises(InvalidParameter, match="is damaged"):
        ask(toy, source, out)
    ask(toy, source, out, overwrite=True)
    assert list(parts(out)) == ["part-00001-00001.csv"]


def test_a_run_that_another_one_has_replaced_writes_no_more(toy: Toy, tmp_path: Path) -> None:
    source, out = write_csv(tmp_path / "mails.csv", ["money", "receipt", "money"]), tmp_path / "out"
    request = PredictFilesRequest(model_name="tickets", input=str(source), output=str(out), shard_rows=1)
    replaced = list[dict[str, bytes]]()

    def replace_it(progress: FileProgress) -> None:
        if progress.stage == "predicting" and progress.shards == 1 and not replaced:
            ask(toy, source, out, overwrite=True, prefix="anew_")
            replaced.append(parts(out))

    with pytest.raises(InvalidParameter, match="was begun anew while this run wrote to it"):
        predict_files(toy, request, replace_it)
    assert [parts(out)] == replaced


def test_without_pyarrow_nothing_is_begun_that_would_be_written_as_parquet(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    source, out = write_csv(tmp_path / "mails.csv", ["money"]), tmp_path / "out"
    with pytest.raises(InvalidParameter, match=r"pyarrow, which is not installed, so \S*mails.csv cannot"):
        ask(toy, source, out, output_format="parquet")
    assert not out.exists()
    ask(toy, source, out)


def test_results_may_not_stand_among_what_is_read(toy: Toy, tmp_path: Path) -> None:
    write_csv(tmp_path / "mails.csv", ["money"])
    with pytest.raises(InvalidParameter, match="results would stand among what is read"):
        ask(toy, tmp_path, tmp_path)


def test_a_wrong_row_ends_it_with_its_line_before_anything_is_classified(toy: Toy, tmp_path: Path) -> None:
    source, out = write_csv(tmp_path / "mails.csv", ["money", "receipt", " "]), tmp_path / "out"
    with pytest.raises(InvalidFile, match=r"mails.csv, line 4 \(2\): the text is blank"):
        ask(toy, source, out, shard_rows=1)
    assert not out.exists()


def test_a_text_that_is_too_long_ends_it_and_what_is_whole_stays(toy: Toy, tmp_path: Path) -> None:
    source, out = write_csv(tmp_path / "mails.csv", ["money", "x" * 20_001]), tmp_path / "out"
    with pytest.raises(WindrowError) as error:
        ask(toy, source, out, shard_rows=1)
    assert error.value.facts["line"] == 3
    assert list(parts(out)) == ["part-00001-00001.csv"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_bad_rows_stay_with_a_note_where_that_is_asked_for(toy: Toy, tmp_path: Path, kind: str) -> None:
    texts = [" ", "money", "x" * 20_001, "", "receipt", ""]
    source = write_csv(tmp_path / "mails.csv", texts)
    if kind == "parquet":
        source = tmp_path / "mails.parquet"
        pq.write_table(pa.table({"text": [*texts[:-1], None]}), source)
    report = ask(toy, source, tmp_path / "out", note_bad_rows=True, output_format="csv", shard_rows=4)
    rows = csv_rows(tmp_path / "out")
    assert [row["text"] for row in rows] == texts
    blank, too_long = "the text is blank", "the text is too long"
    assert [row["note"] for row in rows] == [blank, "", too_long, blank, "", blank]
    assert [row["predicted_label"] for row in rows] == ["", "refund", "", "", "invoice", ""]
    assert (report.rows, report.noted) == (6, 4)


def test_a_file_without_rows_becomes_a_header(toy: Toy, tmp_path: Path) -> None:
    report = ask(toy, write_csv(tmp_path / "mails.csv", []), tmp_path / "out")
    assert parts(tmp_path / "out") == {"part-00001-00001.csv": (",".join(["id", "text", *ADDED]) + "\r\n").encode()}
    assert (report.rows, report.shards) == (0, 1)


def test_progress_is_told_and_a_cancelled_run_goes_on_later(toy: Toy, tmp_path: Path) -> None:
    source, out = write_csv(tmp_path / "mails.csv", ["money"] * 6), tmp_path / "out"
    request = PredictFilesRequest(model_name="tickets", input=str(source), output=str(out), shard_rows=2)
    control, told = TrainingControl(), list[FileProgress]()

    def note(progress: FileProgress) -> None:
        told.append(progress)
        if progress.shards == 1 and progress.stage == "predicting":
            control.cancel()

    with pytest.raises(TrainingCancelled):
        predict_files(toy, request, note, control)
    assert list(parts(out)) == ["part-00001-00001.csv"]
    assert not (out / DONE).exists()
    assert [progress.stage for progress in told][:1] == ["planning"]
    assert (told[-1].rows, told[-1].num_rows, told[-1].num_shards) == (2, 6, 3)
    assert predict_files(toy, request).rows_now == 4


def test_of_two_that_begin_at_once_one_is_told(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = write_csv(tmp_path / "mails.csv", ["money"]), tmp_path / "out"
    ask(toy, source, out)
    monkeypatch.setattr("windrow.execution.file_prediction.read_manifest", lambda place, address: None)
    monkeypatch.setattr("windrow.execution.file_prediction._make_room", lambda place, request: None)
    with pytest.raises(ConcurrentChange, match="at the same time"):
        ask(toy, source, out)


@pytest.mark.slow
@pytest.mark.parametrize("name_of_store", ["moto", "azurite"])
def test_files_of_an_object_store_are_read_and_written(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name_of_store: str
) -> None:
    with servers.start(name_of_store) as store:
        store.set_environment(monkeypatch)
        address = store.new_data_dir()
        place, _ = open_place(f"{address}/in")
        for name in ("a", "b"):
            place.put(f"{name}.csv", write_csv(tmp_path / "x.csv", [f"money {n}" for n in range(5)]).read_bytes())
        table = pa.table({"text": [f"receipt {n}" for n in range(5)]})
        pq.write_table(table, tmp_path / "c.parquet", row_group_size=2)
        place.put("c.parquet", (tmp_path / "c.parquet").read_bytes())
        report = ask(toy, f"{address}/in/*", f"{address}/out/", shard_rows=2)
        assert (report.files, report.rows, report.shards) == (3, 15, 9)
        out, _ = open_place(f"{address}/out")
        assert {DONE, MANIFEST} < out.names()
        whole = parts(f"{address}/out")
        assert [row["text"] for row in csv_rows(f"{address}/out")][:5] == [f"money {n}" for n in range(5)]
        found = pa.concat_tables(
            pq.read_table(io.BytesIO(part)) for name, part in whole.items() if name.endswith(".parquet")
        )
        assert found.column("text").to_pylist() == table.column("text").to_pylist()
        for name in list(whole)[::2]:
            out.remove(name)
        assert ask(toy, f"{address}/in/*", f"{address}/out", shard_rows=2).shards_before == 4
        assert {name: out.get(name) for name in whole if name.endswith("csv")} == {
            name: part for name, part in whole.items() if name.endswith("csv")
        }
        with open_input(find_input_files(f"{address}/in/a.csv")[0]) as opened:
            changed = opened.read() + b"9,money\n"
        place.put("a.csv", changed)
        with pytest.raises(InvalidParameter, match=r"in/a.csv is changed"):
            ask(toy, f"{address}/in/*", f"{address}/out", shard_rows=2)
