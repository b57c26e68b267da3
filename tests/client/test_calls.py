"""What each verb sends, what never stands in a path, and that a server hears what was said."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.client.serving import serving
from tests.client.twins import FIT_REQUEST, ID, REQUESTS, Chosen, Twin, answer_to
from windrow.api.endpoints import (
    ALIAS_HISTORY,
    BY_VERB,
    CANCEL_JOB,
    COMPARE,
    DELETE,
    DELETE_ALL,
    DESCRIBE,
    ENDPOINTS,
    ESTIMATE_FIT,
    EVALUATE,
    EXPORT,
    FIT,
    FOLLOW_JOB,
    FSCK,
    IMPORT,
    INSPECT,
    JOB,
    LIST_CLASSIFIERS,
    LIST_JOBS,
    PREDICT,
    PROMOTE,
    REMOVE_BASE_MODEL,
    REPORT,
    ROLLBACK,
    SHOW,
    START_FIT,
    SUGGEST,
    USAGE,
    Endpoint,
    NoRequest,
)
from windrow.api.examples import example_of
from windrow.client.calls import _PATH_CHECKS, build_call, to_json
from windrow.client.remote import RemoteOperations
from windrow.domain.alias import AliasChangeRequest, AliasRequest, PromoteRequest
from windrow.domain.archive import Export, ExportRequest, ImportRequest
from windrow.domain.base_models import BaseModelRequest
from windrow.domain.classifier import (
    ClassifierDetails,
    DeleteRequest,
    DescribeRequest,
    FitRequest,
    FitResult,
    ModelRequest,
)
from windrow.domain.comparison import CompareRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    InvalidName,
    InvalidParameter,
    InvalidText,
    JobNotFound,
    PromotionRefused,
    WindrowError,
)
from windrow.domain.gate import Requirement
from windrow.domain.inspection import InspectRequest
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import Job, JobListRequest, JobRequest, Problem, Progress
from windrow.domain.listing import DeleteAllRequest, ListRequest
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.report import EvaluateRequest
from windrow.domain.report_page import ReportPage, ReportRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.domain.values import has_default, recast
from windrow.domain.words import Words
from windrow.settings import Settings

ROOT = "/v1/classifier"
ROWS = (Row("a", "b"), Row("c", "d"))
SHOWN_ROWS = [{"text": "a", "label": "b"}, {"text": "c", "label": "d"}]
# An endpoint, a request, and what is sent: the path and, where there is a body, what is in it.
SENT: list[tuple[Endpoint[Any], object, str, object]] = [
    (SHOW, ModelRequest("tickets_v1@3"), "/models/tickets_v1@3", None),
    (SHOW, ModelRequest("tickets@latest"), "/models/tickets@latest", None),
    (DELETE, DeleteRequest("a", purge=True), "/models/a?purge=true", None),
    (DELETE, DeleteRequest("a"), "/models/a", None),
    (DESCRIBE, DescribeRequest("a", tags=()), "/models/a", {"tags": []}),
    (DESCRIBE, DescribeRequest("a"), "/models/a", {}),
    (ALIAS_HISTORY, AliasRequest("tickets"), "/aliases/tickets/history", None),
    (ROLLBACK, AliasChangeRequest("tickets", reason="größer"), "/aliases/tickets/rollback", {"reason": "größer"}),
    (REMOVE_BASE_MODEL, BaseModelRequest("BAAI/bge-small"), "/base-models/BAAI/bge-small", None),
    (JOB, JobRequest("019a1c5e4b33-7d0c41"), "/jobs/019a1c5e4b33-7d0c41", None),
    (CANCEL_JOB, JobRequest("a"), "/jobs/a/cancel", None),
    (LIST_JOBS, JobListRequest(3), "/jobs?limit=3", None),
    (USAGE, NoRequest(), "/usage", None),
    (FSCK, FsckRequest(repair=True), "/fsck", {"repair": True}),
    (LIST_CLASSIFIERS, ListRequest(prefix="ä&b", deleted=True), "/models?prefix=%C3%A4%26b&deleted=true", None),
    # Not lost: it is the server that says what is wrong with it.
    (DELETE_ALL, DeleteAllRequest(prefix=""), "/models?prefix=", None),
    (DELETE_ALL, DeleteAllRequest(tag="\ud800"), "/models?tag=%3F", None),
    (FIT, FitRequest("a", ROWS), "/fit", {"model_name": "a", "training_data": SHOWN_ROWS}),
    (START_FIT, FitRequest("a", (), cross_validate=False), "/fit?wait=false", {"cross_validate": False}),
    (ESTIMATE_FIT, FitRequest("a", (), seed=7), "/fit?dry_run=true", {"seed": 7}),
    (PREDICT, PredictRequest(model_name="a", text="b", top_k=2), "/predict", {"text": "b", "top_k": 2}),
    (SUGGEST, SuggestRequest("a", ("b",)), "/suggest", {"model_name": "a", "texts": ["b"]}),
    (COMPARE, CompareRequest(("a", "b"), ROWS), "/compare", {"model_names": ["a", "b"], "test_data": SHOWN_ROWS}),
    (EVALUATE, EvaluateRequest("a", ROWS, save=False), "/evaluate", {"save": False}),
    (
        PROMOTE,
        PromoteRequest("b", "a", require=Requirement(ROWS, min_recall={"b": 0.5}), must_pass=()),
        "/aliases/b",
        {"model_name": "a", "must_pass": []},
    ),
]


@pytest.mark.parametrize(("endpoint", "request_", "path", "body"), SENT, ids=lambda value: getattr(value, "verb", ""))
def test_a_request_is_path_query_and_body_without_what_was_left_out(
    endpoint: Endpoint[Any], request_: object, path: str, body: dict[str, object] | None
) -> None:
    call = build_call(endpoint, request_, 7)
    assert (call.method, call.path) == (endpoint.method, ROOT + path)
    if body is None:
        assert call.body is None
        return
    assert isinstance(call.body, bytes)
    sent = json.loads(call.body)
    assert {name: sent[name] for name in body} == body
    assert {name for name in sent if f"{{{name}}}" in endpoint.path} == set()


def test_values_within_values_are_sent_whole() -> None:
    request = PromoteRequest("b", "a", require=Requirement(ROWS, not_worse=True, min_recall={"b": 0.5}))
    body = build_call(PROMOTE, request, 7).body
    assert isinstance(body, bytes)
    assert json.loads(body)["require"] == {
        "test_data": SHOWN_ROWS,
        "not_worse": True,
        "must_pass": [],
        "min_recall": {"b": 0.5},
        "min_f1": {},
    }


def test_a_file_is_sent_as_it_is_and_its_request_in_the_query() -> None:
    file = io.BytesIO(b"x")
    call = build_call(IMPORT, ImportRequest("a", overwrite=True), 7, file)
    assert call.path == "/v1/classifier/models/import?model_name=a&overwrite=true"
    assert (call.body, call.content_type) == (file, "application/octet-stream")
    call = build_call(INSPECT, InspectRequest(text_column=("a b", "c"), header=True), 7, file)
    assert call.path == "/v1/classifier/inspect?text_column=a+b&text_column=c&header=true"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.verb)
def test_only_a_verb_that_may_take_minutes_waits_for_as_long_as_it_takes(endpoint: Endpoint[Any]) -> None:
    made: Any = endpoint.request
    names = {
        "model_name": "a",
        "new_name": "b",
        "alias": "a",
        "base_model": "a/b",
        "job_id": "a",
        "name": "a",
        "question": "a",
        "input": "/a",
        "output": "/b",
    }
    rows = dict.fromkeys(("scopes", "training_data", "test_data", "texts", "model_names"), ())
    known: dict[str, Any] = {**names, **rows, "abstain_below": 0.5, "labels": ("a", "b")}
    call = build_call(
        endpoint, made(**{each.name: known[each.name] for each in fields(made) if not has_default(each)}), 7
    )
    assert call.timeout_s == (None if endpoint.long_running else 7)
    assert call.idempotent == endpoint.idempotent


def test_each_field_of_a_path_is_checked_before_it_stands_there() -> None:
    assert {name for endpoint in ENDPOINTS for name in endpoint.path_fields} == set(_PATH_CHECKS)


@pytest.mark.parametrize("name", ["", "..", "a/export", "a b", "a?full=true", "a@0", "é", "a\n", "{model_name}"])
def test_a_name_that_might_mean_another_path_is_refused_as_the_server_would(name: str) -> None:
    with pytest.raises(InvalidName):
        build_call(SHOW, ModelRequest(name), 7)
    with pytest.raises(InvalidName):
        build_call(ALIAS_HISTORY, AliasRequest(name), 7)


@pytest.mark.parametrize("base_model", ["", "..", "../models/tickets_v1", "a/..", "BAAI/bge small", "a/b/c", "a/b?c=d"])
def test_what_is_no_base_models_id_never_stands_in_a_path(base_model: str) -> None:
    with pytest.raises(InvalidParameter, match="no base model's id"):
        build_call(REMOVE_BASE_MODEL, BaseModelRequest(base_model), 7)


@pytest.mark.parametrize("job_id", ["", ".", "..", "../a", "a/cancel", "a?b", "a b", "é", "a" * 65, "a\n"])
def test_what_is_no_jobs_id_never_stands_in_a_path(job_id: str) -> None:
    with pytest.raises(JobNotFound, match=re.escape(f"There is no job {job_id[:64]!r}")):
        build_call(CANCEL_JOB, JobRequest(job_id), 7)


def test_a_body_is_json_in_utf8_and_half_a_surrogate_pair_still_reaches_the_server() -> None:
    content = to_json({"reason": "größer", "author": "\ud800"})
    assert content == '{"reason":"größer","author":"\\ud800"}'.encode()
    assert json.loads(content) == {"reason": "größer", "author": "\ud800"}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_has_not_is_refused_before_anything_is_sent(number: float) -> None:
    with pytest.raises(InvalidParameter, match="Pass a finite one"):
        build_call(PREDICT, PredictRequest(model_name="a", text="b", abstain_below=number), 7)
    with pytest.raises(InvalidParameter, match="Pass a finite one"):
        build_call(PROMOTE, PromoteRequest("a", "b", require=Requirement(min_recall={"x": number})), 7)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Chosen, RemoteOperations]]:
    chosen = Chosen(Twin())
    with serving(chosen, Settings()) as url:
        remote = RemoteOperations(url, timeout_s=30)
        yield chosen, remote
        remote.close()


@pytest.fixture
def twin(served: tuple[Chosen, RemoteOperations]) -> Twin:
    served[0].twin = Twin()
    return served[0].twin


@pytest.fixture
def remote(served: tuple[Chosen, RemoteOperations]) -> RemoteOperations:
    return served[1]


@pytest.mark.parametrize(("endpoint", "request_"), REQUESTS, ids=lambda each: getattr(each, "verb", ""))
def test_a_request_and_its_reply_arrive_as_they_were(
    endpoint: Endpoint[Any], request_: Any, twin: Twin, remote: RemoteOperations
) -> None:
    twin.answer = answer_to(endpoint, request_)
    verb = getattr(remote, endpoint.verb)
    reply = verb() if isinstance(request_, NoRequest) else verb(request_)
    assert reply == twin.answer
    expected = replace(request_, full=True) if endpoint is LIST_CLASSIFIERS else request_
    assert twin.asked[:1] == ([] if isinstance(request_, NoRequest) else [expected])


def test_each_verb_is_among_them() -> None:
    others = {each.verb for each in (FIT, FOLLOW_JOB, EXPORT, REPORT, IMPORT, INSPECT)}
    assert {endpoint.verb for endpoint, _ in REQUESTS} == set(BY_VERB) - others


def test_files_arrive_as_they_were(twin: Twin, remote: RemoteOperations) -> None:
    twin.answer = Export("tickets.windrow", 9, iter([b"some", b"bytes"]))
    export = remote.export(ExportRequest("tickets_v1@3", include_training_data=True))
    assert (export.file_name, export.size_bytes, b"".join(export.chunks)) == ("tickets.windrow", 9, b"somebytes")
    assert twin.asked == [ExportRequest("tickets_v1@3", include_training_data=True)]
    twin.answer = Export("tickets.onnx.zip", 4, iter([b"zipp"]))
    assert remote.export(ExportRequest("tickets_v1@3", to="onnx")).file_name == "tickets.onnx.zip"
    assert twin.asked[-1:] == [ExportRequest("tickets_v1@3", to="onnx")]
    twin.answer = ReportPage("tickets_v1@3.html", 4, iter([b"pa", b"ge"]))
    asked = ReportRequest("tickets", ROWS, save=False, target_precision=0.75, title="größer\u2028")
    page = remote.report(asked)
    assert (page.file_name, page.size_bytes, b"".join(page.chunks)) == ("tickets_v1@3.html", 4, b"page")
    assert (twin.asked[-1:], page.report) == ([asked], None)
    twin.answer = example_of(IMPORT.reply)
    request = ImportRequest("other", overwrite=True, dry_run=True)
    assert remote.import_classifier(io.BytesIO(b"somebytes"), request) == twin.answer
    assert twin.asked[-1:] == [request]
    twin.answer = example_of(INSPECT.reply)
    looked_at = InspectRequest(
        text_column=("Betreff & mehr", "b,c"), header=False, filename="ä.csv", include_values=True
    )
    assert remote.inspect(io.BytesIO(b"somebytes"), looked_at) == twin.answer
    assert twin.asked[-1:] == [looked_at]


def test_a_job_is_followed_to_its_end_and_its_problem_arrives_whole(twin: Twin, remote: RemoteOperations) -> None:
    running: Job = replace(example_of(Job), state="running", progress=Progress("encoding"), problem=None)
    problem = Problem("training_cancelled", "The job {job_id} was cancelled; {send} it again.", {"job_id": ID})
    ended = replace(running, state="cancelled", progress=None, problem=problem)
    # The client looks whether there is such a job, and the server looks at it now and then.
    looks = iter([running, running, ended])

    class Followed(Twin):
        def job(self, request: JobRequest) -> Job:
            return next(looks)

    twin.__class__ = Followed
    assert list(remote.follow_job(JobRequest(ID))) == [running, ended]


def test_a_fit_gives_what_its_classifier_has(twin: Twin, remote: RemoteOperations) -> None:
    made: ClassifierDetails = example_of(ClassifierDetails)
    done: Job = replace(example_of(Job), state="succeeded", problem=None, revision=3, next_name="tickets_v2")

    class Fitting(Twin):
        def start_fit(self, request: FitRequest) -> Job:
            return replace(done, state="queued", revision=None, next_name=None)

        def job(self, request: JobRequest) -> Job:
            return done

        def show(self, request: ModelRequest) -> ClassifierDetails:
            assert request == ModelRequest(f"{done.model_name}@3")
            return made

    twin.__class__ = Fitting
    expected = recast(FitResult, made, model_name=made.name, next_name="tickets_v2")
    assert remote.fit(FIT_REQUEST) == expected


class Upper(Words):
    """Words unlike those of Python."""

    send = "shout"


@pytest.mark.parametrize(
    "raised",
    [
        InvalidText("{place:texts} is {value!r}. {Send} another.", {"index": 3, "value": "{arg:top_k} \ud800"}),
        PromotionRefused("It is {checks}, with {braces}.", {"checks": [{"passed": False}], "braces": "{x}"}),
    ],
    ids=["of its surface", "same everywhere"],
)
def test_an_error_is_told_in_the_words_of_whoever_asked(
    raised: WindrowError, twin: Twin, remote: RemoteOperations
) -> None:
    twin.answer = raised
    with pytest.raises(type(raised)) as caught:
        remote.predict(PredictRequest(model_name="a", text="b"))
    assert (caught.value.code, caught.value.facts) == (raised.code, raised.facts)
    assert caught.value.detail == raised.detail
    assert caught.value.told(Upper()) == raised.told(Upper())


def test_a_prediction_is_the_domains_own(twin: Twin, remote: RemoteOperations) -> None:
    twin.answer = (example_of(Prediction),)
    (answer,) = remote.predict(PredictRequest(model_name="a", text="b"))
    assert type(answer) is Prediction
    assert answer.abstained is (answer.label is None)
