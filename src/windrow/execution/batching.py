"""Batch the texts of concurrent requests fairly, and encode the batches on a fixed number of cores."""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue

from windrow.arrays import Floats
from windrow.domain.caller import current_caller
from windrow.domain.errors import ClientClosedRequest, ShuttingDown, WindrowError
from windrow.domain.prediction import IsConnected
from windrow.domain.server_stats import QueueStats
from windrow.encoders.adapters import Adapter
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder, Tokens
from windrow.execution.batch_filling import BATCH_TOKENS, BatchFiller
from windrow.execution.batches import Batch, EncodeRequest, TrainingBatch
from windrow.execution.durations import WAIT_BOUNDS_S, DurationCounter
from windrow.execution.fair_shares import Client
from windrow.execution.slots import overloaded
from windrow.tracing import current_span, now_ns

# For so long after a key whose requests do not queue up has met a backlog of others, batches hold few tokens: it waits
# for a batch that runs and for its own one. 32 tokens run at five sixths of the full speed. Source: docs/adr/0011.
SPARSE_S = 5.0
SPARSE_BATCH_TOKENS = 32
# Prediction batches between two training batches, where both wait.
BATCHES_PER_TRAINING_BATCH = 3
# The assumed speed until batches have been timed.
FIRST_TOKENS_PER_S = 4_000.0
_NEWEST_WEIGHT = 0.1


