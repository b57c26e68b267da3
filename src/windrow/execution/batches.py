"""What the batch queue holds: requests to encode texts, batches of such texts, and batches of trainings."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from windrow.arrays import Floats
from windrow.domain.prediction import IsConnected
from windrow.encoders.adapters import Adapter
from windrow.encoders.layout import feature_size
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder, Tokens
from windrow.execution.fair_shares import Client
from windrow.tracing import Span, now_ns

# A longer text would pad the attention of the others.
SHORT_TOKENS = 32
# The tokens that a request may add to a batch per round: the quantum of the deficit round robin.
QUANTUM_TOKENS = 32


@dataclass(slots=True, eq=False)
class EncodeRequest:
    """A request to encode texts.

    Args:
        encoder: Encodes the texts.
        tokens: The tokens of each text.
        adapters: The adapter of each text.
        is_connected: Called before each batch.
        client: The API key that it came with.
        features: The results.
        waiting: The texts that no batch has taken yet, shortest first, so that batches have little padding.
        unfinished: The number of texts without a result.
        waiting_tokens: The tokens of the texts in ``waiting``.
        future: Resolved once no text is unfinished.
        error: The first error that kept a text from being encoded.
        queued_at_s: When it came, by the queue's clock; ``None`` once a batch has taken a text of it.
        span: The span of what it belongs to; ``None`` where nothing is traced.
        queued_ns: When it came, in nanoseconds since 1970; 0 where nothing is traced.
        begun_ns: When a batch took a text of it for the first time, likewise.
    """

    encoder: TextEncoder
    tokens: Sequence[Tokens]
    adapters: Sequence[Adapter | None]
    is_connected: IsConnected
    client: Client
    features: Floats = field(init=False)
    waiting: deque[int] = field(init=False)
    unfinished: int = field(init=False)
    waiting_tokens: int = field(init=False)
    future: "Future[Floats]" = field(default_factory=Future)
    error: BaseException | None = None
    queued_at_s: float | None = None
    span: Span | None = None
    queued_ns: int = 0
    begun_ns: int = 0

    def __post_init__(self) -> None:
        lengths = [len(each.ids) for each in self.tokens]
        self.features = np.empty((len(lengths), feature_size(self.encoder.folder)), np.float32)
        self.waiting = deque(sorted(range(len(lengths)), key=lengths.__getitem__))
        self.unfinished, self.waiting_tokens = len(lengths), sum(lengths)
        self.future.set_running_or_notify_cancel()  # from here on, only is_connected can stop it

    def fail(self, error: BaseException) -> None:
        """Set the request's error, and drop the texts that no batch has taken."""
        self.error = self.error or error
        self.unfinished -= len(self.waiting)
        self.waiting_tokens = 0
        self.waiting.clear()

    def resolve(self) -> None:
        """Resolve the future. Its callbacks run here, so the queue must not be locked."""
        if self.span is not None:
            self._trace(self.span)
        if self.error is None:
            self.future.set_result(self.features)
        else:
            self.future.set_exception(self.error)

    def _trace(self, span: Span) -> None:
        now = now_ns()
        span.record("queue", self.queued_ns, self.begun_ns or now)
        if self.begun_ns:
            tokens = sum(len(each.ids) for each in self.tokens)
            span.record("encode", self.begun_ns, now, {"windrow.texts": len(self.tokens), "windrow.tokens": tokens})


@dataclass(slots=True, eq=False)
class TrainingBatch:
    """A training's batch, which is never mixed with others."""

    work: Callable[[], Floats]
    future: "Future[Floats]" = field(default_factory=Future)
    cores: int = 1

    def resolve(self) -> None:
        """Compute the batch and resolve the future."""
        try:
            self.future.set_result(self.work())
        except BaseException as error:  # noqa: BLE001  every error belongs to the training
            self.future.set_exception(error)


@dataclass(slots=True, eq=False)
class Batch:
    """Texts of several requests for one run of one encoder."""

    encoder: TextEncoder
    max_tokens: int
    max_shared_tokens: int = 0
    texts: list[tuple[EncodeRequest, int]] = field(default_factory=list)
    requests: set[EncodeRequest] = field(default_factory=set)
    tokens: int = 0
    longest: int = 0
    parallelism: Parallelism = Parallelism.ONE_CORE
    cores: int = 1

    def take_quantum(self, request: EncodeRequest) -> bool:
        """Take up to a quantum of a request's texts, as far as they fit; a text longer than a batch gets its own.

        Texts of a request that has none in the batch may exceed ``max_tokens`` up to ``max_shared_tokens``, if all
        texts are short.
        """
        limit, before, is_new = self.tokens + QUANTUM_TOKENS, len(self.texts), request not in self.requests
        while request.encoder is self.encoder and request.waiting and self.tokens < limit:
            size = len(request.tokens[request.waiting[0]].ids)
            longest = max(self.longest, size)
            may_share = is_new and longest <= SHORT_TOKENS and self.max_shared_tokens
            if self.texts and self.tokens + size > (may_share or self.max_tokens):
                break
            self.texts.append((request, request.waiting.popleft()))
            self.requests.add(request)
            self.tokens, self.longest = self.tokens + size, longest
            request.waiting_tokens -= size
        return len(self.texts) > before

    def run(self) -> Floats:
        """Return the features of the texts, shape [n, feature_size], float32."""
        batch = [request.tokens[text] for request, text in self.texts]
        adapters = [request.adapters[text] for request, text in self.texts]
        return self.encoder.encode(batch, adapters, self.parallelism)
