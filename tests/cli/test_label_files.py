"""A folder with a file for each label: names, what is refused, and that it appears whole."""

import io
import json
from pathlib import Path

import pytest
import python_calamine
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.asking import Run
from tests.multi_label import NAME, ROWS, publish_multi_label
from tests.toy import Toy
from windrow.cli.label_files import INDEX, NoLabel, check_label_folder, file_names
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidParameter

TRAINED = FitRequest("tickets_v1", (Row("money back", "refund"), Row("receipt odd", "invoice")), num_iterations=0)
MAILS = "Größe;text\r\n1;money\r\n2;the receipt\r\n3;money, again\r\n"


@pytest.fixture
def mails(tmp_path: Path, toy: Toy) -> Path:
    toy.fit(TRAINED)
    file = tmp_path / "mails.csv"
    file.write_bytes(MAILS.encode("cp1252"))
    return file


def test_names_are_those_of_labels_as_far_as_file_names_allow() -> None:
    labels = ["refund", "Refund", "a/b", "a:b", "CON", "..", "", "é ü", "nul.txt", "_abstained", "x" * 200]
    names = file_names(labels, ".csv")
    assert [names[label] for label in labels] == [
        *("refund.csv", "Refund-2.csv", "a_b.csv", "a_b-2.csv", "CON_.csv", "label.csv", "label-2.csv", "é ü.csv"),
        *("nul.txt_.csv", "_abstained-2.csv", f"{'x' * 80}.csv"),
    ]
    assert names[NoLabel.ABSTAINED] == "_abstained.csv"


@given(st.lists(st.text(), unique=True, max_size=8))
def test_each_label_has_a_name_of_its_own_that_any_system_takes(labels: list[str]) -> None:
    names = [*file_names(labels, ".jsonl").values()]
    assert len({name.casefold() for name in names} | {INDEX}) == len(labels) + 3
    for name in names:
        assert not name.startswith(".")
        assert not set(name) & set('/\\:*?"<>|\0')
        assert len(name.encode()) < 255


def test_rows_go_to_the_file_of_their_label_in_the_form_of_the_file(ask: Run, mails: Path, tmp_path: Path) -> None:
    out = tmp_path / "by label"
    ended = ask("predict", "tickets_v1", mails, "--encoding", "cp1252", "--split-by-label", out, "--json")
    assert sorted(path.name for path in out.iterdir()) == [INDEX, "invoice.csv", "refund.csv"]
    refunds = (out / "refund.csv").read_bytes().decode("cp1252").split("\r\n")
    assert refunds[0].startswith("Größe;text;predicted_label;")
    assert [row.split(";")[0] for row in refunds[1:]] == ["1", "3", ""]
    document = ended.document
    assert [(each["label"], each["rows"], each["file"]) for each in document["labels"]] == [
        ("refund", 2, "refund.csv"),
        ("invoice", 1, "invoice.csv"),
    ]
    assert (document["rows"], document["abstained"], document["output"]) == (3, 0, str(out))
    assert json.loads((out / INDEX).read_text()) == document
    assert [line.split()[:2] for line in ended.err.splitlines()[1:3]] == [["refund", "2"], ["invoice", "1"]]


def test_a_folder_of_a_run_before_is_replaced_where_that_is_asked_for(ask: Run, mails: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ("predict", "tickets_v1", mails, "--encoding", "cp1252", "--split-by-label", out)
    assert ask(*asked).code == 0
    assert "add --overwrite" in ask(*asked).refusal
    assert ask(*asked, "--overwrite", "--abstain-below", "1", "--to", "jsonl").code == 0
    assert sorted(path.name for path in out.iterdir()) == ["_abstained.jsonl", INDEX]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mails.csv", "out"]
    (out / "notes.txt").write_text("mine")
    assert "holds notes.txt, which the run before did not write" in ask(*asked, "--overwrite").refusal


def test_what_is_there_is_never_taken_for_a_folder_of_results(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="There is no folder"):
        check_label_folder(tmp_path / "none" / "out", overwrite=True)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidParameter, match="is a file"):
        check_label_folder(tmp_path / "file", overwrite=True)
    with pytest.raises(InvalidParameter, match="holds files that no earlier run wrote"):
        check_label_folder(tmp_path, overwrite=True)
    (tmp_path / "empty").mkdir()
    check_label_folder(tmp_path / "empty", overwrite=False)


def test_nothing_is_left_of_a_run_that_ends_early(ask: Run, mails: Path, tmp_path: Path) -> None:
    mails.write_text("text\nmoney\n" + "x" * 30_000 + "\n")
    for more in ((), ("--to", "xlsx")):
        ended = ask("predict", "tickets_v1", mails, "--split-by-label", tmp_path / "out", *more)
        assert "line 3" in ended.err.splitlines()[-1]
        assert ended.code == 2
        assert [path.name for path in tmp_path.iterdir()] == ["mails.csv"]


def test_a_row_of_several_labels_stands_in_the_file_of_each(ask: Run, toy: Toy, tmp_path: Path) -> None:
    publish_multi_label(toy)
    file, out = tmp_path / "mails.jsonl", tmp_path / "out"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in ROWS))
    document = ask("predict", NAME, file, "--split-by-label", out, "--json").document
    found = {
        path.stem: [json.loads(line)["text"] for line in path.read_text().splitlines()] for path in out.glob("*.jsonl")
    }
    expected = {label: [text for text, labels in ROWS.items() if label in labels] for label in ("billing", "urgent")}
    assert {label: found[label] for label in expected} == expected
    nothing = [text for text, labels in ROWS.items() if not labels]
    assert found["_none_of_the_labels"] == nothing
    assert (document["without_labels"], document["without_labels_file"]) == (len(nothing), "_none_of_the_labels.jsonl")


@pytest.mark.parametrize("to", ["xlsx", "parquet", "json", "label_studio"])
def test_files_of_labels_may_have_any_form(ask: Run, mails: Path, tmp_path: Path, to: str) -> None:
    out = tmp_path / "out"
    asked = ("predict", "tickets_v1", mails, "--encoding", "cp1252", "--split-by-label", out, "--to", to)
    assert ask(*asked).code == 0
    ending = "json" if to == "label_studio" else to
    content = (out / f"refund.{ending}").read_bytes()
    if to == "xlsx":
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        assert [row[1] for row in book.get_sheet_by_index(0).to_python()] == ["text", "money", "money, again"]
    elif ending == "json":
        assert len(json.loads(content)) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--out", "x.csv"), "Name one of them"),
        (("--resume",), "Leave --resume out"),
        (("--to", "table"), "A table is for a terminal"),
    ],
)
def test_options_that_do_not_go_with_it_are_refused(
    ask: Run, mails: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    assert words in ask("predict", "tickets_v1", mails, "--split-by-label", tmp_path / "out", *options).refusal
