"""Client and server derive their halves from one table: what one of them says, the other one hears."""

import io
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.client.serving import serving
from windrow.api.endpoints import (
    ALIAS_HISTORY,
    BY_VERB,
    CANCEL_JOB,
    COMPARE,
    CROSS_VALIDATE,
    DELETE,
    DELETE_ALL,
    DESCRIBE,
    EVALUATE,
    EXPORT,
    FIT,
    FOLLOW_JOB,
    FORECAST,
    FSCK,
    IMPORT,
    JOB,
    LIST_CLASSIFIERS,
    LIST_JOBS,
    PREDICT,
    PROMOTE,
    REMOVE_ALIAS,
    REMOVE_BASE_MODEL,
    REPRODUCE,
    RESTORE,
    ROLLBACK,
    SHOW,
    START_FIT,
    SUGGEST,
    Endpoint,
    NoRequest,
)
from windrow.api.examples import example_of
from windrow.client.remote import RemoteOperations
from windrow.domain.alias import AliasChangeRequest, AliasRequest, PromoteRequest
from windrow.domain.archive import Export, ExportRequest, ImportRequest
from windrow.domain.base_models import BaseModelRequest
from windrow.domain.checkup import CheckRequest
from windrow.domain.classifier import (
    ClassifierDetails,
    DeleteRequest,
    DescribeRequest,
    FitRequest,
    FitResult,
    ModelRequest,
    RestoreRequest,
)
from windrow.domain.comparison import CompareRequest
from windrow.domain.cross_validation import CrossValidateRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidText, PromotionRefused, WindrowError
from windrow.domain.gate import Requirement
from windrow.domain.job import Job, JobListRequest, JobRequest, Problem, Progress
from windrow.domain.listing import DeleteAllRequest, ListRequest, to_cursor
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.report import EvaluateRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.domain.values import recast
from windrow.domain.words import Words
from windrow.settings import Settings

ROWS = (Row("größer\u2028", "b"), Row('c\\"\n', "d"))
ID = "20250915-103000-5f2b9c0d"
FIT_REQUEST = FitRequest(
    "tickets_v1", ROWS, "by hand", ("b", "a"), False, seed=7, max_seconds=2.5, cross_validate=False, base_model="a/b"
)
REQUESTS: list[tuple[Endpoint[Any, Any], object]] = [
    (START_FIT, FIT_REQUEST),
    (FORECAST, FIT_REQUEST),
    (LIST_JOBS, JobListRequest(3)),
    (JOB, JobRequest(ID)),
    (CANCEL_JOB, JobRequest(ID)),
    (PREDICT, PredictRequest(model_name="tickets@latest", text="\u2028", top_k=2, abstain_below=0.5, explain=True)),
    (PREDICT, PredictRequest(model_name="tickets_v1@3", texts=("a", "b"), min_in_scope=0.25)),
    (PREDICT, PredictRequest(model_names=("a", "b"), text="c")),
    (EVALUATE, EvaluateRequest("tickets_v1", ROWS, save=False, target_precision=0.75)),
    (COMPARE, CompareRequest(("a", "b@2"), ROWS)),
    (CROSS_VALIDATE, CrossValidateRequest(ROWS, 3, num_iterations=0)),
    (SUGGEST, SuggestRequest("a", ("b", "c"), 1)),
    (LIST_CLASSIFIERS, ListRequest(task="t", prefix="p", tag="ä &", sort="-size", limit=3, cursor=to_cursor("a"))),
    (DELETE_ALL, DeleteAllRequest(base_model="a/b", purge=True, force=True, dry_run=True)),
    (SHOW, ModelRequest("tickets_v1@3")),
    (DESCRIBE, DescribeRequest("tickets_v1", "", ())),
    (DESCRIBE, DescribeRequest("tickets_v1", tags=("x",))),
    (DELETE, DeleteRequest("tickets_v1@3", purge=True)),
    (RESTORE, RestoreRequest("tickets_v1")),
    (REPRODUCE, ModelRequest("tickets_v1")),
    (BY_VERB["list_aliases"], NoRequest()),
    (PROMOTE, PromoteRequest("tickets", "tickets_v1", reason="r", by="b")),
    (PROMOTE, PromoteRequest("tickets", "a", require=Requirement(ROWS, True, ROWS, {"b": 0.5}), must_pass=())),
    (REMOVE_ALIAS, AliasChangeRequest("tickets", reason="größer", by="&?")),
    (ALIAS_HISTORY, AliasRequest("tickets")),
    (ROLLBACK, AliasChangeRequest("tickets")),
    (BY_VERB["base_models"], NoRequest()),
    (REMOVE_BASE_MODEL, BaseModelRequest("a/b")),
    (BY_VERB["usage"], NoRequest()),
    (FSCK, CheckRequest(repair=True)),
]


