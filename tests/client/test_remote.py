"""What the client adds to the verbs: a fit that is watched, patience, files, threads, errors that only HTTP has."""

import contextlib
import io
import json
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest

from tests.client.jobs import DONE, FURTHER, QUEUED, RUNNING, begun, breaking, events, listed
from tests.client.serving import serving
from tests.client.sockets import ScriptedServer, Step, reply
from tests.toy import Toy
from windrow.client.errors import (
    ConnectionLost,
    FailedInServer,
    RefusedByServer,
    ServerTimedOut,
    ServerUnreachable,
    UnexpectedReply,
)
from windrow.client.remote import RemoteOperations
from windrow.codec.values import to_json
from windrow.domain.alias import AliasChangeRequest, PromoteRequest
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.classifier import DeleteRequest, DescribeRequest, FitRequest, ModelRequest
from windrow.domain.clock import utc_now
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    ClassifierExists,
    ClassifierInUse,
    ClassifierNotFound,
    ClientClosedRequest,
    InvalidName,
    InvalidParameter,
    InvalidText,
    TrainingCancelled,
    TrainingFailed,
    WindrowError,
)
from windrow.domain.file_prediction import StartPredictFilesRequest
from windrow.domain.job import JobListRequest, JobRequest, Problem, Progress
from windrow.domain.labelled_rows import dataset_of
from windrow.domain.listing import Listing, ListRequest
from windrow.domain.prediction import IsConnected, PredictRequest
from windrow.domain.report_page import ReportRequest
from windrow.operations import Operations
from windrow.settings import Settings

ROWS = (Row("I was charged twice", "billing"), Row("The app crashes", "bug"))
REQUEST = FitRequest("tickets_v1", ROWS)
FILES = StartPredictFilesRequest(model_name="tickets_v1", input="/srv/mails", output="/srv/labelled")
QUESTION = PredictRequest(model_name="tickets_v1", text="charged again")
TICKETS = (
    Row("I was charged twice", "billing"),
    Row("charged again, twice", "billing"),
    Row("The app crashes", "bug"),
    Row("it crashes again", "bug"),
)
FIT = FitRequest("tickets_v1", TICKETS, num_iterations=0)
ASKED = PredictRequest(model_name="tickets_v1", text="I was charged twice")
# Verbs that do not take minutes.
QUICK: Mapping[str, Callable[[RemoteOperations], object]] = {
    "predict": lambda remote: remote.predict(QUESTION),
    "start_fit": lambda remote: remote.start_fit(REQUEST),
    "start_predict_files": lambda remote: remote.start_predict_files(FILES),
    "list_classifiers": lambda remote: remote.list_classifiers(ListRequest()),
    "show": lambda remote: remote.show(ModelRequest("a")),
    "describe": lambda remote: remote.describe(DescribeRequest("a", "b")),
    "delete": lambda remote: remote.delete(DeleteRequest("a")),
    "rollback": lambda remote: remote.rollback(AliasChangeRequest("a", reason="b")),
    "remove_alias": lambda remote: remote.remove_alias(AliasChangeRequest("a")),
    "list_jobs": lambda remote: remote.list_jobs(JobListRequest()),
    "cancel_job": lambda remote: remote.cancel_job(JobRequest("a")),
}


def test_a_client_is_operations_and_lists_whole_records() -> None:
    with ScriptedServer([reply(body=b'{"models": [], "next_cursor": null}')]) as server:
        operations: Operations = RemoteOperations(server.url)
        assert operations.list_classifiers(ListRequest(tag="a")) == Listing(())
    assert server.lines == ["GET /v1/classifier/models?tag=a&full=true"]


@pytest.mark.parametrize("verb", QUICK)
def test_a_quick_verb_gives_up_on_a_silent_server(verb: str) -> None:
    done = threading.Event()
    with ScriptedServer([lambda connection: done.wait(10)]) as server:
        remote = RemoteOperations(server.url, timeout_s=0.05)
        with pytest.raises(ServerTimedOut):
            QUICK[verb](remote)
        done.set()


