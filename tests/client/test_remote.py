"""What the client adds to the verbs: patience, errors that only HTTP has, threads. The rest is in tests/conformance."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import pytest

from tests.client.sockets import ScriptedServer, reply
from tests.fakes.operations import FakeOperations
from windrow.client.errors import FailedInServer, RefusedByServer, ServerTimedOut, ServerUnreachable, UnexpectedReply
from windrow.client.remote import RemoteOperations
from windrow.client.transport import Call, Transport
from windrow.domain.alias import PromoteRequest, Said
from windrow.domain.classifier import FitRequest, NotesChange
from windrow.domain.comparison import CompareRequest
from windrow.domain.cross_validation import CrossValidateRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidName, InvalidParameter
from windrow.domain.listing import Selection
from windrow.domain.prediction import IsWanted, PredictRequest
from windrow.domain.report import EvaluateRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.operations import Operations

ROWS = (Row("I was charged twice", "billing"), Row("The app crashes", "bug"))
FIT = FitRequest("tickets_v1", ROWS)
QUESTION = PredictRequest(("tickets_v1",), ("charged again",))
# Each verb that may take minutes, and those that do not.
PATIENT = {
    "forecast": lambda remote: remote.forecast(FIT),
    "cross_validate": lambda remote: remote.cross_validate(CrossValidateRequest(ROWS)),
    "reproduce": lambda remote: remote.reproduce("a"),
    "evaluate": lambda remote: remote.evaluate(EvaluateRequest("a", ROWS)),
    "compare": lambda remote: remote.compare(CompareRequest(("a", "b"), ROWS)),
    "suggest": lambda remote: remote.suggest(SuggestRequest("a", ("b",))),
    "promote": lambda remote: remote.promote(PromoteRequest("a", "b")),
    "delete_all": lambda remote: remote.delete_all(Selection(task="a")),
    "fsck": lambda remote: remote.fsck(),
    "usage": lambda remote: remote.usage(),
    "export": lambda remote: remote.export("a"),
}
QUICK = {
    "predict": lambda remote: remote.predict(QUESTION),
    "start_fit": lambda remote: remote.start_fit(FIT),
    "list_classifiers": lambda remote: remote.list_classifiers(),
    "show": lambda remote: remote.show("a"),
    "describe": lambda remote: remote.describe("a", NotesChange("b")),
    "delete": lambda remote: remote.delete("a"),
    "rollback": lambda remote: remote.rollback("a", Said("b")),
    "remove_alias": lambda remote: remote.remove_alias("a"),
    "list_jobs": lambda remote: remote.list_jobs(),
    "cancel_job": lambda remote: remote.cancel_job("a"),
}
VERBS: Mapping[str, Callable[[RemoteOperations], object]] = {**PATIENT, **QUICK}


def test_a_client_is_operations(remote: RemoteOperations) -> None:
    operations: Operations = remote
    assert operations.list_classifiers().classifiers == ()


@pytest.mark.parametrize("verb", QUICK)
def test_a_quick_verb_gives_up_on_a_silent_server(verb: str) -> None:
    done = threading.Event()
    with ScriptedServer([lambda connection: done.wait(10)]) as server:
        remote = RemoteOperations(server.url, timeout_s=0.05)
        with pytest.raises(ServerTimedOut):
            QUICK[verb](remote)
        done.set()


@pytest.mark.parametrize("verb", VERBS)
def test_only_a_verb_that_may_take_minutes_waits_for_as_long_as_it_takes(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float | None] = []

    def send(self: Transport, call: Call, *, is_whole: bool = False) -> NoReturn:
        asked.append(call.timeout_s)
        raise UnexpectedReply("Something odd. Look at it.")

    monkeypatch.setattr(Transport, "open", send)
    with pytest.raises(UnexpectedReply):
        VERBS[verb](RemoteOperations("http://127.0.0.1:9", timeout_s=7))
    assert asked == [None if verb in PATIENT else 7]


def test_errors_that_only_http_has_carry_the_servers_code(remote: RemoteOperations, operations: FakeOperations) -> None:
    long = "x" * 500
    rows = tuple(Row(f"{long} {number}", str(number % 2)) for number in range(60))
    with pytest.raises(RefusedByServer, match="larger than the 20000 bytes") as caught:
        remote.fit(FitRequest("tickets_v1", rows))
    assert caught.value.code == "body_too_large"

    def fail(is_wanted: IsWanted) -> None:
        raise RuntimeError("a defect")

    operations.before_predict = fail
    with pytest.raises(FailedInServer, match="Something unexpected") as broken:
        remote.predict(QUESTION)
    assert broken.value.code == "internal_error"
    assert remote.list_aliases() == ()


def test_what_needs_no_server_to_be_refused_is_refused_without_one() -> None:
    remote = RemoteOperations("http://127.0.0.1:9")
    with pytest.raises(InvalidName):
        remote.show("../../health")
    with pytest.raises(InvalidParameter, match="finite"):
        remote.predict(PredictRequest(("a",), ("b",), abstain_below=float("nan")))
    with pytest.raises(ServerUnreachable):
        remote.show("tickets_v1")


@pytest.mark.parametrize("timeout_s", [0, -1.0, float("nan")])
def test_patience_must_be_more_than_none(timeout_s: float) -> None:
    with pytest.raises(InvalidParameter, match=r"^timeout_s is"):
        RemoteOperations("http://127.0.0.1:9", timeout_s)


def test_many_threads_share_a_client(remote: RemoteOperations) -> None:
    remote.fit(FIT)
    alone = remote.predict(QUESTION)
    with ThreadPoolExecutor(16) as threads:
        assert set(map(repr, threads.map(lambda _: remote.predict(QUESTION), range(100)))) == {repr(alone)}


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
