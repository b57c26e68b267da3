"""Predictions of files as jobs: from the request to the report, beside trainings, cancelled and counted."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.service.examples import REQUEST, Open, ask
from windrow.domain.access import Scope
from windrow.domain.alias import PromoteRequest
from windrow.domain.archive import ExportRequest
from windrow.domain.audit import AuditRequest
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import ModelRequest
from windrow.domain.errors import (
    ClassifierNotFound,
    FilePredictionCancelled,
    InvalidFile,
    InvalidParameter,
    JobNotFound,
    Overloaded,
    PlaceNotAllowed,
    RateLimited,
    ShuttingDown,
)
from windrow.domain.file_prediction import (
    FileProgress,
    OnFileProgress,
    PredictFilesReport,
    PredictFilesRequest,
    StartPredictFilesRequest,
)
from windrow.domain.job import Job, JobListRequest, JobRequest
from windrow.domain.key_limits import KeyLimits
from windrow.domain.prediction import PredictRequest
from windrow.execution.control import TrainingControl
from windrow.operations import Operations
from windrow.service import file_prediction
from windrow.service.file_prediction import RowCount
from windrow.service.service import Service

KEY = Caller("nightly", frozenset(("train",)), ("tickets*", "live"))


@dataclass
class Run:
    """Stands in for what classifies files: it predicts three texts, then goes on until it is told to end."""

    has_begun: threading.Event = field(default_factory=threading.Event)
    end: threading.Event = field(default_factory=threading.Event)
    asked: list[PredictFilesRequest] = field(default_factory=list)
    error: Exception | None = None

    def __call__(
        self,
        operations: Operations,
        request: PredictFilesRequest,
        on_progress: OnFileProgress,
        control: TrainingControl | None,
    ) -> PredictFilesReport:
        assert control is not None
        self.asked.append(request)
        on_progress(FileProgress(stage="planning", rows=2))
        on_progress(FileProgress(stage="predicting", num_rows=5, num_shards=3))
        (*_, answer) = operations.predict(PredictRequest(model_name=request.model_name, texts=("a", "b", "error")))
        on_progress(FileProgress(stage="predicting", rows=3, num_rows=5, shards=1, num_shards=3))
        self.has_begun.set()
        with control.on_cancel(self.end.set):
            assert self.end.wait(30)
        control.raise_if_cancelled()
        if self.error is not None:
            raise self.error
        return PredictFilesReport(
            model_name=answer.model_name,
            revision=answer.revision,
            files=1,
            rows=5,
            shards=3,
            shards_before=0,
            abstained=0,
            truncated=0,
            seconds=0.5,
            output=request.output,
            rows_now=5,
        )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    run = Run()
    monkeypatch.setattr(file_prediction, "predict_files", run)
    yield run
    run.end.set()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def service(opened: Open, root: Path) -> Service:
    service = opened(file_roots=(root,), max_queued_file_predictions=1)
    service.fit(REQUEST)
    return service


def asked(root: Path, name: str = "tickets_v1", output: str = "out") -> StartPredictFilesRequest:
    return StartPredictFilesRequest(model_name=name, input=f"{root}/*.csv", output=f"{root}/{output}")


def ended(service: Service, job: Job) -> Job:
    return list(service.follow_job(JobRequest(job.id)))[-1]


def test_it_is_a_job_from_the_request_to_the_report(service: Service, root: Path, run: Run) -> None:
    job = service.start_predict_files(asked(root))
    assert (job.kind, job.model_name, job.num_examples, job.key_name) == ("predict_files", "tickets_v1", 8, None)
    assert job.files is not None
    assert (job.files.input, job.files.output, job.files.report) == (f"{root}/*.csv", f"{root}/out", None)
    assert run.has_begun.wait(30)
    running = service.job(JobRequest(job.id))
    assert running.state == "running"
    assert running.progress is not None
    shown = running.progress
    assert (shown.stage, shown.step, shown.num_steps, shown.shards, shown.num_shards) == ("predicting", 3, 5, 1, 3)
    run.end.set()
    last = ended(service, job)
    assert (last.state, last.revision, last.next_name, last.progress) == ("succeeded", 1, None, None)
    assert last.files is not None
    assert last.files.report is not None
    assert (last.files.report.rows, last.files.report.output) == (5, f"{root}/out")
    fitted, listed = service.list_jobs(JobListRequest()).jobs[::-1]
    assert (fitted.kind, fitted.files, listed) == ("fit", None, last)


def test_it_outlives_the_process_that_ran_it_on_the_disk(opened: Open, service: Service, root: Path, run: Run) -> None:
    job = service.start_predict_files(asked(root))
    run.end.set()
    last = ended(service, job)
    assert opened().job(JobRequest(job.id)) == last


def test_an_equal_request_joins_it_and_another_one_waits_its_turn(service: Service, root: Path, run: Run) -> None:
    first = service.start_predict_files(asked(root))
    assert service.start_predict_files(asked(root)).id == first.id
    second = service.start_predict_files(asked(root, output="other"))
    assert (second.state, second.id != first.id) == ("queued", True)
    with pytest.raises(Overloaded) as caught:
        service.start_predict_files(asked(root, output="third"))
    assert caught.value.facts["setting"] == "WINDROW_MAX_QUEUED_FILE_PREDICTIONS"
    assert "1 predictions of files are waiting" in caught.value.detail
    run.end.set()
    assert ended(service, second).state == "succeeded"


def test_a_training_does_not_wait_for_it(service: Service, root: Path, run: Run) -> None:
    job = service.start_predict_files(asked(root))
    assert run.has_begun.wait(30)
    assert service.fit(replace(REQUEST, model_name="tickets_v2")).revision == 1
    assert service.estimate_fit(REQUEST).wait_seconds == 0
    assert service.job(JobRequest(job.id)).state == "running"


def test_a_cancelled_one_says_that_what_is_done_stays(service: Service, root: Path, run: Run) -> None:
    job = service.start_predict_files(asked(root))
    assert run.has_begun.wait(30)
    cancelled = service.cancel_job(JobRequest(job.id))
    assert cancelled.state == "cancelled"
    assert cancelled.problem is not None
    assert type(cancelled.problem.as_error()) is FilePredictionCancelled
    assert "the shards that were done stay" in cancelled.problem.detail


def test_one_that_the_end_of_the_process_stops_is_interrupted(
    opened: Open, service: Service, root: Path, run: Run
) -> None:
    job = service.start_predict_files(asked(root))
    assert run.has_begun.wait(30)
    service.close()
    interrupted = opened().job(JobRequest(job.id))
    assert interrupted.state == "interrupted"
    assert interrupted.problem is not None
    assert type(interrupted.problem.as_error()) is ShuttingDown
    assert "goes on behind them" in interrupted.problem.detail


def test_its_error_is_told_by_the_job(service: Service, root: Path, run: Run) -> None:
    run.error = InvalidFile("Line {line} is blank. Fill it in.", {"line": 7})
    run.end.set()
    failed = ended(service, service.start_predict_files(asked(root)))
    assert failed.state == "failed"
    assert failed.problem is not None
    assert (failed.problem.code, failed.problem.facts) == ("invalid_file", {"line": 7})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda request: replace(request, output="/etc/windrow"), PlaceNotAllowed),
        (lambda request: replace(request, input="mails.csv"), InvalidParameter),
        (lambda request: replace(request, output=" "), InvalidParameter),
        (lambda request: replace(request, shard_rows=0), InvalidParameter),
        (lambda request: replace(request, abstain_below=1.5), InvalidParameter),
        (lambda request: replace(request, model_name="tickets_v9"), ClassifierNotFound),
    ],
)
def test_what_is_wrong_is_refused_before_there_is_a_job(
    service: Service,
    root: Path,
    run: Run,
    change: Callable[[StartPredictFilesRequest], StartPredictFilesRequest],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        service.start_predict_files(change(asked(root)))
    assert [job.kind for job in service.list_jobs(JobListRequest())] == ["fit"]
    assert run.asked == []


def test_a_link_that_was_laid_while_it_waited_is_refused_when_its_turn_comes(
    service: Service, root: Path, run: Run
) -> None:
    service.start_predict_files(asked(root))
    waiting = service.start_predict_files(asked(root, output="other"))
    assert run.has_begun.wait(30)
    (root / "other").symlink_to(root.parent)
    run.end.set()
    failed = ended(service, waiting)
    assert failed.problem is not None
    assert (failed.state, failed.problem.code) == ("failed", "place_not_allowed")
    assert len(run.asked) == 1


@pytest.mark.parametrize(("name", "known_as"), [("live", "live"), ("tickets_v1@1", "tickets_v1")])
def test_it_acts_for_the_key_that_asked_by_the_name_that_the_key_knows(
    service: Service, root: Path, run: Run, name: str, known_as: str
) -> None:
    service.fit(replace(REQUEST, model_name="secret_v1"))
    service.promote(PromoteRequest("live", "secret_v1"))
    run.end.set()
    with calling(KEY):
        job = service.start_predict_files(asked(root, name))
        assert (job.model_name, job.key_name) == (known_as, "nightly")
        assert ended(service, job).state == "succeeded"
        assert [each.id for each in service.list_jobs(JobListRequest())] == [job.id]
        with pytest.raises(ClassifierNotFound):
            service.start_predict_files(asked(root, "secret_v1"))
    with calling(replace(KEY, key_name="other")), pytest.raises(JobNotFound):
        service.job(JobRequest(job.id))
    other: Scope = "read"
    with calling(Caller("reader", frozenset((other,)), ("secret*",))), pytest.raises(JobNotFound):
        service.job(JobRequest(job.id))


def test_its_rows_count_for_the_key_and_the_classifier(service: Service, root: Path, run: Run) -> None:
    run.end.set()
    with calling(replace(KEY, limits=KeyLimits(texts_per_day=5))):
        assert ended(service, service.start_predict_files(asked(root))).state == "succeeded"
        failed = ended(service, service.start_predict_files(asked(root, output="other")))
        assert failed.problem is not None
        assert (failed.state, failed.problem.code, failed.problem.facts["quota"]) == (
            "failed",
            "rate_limited",
            "texts_per_day",
        )
        ask(service, "tickets_v1", "a")
        ask(service, "tickets_v1", "a")
        with pytest.raises(RateLimited):
            service.start_predict_files(asked(root))
    use = service.dependencies.counters.recent().get("tickets_v1")
    assert use is not None
    assert use.predictions == 5


def test_rows_that_a_cluster_classifies_count_once_and_none_that_an_earlier_run_has_left(
    service: Service, root: Path
) -> None:
    caller = replace(KEY, limits=KeyLimits(texts_per_day=10))
    model = service.dependencies.store.find("tickets_v1")
    count = RowCount(service.dependencies, model, caller)
    for rows in (4, 4, 7, 12):
        count.update(FileProgress(stage="planning", rows=99))
        count.update(FileProgress(stage="predicting", rows=rows))
    assert service.dependencies.counters.key_use("nightly").texts == 8
    with pytest.raises(RateLimited):
        count.update(FileProgress(stage="predicting", rows=15))


def test_the_verbs_of_a_job_are_those_of_whoever_asked(service: Service) -> None:
    verbs = file_prediction.JobVerbs(service.dependencies, KEY)
    assert verbs.show(ModelRequest("tickets_v1")).revision == 1
    assert verbs.export(ExportRequest("tickets_v1")).file_name == "tickets_v1.windrow"
    (answer,) = verbs.predict(PredictRequest(model_name="tickets_v1@1", text="a"))
    assert answer.revision == 1
    assert service.dependencies.counters.key_use("nightly").texts == 1


def test_it_leaves_lines_in_the_audit_trail_that_name_the_classifier_and_the_place(
    service: Service, root: Path, run: Run
) -> None:
    run.end.set()
    with calling(KEY):
        job = service.start_predict_files(asked(root))
        ended(service, job)
    with pytest.raises(InvalidParameter):
        service.start_predict_files(replace(asked(root), shard_rows=0))
    service.dependencies.audit.flush()
    refused, done, begun = service.audit(AuditRequest(target="tickets_v1")).lines[:3]
    assert (refused.verb, refused.outcome) == ("start_predict_files", "invalid_parameter")
    for line, verb in ((begun, "start_predict_files"), (done, "predict_files")):
        assert (line.verb, line.target, line.job_id, line.key_name) == (verb, "tickets_v1", job.id, "nightly")
        assert (line.points_to, line.outcome) == (f"{root}/out", "ok")
        assert (line.revision_before, line.revision_after) == (None, None)