def test_what_needs_no_server_to_be_refused_is_refused_without_one() -> None:
    remote = RemoteOperations("http://127.0.0.1:9")
    with pytest.raises(InvalidName):
        remote.show(ModelRequest("../../health"))
    with pytest.raises(InvalidParameter, match="finite"):
        remote.predict(replace(QUESTION, abstain_below=float("nan")))
    with pytest.raises(InvalidParameter, match="reason must be valid Unicode"):
        remote.remove_alias(AliasChangeRequest("a", reason="\ud800"))
    with pytest.raises(ClientClosedRequest):
        remote.predict(QUESTION, lambda: False)
    with pytest.raises(ServerUnreachable):
        remote.show(ModelRequest("tickets_v1"))


@pytest.mark.parametrize("timeout_s", [0, -1.0, float("nan")])
def test_patience_must_be_more_than_none(timeout_s: float) -> None:
    with pytest.raises(InvalidParameter, match=r"^timeout_s is"):
        RemoteOperations("http://127.0.0.1:9", timeout_s)


def test_one_prediction_after_the_other_goes_over_one_connection() -> None:
    body = (
        b'{"label":"billing","scores":{"account":0.08,"billing":0.87,"technical":0.05},"model_name":"tickets_v1",'
        b'"revision":1,"alias":null,"truncated":false,"abstained":false,"in_scope":0.62,"explanation":null}\n'
    )
    with ScriptedServer([reply(body=body)] * 30) as server:
        remote = RemoteOperations(server.url)
        for _ in range(30):
            assert remote.predict(QUESTION)[0].label == "billing"
        remote.close()
    assert server.connections == 1


def test_an_export_that_breaks_off_is_told() -> None:
    name = 'attachment; filename="a.windrow"'
    whole = reply(body=b"x" * 1_000, content_type="application/octet-stream", Content_Disposition=name)
    with ScriptedServer([lambda connection: connection.sendall(whole[:-1])]) as server:
        export = RemoteOperations(server.url).export(ExportRequest("a", include_training_data=True))
        assert (export.file_name, export.size_bytes) == ("a.windrow", 1_000)
        with pytest.raises(ConnectionLost):
            list(export.chunks)
    assert server.lines == ["GET /v1/classifier/models/a/export?include_training_data=true"]


def test_an_export_of_which_nothing_was_read_lets_go_of_its_connection() -> None:
    ended = threading.Event()

    def send(connection: socket.socket) -> None:
        connection.sendall(reply(body=b"x" * 1_000_000)[:1_000])
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        ended.set()

    with ScriptedServer([send]) as server:
        remote = RemoteOperations(server.url)
        remote.export(ExportRequest("a")).close()
        assert ended.wait(30)
        remote.close()


@pytest.mark.parametrize("file_name", ["../../a.windrow", "..", ".bashrc", ".windrow", "setup.py", "a.windrow.py"])
def test_a_server_names_no_file_but_what_was_asked_for_in_the_folder(file_name: str) -> None:
    name = f'attachment; filename="{file_name}"'
    with ScriptedServer([reply(body=b"x", Content_Disposition=name)] * 2) as server:
        remote = RemoteOperations(server.url)
        assert remote.export(ExportRequest("tickets_v1@3")).file_name == "tickets_v1.windrow"
        assert remote.report(ReportRequest("tickets_v1@3", ROWS)).file_name == "tickets_v1.html"


@pytest.mark.parametrize("file_name", ["tickets_v1@3.html", "tickets_v1.html"])
def test_a_page_is_called_as_the_server_says(file_name: str) -> None:
    name = f'attachment; filename="{file_name}"'
    with ScriptedServer([reply(body=b"x", Content_Disposition=name)] * 2) as server:
        remote = RemoteOperations(server.url)
        assert remote.report(ReportRequest("live", ROWS)).file_name == file_name
        # What is not called like an export is none.
        assert remote.export(ExportRequest("live")).file_name == "live.windrow"


