"""predict-files: a server classifies files of its own as a job, which jobs list, show and watch."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.asking import Run, run
from tests.cli.verbs.scripted import ASKED, ID, Scripted
from windrow.domain.file_prediction import PredictFilesReport, StartPredictFilesRequest
from windrow.domain.job import FilePrediction, Job, Problem, Progress

INPUT, OUTPUT = "/srv/mails/*.csv", "/srv/labelled"
QUEUED = Job(
    id=ID,
    kind="predict_files",
    state="queued",
    model_name="tickets_v1",
    num_examples=4,
    training_data_sha256="0" * 64,
    created_at=ASKED,
    ahead=1,
    files=FilePrediction(input=INPUT, output=OUTPUT),
)
REPORT = PredictFilesReport(
    model_name="tickets_v1",
    revision=2,
    files=2,
    rows=25_000,
    shards=3,
    shards_before=1,
    abstained=12,
    truncated=0,
    noted=1,
    seconds=9.0,
    output=OUTPUT,
    rows_now=15_000,
)
RUNNING = replace(
    QUEUED,
    state="running",
    ahead=0,
    started_at=ASKED,
    progress=Progress("predicting", 10_000, 25_000, seconds_left=9.0, shards=1, num_shards=3),
)
DONE = replace(
    RUNNING,
    state="succeeded",
    progress=None,
    finished_at=ASKED + timedelta(seconds=9),
    revision=2,
    files=FilePrediction(input=INPUT, output=OUTPUT, report=REPORT),
)


class Classifying(Scripted):
    """A server whose only job classifies files."""

    asked_for: StartPredictFilesRequest | None = None

    def start_predict_files(self, request: StartPredictFilesRequest) -> Job:
        self.asked_for, self.now = request, QUEUED
        return QUEUED


@pytest.fixture
def toy() -> "Classifying":
    return Classifying()


def test_it_asks_the_server_and_prints_the_job(ask: Run, toy: Classifying) -> None:
    options = ("--text-column", "subject,body", "--to", "jsonl", "--shard-rows", 500, "--scores", "--top-k", 2)
    lines = ask("predict-files", "tickets_v1", INPUT, OUTPUT, *options).lines
    assert {f"job {ID}", "what predict files", "state queued", f"input {INPUT}", f"output {OUTPUT}"} <= set(lines)
    assert toy.asked_for == StartPredictFilesRequest(
        model_name="tickets_v1",
        input=INPUT,
        output=OUTPUT,
        text_column=("subject,body",),
        output_format="jsonl",
        shard_rows=500,
        scores=True,
        top_k=2,
    )
    document = ask("predict-files", "tickets_v1", INPUT, OUTPUT, "--json").document
    assert (document["id"], document["kind"], document["files"]["input"]) == (ID, "predict_files", INPUT)


def test_it_needs_a_server(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    refused = run(monkeypatch, capsys, "predict-files", "t_v1", INPUT, OUTPUT, "--data-dir", data_dir)
    assert refused.code == 2
    assert "Name a server with --url" in refused.refusal
    assert not data_dir.exists()


def test_jobs_tell_how_far_it_is(ask: Run, toy: Classifying) -> None:
    toy.now = QUEUED
    assert ask("jobs").lines[-1] == f"{ID} predict files queued tickets_v1 2025-09-15 10:30:00 1 job before it"
    toy.now = RUNNING
    listed = " ".join(ask("jobs").lines)
    assert "running tickets_v1 25,000 2025-09-15 10:30:00 predicting" in listed
    assert "10000/25000, 1/3 shards, about 9.0 s left" in " ".join(ask("jobs", "show", ID).lines)


def test_jobs_tell_what_became_of_it(ask: Run, toy: Classifying) -> None:
    toy.now = DONE
    lines = ask("jobs", "show", ID).lines
    assert "rows 25,000 of 2 files in 3 shards, 12 without a label, 1 noted" in lines
    assert not any(line.startswith(("recipe", "base model")) for line in lines)
    problem = Problem("file_prediction_cancelled", "Cancelled. The shards that were done stay.")
    toy.now = replace(DONE, state="cancelled", revision=None, files=QUEUED.files, problem=problem)
    assert problem.detail in ask("jobs", "show", ID).out
