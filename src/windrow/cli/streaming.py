"""A stream of rows of any length, predicted in chunks, several at once, and given back in its order."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from windrow.cli.reading import Record
from windrow.domain.classifier import ModelRequest
from windrow.domain.errors import InvalidText, LimitExceeded, Overloaded, WindrowError
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.session.batches import in_batches

if TYPE_CHECKING:
    from windrow.operations import Operations

# Chunks at a time: one is encoded while another one is read or written, and a third one lies ready.
THREADS = 3
# Large enough that predictor costs little beside encoding, small enough that a bar moves and Ctrl-C is heard.
MAX_CHUNK_TEXTS = 512
MAX_CHUNK_CHARS = 300_000
_FIRST_CHUNK_TEXTS = 32
# A server that has been busy for so long is not about to become free.
MAX_WAITING_S = 600.0
_DEFAULT_RETRY_S = 1.0
# What this process computes itself ends within that time once nobody wants it.
_STOP_TIMEOUT_S: Final = 0.5

PredictedChunk = tuple[Sequence[Record], Sequence[Prediction]]


@dataclass(frozen=True, slots=True)
class PinnedRevision:
    """The one revision that answers all rows of a run, whatever is promoted or trained meanwhile.

    Args:
        reference: ``name@revision``.
        labels: Its labels.
        alias: What the user named, if it is an alias.
    """

    reference: str
    labels: tuple[str, ...]
    alias: str | None = None


def pin(operations: "Operations", model_name: str) -> PinnedRevision:
    """Find the revision that a name means now.

    Args:
        operations: The verbs.
        model_name: A name, an alias, ``name@revision`` or ``task@latest``.

    Raises:
        InvalidName: The name breaks the grammar.
        NotFound: It means nothing.
        InvalidArtifact: The record is damaged.
    """
    one = operations.show(ModelRequest(model_name))
    alias = model_name if model_name in one.aliases and model_name != one.name else None
    return PinnedRevision(f"{one.name}@{one.revision}", one.labels, alias)


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """The request for each chunk of rows.

    Args:
        request: The classifier and what is wanted of its answers; its texts are not looked at.
        source: What the file is called in messages.
        chunk_texts: The most texts of one request.
        skip: Is told the line of each row whose text the service refuses, which then is left out; ``None`` to end
            there. Called from several threads.
    """

    request: PredictRequest
    source: str
    chunk_texts: int = MAX_CHUNK_TEXTS
    skip: Callable[[int], None] | None = None


def predict_stream(
    operations: "Operations", records: Iterable[Record], stream_request: StreamRequest
) -> Generator[PredictedChunk]:
    """Yield rows with their answers, chunk by chunk in the order of the rows; only some chunks are in memory.

    Close it where it is left early, so that its threads end.

    Args:
        operations: The verbs, from several threads.
        records: The rows.
        stream_request: The request.

    Raises:
        InvalidInput: A row is refused; the words name its line, and all rows of the chunks before were yielded.
        WindrowError: What ``predict`` raises. A server that is too busy is asked again for ten minutes.
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
        # Those that compute stop soon, and one that waits for a silent server is left.
        wait(pending, _STOP_TIMEOUT_S)
    # Only now, so that every sound row before a wrong one is answered.
    if problem is not None:
        raise problem


@dataclass(slots=True)
class _ChunkPredictor:
    """Predicts chunks in several threads.

    Args:
        operations: The verbs.
        stream_request: The request.
        stopping: Set once nobody wants the answers any more.
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
        except BaseException as error:  # noqa: BLE001 - whoever waits for the answers gets it
            future.set_exception(error)

    def predict(self, chunk: Sequence[Record]) -> PredictedChunk:
        """Return the rows of a chunk with their answers; one that is too large for the server is halved."""
        waited_s = 0.0
        while chunk:
            request = replace(self.stream_request.request, texts=tuple(record.text for record in chunk))
            try:
                return chunk, self.operations.predict(request, self._is_connected)
            except Overloaded as error:
                retry_s = _retry_after_s(error)
                waited_s += retry_s
                if waited_s > MAX_WAITING_S or self.stopping.wait(retry_s):
                    raise
            except (InvalidText, LimitExceeded) as error:
                if isinstance(index := error.facts.get("index"), int) and index < len(chunk):
                    if self.stream_request.skip is not None:
                        self.stream_request.skip(chunk[index].line)
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

    def _is_connected(self) -> bool:
        return not self.stopping.is_set()


def _retry_after_s(error: Overloaded) -> float:
    value = error.facts.get("retry_after_s")
    return float(value) if isinstance(value, int | float) and value > 0 else _DEFAULT_RETRY_S