def test_an_import_is_not_sent_again() -> None:
    with ScriptedServer([None, reply()]) as server, pytest.raises(ConnectionLost):
        RemoteOperations(server.url).import_classifier(io.BytesIO(b"x"), ImportRequest("a", overwrite=True))
    assert server.lines == ["POST /v1/classifier/models/import?model_name=a&overwrite=true"]


@pytest.mark.parametrize(
    ("problem", "error"),
    [
        (Problem("training_cancelled", "Somebody did.", {"job_id": "a1"}), TrainingCancelled),
        (Problem("internal_error", "Look in the log.", {}), TrainingFailed),
    ],
)
def test_a_watched_fit_raises_what_its_job_says(problem: Problem, error: type[WindrowError]) -> None:
    ended = replace(RUNNING, state="failed", progress=None, problem=problem)
    told: list[Progress] = []
    script = [begun(), events(QUEUED, RUNNING, FURTHER, FURTHER, ended)]
    with ScriptedServer(script) as server, pytest.raises(error) as caught:
        RemoteOperations(server.url).fit(REQUEST, told.append)
    assert (caught.value.detail, caught.value.facts) == (problem.detail, problem.facts)
    assert told == [RUNNING.progress, FURTHER.progress]
    assert server.lines == ["POST /v1/classifier/fit?wait=false", "GET /v1/classifier/jobs/a1/events"]


def test_a_job_that_ends_without_a_result_and_without_a_reason_is_told() -> None:
    odd = replace(DONE, revision=None)
    with (
        ScriptedServer([begun(), events(odd)]) as server,
        pytest.raises(UnexpectedReply, match="a1 ended without a result"),
    ):
        RemoteOperations(server.url).fit(REQUEST, lambda progress: None)


def test_a_server_that_dies_while_a_fit_is_watched_is_told() -> None:
    script: list[Step] = [
        begun(),
        breaking(RUNNING),
        None,
    ]
    with ScriptedServer(script) as server, pytest.raises((ConnectionLost, ServerUnreachable), match="job a1"):
        RemoteOperations(server.url).fit(REQUEST, lambda progress: None)


def test_a_listener_that_fails_does_not_end_the_fit() -> None:
    def fail(progress: Progress) -> None:
        raise RuntimeError("a defect in whoever listens")

    failed = replace(RUNNING, state="cancelled", problem=Problem("training_cancelled", "Somebody did."))
    with (
        ScriptedServer([begun(), events(RUNNING, failed)]) as server,
        pytest.raises(TrainingCancelled),
    ):
        RemoteOperations(server.url).fit(REQUEST, fail)


