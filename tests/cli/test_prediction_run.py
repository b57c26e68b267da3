"""Files answered by a multi-label classifier: as CSV, JSONL, a document, resumed, and in shards."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.asking import Run
from tests.multi_label import NAME, ROWS, publish_multi_label
from tests.toy import Toy
from windrow.domain.classifier import DeleteRequest, FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import ShuttingDown
from windrow.domain.prediction import IsConnected, PredictRequest
from windrow.execution import prediction_stream

EXPECTED = [";".join(labels) for labels in ROWS.values()]


@pytest.fixture
def published(toy: Toy) -> Toy:
    """The product with a multi-label classifier."""
    publish_multi_label(toy)
    return toy


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    file = tmp_path / "mails.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([("text",), *((text,) for text in ROWS)])
    return file


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.usefixtures("published")
def test_csv_has_the_labels_of_a_row_in_one_column(ask: Run, mails: Path) -> None:
    rows = read(ask("predict", NAME, mails, "--scores").out)
    scores = ["score_billing", "score_bug", "score_urgent"]
    added = ["predicted_labels", "score", "in_scope", "abstained", "truncated", *scores]
    assert list(rows[0]) == ["text", *added]
    assert [set(row["predicted_labels"].split(";")) for row in rows] == [set(each.split(";")) for each in EXPECTED]
    assert {row["abstained"] for row in rows} == {"false"}
    assert sum(float(rows[1][name]) for name in scores) > 1.5


@pytest.mark.usefixtures("published")
def test_json_has_them_as_a_list(ask: Run, mails: Path) -> None:
    rows = [json.loads(line) for line in ask("predict", NAME, mails, "--to", "jsonl").out.splitlines()]
    assert [sorted(row["predicted_labels"]) for row in rows] == [list(labels) for labels in ROWS.values()]
    document = ask("predict", NAME, mails, "--json").document
    assert document["kind"] == "multi_label"
    assert [sorted(each["labels"]) for each in document["predictions"]] == [list(labels) for labels in ROWS.values()]


@pytest.mark.usefixtures("published")
def test_what_abstains_has_no_labels_and_says_so(ask: Run, mails: Path) -> None:
    ended = ask("predict", NAME, mails, "--to", "jsonl", "--abstain-below", "1.0")
    rows = [json.loads(line) for line in ended.out.splitlines()]
    shown = [(row["predicted_labels"], row["abstained"]) for row in rows]
    assert shown == [(None, True) if labels else ([], False) for labels in ROWS.values()]
    assert "4 without a label" in ended.err


def test_a_text_is_answered_with_its_labels(ask: Run, published: Toy) -> None:
    lines = ask("predict", NAME, "--text", "My whole shop is down since the update", "--explain").lines
    assert lines[0].partition(" (by ")[0] in {"bug, urgent", "urgent, bug"}
    for label in ("bug", "urgent"):
        assert any(f"the score of '{label}' would fall without each word" in line for line in lines)
    published.fit(FitRequest("tickets_v1", (Row("money", "a"), Row("receipt", "b")), num_iterations=0))
    both = ask("predict", NAME, "--also", "tickets_v1", "--text", "Thank you for the nice talk").lines
    assert both[2].startswith("mails_v1@2 (none of the labels)")
    assert both[3].startswith("tickets_v1@1 ")


def test_a_run_that_broke_off_goes_on_with_the_same_form(
    ask: Run, published: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_stream, "THREADS", 1)
    out, file = tmp_path / "out.csv", tmp_path / "mails.txt"
    texts = [*ROWS] * 20
    file.write_text("\n".join(texts) + "\n")
    asked = ("predict", NAME, file, "--out", out)
    calls: list[IsConnected] = []

    def stop(is_connected: IsConnected) -> None:
        calls.append(is_connected)
        if len(calls) > 2:  # the name was asked for, and the first rows
            raise ShuttingDown("The server stops. Ask again later.")

    published.before_predict = stop
    assert ask(*asked).code != 0
    published.before_predict = lambda _: None
    kept = (tmp_path / "out.csv.partial").read_text()
    assert kept.startswith("text,predicted_labels,")
    assert json.loads((tmp_path / "out.csv.partial.json").read_text())["options"]["kind"] == "multi_label"
    assert ask(*asked, "--resume").code == 0
    rows = read(out.read_text())
    assert [row["text"] for row in rows] == texts
    assert out.read_text().startswith(kept)


def test_a_revision_of_another_kind_does_not_go_on_with_what_was_begun(
    ask: Run, published: Toy, mails: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    mails.write_bytes(mails.read_bytes().replace(b"\r\n", b"\n"))
    assert ask("predict", f"{NAME}@2", mails, "--out", out).code == 0
    out.rename(tmp_path / "out.csv.partial")
    options: dict[str, object] = {"format": "csv", "top_k": None, "abstain_below": None, "min_in_scope": None}
    options |= {"prefix": "", "all_scores": False, "with_note": False, "kind": "multi_label"}
    begun = {"model_name": f"{NAME}@2", "reference": f"{NAME}@2", "options": options}
    (tmp_path / "out.csv.partial.json").write_text(json.dumps(begun))
    published.delete(DeleteRequest(NAME, purge=True))
    for _ in range(2):
        published.fit(FitRequest(NAME, (Row("money", "a"), Row("receipt", "b")), num_iterations=0))
    ended = ask("predict", f"{NAME}@2", mails, "--out", out, "--resume")
    assert "was begun with another value of kind" in ended.refusal


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_shards_have_the_labels_too(ask: Run, mails: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "labelled"
    assert ask("predict", NAME, mails, "--out", f"{out}/", "--shard-rows", 2, "--to", form).code == 0
    found: list[list[str]] = []
    for part in sorted(out.glob("part-*")):
        if form == "csv":
            found += [row["predicted_labels"].split(";") for row in read(part.read_text())]
        elif form == "jsonl":
            found += [json.loads(line)["predicted_labels"] for line in part.read_text().splitlines()]
        else:
            found += pq.read_table(part).column("predicted_labels").to_pylist()
    assert [sorted(filter(None, each)) for each in found] == [list(labels) for labels in ROWS.values()]


def test_shards_are_gone_on_with_only_while_the_thresholds_of_labels_are_the_same(
    ask: Run, published: Toy, mails: Path, tmp_path: Path
) -> None:
    out = tmp_path / "labelled"
    asked = ("predict", NAME, mails, "--out", f"{out}/", "--shard-rows", 2, "--to", "csv")
    assert ask(*asked).code == 0
    assert ask(*asked).code == 0
    assert ask("set-threshold", NAME, "--label", "bug=0.9").code == 0
    assert "had another threshold" in ask(*asked).refusal
    assert published.predict(PredictRequest(model_name=NAME, text="a"))[0].kind == "multi_label"


def test_a_label_with_the_separator_goes_to_no_csv(ask: Run, toy: Toy, mails: Path, tmp_path: Path) -> None:
    publish_multi_label(toy, labels=("a;b", "bug", "urgent"))
    for out in (("--out", tmp_path / "out.csv"), ("--out", f"{tmp_path / 'out'}/")):
        assert "The label 'a;b' holds ';'" in ask("predict", NAME, mails, *out).refusal
    assert ask("predict", NAME, mails, "--out", tmp_path / "out.jsonl").code == 0
