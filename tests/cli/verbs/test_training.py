"""fit and reproduce, in a terminal and as JSON."""

import io
from pathlib import Path

import pytest

from tests.cli.asking import Run, run
from tests.cli.verbs.scripted import ID, PROBLEM, Scripted
from tests.fakes.operations import FakeOperations
from windrow.domain.errors import ClassifierExists, InvalidTrainingData
from windrow.domain.job import Job, Problem
from windrow.settings import Settings


@pytest.fixture
def fake() -> Scripted:
    return Scripted()


def test_fit_says_what_was_trained_and_how_good_it_is(
    ask: Run, fake: Scripted, rows_file: Path, left: list[str]
) -> None:
    fitted = ask("fit", "tickets_v1", rows_file)
    assert fitted.lines == [
        "tickets_v1, revision 1, answers: 2 labels, 4 rows, in 0.4 s.",
        "Labels: invoice, refund",
        "Accuracy on new rows: about 83.3 %, between 25.0 % and 100.0 %, by 6 rows judged unseen",
    ]
    assert "Warning: 2 label(s) have fewer than 4 rows" in fitted.err
    assert "A free name for the next version: tickets_v2" in fitted.err
    assert left == ["left"]


def test_a_name_that_is_no_version_gets_no_hint_at_the_next_one(ask: Run, fake: Scripted, rows_file: Path) -> None:
    fitted = ask("fit", "shipping", rows_file)
    assert fitted.code == 0
    assert "free name" not in fitted.err


