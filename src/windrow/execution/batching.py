"""The batch queue: whose texts are encoded next, together with whose, and on how many cores."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue

import numpy as np

from windrow.arrays import Floats
from windrow.domain.errors import Abandoned, ShuttingDown, WindrowError
from windrow.domain.prediction import IsWanted
from windrow.domain.vitals import QueueVitals
from windrow.encoders.adapters import Adapter
from windrow.encoders.layout import feature_size
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder, Tokens
from windrow.execution.turns import overloaded

# A batch of so many tokens runs at nearly full speed; larger ones only let others wait longer. Source: docs/adr/0011.
BATCH_TOKENS = 128
# What a request with many texts puts into a batch before it is the next one's turn.
SHARE_TOKENS = 32
# Batches of predictions between two of a training, where both wait.
BATCHES_PER_CHUNK = 3
# Until batches have been timed.
FIRST_TOKENS_PER_S = 4_000.0
_NEWEST_WEIGHT = 0.1


@dataclass(slots=True, eq=False)
class _Request:
    """Texts that belong together.

    Args:
        encoder: What encodes them.
        tokens: Of each text.
        adapters: One a text.
        is_wanted: Asked before each batch.
        features: Where the results go.
        waiting: The texts that no batch has taken yet, shortest first, for a batch of equals has no padding.
        unfinished: Texts without a result.
        waiting_tokens: Of the texts in ``waiting``.
        answer: Set once no text is unfinished.
        error: What kept a text from being encoded.
    """

    encoder: TextEncoder
    tokens: Sequence[Tokens]
    adapters: Sequence[Adapter | None]
    is_wanted: IsWanted
    features: Floats = field(init=False)
    waiting: deque[int] = field(init=False)
    unfinished: int = field(init=False)
    waiting_tokens: int = field(init=False)
    answer: "Future[Floats]" = field(default_factory=Future)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        lengths = [len(each.ids) for each in self.tokens]
        self.features = np.empty((len(lengths), feature_size(self.encoder.folder)), np.float32)
        self.waiting = deque(sorted(range(len(lengths)), key=lengths.__getitem__))
        self.unfinished, self.waiting_tokens = len(lengths), sum(lengths)
        self.answer.set_running_or_notify_cancel()  # from here on, only is_wanted can stop it

    def give_up(self, error: BaseException) -> None:
        """Drop the texts that no batch has taken."""
        self.error = self.error or error
        self.unfinished -= len(self.waiting)
        self.waiting_tokens = 0
        self.waiting.clear()

    def settle(self) -> None:
        """Give the answer. That runs whatever waits for it, so the queue must not be locked."""
        if self.error is None:
            self.answer.set_result(self.features)
        else:
            self.answer.set_exception(self.error)


@dataclass(slots=True, eq=False)
class _Chunk:
    """A batch of a training."""

    work: Callable[[], Floats]
    answer: "Future[Floats]" = field(default_factory=Future)
    cores: int = 1

    def settle(self) -> None:
        """Do the work and give its result."""
        try:
            self.answer.set_result(self.work())
        except BaseException as error:  # noqa: BLE001  whatever it is, the training must hear of it
            self.answer.set_exception(error)


@dataclass(slots=True, eq=False)
class _Batch:
    """Texts of any requests for one run of one encoder."""

    encoder: TextEncoder
    texts: list[tuple[_Request, int]] = field(default_factory=list)
    tokens: int = 0
    parallelism: Parallelism = Parallelism.ONE_CORE
    cores: int = 1

    def take_share(self, request: _Request) -> bool:
        """Take some of a request's texts, as far as they fit; a text longer than a batch gets one of its own."""
        limit = min(self.tokens + SHARE_TOKENS, BATCH_TOKENS)
        before = len(self.texts)
        while request.encoder is self.encoder and request.waiting and self.tokens < limit:
            size = len(request.tokens[request.waiting[0]].ids)
            if self.texts and self.tokens + size > BATCH_TOKENS:
                break
            self.texts.append((request, request.waiting.popleft()))
            self.tokens += size
            request.waiting_tokens -= size
        return len(self.texts) > before

    def run(self) -> Floats:
        batch = [request.tokens[text] for request, text in self.texts]
        adapters = [request.adapters[text] for request, text in self.texts]
        return self.encoder.encode(batch, adapters, self.parallelism)