@dataclass
class Twin:
    """Operations that take note of what they are asked, and answer with what the test wants."""

    answer: Any = None
    asked: list[object] = field(default_factory=list)

    def __getattr__(self, verb: str) -> Any:
        if verb not in BY_VERB:
            raise AttributeError(verb)

        def do(*args: object, **_: object) -> Any:
            self.asked += args
            if isinstance(self.answer, WindrowError):
                raise self.answer
            return self.answer

        return do

    def vitals(self) -> None:
        """Say nothing of what goes on."""

    def start_predict_at_once(self, request: PredictRequest, is_wanted: object) -> None:
        """Leave it to a thread."""

    def start_predict(self, request: PredictRequest, is_wanted: object) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(self.predict(request))
        except WindrowError as error:
            future.set_exception(error)
        return future


@dataclass
class Chosen:
    """Passes everything on to the twin of the test that runs."""

    twin: Twin

    def __getattr__(self, name: str) -> Any:
        return getattr(self.twin, name)


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


def answer_to(endpoint: Endpoint[Any, Any], request: Any) -> Any:
    """Return a reply as the verb gives it."""
    reply = example_of(endpoint.reply)
    if endpoint is not PREDICT:
        return reply
    one = replace(reply, alias="a", explanation=reply.explanation if request.explain else None)
    return tuple(
        replace(one, label=label) for _, label in zip(request.all_names * len(request.all_texts), "xy", strict=False)
    )


@pytest.mark.parametrize(("endpoint", "request_"), REQUESTS, ids=lambda each: getattr(each, "verb", ""))
def test_a_request_and_its_reply_arrive_as_they_were(
    endpoint: Endpoint[Any, Any], request_: Any, twin: Twin, remote: RemoteOperations
) -> None:
    twin.answer = answer_to(endpoint, request_)
    verb = getattr(remote, endpoint.verb)
    reply = verb() if isinstance(request_, NoRequest) else verb(request_)
    assert reply == twin.answer
    expected = replace(request_, full=True) if endpoint is LIST_CLASSIFIERS else request_
    assert twin.asked[:1] == ([] if isinstance(request_, NoRequest) else [expected])


def test_each_verb_is_among_them() -> None:
    others = {each.verb for each in (FIT, FOLLOW_JOB, EXPORT, IMPORT)}
    assert {endpoint.verb for endpoint, _ in REQUESTS} == set(BY_VERB) - others


def test_files_arrive_as_they_were(twin: Twin, remote: RemoteOperations) -> None:
    twin.answer = Export("tickets.windrow", 9, iter([b"some", b"bytes"]))
    export = remote.export(ExportRequest("tickets_v1@3", training_rows=True))
    assert (export.file_name, export.size_bytes, b"".join(export.chunks)) == ("tickets.windrow", 9, b"somebytes")
    assert twin.asked == [ExportRequest("tickets_v1@3", training_rows=True)]
    twin.answer = example_of(IMPORT.reply)
    request = ImportRequest("other", overwrite=True, dry_run=True)
    assert remote.import_classifier(io.BytesIO(b"somebytes"), request) == twin.answer
    assert twin.asked[-1] == request


def test_a_job_is_followed_to_its_end_and_its_problem_arrives_whole(twin: Twin, remote: RemoteOperations) -> None:
    running: Job = replace(example_of(Job), state="running", progress=Progress("encoding"), problem=None)
    problem = Problem("training_cancelled", "The job {job} was cancelled; {send} it again.", {"job": ID})
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
