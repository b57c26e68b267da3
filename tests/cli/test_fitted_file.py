"""A training on a file that has rows for testing, a description, or rows that are no examples."""

import json
from pathlib import Path

import pytest

from tests.cli.asking import Run

TRAIN = [
    ("I was charged twice", "billing"),
    ("Refund my last invoice", "billing"),
    ("The app crashes", "technical"),
    ("I get error 500", "technical"),
]
TEST = [("The invoice is wrong", "billing"), ("Pages load slowly", "technical")]


def csv_of(folder: Path) -> Path:
    file = folder / "mails.csv"
    rows = [(*row, "train") for row in TRAIN[:3]] + [(*TRAIN[3], "valid")] + [(*row, "TEST") for row in TEST]
    file.write_text("text,label,part\n" + "".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")
    return file


def test_a_training_is_evaluated_on_the_rows_that_its_file_has_for_testing(ask: Run, tmp_path: Path) -> None:
    file = csv_of(tmp_path)
    ended = ask("fit", "new", file, "--split-column", "part", "--num-iterations", "0")
    assert ended.code == 0, ended.err
    assert "new, revision 1, answers: 2 labels, 4 rows" in ended.out
    assert "new@1 places" in ended.out
    assert "3 rows for train, 1 row for validation, 2 rows for test" in ended.err
    assert "Taken: 4 rows; then evaluated on 2 rows for test." in ended.err


def test_the_evaluation_stands_in_the_json_of_the_reply(ask: Run, tmp_path: Path) -> None:
    ended = ask("fit", "new", csv_of(tmp_path), "--split-column", "part", "--num-iterations", "0", "--json")
    reply = json.loads(ended.out)
    assert (reply["num_examples"], reply["evaluation"]["total"]) == (4, 2)
    assert reply["evaluation"]["model_name"] == "new"


def test_a_column_of_splits_counts_only_where_it_is_named(ask: Run, tmp_path: Path) -> None:
    ended = ask("fit", "new", csv_of(tmp_path), "--num-iterations", "0", "--json")
    reply = json.loads(ended.out)
    assert reply["num_examples"] == 6
    assert "evaluation" not in reply


@pytest.mark.parametrize(("parts", "rows", "tested"), [(["train"], 3, True), (["train", "test"], 5, False)])
def test_the_user_says_which_parts_are_trained_on(
    ask: Run, tmp_path: Path, parts: list[str], rows: int, tested: bool
) -> None:
    options = [word for part in parts for word in ("--split", part)]
    ended = ask("fit", "new", csv_of(tmp_path), "--split-column", "part", *options, "--num-iterations", "0", "--json")
    reply = json.loads(ended.out)
    assert reply["num_examples"] == rows
    assert ("evaluation" in reply) is tested


def test_an_evaluation_takes_the_rows_for_testing(ask: Run, tmp_path: Path) -> None:
    file = csv_of(tmp_path)
    assert ask("fit", "new", file, "--split-column", "part", "--num-iterations", "0").code == 0
    reply = json.loads(ask("evaluate", "new", file, "--split-column", "part", "--json").out)
    assert reply["total"] == 2
    reply = json.loads(ask("evaluate", "new", file, "--split-column", "part", "--split", "train", "--json").out)
    assert reply["total"] == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--split-column", "fold"], "there is no column 'fold'"),
        (["--split-column", "label"], "line 2: 'label' is 'billing', no part of the data."),
        (["--split-column", "part", "--split", "dev"], "none of train, validation, test"),
    ],
)
def test_a_split_that_does_not_exist_is_refused(ask: Run, tmp_path: Path, options: list[str], words: str) -> None:
    ended = ask("fit", "new", csv_of(tmp_path), *options)
    assert ended.code == 2
    assert words in ended.err


