"""A stream of rows of any length, predicted in chunks, several at once, and given back in its order.

Owns chunks, threads and waiting for a busy server; knows nothing of files or of how answers are shown.
"""

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from windrow.cli.reading import Record
from windrow.domain.classifier import Record as ClassifierRecord
from windrow.domain.errors import InvalidText, LimitExceeded, Overloaded, WindrowError
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.operations import Operations

# One is encoded while another one is read or written, and a third one lies ready.
THREADS = 3
# Large enough that asking costs little beside encoding, small enough that a bar moves and Ctrl-C is heard.
MAX_CHUNK_TEXTS = 512
MAX_CHUNK_CHARS = 300_000
_FIRST_CHUNK_TEXTS = 32
# A server that has been busy for so long is not about to become free.
MAX_WAITING_S = 600.0
_DEFAULT_RETRY_S = 1.0

Answered = tuple[Sequence[Record], Sequence[Prediction]]


@dataclass(frozen=True, slots=True)
class Pinned:
    """The one revision that answers all rows of a run, whatever is promoted or trained meanwhile.

    Args:
        asked: What the user named.
        reference: ``name@revision``.
        labels: Its labels.
        alias: What the user named, if it is an alias.
    """

    asked: str
    reference: str
    labels: tuple[str, ...]
    alias: str | None = None


def pin(operations: Operations, asked: str) -> Pinned:
    """Find the revision that a name means now.

    Args:
        operations: Whom to ask.
        asked: A name, an alias, ``name@revision`` or ``task@latest``.

    Raises:
        InvalidName: The name breaks the grammar.
        NotFound: It means nothing.
        ArtifactInvalid: The record is damaged.
    """
    details = operations.show(asked)
    record: ClassifierRecord = details.classifier.record
    alias = asked if asked in details.aliases and asked != record.name else None
    return Pinned(asked, f"{record.name}@{record.revision}", record.labels, alias)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each row.

    Args:
        request: The classifier and what is wanted of its answers; its texts are not looked at.
        source: What the file is called in messages.
        chunk_texts: The most texts of one request.
    """

    request: PredictRequest
    source: str
    chunk_texts: int = MAX_CHUNK_TEXTS


def predict_stream(operations: Operations, records: Iterable[Record], question: Question) -> Generator[Answered]:
    """Yield rows with their answers, chunk by chunk in the order of the rows; only some chunks are in memory.

    Close it where it is left early, so that its threads end.

    Args:
        operations: Whom to ask, from several threads.
        records: The rows.
        question: What to ask.

    Raises:
        InvalidInput: A row is refused; the words name its line, and all rows of the chunks before were yielded.
        WindrowError: What ``predict`` raises. A server that is too busy is asked again for ten minutes.
    """
    asking = _Asking(operations, question)
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="predict")
    pending: deque[tuple[Sequence[Record], Future[tuple[Prediction, ...]]]] = deque()
    chunks = _Chunks(records, question.chunk_texts)
    try:
        for chunk in chunks:
            pending.append((chunk, pool.submit(asking.ask, chunk)))
            if len(pending) > THREADS:
                yield _first(pending)
        while pending:
            yield _first(pending)
    finally:
        asking.stopping.set()
        pool.shutdown(cancel_futures=True)
    # Only now, so that every sound row before a wrong one is answered.
    if chunks.error is not None:
        raise chunks.error


def _first(pending: "deque[tuple[Sequence[Record], Future[tuple[Prediction, ...]]]]") -> Answered:
    chunk, answer = pending.popleft()
    return chunk, answer.result()


@dataclass(slots=True)
class _Chunks:
    """Rows in chunks, the first ones small, so that the first answers come soon.

    Args:
        records: The rows.
        most: Rows of a chunk.
        error: What was wrong with the row after the last chunk.
    """

    records: Iterable[Record]
    most: int
    error: WindrowError | None = field(default=None)

    def __iter__(self) -> Iterator[list[Record]]:
        chunk: list[Record] = []
        chars, most = 0, min(_FIRST_CHUNK_TEXTS, self.most)
        try:
            for record in self.records:
                if chunk and chars + len(record.text) > MAX_CHUNK_CHARS:
                    yield chunk
                    chunk, chars = [], 0
                chunk.append(record)
                chars += len(record.text)
                if len(chunk) == most:
                    yield chunk
                    chunk, chars, most = [], 0, min(2 * most, self.most)
        except WindrowError as error:
            self.error = error
        if chunk:
            yield chunk


@dataclass(slots=True)
class _Asking:
    """Asks for chunks, from several threads.

    Args:
        operations: Whom.
        question: What.
        stopping: Set once nobody wants the answers any more.
    """

    operations: Operations
    question: Question
    stopping: threading.Event = field(default_factory=threading.Event)

    def ask(self, chunk: Sequence[Record]) -> tuple[Prediction, ...]:
        """Return the answers for a chunk; one that is too large for the server is halved."""
        request = replace(self.question.request, texts=tuple(record.text for record in chunk))
        waited_s = 0.0
        while True:
            try:
                return self.operations.predict(request, self._is_wanted)
            except Overloaded as error:
                retry_s = _retry_after_s(error)
                waited_s += retry_s
                if waited_s > MAX_WAITING_S or self.stopping.wait(retry_s):
                    raise
            except (InvalidText, LimitExceeded) as error:
                if isinstance(index := error.facts.get("index"), int) and index < len(chunk):
                    raise _at_line(error, self.question.source, chunk[index].line, index) from error
                if isinstance(error, InvalidText) or len(chunk) == 1:
                    raise
                half = len(chunk) // 2
                return (*self.ask(chunk[:half]), *self.ask(chunk[half:]))

    def _is_wanted(self) -> bool:
        return not self.stopping.is_set()


def _retry_after_s(error: Overloaded) -> float:
    value = error.facts.get("retry_after_s")
    return float(value) if isinstance(value, int | float) and value > 0 else _DEFAULT_RETRY_S


def _at_line(error: WindrowError, source: str, line: int, index: int) -> WindrowError:
    """Return the same error in the words of a file: its line in place of a number within a request."""
    words = error.detail.removeprefix(f"texts[{index}]").removeprefix("The text")
    return type(error)(f"{source}, line {line}: the text{words}", {**error.facts, "file": source, "line": line})