def interrupt(connection: socket.socket) -> None:
    """Press Ctrl-C, as far as this thread's requests can tell: the main thread is in a fit, and no reply comes."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    with contextlib.suppress(OSError):
        connection.recv(1)  # until the client has closed it


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C do what it does where Python begins, whatever another test has left."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_before_the_reply_cancels_what_was_begun() -> None:
    began = replace(
        QUEUED,
        training_data_sha256=dataset_of(REQUEST.training_data).sha256,
        created_at=utc_now() + timedelta(minutes=1),
    )
    cancelled = reply(body=to_json(replace(began, state="cancelled")))
    with ScriptedServer([interrupt, listed(began), cancelled]) as server, pytest.raises(KeyboardInterrupt):
        RemoteOperations(server.url).fit(REQUEST)
    assert server.lines[1:] == ["GET /v1/classifier/jobs", "POST /v1/classifier/jobs/a1/cancel"]


@pytest.mark.parametrize(
    "answer",
    [
        reply(409, json.dumps({"code": "job_finished", "detail": "No."}).encode(), "application/problem+json"),
        reply(body=b"<html>"),
        None,
    ],
    ids=["it has ended", "garbage", "no answer"],
)
def test_whatever_becomes_of_the_cancelling_ctrl_c_stays_ctrl_c(answer: Step) -> None:
    def stop(progress: Progress) -> NoReturn:
        raise KeyboardInterrupt

    script = [begun(), events(QUEUED, RUNNING, DONE), answer]
    with ScriptedServer(script) as server, pytest.raises(KeyboardInterrupt):
        RemoteOperations(server.url).fit(REQUEST, stop)
    assert server.lines[-1] == "POST /v1/classifier/jobs/a1/cancel"


@pytest.fixture
def toy() -> Iterator[Toy]:
    toy = Toy(Settings(max_body_bytes=20_000))
    yield toy
    toy.close()


@pytest.fixture
def remote(toy: Toy) -> Iterator[RemoteOperations]:
    with serving(toy, toy.settings) as url:
        remote = RemoteOperations(url, timeout_s=30)
        yield remote
        remote.close()


def test_a_fit_tells_how_far_it_is_and_gives_what_was_trained(remote: RemoteOperations) -> None:
    told: list[Progress] = []
    result = remote.fit(FIT, told.append)
    assert (result.model_name, result.revision, result.num_examples) == ("tickets_v1", 1, 4)
    assert result.next_name == "tickets_v2"
    (answer,) = remote.predict(ASKED)
    assert (answer.label, answer.model_name, answer.revision) == ("billing", "tickets_v1", 1)


def test_an_export_is_a_file_that_an_import_takes(remote: RemoteOperations) -> None:
    remote.fit(FIT)
    export = remote.export(ExportRequest("tickets_v1", include_training_data=True))
    with tempfile.TemporaryFile() as file:
        for chunk in export.chunks:
            file.write(chunk)
        assert file.tell() == export.size_bytes
        imported = remote.import_classifier(file, ImportRequest("tickets_v2"))
    assert (imported.status, imported.name) == ("imported", "tickets_v2")
    with pytest.raises(ClassifierNotFound):  # before the first chunk
        remote.export(ExportRequest("tickets_v9"))


def test_errors_say_what_to_do_in_the_words_of_python(remote: RemoteOperations) -> None:
    remote.fit(FIT)
    with pytest.raises(ClassifierExists, match="overwrite=True"):
        remote.fit(FitRequest("tickets_v1", TICKETS, overwrite=False))
    remote.promote(PromoteRequest("tickets", "tickets_v1"))
    with pytest.raises(ClassifierInUse, match="force=True") as caught:
        remote.delete(DeleteRequest("tickets_v1"))
    assert caught.value.facts["aliases"] == ["tickets"]
    with pytest.raises(InvalidText, match=r"^texts\[1\] is blank"):
        remote.predict(PredictRequest(model_name="tickets_v1", texts=("a", " ")))
    with pytest.raises(InvalidText, match="half of a surrogate pair"):
        remote.predict(PredictRequest(model_name="tickets_v1", text="\ud800"))


def test_errors_that_only_http_has_carry_the_servers_code(remote: RemoteOperations, toy: Toy) -> None:
    long = "x" * 500
    rows = tuple(Row(f"{long} {number}", str(number % 2)) for number in range(60))
    with pytest.raises(RefusedByServer, match="larger than the 20000 bytes") as caught:
        remote.fit(FitRequest("tickets_v1", rows))
    assert caught.value.code == "body_too_large"

    def fail(is_connected: IsConnected) -> None:
        raise RuntimeError("a defect")

    remote.fit(FIT)
    toy.before_predict = fail
    with pytest.raises(FailedInServer, match="Something unexpected") as broken:
        remote.predict(ASKED)
    assert broken.value.code == "internal_error"
    assert remote.list_aliases().aliases == ()


def test_many_threads_share_a_client(remote: RemoteOperations) -> None:
    remote.fit(FIT)
    alone = remote.predict(ASKED)
    with ThreadPoolExecutor(16) as threads:
        assert set(map(repr, threads.map(lambda _: remote.predict(ASKED), range(100)))) == {repr(alone)}