def tasks_of(folder: Path) -> Path:
    def task(number: int, text: str, *choices: str, cancelled: bool = False) -> dict[str, object]:
        result = [{"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}]
        return {"id": number, "data": {"text": text}, "annotations": [{"was_cancelled": cancelled, "result": result}]}

    tasks = [task(number, text, label) for number, (text, label) in enumerate(TRAIN, 1)]
    tasks.append(task(5, "Hello?", "billing", cancelled=True))
    tasks.append({"id": 6, "data": {"text": "Where is it?"}, "annotations": []})
    file = folder / "tasks.json"
    file.write_text(json.dumps(tasks), encoding="utf-8")
    return file


def test_rows_that_are_no_examples_are_left_out_told_and_stand_among_the_warnings(ask: Run, tmp_path: Path) -> None:
    ended = ask("fit", "new", tasks_of(tmp_path), "--num-iterations", "0", "--json")
    assert ended.code == 0, ended.err
    reply = json.loads(ended.out)
    assert reply["num_examples"] == 4
    assert "rows_left_out" in [each["code"] for each in reply["warnings"]]
    assert f"Left out of {tmp_path / 'tasks.json'}: " in ended.err


def test_the_texts_of_a_tool_are_classified_whether_they_are_labelled_or_not(ask: Run, tmp_path: Path) -> None:
    assert ask("fit", "new", tasks_of(tmp_path), "--num-iterations", "0").code == 0
    ended = ask("predict", "new", tasks_of(tmp_path), "--quiet")
    assert ended.code == 0, ended.err
    assert len(ended.out.splitlines()) >= 6


def test_wrong_rows_and_labels_that_look_alike_are_told_in_the_reply(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\ncharged twice,billing\nmoney back,billing\n,billing\nit crashes,bug\nrefund,Billing\n")
    refused = ask("fit", "new", file, "--num-iterations", "0")
    assert refused.code == 2
    assert f"{file}, line 4: the text is blank." in refused.err
    assert "Add --skip-bad-rows to leave such rows out." in refused.err
    ended = ask("fit", "new", file, "--num-iterations", "0", "--skip-bad-rows", "--merge-labels", "--json")
    assert ended.code == 0, ended.err
    reply = json.loads(ended.out)
    assert reply["rows_per_label"] == {"billing": 3, "bug": 1}
    told = {each["code"]: each["message"] for each in reply["warnings"]}
    assert told["labels_merged"] == ("Labels that look alike were merged: 'Billing' (1 row) into 'billing' (2 rows).")
    assert told["rows_left_out"] == (
        f"Left out of {file}: 1 row that is wrong. Line 4: the text is blank. Fill it in or remove that row."
    )
    judged = ask("evaluate", "new", file, "--skip-bad-rows", "--json")
    assert judged.code == 0, judged.err
    assert f"Left out of {file}: 1 row that is wrong." in judged.err
    assert "unknown_labels" in [each["code"] for each in json.loads(judged.out)["warnings"]]


def test_each_reply_about_a_file_tells_the_rows_that_were_left_out_of_it(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    rows = [*TRAIN, *TEST, ("", "billing"), ("My card was charged", ""), ("The page stays blank", "technical")]
    file.write_text("text,label\n" + "".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")
    reading, quick = ("--skip-bad-rows", "--json"), ("--num-iterations", "0")
    fitted = ask("fit", "new", file, *quick, *reading)
    said = (
        f"Left out of {file}: 2 rows that are wrong. Line 8: the text is blank. Fill it in or remove that row. "
        "Line 9: the label is blank. Fill it in or remove that row."
    )
    for ended in (
        fitted,
        ask("fit", "new", file, *quick, *reading, "--dry-run"),
        ask("evaluate", "new", file, *reading),
        ask("compare", "new", "new@1", file, *reading),
        ask("cross-validate", file, *quick, *reading, "--folds", "2"),
    ):
        assert [each["message"] for each in ended.document["warnings"] if each["code"] == "rows_left_out"] == [said]
        assert ended.err.count(f"Left out of {file}: 2 rows that are wrong.") == 1
    shown = ask("evaluate", "new", file, "--skip-bad-rows")
    assert (shown.code, (shown.out + shown.err).count("Left out of")) == (0, 1), "told once, when the file is read"