class BatchQueue:
    """Shares the cores between all requests; thread-safe.

    There are as many threads as cores, and no timers. A batch starts as soon as a core is free: on all cores if nothing
    else waits, else on one. Texts that arrive meanwhile fill the next batch.

    Args:
        cores: The number of computations that may run at the same time.
        max_queued_requests: The maximum number of waiting requests; further ones are refused.
        max_queued_tokens: The number of waiting tokens from which on requests are refused.
        clock_s: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        cores: int,
        max_queued_requests: int,
        max_queued_tokens: int = 1_000_000,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_queued_requests = max_queued_requests
        self._max_queued_tokens = max_queued_tokens
        self._cores = cores
        self._free = cores
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle: list[SimpleQueue[Batch | TrainingBatch | None]] = []
        self._is_closed = False
        self._requests: list[EncodeRequest] = []
        self._filler = BatchFiller(cores)
        self._clock_s = clock_s
        self._sparse_until_s = -math.inf
        self._dropped: list[EncodeRequest] = []
        # By key; the next one's first.
        self._training_batches: OrderedDict[Client, deque[TrainingBatch]] = OrderedDict()
        self._batches_since_training_batch = 0
        self._tokens_per_s = FIRST_TOKENS_PER_S
        self._running = self._batches = self._tokens = self._refused = self._client_closed = 0
        self._encode_s = 0.0
        self._waits = DurationCounter(WAIT_BOUNDS_S)

    def check_capacity(self) -> None:
        """Raise an error if the queue is full.

        Raises:
            Overloaded: The queue is full.
        """
        with self._lock:
            self._check_capacity(current_caller().key_name)

    def encode(
        self,
        encoder: TextEncoder,
        tokens: Sequence[Tokens],
        adapters: Sequence[Adapter | None],
        is_connected: IsConnected,
        is_admitted: bool = False,
    ) -> "Future[Floats]":
        """Encode texts, in batches with those of other requests.

        Args:
            encoder: Encodes the texts.
            tokens: The tokens of at least one text.
            adapters: The adapter of each text.
            is_connected: Called before each batch.
            is_admitted: Whether the texts belong to an admitted request, so that capacity is not checked again.

        Returns:
            A future of the features, shape [n, feature_size], float32. It fails with :class:`ClientClosedRequest` if
            ``is_connected`` returned false, and with :class:`ShuttingDown` if the queue was closed. Its callbacks run
            in a thread of the queue.

        Raises:
            Overloaded: The queue is full.
            ShuttingDown: The queue is closed.
        """
        request = EncodeRequest(encoder, tokens, adapters, is_connected, current_caller().key_name)
        if (span := current_span()) is not None:
            request.span, request.queued_ns = span, now_ns()
        with self._locked():
            if self._is_closed:
                raise _closed()
            if not is_admitted:
                self._check_capacity(request.client)
            self._start()
            self._note_sparse(request.client)
            request.queued_at_s = self._clock_s()
            self._requests.append(request)
        return request.future

    def close(self) -> None:
        """Finish the running batches, fail the waiting requests, and end the threads."""
        with self._locked():
            self._is_closed = True
            for request in self._requests:
                self._drop(request, _closed())
            self._requests = []
            for inbox in self._idle:
                inbox.put(None)
            self._idle = []
            training_batches = [batch for batches in self._training_batches.values() for batch in batches]
            self._training_batches.clear()
        for training_batch in training_batches:
            training_batch.future.set_exception(_closed())
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def compute(self, batches: Sequence[Callable[[], Floats]]) -> list[Floats]:
        """Compute the batches of a training, each on one core, beside predictions.

        Their results do not depend on other requests, since they are never mixed with them.

        Args:
            batches: Each computes one batch.

        Returns:
            The results, in the order of the batches.

        Raises:
            ShuttingDown: The queue is closed.
        """
        training_batches = [TrainingBatch(batch) for batch in batches]
        with self._locked():
            if self._is_closed:
                raise _closed()
            self._start()
            if training_batches:
                self._training_batches.setdefault(current_caller().key_name, deque()).extend(training_batches)
        return [training_batch.future.result() for training_batch in training_batches]

    @property
    def waiting_training_batches(self) -> int:
        """The number of waiting training batches."""
        with self._lock:
            return sum(map(len, self._training_batches.values()))

    def stats(self) -> QueueStats:
        """Return the queue's current state, and its counters since the start."""
        with self._lock:
            waiting = [len(request.waiting) for request in self._requests]
            return QueueStats(
                queued_requests=len(waiting),
                queued_texts=sum(waiting),
                running_batches=self._running,
                batches=self._batches,
                tokens=self._tokens,
                refused=self._refused,
                client_closed=self._client_closed,
                encode_seconds=self._encode_s,
                waits=self._waits.stats(),
            )

    def _start(self) -> None:
        """Start the missing threads; if the system refuses one, the next request tries again."""
        while len(self._threads) < self._cores:
            inbox: SimpleQueue[Batch | TrainingBatch | None] = SimpleQueue()
            thread = threading.Thread(
                target=self._work, args=(inbox,), name=f"encode-{len(self._threads)}", daemon=True
            )
            thread.start()
            self._threads.append(thread)
            self._idle.append(inbox)

    def _work(self, inbox: "SimpleQueue[Batch | TrainingBatch | None]") -> None:
        """Run batches until the queue is closed."""
        while (task := inbox.get()) is not None:
            if isinstance(task, TrainingBatch):
                task.resolve()
            else:
                self._run(task)
            with self._locked():
                self._free += task.cores
                if self._is_closed:
                    return
                self._idle.append(inbox)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the queue for a change, then dispatch work to free cores and resolve dropped requests."""
        with self._lock:
            yield
            self._dispatch()
            dropped, self._dropped = self._dropped, []
        for request in dropped:
            request.resolve()

    def _run(self, batch: Batch) -> None:
        began = time.perf_counter()
        error: BaseException | None = None
        try:
            features = batch.run()
        except BaseException as failure:  # noqa: BLE001  every error belongs to all requests of the batch
            error = failure
        took_s = time.perf_counter() - began
        with self._lock:
            self._running -= 1
            self._batches += 1
            self._tokens += batch.tokens
            self._encode_s += took_s * batch.cores
            speed = batch.tokens / max(took_s, 1e-6) * (self._cores / batch.cores)
            self._tokens_per_s += _NEWEST_WEIGHT * (speed - self._tokens_per_s)
            for row, (request, text) in enumerate(batch.texts):
                request.unfinished -= 1
                if error is None:
                    request.features[text] = features[row]
                else:
                    request.fail(error)
            finished = [request for request in dict.fromkeys(each for each, _ in batch.texts) if not request.unfinished]
        for request in finished:
            request.resolve()

    def _dispatch(self) -> None:
        """Dispatch waiting work to the free cores."""
        while self._free and self._idle:
            task = self._next_training_batch() or self._next_batch()
            if task is None:
                return
            self._free -= task.cores
            self._idle.pop().put(task)  # the latest one's caches are the warmest

    def _next_training_batch(self) -> TrainingBatch | None:
        if not self._training_batches or (
            self._requests and self._batches_since_training_batch < BATCHES_PER_TRAINING_BATCH
        ):
            return None
        self._batches_since_training_batch = 0
        client, batches = self._training_batches.popitem(last=False)
        batch = batches.popleft()
        if batches:
            self._training_batches[client] = batches
        return batch

    def _next_batch(self) -> Batch | None:
        """Return the next batch of the requests' texts; ``None`` where none waits."""
        self._drop_disconnected()
        if not self._requests:
            return None
        now_s = self._clock_s()
        max_tokens = SPARSE_BATCH_TOKENS if now_s < self._sparse_until_s else BATCH_TOKENS
        batch, served = self._filler.fill(self._requests, max_tokens)
        for request in served:
            if request.queued_at_s is not None:
                self._waits.add(now_s - request.queued_at_s)
                request.queued_at_s = None
                if request.span is not None:
                    request.begun_ns = now_ns()
        # Served requests go behind the others; a request that did not fit keeps its place, and is the next batch's
        # first.
        behind = [request for request in served if request.waiting]
        self._requests = [request for request in self._requests if request not in served] + behind
        if self._free == self._cores and not self._requests:
            batch.parallelism, batch.cores = Parallelism.ALL_CORES, self._cores
        self._running += 1
        self._batches_since_training_batch += 1
        return batch

    def _note_sparse(self, client: Client) -> None:
        """Take note of a key that has nothing in the queue while others have."""
        if client is not None and self._requests and all(request.client != client for request in self._requests):
            self._sparse_until_s = self._clock_s() + SPARSE_S

    def _drop_disconnected(self) -> None:
        """Drop the requests whose callers have disconnected."""
        for request in self._requests:
            if request.waiting and not request.is_connected():
                self._client_closed += 1
                self._drop(
                    request,
                    ClientClosedRequest("The caller left before all its texts were encoded, so the rest was not."),
                )
        self._requests = [request for request in self._requests if request.waiting]

    def _drop(self, request: EncodeRequest, error: WindrowError) -> None:
        if not request.waiting:  # it has failed already
            return
        request.fail(error)
        if not request.unfinished:
            self._dropped.append(request)

    def _check_capacity(self, client: Client) -> None:
        tokens = [request.waiting_tokens for request in self._requests]
        limits = {
            "WINDROW_MAX_QUEUED_REQUESTS": self._max_queued_requests,
            "WINDROW_MAX_QUEUED_TOKENS": self._max_queued_tokens,
        }
        full = [name for name, used in zip(limits, (len(tokens), sum(tokens)), strict=True) if used >= limits[name]]
        if not full or self._has_room_for(client):
            return
        self._refused += 1
        # All requests get equal quanta, so the shortest one is finished first, once all have been served as much.
        wait_s = max(1, math.ceil(min(tokens) * len(tokens) / self._tokens_per_s))
        raise overloaded("requests", len(tokens), wait_s, full[0], limits[full[0]])

    def _has_room_for(self, client: Client) -> bool:
        """Whether a client has less in the full queue than its share of it, so that no other one can keep it out."""
        clients = {client, *(request.client for request in self._requests)}
        own = [request.waiting_tokens for request in self._requests if request.client == client]
        return (
            len(clients) > 1
            and len(own) < self._max_queued_requests // len(clients)
            and sum(own) < self._max_queued_tokens // len(clients)
        )


def _closed() -> ShuttingDown:
    return ShuttingDown("The server is stopping, so nothing was classified. Ask again once the server is back.")
