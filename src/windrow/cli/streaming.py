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
        reference: ``name@revision``.
        labels: Its labels.
        alias: What the user named, if it is an alias.
    """

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
        InvalidArtifact: The record is damaged.
    """
    one = operations.show(ModelRequest(asked))
    alias = asked if asked in one.aliases and asked != one.name else None
    return Pinned(f"{one.name}@{one.revision}", one.labels, alias)


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
    pending: deque[Future[Answered]] = deque()
    sizes = (question.chunk_texts, MAX_CHUNK_CHARS)
    chunks = in_batches(records, *sizes, lambda record: len(record.text), _FIRST_CHUNK_TEXTS)
    problem: WindrowError | None = None
    try:
        while problem is None:
            try:
                pending.append(asking.begin(next(chunks)))
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
        asking.stopping.set()
        # Those that compute stop soon, and one that waits for a silent server is left.
        wait(pending, _LEAVING_S)
    # Only now, so that every sound row before a wrong one is answered.
    if problem is not None:
        raise problem


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

    def begin(self, chunk: Sequence[Record]) -> Future[Answered]:
        """Begin to ask for a chunk. Python's own pool would wait at the end for an answer that may never come."""
        future: Future[Answered] = Future()
        threading.Thread(target=self._settle, args=(future, chunk), name="predict", daemon=True).start()
        return future

    def _settle(self, future: Future[Answered], chunk: Sequence[Record]) -> None:
        try:
            future.set_result(self.ask(chunk))
        except BaseException as error:  # noqa: BLE001 - whoever waits for the answers gets it
            future.set_exception(error)

    def ask(self, chunk: Sequence[Record]) -> Answered:
        """Return the rows of a chunk with their answers; one that is too large for the server is halved."""
        waited_s = 0.0
        while chunk:
            request = replace(self.question.request, texts=tuple(record.text for record in chunk))
            try:
                return chunk, self.operations.predict(request, self._is_connected)
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

    def _is_connected(self) -> bool:
        return not self.stopping.is_set()


def _retry_after_s(error: Overloaded) -> float:
    value = error.facts.get("retry_after_s")
    return float(value) if isinstance(value, int | float) and value > 0 else _DEFAULT_RETRY_S