class BatchQueue:
    """Shares the cores between all requests; thread-safe.

    There are as many threads as cores, and no timers. A batch starts as soon as a core is free: on all cores if nobody
    else wants any, else on one. What comes meanwhile fills the next batch.

    Args:
        cores: Computations that may run at the same time.
        max_waiting: Requests that may wait; further ones are refused.
        max_waiting_tokens: Tokens that may wait before a request is refused.
    """

    def __init__(self, cores: int, max_waiting: int, max_waiting_tokens: int = 1_000_000) -> None:
        self._max_waiting = max_waiting
        self._max_waiting_tokens = max_waiting_tokens
        self._cores = cores
        self._free = cores
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle: list[SimpleQueue[_Batch | _Chunk | None]] = []
        self._is_closed = False
        self._requests: list[_Request] = []
        self._dropped: list[_Request] = []
        self._chunks: deque[_Chunk] = deque()
        self._batches_since_chunk = 0
        self._tokens_per_s = FIRST_TOKENS_PER_S
        self._running = self._batches = self._tokens = self._refused = self._abandoned = 0

    def check_room(self) -> None:
        """Refuse a request before anything is done for it.

        Raises:
            Overloaded: Too much waits already.
        """
        with self._lock:
            self._check_room()

    def encode(
        self,
        encoder: TextEncoder,
        tokens: Sequence[Tokens],
        adapters: Sequence[Adapter | None],
        is_wanted: IsWanted,
        is_admitted: bool = False,
    ) -> "Future[Floats]":
        """Have texts encoded, in batches with whatever else is waiting.

        Args:
            encoder: What encodes them.
            tokens: Of at least one text.
            adapters: One a text.
            is_wanted: Asked before each batch.
            is_admitted: Whether they belong to a request that was let in before, and so wait in any case.

        Returns:
            Their features, shape [n, feature_size], float32; or :class:`Abandoned` where ``is_wanted`` said no,
            :class:`ShuttingDown` where the queue was closed. Its callbacks run in a thread of the queue.

        Raises:
            Overloaded: Too much waits already.
            ShuttingDown: The queue is closed.
        """
        request = _Request(encoder, tokens, adapters, is_wanted)
        with self._change():
            if self._is_closed:
                raise _closed()
            if not is_admitted:
                self._check_room()
            self._start()
            self._requests.append(request)
        return request.answer

    def close(self) -> None:
        """Finish the running batches, fail what waits, and end the threads."""
        with self._change():
            self._is_closed = True
            for request in self._requests:
                self._drop(request, _closed())
            self._requests = []
            for inbox in self._idle:
                inbox.put(None)
            self._idle = []
            chunks, self._chunks = self._chunks, deque()
        for chunk in chunks:
            chunk.answer.set_exception(_closed())
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def compute(self, batches: Sequence[Callable[[], Floats]]) -> list[Floats]:
        """Compute the batches of a training, each on one core, where predictions leave it free or have had their share.

        Their results do not depend on what else goes on, for they are never mixed with others.

        Args:
            batches: What to compute.

        Returns:
            Their results, in their order.

        Raises:
            ShuttingDown: The queue is closed.
        """
        chunks = [_Chunk(batch) for batch in batches]
        with self._change():
            if self._is_closed:
                raise _closed()
            self._start()
            self._chunks.extend(chunks)
        return [chunk.answer.result() for chunk in chunks]

    @property
    def waiting_chunks(self) -> int:
        """How many batches of trainings wait."""
        return len(self._chunks)

    def vitals(self) -> QueueVitals:
        """Return what waits and runs now, and what was done since the start."""
        with self._lock:
            waiting = [len(request.waiting) for request in self._requests]
            return QueueVitals(
                waiting_requests=len(waiting),
                waiting_texts=sum(waiting),
                running_batches=self._running,
                batches=self._batches,
                tokens=self._tokens,
                refused=self._refused,
                abandoned=self._abandoned,
            )

    def _start(self) -> None:
        """Start the threads that are not there yet; the next request tries again where the system refuses one."""
        while len(self._threads) < self._cores:
            inbox: SimpleQueue[_Batch | _Chunk | None] = SimpleQueue()
            thread = threading.Thread(
                target=self._work, args=(inbox,), name=f"encode-{len(self._threads)}", daemon=True
            )
            thread.start()
            self._threads.append(thread)
            self._idle.append(inbox)

    def _work(self, inbox: "SimpleQueue[_Batch | _Chunk | None]") -> None:
        """Run batch after batch."""
        while (task := inbox.get()) is not None:
            if isinstance(task, _Chunk):
                task.settle()
            else:
                self._run(task)
            with self._change():
                self._free += task.cores
                if self._is_closed:
                    return
                self._idle.append(inbox)

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Lock the queue for a change, give the free cores work, and tell those whose requests were dropped."""
        with self._lock:
            yield
            self._hand_out()
            dropped, self._dropped = self._dropped, []
        for request in dropped:
            request.settle()

    def _run(self, batch: _Batch) -> None:
        began = time.perf_counter()
        error: BaseException | None = None
        try:
            features = batch.run()
        except BaseException as failure:  # noqa: BLE001  whatever it is, all whose texts were in the batch must hear it
            error = failure
        took_s = time.perf_counter() - began
        with self._lock:
            self._running -= 1
            self._batches += 1
            self._tokens += batch.tokens
            speed = batch.tokens / max(took_s, 1e-6) * (self._cores / batch.cores)
            self._tokens_per_s += _NEWEST_WEIGHT * (speed - self._tokens_per_s)
            for row, (request, text) in enumerate(batch.texts):
                request.unfinished -= 1
                if error is None:
                    request.features[text] = features[row]
                else:
                    request.give_up(error)
            finished = [request for request in dict.fromkeys(each for each, _ in batch.texts) if not request.unfinished]
        for request in finished:
            request.settle()

    def _hand_out(self) -> None:
        """Give the free cores work, as long as there is some."""
        while self._free and self._idle:
            task = self._next_chunk() or self._next_batch()
            if task is None:
                return
            self._free -= task.cores
            self._idle.pop().put(task)  # the latest one's caches are the warmest

    def _next_chunk(self) -> _Chunk | None:
        if not self._chunks or (self._requests and self._batches_since_chunk < BATCHES_PER_CHUNK):
            return None
        self._batches_since_chunk = 0
        return self._chunks.popleft()

    def _next_batch(self) -> _Batch | None:
        """Fill a batch from all requests in turns: a deficit round robin (Shreedhar & Varghese, 1996)."""
        self._drop_unwanted()
        if not self._requests:
            return None
        batch = _Batch(self._requests[0].encoder)
        served: dict[_Request, None] = {}
        while took := [request for request in self._requests if batch.take_share(request)]:
            served |= dict.fromkeys(took)
        # Who got a share goes behind the others; who did not fit keeps its place, and is the next batch's first.
        behind = [request for request in served if request.waiting]
        self._requests = [request for request in self._requests if request not in served] + behind
        if self._free == self._cores and not self._requests:
            batch.parallelism, batch.cores = Parallelism.ALL_CORES, self._cores
        self._running += 1
        self._batches_since_chunk += 1
        return batch

    def _drop_unwanted(self) -> None:
        """Drop the requests whose callers have gone."""
        for request in self._requests:
            if request.waiting and not request.is_wanted():
                self._abandoned += 1
                self._drop(
                    request, Abandoned("The caller left before all its texts were encoded, so the rest was not.")
                )
        self._requests = [request for request in self._requests if request.waiting]

    def _drop(self, request: _Request, error: WindrowError) -> None:
        if not request.waiting:  # it failed, and has been told so
            return
        request.give_up(error)
        if not request.unfinished:
            self._dropped.append(request)

    def _check_room(self) -> None:
        tokens = [request.waiting_tokens for request in self._requests]
        limits = {"WINDROW_MAX_WAITING": self._max_waiting, "WINDROW_MAX_WAITING_TOKENS": self._max_waiting_tokens}
        full = [name for name, used in zip(limits, (len(tokens), sum(tokens)), strict=True) if used >= limits[name]]
        if not full:
            return
        self._refused += 1
        # All get equal shares, so the shortest request is the first that leaves, once all have got as much.
        wait_s = max(1, math.ceil(min(tokens) * len(tokens) / self._tokens_per_s))
        raise overloaded("requests", len(tokens), wait_s, full[0], limits[full[0]])


def _closed() -> ShuttingDown:
    return ShuttingDown("The server is stopping, so nothing was classified. Ask again once the server is back.")
