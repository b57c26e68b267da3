"""Streams of rows in chunks, by several threads, in order."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from windrow.cli.surface import CliWords
from windrow.domain.errors import (
    ClassifierNotFound,
    ClientClosedRequest,
    ConcurrentChange,
    InvalidParameter,
    InvalidText,
    LimitExceeded,
    Overloaded,
    ShuttingDown,
)
from windrow.domain.prediction import IsConnected, Prediction, PredictRequest, always_connected
from windrow.execution import prediction_stream
from windrow.execution.prediction_stream import THREADS, PinnedRevision, StreamRequest, pin, pin_again, predict_stream
from windrow.files.reading import Record
from windrow.operations import Operations

NOTHING = PredictRequest(model_name="tickets_v1@1")


@dataclass
class Echo:
    """Answers each text with itself, after whatever a test wants done."""

    before: Callable[[PredictRequest, IsConnected], None] = lambda request, is_connected: None
    asked: list[PredictRequest] = field(default_factory=list)

    def predict(self, request: PredictRequest, is_connected: IsConnected = always_connected) -> tuple[Prediction, ...]:
        self.asked.append(request)
        self.before(request, is_connected)
        return tuple(
            Prediction(label=text, scores={text: 1.0}, model_name="tickets_v1", revision=1, truncated=False)
            for text in request.all_texts
        )

    def stream(self, records: Iterable[Record], chunk_texts: int = 4) -> Iterator[tuple[str, str | None]]:
        stream_request = StreamRequest(NOTHING, "mails.csv", chunk_texts=chunk_texts)
        for chunk, predictions in predict_stream(cast(Operations, self), records, stream_request):
            yield from ((record.text, prediction.label) for record, prediction in zip(chunk, predictions, strict=True))


def rows(count: int) -> Iterator[Record]:
    return (Record(number + 2, f"text {number}", {"text": f"text {number}"}) for number in range(count))


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 100])
def test_each_row_gets_its_own_answer_in_order(count: int) -> None:
    assert list(Echo().stream(rows(count))) == [(row.text, row.text) for row in rows(count)]


def test_answers_come_in_order_though_a_later_chunk_is_faster() -> None:
    is_second_done = threading.Event()

    def before(request: PredictRequest, is_connected: IsConnected) -> None:
        if "text 0" in request.all_texts:
            assert is_second_done.wait(30)
        elif "text 4" in request.all_texts:
            is_second_done.set()

    assert [text for text, _ in Echo(before).stream(rows(20))] == [row.text for row in rows(20)]


def test_no_more_than_some_chunks_are_read_ahead() -> None:
    read = 0

    def counted() -> Iterator[Record]:
        nonlocal read
        for row in rows(10_000):
            read += 1
            yield row

    for done, _ in enumerate(Echo().stream(counted()), 1):
        assert read - done <= (THREADS + 2) * 4


def test_chunks_keep_to_the_most_texts_and_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_stream, "MAX_CHUNK_CHARS", 30)
    echo = Echo()
    list(echo.stream(rows(50), chunk_texts=1_000))
    assert {sum(map(len, request.all_texts)) <= 30 for request in echo.asked} == {True}
    monkeypatch.undo()
    echo = Echo()
    list(echo.stream(rows(500), chunk_texts=100))
    assert sorted(len(request.all_texts) for request in echo.asked) == [4, 32, 64, 100, 100, 100, 100]


def test_a_chunk_that_is_too_large_for_the_server_is_halved() -> None:
    def before(request: PredictRequest, is_connected: IsConnected) -> None:
        if len(request.all_texts) > 3:
            raise LimitExceeded("texts has too many entries.", {"limit": 3, "setting": "WINDROW_MAX_TEXTS"})

    assert list(Echo(before).stream(rows(40), chunk_texts=32)) == [(row.text, row.text) for row in rows(40)]


def test_a_busy_server_is_asked_again() -> None:
    refused = set[str]()

    def before(request: PredictRequest, is_connected: IsConnected) -> None:
        if request.all_texts[0] not in refused:
            refused.add(request.all_texts[0])
            raise Overloaded("Too many wait. Try again.", {"retry_after_s": 0.001})

    assert list(Echo(before).stream(rows(20))) == [(row.text, row.text) for row in rows(20)]


def test_a_server_that_stays_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_stream, "MAX_WAITING_S", 0.01)

    def before(request: PredictRequest, is_connected: IsConnected) -> None:
        raise Overloaded("Too many wait. Try again.", {"retry_after_s": 0.004})

    with pytest.raises(Overloaded):
        list(Echo(before).stream(rows(1)))


@pytest.mark.parametrize("error", [InvalidText, LimitExceeded])
def test_a_row_that_is_refused_is_named_by_its_line(error: type[InvalidText | LimitExceeded]) -> None:
    def before(request: PredictRequest, is_connected: IsConnected) -> None:
        if "text 9" in request.all_texts:
            index = request.all_texts.index("text 9")
            raise error("{place:texts} is bad. Shorten it.", {"index": index})

    with pytest.raises(error) as refused:
        list(Echo(before).stream(rows(20)))
    assert refused.value.told(CliWords()) == "mails.csv, line 11: the text is bad. Shorten it."
    assert refused.value.facts == {"index": 1, "file": "mails.csv", "line": 11}


def test_the_rows_before_a_wrong_one_are_answered() -> None:
    def broken() -> Iterator[Record]:
        yield from rows(9)
        raise InvalidParameter("mails.csv, line 11: the text is blank.")

    answered: list[tuple[str, str | None]] = []
    with pytest.raises(InvalidParameter, match="line 11"):
        answered.extend(Echo().stream(broken()))
    assert [text for text, _ in answered] == [row.text for row in rows(9)]


def test_what_the_server_says_ends_the_stream() -> None:
    def before(request: PredictRequest, is_connected: IsConnected) -> None:
        raise ShuttingDown("The server stops.")

    with pytest.raises(ShuttingDown):
        list(Echo(before).stream(rows(100)))


def test_leaving_early_stops_what_is_asked_and_ends_the_threads() -> None:
    begun = threading.Event()

    def before(request: PredictRequest, is_connected: IsConnected) -> None:
        if "text 0" in request.all_texts:
            return
        begun.set()
        pause = threading.Event()
        while is_connected():
            pause.wait(0.001)
        raise ClientClosedRequest("The caller left.")

    stream: Any = Echo(before).stream(rows(1_000))
    assert next(stream) == ("text 0", "text 0")
    assert begun.wait(30)
    stream.close()
    for thread in threading.enumerate():
        if thread.name == "predict":
            thread.join(30)
            assert not thread.is_alive()


def test_ctrl_c_while_a_busy_server_is_waited_for_is_heard_at_once() -> None:
    def interrupted() -> Iterator[Record]:
        yield from rows(8)
        raise KeyboardInterrupt

    def before(request: PredictRequest, is_connected: IsConnected) -> None:
        raise Overloaded("Too many wait.", {"retry_after_s": 500})

    with pytest.raises(KeyboardInterrupt):
        list(Echo(before).stream(interrupted()))


@dataclass
class AliasOnly:
    """Answers as a server does to an API key that may do nothing but predict, and knows nothing but one alias."""

    revision: int = 1

    def predict(self, request: PredictRequest, is_connected: IsConnected = always_connected) -> tuple[Prediction, ...]:
        if request.model_name != "live":
            raise ClassifierNotFound("There is no classifier {model_name}.", {"model_name": request.model_name})
        answer = Prediction(
            label="a",
            scores={"a": 0.75, "b": 0.25},
            model_name="tickets_v1",
            revision=self.revision,
            truncated=False,
            alias="live",
        )
        return (answer,) * len(request.all_texts)


def test_an_alias_is_asked_where_a_key_knows_nothing_else() -> None:
    operations = AliasOnly()
    pinned = pin(cast(Operations, operations), "live")
    assert pinned == PinnedRevision("tickets_v1@1", ("a", "b"), asked="live", alias="live")
    assert pin_again(cast(Operations, operations), "live", "tickets_v1@1") == pinned
    operations.revision = 2
    with pytest.raises(ClassifierNotFound):
        pin_again(cast(Operations, operations), "live", "tickets_v1@1")


def test_no_other_revision_answers_a_row_where_the_alias_is_asked() -> None:
    operations = AliasOnly()
    request = StreamRequest(PredictRequest(model_name="live"), "mails.csv", "tickets_v1@1", chunk_texts=4)
    answered = predict_stream(cast(Operations, operations), rows(400), request)
    next(answered)
    operations.revision = 2
    with pytest.raises(ConcurrentChange, match="live was pointed from tickets_v1@1 to tickets_v1@2 meanwhile"):
        list(answered)