def test_a_file_with_one_label_is_named(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\nmoney back,refund\nmy money,refund\n")
    for verb in (("fit", "tickets_v1"), ("cross-validate",)):
        refused = ask(*verb, file)
        assert refused.code == 2
        assert refused.refusal.startswith(f"{file} has 1 distinct label(s) in 2 row(s)")


def test_what_the_service_says_is_told_in_options(ask: Run, fake: Scripted, rows_file: Path) -> None:
    def cross_validate(request: object) -> None:
        raise InvalidTrainingData("num_iterations is 5000; it must be less. Send less.")

    fake.cross_validate = cross_validate  # type: ignore[assignment, method-assign]
    assert ask("cross-validate", rows_file).refusal == "--num-iterations is 5000; it must be less. Pass less."

    def start_fit(request: object) -> Job:
        raise ClassifierExists(
            "A classifier named t_v1 exists, and overwrite is false. Choose another name, or send overwrite=true to "
            "add a revision to it."
        )

    fake.start_fit = start_fit  # type: ignore[method-assign]
    assert ask("fit", "t_v1", rows_file, "--no-overwrite").refusal == (
        "A classifier named t_v1 exists. Choose another name, or leave out --no-overwrite to add a revision to it."
    )


def test_a_training_that_somebody_else_cancels_has_failed(ask: Run, fake: Scripted, rows_file: Path) -> None:
    fake.problem = Problem("training_cancelled", "The training was cancelled. Send it again.")
    cancelled = ask("fit", "tickets_v1", rows_file)
    assert cancelled.code == 5
    assert cancelled.refusal == "The training was cancelled. Ask again."


def test_fit_prints_the_document_of_the_http_api(ask: Run, rows_file: Path) -> None:
    document = ask("fit", "tickets_v1", rows_file, "--json").document
    assert (document["status"], document["revision"], document["next_name"]) == ("trained", 1, "tickets_v2")


def test_fit_takes_every_parameter(ask: Run, fake: Scripted, rows_file: Path) -> None:
    ask(
        *("fit", "tickets_v1", rows_file, "--num-iterations", 0, "--batch-size", 8, "--seed", 7, "--max-seconds", 60),
        *("--base-model", "BAAI/bge-small-en-v1.5", "--description", "Mine.", "--tag", "b", "--tag", "a"),
        *("--no-overwrite", "--no-cross-validate"),
    )
    [request] = fake.asked
    recipe = request.recipe
    assert (recipe.num_iterations, recipe.batch_size, recipe.seed, recipe.max_seconds) == (0, 8, 7, 60.0)
    assert (recipe.cross_validate, request.overwrite, request.base_model) == (False, False, "BAAI/bge-small-en-v1.5")
    assert (request.notes.description, request.notes.tags) == ("Mine.", ("b", "a"))


def test_fit_leaves_what_is_not_given_to_the_server(ask: Run, fake: Scripted, rows_file: Path) -> None:
    ask("fit", "tickets_v1", rows_file)
    [request] = fake.asked
    assert (request.notes.description, request.notes.tags, request.overwrite) == (None, None, True)


def test_fit_reads_the_columns_that_are_named(ask: Run, fake: Scripted, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("said;team;id\nmoney back;refund;1\nthe bill;invoice;2\n")
    assert ask("fit", "t_v1", file, "--text-column", "said", "--label-column", "team").code == 0
    assert [row.label for row in fake.asked[0].rows] == ["refund", "invoice"]


def test_a_bad_row_is_one_line_that_names_it(ask: Run, fake: Scripted, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\nmoney back,refund\n,invoice\n")
    refused = ask("fit", "tickets_v1", file)
    assert refused.code == 2
    assert "line 3" in refused.refusal
    assert fake.asked == []


def test_a_row_that_the_service_refuses_is_named_by_its_line(ask: Run, fake: Scripted, rows_file: Path) -> None:
    def start_fit(request: object) -> Job:
        raise InvalidTrainingData("training_data[1].label is long. Shorten it.", {"row": 1})

    fake.start_fit = start_fit  # type: ignore[method-assign]
    assert f"{rows_file}, line 3: the label is long" in ask("fit", "tickets_v1", rows_file).refusal


def test_standard_input_has_one_name_whoever_refuses_its_row(
    ask: Run, fake: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_fit(request: object) -> Job:
        raise InvalidTrainingData("training_data[1].label is long. Shorten it.", {"row": 1})

    fake.start_fit = start_fit  # type: ignore[method-assign]
    for rows, said in (("a,b\nc,d\n", "the label is long"), ("a,b\n,d\n", "the text is blank")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"text,label\n{rows}".encode())))
        refused = ask("fit", "tickets_v1", "-")
        assert refused.refusal.startswith(f"standard input, line 3: {said}")


def test_ctrl_c_cancels_the_training(ask: Run, fake: Scripted, rows_file: Path, left: list[str]) -> None:
    fake.interrupted = True
    stopped = ask("fit", "tickets_v1", rows_file)
    assert (stopped.code, stopped.out) == (130, "")
    assert stopped.refusal == "stopped; the training is cancelled and nothing of it was saved."
    assert fake.cancelled == [ID]
    assert left == ["left"]


def test_ctrl_c_before_the_reply_cancels_what_was_begun(ask: Run, fake: Scripted, rows_file: Path) -> None:
    fake.is_reply_lost = True
    for more in ((), ("--no-wait",)):
        stopped = ask("fit", "tickets_v1", rows_file, *more)
        assert (stopped.code, stopped.out) == (130, "")
        assert stopped.refusal == "stopped; the training is cancelled and nothing of it was saved."
    assert fake.cancelled == [ID, ID]


def test_ctrl_c_before_the_reply_says_where_to_look_if_nothing_is_found(
    ask: Run, fake: Scripted, rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windrow.client.leaving._BETWEEN_LOOKS_S", 0.0)
    fake.is_reply_lost = True
    monkeypatch.setattr(fake, "list_jobs", lambda limit=0: ())
    stopped = ask("fit", "tickets_v1", rows_file)
    assert stopped.code == 130
    assert stopped.refusal == "stopped; the training may have begun; see `windrow jobs`."


def test_ctrl_c_at_the_very_end_says_what_became_of_the_training(ask: Run, fake: Scripted, rows_file: Path) -> None:
    fake.interrupted = fake.is_over = True
    stopped = ask("fit", "tickets_v1", rows_file)
    assert stopped.code == 130
    assert "could not be cancelled" in stopped.refusal


def test_a_training_that_fails_ends_as_its_error_would(ask: Run, fake: Scripted, rows_file: Path) -> None:
    fake.problem = PROBLEM
    failed = ask("fit", "tickets_v1", rows_file)
    assert (failed.code, failed.out) == (5, "")
    assert failed.refusal == PROBLEM.detail


def test_a_dry_run_tells_time_and_memory_and_trains_nothing(ask: Run, fake: Scripted, rows_file: Path) -> None:
    lines = ask("fit", "tickets_v1", rows_file, "--dry-run").lines
    assert lines[:2] == ["tickets_v1: 4 rows, 2 labels, 580 tokens.", "At most about 2.6 s, and 420 MB of memory."]
    assert lines[-1] == "training 2.0 s 3 steps of 54 texts (580 tokens) in 6 layers."
    assert ask("fit", "tickets_v1", rows_file, "--dry-run", "--json").document["memory_bytes"] == 420_000_000
    assert fake.asked == []


def test_a_dry_run_makes_no_folder(
    rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders: list[Path] = []

    def open_directory(settings: Settings) -> FakeOperations:
        folders.append(settings.data_dir)
        return FakeOperations()

    monkeypatch.setattr("windrow.cli.connect.open_directory", open_directory)
    told = run(monkeypatch, capsys, "fit", "t_v1", rows_file, "--dry-run", "--data-dir", tmp_path / "data")
    assert told.code == 0
    assert folders != [tmp_path / "data"]
    assert not any(folder.exists() for folder in (*folders, tmp_path / "data"))


def test_no_wait_prints_the_job(ask: Run, rows_file: Path) -> None:
    assert f"job {ID}" in ask("fit", "tickets_v1", rows_file, "--no-wait").lines
    assert ask("fit", "tickets_v1", rows_file, "--no-wait", "--json").document["id"] == ID


def test_no_wait_needs_a_server(
    rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = run(monkeypatch, capsys, "fit", "t_v1", rows_file, "--no-wait", "--data-dir", tmp_path / "data")
    assert refused.code == 2
    assert "this process is what trains" in refused.refusal
    assert not (tmp_path / "data").exists()


def test_reproduce_says_how_equal_the_two_are(ask: Run, trained: Scripted) -> None:
    assert ask("reproduce", "tickets_v1").lines == [
        "tickets_v1@1: identical weights, after 0.4 s of training.",
        "0 of 4 training texts get another label; scores differ by at most 0.",
    ]
    assert ask("reproduce", "tickets_v1", "--json").document["verdict"] == "identical weights"
    assert ask("reproduce", "nothing").code == 3
