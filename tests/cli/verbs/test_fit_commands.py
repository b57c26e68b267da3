"""fit and reproduce, in a terminal and as JSON."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.asking import Run, run
from tests.cli.verbs.scripted import ID, PROBLEM, Scripted
from tests.toy import Toy
from windrow.cli.formats import estimate_text
from windrow.domain.classifier import FitRequest, ModelRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidTrainingData
from windrow.domain.job import Job, JobList, Problem
from windrow.domain.multi_label import MultiLabelRow
from windrow.settings import Settings


@pytest.fixture
def toy() -> Iterator[Scripted]:
    toy = Scripted()
    yield toy
    toy.close()


def test_fit_says_what_was_trained_and_how_good_it_is(
    ask: Run, toy: Scripted, rows_file: Path, left: list[str]
) -> None:
    fitted = ask("fit", "tickets_v1", rows_file)
    shown = toy.show(ModelRequest("tickets_v1"))
    estimate, adapter = shown.report.estimate, shown.adapter
    assert estimate is not None
    assert adapter is not None
    first, *others = fitted.lines
    assert re.fullmatch(r"tickets_v1, revision 1, answers: 2 labels, 4 rows, in \d\.\d s\.", first)
    assert others == [
        "Labels: invoice, refund",
        f"Accuracy on new rows: {estimate_text(estimate)}, by {estimate.total} rows judged unseen",
        f"Encoder: {adapter.reason}",
    ]
    assert "Warning: 2 labels have fewer than 4 rows" in fitted.err
    assert "A free name for the next version: tickets_v2" in fitted.err
    assert left == ["left"]


def test_a_fit_of_the_head_alone_has_nothing_to_say_of_the_encoder(ask: Run, toy: Scripted, rows_file: Path) -> None:
    assert "Encoder:" not in ask("fit", "tickets_v1", rows_file, "--num-iterations", "0").out


def test_fit_warns_of_rows_that_tell_nothing_and_of_those_that_are_not_read_whole(
    ask: Run, toy: Scripted, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\n" + "".join(f"{'wort ' * 400}{number},{'abc'[number % 3]}\n" for number in range(24)))
    fitted = ask("fit", "tickets_v1", rows, "--num-iterations", "0")
    assert (
        "Warning: 24 rows do not show it to be better than always saying 'a', which is right for 33.3 %" in fitted.err
    )
    assert "intfloat/multilingual-e5-small" in fitted.err
    assert "Warning: 24 of 24 rows (100.0 %) are longer than the encoder reads, 256 tokens." in fitted.err


KEPT = (
    Row("charged twice", "billing"),
    Row("charged twice", "billing"),
    Row("refund please", "billing"),
    Row("it crashes", "bug"),
)


def test_a_fit_that_extends_says_what_was_taken_over_and_names_lines_of_the_file(
    ask: Run, toy: Scripted, tmp_path: Path
) -> None:
    toy.fit(FitRequest("tickets_v1", KEPT, num_iterations=0))
    rows = tmp_path / "corrections.csv"
    rows.write_text("text,label\nrefund please,refund\nmoney back,refund\nmoney back,refund\n")
    fitted = ask("fit", "tickets_v2", rows, "--extends", "tickets@latest", "--num-iterations", "0")
    assert fitted.code == 0, fitted.err
    assert fitted.lines[1] == "Extends tickets_v1@1: 3 rows taken over, 1 replaced"
    assert "2 rows repeat an earlier row with the same label. Lines: 4. Kept rows, counted from 0: 1." in fitted.err
    shown = ask("show", "tickets_v2")
    assert re.search(r"^extends +tickets_v1@1: 3 rows taken over, 1 replaced *$", shown.out, re.MULTILINE)


def test_an_estimate_shows_the_rows_of_each_label_with_those_that_are_taken_over(
    ask: Run, toy: Scripted, tmp_path: Path
) -> None:
    toy.fit(FitRequest("tickets_v1", KEPT, num_iterations=0))
    toy.estimate_fit = super(Scripted, toy).estimate_fit  # type: ignore[method-assign]
    rows = tmp_path / "corrections.csv"
    rows.write_text("text,label\nrefund please,refund\nrefund please,refund\n")
    estimated = ask("fit", "tickets_v2", rows, "--extends", "tickets_v1", "--num-iterations", "0", "--dry-run")
    assert "Extends tickets_v1@1: 3 rows taken over, 1 replaced" in estimated.lines
    for label, count in (("billing", 2), ("bug", 1), ("refund", 2)):
        assert re.search(rf"^{label} +{count} *$", estimated.out, re.MULTILINE)
    assert "2 rows repeat an earlier row with the same label. Lines: 3. Kept rows, counted from 0: 1." in estimated.err


def test_a_row_that_is_wrong_is_named_by_its_line_though_others_come_before_it(
    ask: Run, toy: Scripted, tmp_path: Path
) -> None:
    toy.fit(FitRequest("tickets_v1", KEPT, num_iterations=0))
    toy.start_fit = super(Scripted, toy).start_fit  # type: ignore[method-assign]
    rows = tmp_path / "corrections.csv"
    rows.write_text(f"text,label\nmoney back,{'x' * 257}\n")
    refused = ask("fit", "tickets_v2", rows, "--extends", "tickets_v1")
    assert (refused.code, refused.refusal.startswith(f"{rows}, line 2: the label has 257 characters")) == (2, True)
    missing = ask("fit", "tickets_v2", rows, "--extends", "tickets_v9")
    assert missing.refusal.startswith("There is no classifier named tickets_v9")


def test_a_name_that_is_no_version_gets_no_hint_at_the_next_one(ask: Run, toy: Scripted, rows_file: Path) -> None:
    fitted = ask("fit", "shipping", rows_file)
    assert fitted.code == 0
    assert "free name" not in fitted.err


def test_a_file_with_one_label_is_named(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\nmoney back,refund\nmy money,refund\n")
    for verb in (("fit", "tickets_v1"), ("cross-validate",)):
        refused = ask(*verb, file)
        assert refused.code == 2
        assert refused.refusal.startswith(f"{file} has 1 distinct label in 2 rows")


def test_what_the_service_says_is_told_in_options(ask: Run, toy: Scripted, rows_file: Path) -> None:
    def cross_validate(request: object) -> None:
        raise InvalidTrainingData("{arg:num_iterations} is {value}; it must be less. {Send} less.", {"value": 5000})

    toy.cross_validate = cross_validate  # type: ignore[assignment, method-assign]
    assert ask("cross-validate", rows_file).refusal == "--num-iterations is 5000; it must be less. Pass less."


def test_a_name_that_exists_is_refused_in_options_if_it_must_not_exist(
    ask: Run, toy: Scripted, rows_file: Path
) -> None:
    toy.fit(FitRequest("t_v1", (Row("a", "b"), Row("c", "d")), num_iterations=0))
    toy.start_fit = super(Scripted, toy).start_fit  # type: ignore[method-assign]
    refused = ask("fit", "t_v1", rows_file, "--no-overwrite")
    assert refused.code == 3
    assert refused.refusal.startswith("A classifier named t_v1 exists")
    assert refused.refusal.endswith("Choose another name, or leave out --no-overwrite to add a revision to it.")


def test_a_number_outside_its_range_is_refused_before_a_file_is_read(ask: Run, toy: Scripted) -> None:
    refused = ask("fit", "t_v1", "nowhere.csv", "--num-iterations", 5000)
    assert refused.code == 2
    assert refused.refusal.startswith("--num-iterations is 5000; it must lie between 0 and 1000. ")


def test_a_training_that_somebody_else_cancels_has_failed(ask: Run, toy: Scripted, rows_file: Path) -> None:
    toy.problem = Problem("training_cancelled", "The training was cancelled. {Send} it again.")
    cancelled = ask("fit", "tickets_v1", rows_file)
    assert cancelled.code == 5
    assert cancelled.refusal == "The training was cancelled. Pass it again."


def test_fit_prints_the_document_of_the_http_api(ask: Run, rows_file: Path) -> None:
    document = ask("fit", "tickets_v1", rows_file, "--json").document
    assert (document["status"], document["revision"], document["next_name"]) == ("trained", 1, "tickets_v2")


def test_fit_takes_every_parameter(ask: Run, toy: Scripted, rows_file: Path) -> None:
    ask(
        *("fit", "tickets_v1", rows_file, "--num-iterations", 0, "--batch-size", 8, "--seed", 7, "--max-seconds", 60),
        *("--base-model", "BAAI/bge-small-en-v1.5", "--description", "Mine.", "--tag", "b", "--tag", "a"),
        *("--no-overwrite", "--no-cross-validate"),
    )
    [request] = toy.asked
    assert (request.num_iterations, request.batch_size, request.seed, request.max_seconds) == (0, 8, 7, 60.0)
    assert (request.cross_validate, request.overwrite, request.base_model) == (False, False, "BAAI/bge-small-en-v1.5")
    assert (request.description, request.tags) == ("Mine.", ("b", "a"))


def test_fit_leaves_what_is_not_given_to_the_server(ask: Run, toy: Scripted, rows_file: Path) -> None:
    ask("fit", "tickets_v1", rows_file)
    [request] = toy.asked
    assert (request.description, request.tags, request.overwrite) == (None, None, True)


def test_fit_reads_the_columns_that_are_named(ask: Run, toy: Scripted, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("said;team;id\nmoney back;refund;1\nthe bill;invoice;2\n")
    assert ask("fit", "t_v1", file, "--text-column", "said", "--label-column", "team").code == 0
    assert toy.asked[0].training_data == (Row("money back", "refund"), Row("the bill", "invoice"))


def test_a_bad_row_is_one_line_that_names_it(ask: Run, toy: Scripted, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\nmoney back,refund\n,invoice\n")
    refused = ask("fit", "tickets_v1", file)
    assert refused.code == 2
    assert "line 3" in refused.refusal
    assert toy.asked == []


def test_a_row_that_the_service_refuses_is_named_by_its_line(ask: Run, toy: Scripted, rows_file: Path) -> None:
    def start_fit(request: object) -> Job:
        raise InvalidTrainingData("{place:training_data} is long. Shorten it.", {"row": 1, "field": "label"})

    toy.start_fit = start_fit  # type: ignore[method-assign]
    assert f"{rows_file}, line 3: the label is long" in ask("fit", "tickets_v1", rows_file).refusal


def test_standard_input_has_one_name_whoever_refuses_its_row(
    ask: Run, toy: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_fit(request: object) -> Job:
        raise InvalidTrainingData("{place:training_data} is long. Shorten it.", {"row": 1, "field": "label"})

    toy.start_fit = start_fit  # type: ignore[method-assign]
    for rows, said in (("a,b\nc,d\n", "the label is long"), ("a,b\n,d\n", "the text is blank")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"text,label\n{rows}".encode())))
        refused = ask("fit", "tickets_v1", "-")
        assert refused.refusal.startswith(f"standard input, line 3: {said}")


def test_ctrl_c_cancels_the_training(ask: Run, toy: Scripted, rows_file: Path, left: list[str]) -> None:
    toy.interrupted = True
    stopped = ask("fit", "tickets_v1", rows_file)
    assert (stopped.code, stopped.out) == (130, "")
    assert stopped.refusal == "stopped; the training is cancelled and nothing of it was saved."
    assert toy.cancelled == [ID]
    assert left == ["left"]


def test_ctrl_c_before_the_reply_cancels_what_was_begun(ask: Run, toy: Scripted, rows_file: Path) -> None:
    toy.is_reply_lost = True
    for more in ((), ("--detach",)):
        stopped = ask("fit", "tickets_v1", rows_file, *more)
        assert (stopped.code, stopped.out) == (130, "")
        assert stopped.refusal == "stopped; the training is cancelled and nothing of it was saved."
    assert toy.cancelled == [ID, ID]


def test_ctrl_c_before_the_reply_says_where_to_look_if_nothing_is_found(
    ask: Run, toy: Scripted, rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windrow.client.cancellation._RETRY_INTERVAL_S", 0.0)
    toy.is_reply_lost = True
    monkeypatch.setattr(toy, "list_jobs", lambda request: JobList(()))
    stopped = ask("fit", "tickets_v1", rows_file)
    assert stopped.code == 130
    assert stopped.refusal == "stopped; the training may have begun; see `windrow jobs`."


def test_ctrl_c_at_the_very_end_says_what_became_of_the_training(ask: Run, toy: Scripted, rows_file: Path) -> None:
    toy.interrupted = toy.is_over = True
    stopped = ask("fit", "tickets_v1", rows_file)
    assert stopped.code == 130
    assert "could not be cancelled" in stopped.refusal


def test_a_training_that_fails_ends_as_its_error_would(ask: Run, toy: Scripted, rows_file: Path) -> None:
    toy.problem = PROBLEM
    failed = ask("fit", "tickets_v1", rows_file)
    assert (failed.code, failed.out) == (5, "")
    assert failed.refusal == PROBLEM.detail


def test_a_dry_run_tells_time_and_memory_and_trains_nothing(ask: Run, toy: Scripted, rows_file: Path) -> None:
    lines = ask("fit", "tickets_v1", rows_file, "--dry-run").lines
    assert lines[:2] == ["tickets_v1: 4 rows, 2 labels, 580 tokens.", "About 2.6 s, and 420 MB of memory."]
    assert lines[-1] == "training 2.0 s 3 steps of 54 texts (580 tokens) in 6 layers."
    assert ask("fit", "tickets_v1", rows_file, "--dry-run", "--json").document["memory_bytes"] == 420_000_000
    assert toy.asked == []


def test_a_dry_run_makes_no_folder(
    rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders: list[Path] = []

    def open_directory(settings: Settings) -> Toy:
        folders.append(settings.local_dir)
        return Toy()

    monkeypatch.setattr("windrow.cli.connect.open_directory", open_directory)
    told = run(monkeypatch, capsys, "fit", "t_v1", rows_file, "--dry-run", "--data-dir", tmp_path / "data")
    assert told.code == 0
    assert folders != [tmp_path / "data"]
    assert not any(folder.exists() for folder in (*folders, tmp_path / "data"))


def test_no_wait_prints_the_job(ask: Run, rows_file: Path) -> None:
    assert f"job {ID}" in ask("fit", "tickets_v1", rows_file, "--detach").lines
    assert ask("fit", "tickets_v1", rows_file, "--detach", "--json").document["id"] == ID


def test_no_wait_needs_a_server(
    rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = run(monkeypatch, capsys, "fit", "t_v1", rows_file, "--detach", "--data-dir", tmp_path / "data")
    assert refused.code == 2
    assert "this process is what trains" in refused.refusal
    assert not (tmp_path / "data").exists()


def test_reproduce_says_how_equal_the_two_are(ask: Run, trained: Scripted) -> None:
    first, second = ask("reproduce", "tickets_v1").lines
    assert re.fullmatch(r"tickets_v1@1: identical weights, after \d\.\d s of training\.", first)
    assert second == "0 of 4 training texts get another label; scores differ by at most 0."
    assert ask("reproduce", "tickets_v1", "--json").document["verdict"] == "identical weights"
    assert ask("reproduce", "nothing").code == 3


SEVERAL = (
    MultiLabelRow("charged twice today", ("billing", "urgent")),
    MultiLabelRow("my invoice", ("billing",)),
    MultiLabelRow("the app is down", ("bug", "urgent")),
    MultiLabelRow("thank you", ()),
)


@pytest.mark.parametrize(
    "written",
    [
        ("a.jsonl", "".join(json.dumps({"text": row.text, "labels": row.labels}) + "\n" for row in SEVERAL), ()),
        (
            "a.csv",
            "text,tags\n" + "".join(f"{row.text},{'; '.join(row.labels)}\n" for row in SEVERAL),
            ("--labels-column", "tags", "--label-separator", ";"),
        ),
        (
            "a.csv",
            "text,billing,bug,urgent\n"
            + "".join(
                f"{row.text},{','.join(str(int(label in row.labels)) for label in ('billing', 'bug', 'urgent'))}\n"
                for row in SEVERAL
            ),
            ("--indicator-columns", "billing,bug", "--indicator-columns", "urgent"),
        ),
    ],
)
def test_fit_reads_any_number_of_labels(
    ask: Run, toy: Scripted, tmp_path: Path, written: tuple[str, str, tuple[str, ...]]
) -> None:
    name, content, options = written
    file = tmp_path / name
    file.write_text(content)
    assert ask("fit", "mails_v1", file, "--dry-run", *options).code == 0
    ended = ask("fit", "mails_v1", file, "--num-iterations", "0", *options)
    assert ended.code == 0, ended.err
    assert toy.asked[0].training_data == SEVERAL
    assert "Warning: 1 row has no label." in ended.err


def test_a_text_among_lists_of_labels_is_one_line_that_names_it(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(
        '{"text": "a", "labels": ["b"]}\n{"text": "c", "labels": ["d"], "label": "e"}\n{"text": "f", "labels": "g"}\n'
    )
    ended = ask("fit", "mails_v1", file)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "a.jsonl, line 3: 'labels' holds a text" in ended.err
    assert "Add --label-separator ';', or whatever it is" in ended.err


def test_a_wrong_label_of_several_is_named_by_its_line(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "a", "labels": ["b"]}\n{"text": "c", "labels": ["d", "' + "x" * 257 + '"]}\n')
    ended = ask("fit", "mails_v1", file)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "a.jsonl, line 2: the labels[1] has 257 characters; a label has at most 256. Shorten it." in ended.err
