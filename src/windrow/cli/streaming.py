"""A stream of rows of any length, predicted in chunks, several at once, and given back in its order."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from windrow.cli.reading import Record
from windrow.domain.classifier import ModelRequest
from windrow.domain.errors import InvalidText, LimitExceeded, Overloaded, WindrowError
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.session.batches import in_batches

if TYPE_CHECKING:
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
# What this process computes itself ends within that time once nobody wants it.
_LEAVING_S: Final = 0.5

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


def pin(operations: "Operations", asked: str) -> Pinned:
    """Find the revision that a name means now.

    Args:
        operations: Whom to ask.
        asked: A name, an alias, ``name@revision`` or ``task@latest``.

    Raises:
        InvalidName: The name breaks the grammar.
        NotFound: It means nothing.
        ArtifactInvalid: The record is damaged.
    """
    one = operations.show(ModelRequest(asked))
    alias = asked if asked in one.aliases and asked != one.name else None
    return Pinned(asked, f"{one.name}@{one.revision}", one.labels, alias)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each row.

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


def predict_stream(operations: "Operations", records: Iterable[Record], question: Question) -> Generator[Answered]:
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
    threads = _Threads(asking.ask)
    pending: deque[Future[Answered]] = deque()
    sizes = (question.chunk_texts, MAX_CHUNK_CHARS)
    chunks = in_batches(records, *sizes, lambda record: len(record.text), _FIRST_CHUNK_TEXTS)
    problem: WindrowError | None = None
    try:
        while problem is None:
            try:
                pending.append(threads.ask(next(chunks)))
            except StopIteration:
                break
            except WindrowError as error:
                problem = error
            if len(pending) > THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        asking.stopping.set()
        threads.leave()
    # Only now, so that every sound row before a wrong one is answered.
    if problem is not None:
        raise problem


class _Threads:
    """A few threads that ask. Python's own pool would wait at the end for an answer that may never come.

    Args:
        ask: Returns the answers for a chunk.
    """

    def __init__(self, ask: Callable[[Sequence[Record]], Answered]) -> None:
        self._ask = ask
        self._tasks: SimpleQueue[tuple[Future[Answered], Sequence[Record]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def ask(self, chunk: Sequence[Record]) -> Future[Answered]:
        """Begin to ask for a chunk."""
        if len(self._threads) < THREADS:
            thread = threading.Thread(target=self._work, name=f"predict-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        future: Future[Answered] = Future()
        self._tasks.put((future, chunk))
        return future

    def leave(self) -> None:
        """Let go of the threads: those that compute stop soon, and one that waits for a silent server is left."""
        with suppress(Empty):
            while True:
                self._tasks.get_nowait()
        for _ in self._threads:
            self._tasks.put(None)
        ends = time.monotonic() + _LEAVING_S
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, chunk = task
            try:
                future.set_result(self._ask(chunk))
            except BaseException as error:  # noqa: BLE001 - whoever waits for the answers gets it
                future.set_exception(error)


@dataclass(slots=True)
class _Asking:
    """Asks for chunks, from several threads.

    Args:
        operations: Whom.
        question: What.
        stopping: Set once nobody wants the answers any more.
    """

    operations: "Operations"
    question: Question
    stopping: threading.Event = field(default_factory=threading.Event)

    def ask(self, chunk: Sequence[Record]) -> Answered:
        """Return the rows of a chunk with their answers; one that is too large for the server is halved."""
        waited_s = 0.0
        while chunk:
            request = replace(self.question.request, texts=tuple(record.text for record in chunk))
            try:
                return chunk, self.operations.predict(request, self._is_wanted)
            except Overloaded as error:
                retry_s = _retry_after_s(error)
                waited_s += retry_s
                if waited_s > MAX_WAITING_S or self.stopping.wait(retry_s):
                    raise
            except (InvalidText, LimitExceeded) as error:
                if isinstance(index := error.facts.get("index"), int) and index < len(chunk):
                    if self.question.skip is not None:
                        self.question.skip(chunk[index].line)
                        chunk = [*chunk[:index], *chunk[index + 1 :]]
                        continue
                    error.facts |= {"file": self.question.source, "line": chunk[index].line}
                    raise
                if isinstance(error, InvalidText) or len(chunk) == 1:
                    raise
                half = len(chunk) // 2
                (first, answers), (second, more) = self.ask(chunk[:half]), self.ask(chunk[half:])
                return (*first, *second), (*answers, *more)
        return (), ()

    def _is_wanted(self) -> bool:
        return not self.stopping.is_set()


def _retry_after_s(error: Overloaded) -> float:
    value = error.facts.get("retry_after_s")
    return float(value) if isinstance(value, int | float) and value > 0 else _DEFAULT_RETRY_S
