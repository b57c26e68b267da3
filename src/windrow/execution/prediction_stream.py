"""A stream of rows of any length, predicted in chunks, several at once, and given back in its order."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from windrow.domain.batches import in_batches
from windrow.domain.errors import (
    ConcurrentChange,
    InvalidText,
    LimitExceeded,
    NotFound,
    Overloaded,
    RateLimited,
    WindrowError,
)
from windrow.domain.prediction import Kind, Prediction, PredictRequest
from windrow.files.reading import Record

if TYPE_CHECKING:
    from windrow.operations import Operations

# Chunks at a time: one is encoded while another one is read or written, and a third one lies ready.
THREADS = 3
# Large enough that the overhead is small beside encoding, small enough for smooth progress and a prompt Ctrl-C.
MAX_CHUNK_TEXTS = 512
MAX_CHUNK_CHARS = 300_000
_FIRST_CHUNK_TEXTS = 32
# A server that has been busy for so long is not about to become free.
MAX_WAITING_S = 600.0
_DEFAULT_RETRY_S = 1.0
# What is asked to learn which revision answers.
_ANY_TEXT: Final = "?"
# How long to wait for local computations to stop after a cancellation.
_STOP_TIMEOUT_S: Final = 0.5

PredictedChunk = tuple[Sequence[Record], Sequence[Prediction]]


@dataclass(frozen=True, slots=True)
class PinnedRevision:
    """The revision that classifies all rows of a run, whatever is promoted or trained meanwhile.

    Args:
        reference: ``name@revision``.
        labels: Its labels.
        asked: What requests name: the reference, or the alias where the API key knows that alone.
        alias: What the user named, if it is an alias.
        kind: Whether it gives one label, or any number of them.
    """

    reference: str
    labels: tuple[str, ...]
    asked: str
    alias: str | None = None
    kind: Kind = "single_label"


def pin(operations: "Operations", model_name: str) -> PinnedRevision:
    """Resolve a name to its current revision, by a prediction: an API key needs no scope but ``predict``.

    Args:
        operations: The verbs.
        model_name: A name, an alias, ``name@revision`` or ``task@latest``.

    Raises:
        InvalidName: The name breaks the grammar.
        NotFound: There is no such classifier, alias or revision.
        InvalidArtifact: The record or the artifact is damaged.
    """
    named = _ask(operations, model_name)
    if named.alias is not None:
        try:
            _ask(operations, named.reference)
        except NotFound:
            return named
    return replace(named, asked=named.reference)


def pin_again(operations: "Operations", model_name: str, reference: str) -> PinnedRevision:
    """Find the revision of an earlier run, to go on with it.

    Args:
        operations: The verbs.
        model_name: What the user named.
        reference: ``name@revision``, as it was pinned.

    Raises:
        NotFound: That revision is no longer there, or an alias that the API key knows alone points elsewhere now.
    """
    try:
        return _ask(operations, reference)
    except NotFound:
        if (named := _ask(operations, model_name)).reference != reference:
            raise
        return named


def _ask(operations: "Operations", model_name: str) -> PinnedRevision:
    (answer,) = operations.predict(PredictRequest(model_name=model_name, text=_ANY_TEXT))
    reference = f"{answer.model_name}@{answer.revision}"
    return PinnedRevision(reference, tuple(answer.scores), model_name, answer.alias, answer.kind)


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """The request for each chunk of rows.

    Args:
        request: The classifier and the prediction options; its texts are ignored.
        source: The file's name in error messages.
        reference: The revision that must answer, ``name@revision``; ``None`` for whichever does.
        chunk_texts: The maximum number of texts of one request.
        on_refused: Called with each row whose text the service refuses, and why; the row is then left out, unless it
            raises an error. ``None`` to raise. Called from several threads.
    """

    request: PredictRequest
    source: str
    reference: str | None = None
    chunk_texts: int = MAX_CHUNK_TEXTS
    on_refused: Callable[[Record, WindrowError], None] | None = None


def predict_stream(
    operations: "Operations", records: Iterable[Record], stream_request: StreamRequest
) -> Generator[PredictedChunk]:
    """Yield rows with their predictions, chunk by chunk in row order; only a few chunks are in memory.

    Close the generator if you stop early, so that its threads end.

    Args:
        operations: Called from several threads.
        records: The rows.
        stream_request: The request.

    Raises:
        InvalidInput: A row is refused; the message names its line, and all chunks before it were yielded.
        ConcurrentChange: Another revision answers than the one that must.
        WindrowError: As ``predict`` raises. Requests to a busy server are retried for ten minutes.
    """
    predictor = _ChunkPredictor(operations, stream_request)
    pending: deque[Future[PredictedChunk]] = deque()
    sizes = (stream_request.chunk_texts, MAX_CHUNK_CHARS)
    chunks = in_batches(records, *sizes, lambda record: len(record.text), _FIRST_CHUNK_TEXTS)
    problem: WindrowError | None = None
    try:
        while problem is None:
            try:
                pending.append(predictor.submit(next(chunks)))
            except StopIteration:
                break
            except WindrowError as error:
                problem = error
            if len(pending) == THREADS:
                yield pending[0].result()
                pending.popleft()
        while pending:
            yield pending[0].result()
            pending.popleft()
    finally:
        predictor.stopping.set()
        # Local computations stop soon; a thread that waits for a silent server is abandoned.
        wait(pending, _STOP_TIMEOUT_S)
    # Only now, so that all rows before the wrong one are classified.
    if problem is not None:
        raise problem


@dataclass(slots=True)
class _ChunkPredictor:
    """Predicts chunks in several threads.

    Args:
        operations: The verbs.
        stream_request: The request.
        stopping: Set when the predictions are no longer needed.
    """

    operations: "Operations"
    stream_request: StreamRequest
    stopping: threading.Event = field(default_factory=threading.Event)

    def submit(self, chunk: Sequence[Record]) -> Future[PredictedChunk]:
        """Start to predict a chunk. Python's own pool would wait at the end for a reply that may never come."""
        future: Future[PredictedChunk] = Future()
        threading.Thread(target=self._resolve, args=(future, chunk), name="predict", daemon=True).start()
        return future

    def _resolve(self, future: Future[PredictedChunk], chunk: Sequence[Record]) -> None:
        try:
            future.set_result(self.predict(chunk))
        except BaseException as error:  # noqa: BLE001 - ``Future.result`` raises it in the calling thread
            future.set_exception(error)

    def predict(self, chunk: Sequence[Record]) -> PredictedChunk:
        """Return the rows of a chunk with their predictions; a chunk that is too large for the server is halved."""
        waited_s = 0.0
        while chunk:
            request = replace(self.stream_request.request, texts=tuple(record.text for record in chunk))
            try:
                return chunk, self._checked(self.operations.predict(request, self._is_connected))
            except (Overloaded, RateLimited) as error:
                retry_s = _retry_after_s(error)
                waited_s += retry_s
                if waited_s > MAX_WAITING_S or self.stopping.wait(retry_s):
                    raise
            except (InvalidText, LimitExceeded) as error:
                if isinstance(index := error.facts.get("index"), int) and index < len(chunk):
                    if self.stream_request.on_refused is not None:
                        self.stream_request.on_refused(chunk[index], error)
                        chunk = [*chunk[:index], *chunk[index + 1 :]]
                        continue
                    error.facts |= {"file": self.stream_request.source, "line": chunk[index].line}
                    raise
                if isinstance(error, InvalidText) or len(chunk) == 1:
                    raise
                half = len(chunk) // 2
                (first, answers), (second, more) = self.predict(chunk[:half]), self.predict(chunk[half:])
                return (*first, *second), (*answers, *more)
        return (), ()

    def _checked(self, answers: Sequence[Prediction]) -> Sequence[Prediction]:
        """Refuse answers of another revision than the run's, which can come only where an alias is asked."""
        expected = self.stream_request.reference
        for answer in answers:
            if expected not in (None, found := f"{answer.model_name}@{answer.revision}"):
                raise ConcurrentChange(
                    "{model_name} was pointed from {expected} to {found} meanwhile. Begin again.",
                    {"model_name": self.stream_request.request.model_name, "expected": expected, "found": found},
                )
        return answers

    def _is_connected(self) -> bool:
        return not self.stopping.is_set()


def _retry_after_s(error: WindrowError) -> float:
    value = error.facts.get("retry_after_s")
    return float(value) if isinstance(value, int | float) and value > 0 else _DEFAULT_RETRY_S
