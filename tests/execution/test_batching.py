"""The batch queue: nobody waits without need, everybody gets a turn, and each text gets its own result."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.encoder import FakeEncoder
from windrow.arrays import Floats
from windrow.domain.caller import Caller, calling
from windrow.domain.errors import ClientClosedRequest, Overloaded, ShuttingDown
from windrow.domain.prediction import IsConnected
from windrow.encoders.adapters import Adapter
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder, Tokens
from windrow.execution.batch_filling import BATCH_TOKENS, SHARED_BATCH_TOKENS
from windrow.execution.batches import QUANTUM_TOKENS, SHORT_TOKENS
from windrow.execution.batching import BATCHES_PER_TRAINING_BATCH, SPARSE_BATCH_TOKENS, SPARSE_S, BatchQueue

PATIENCE_S = 30.0


class PausingEncoder(FakeEncoder):
    """Starts a batch only when it is told to, and remembers each: the first id of each text, and the width."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[list[int], Parallelism]] = []
        self.begun = threading.Semaphore(0)
        self._let = threading.Semaphore(0)
        self.failure: Exception | None = None

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], parallelism: Parallelism) -> Floats:
        self.batches.append(([int(tokens.ids[0]) for tokens in batch], parallelism))
        self.begun.release()
        assert self._let.acquire(timeout=PATIENCE_S)
        if self.failure is not None:
            raise self.failure
        return super().encode(batch, adapters, parallelism)

    def wait_for_batch(self) -> None:
        assert self.begun.acquire(timeout=PATIENCE_S)

    def let(self, batches: int = 1) -> None:
        self._let.release(batches)

    @property
    def marks(self) -> list[list[int]]:
        return [marks for marks, _ in self.batches]


class QueueFixture:
    """Asks a queue from threads of its own."""

    def __init__(self, queue: BatchQueue, encoder: TextEncoder) -> None:
        self.queue, self.encoder = queue, encoder

    def ask(
        self, *texts: Tokens, is_connected: IsConnected = lambda: True, encoder: TextEncoder | None = None
    ) -> Future[Floats]:
        used = encoder or self.encoder
        return self.queue.encode(used, texts, [None] * len(texts), is_connected)

    def close(self) -> None:
        self.queue.close()


def wait_until(is_true: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S * 1_000)):
        if is_true():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it did not come true")


def text(mark: int, tokens: int = 5) -> Tokens:
    return Tokens(np.array([mark] + [7] * (tokens - 1), np.int64), truncated=False)


@pytest.fixture
def encoder() -> Iterator[PausingEncoder]:
    encoder = PausingEncoder()
    yield encoder
    encoder.let(1_000)


@pytest.fixture
def one_core(encoder: PausingEncoder) -> Iterator[QueueFixture]:
    fixture = QueueFixture(BatchQueue(cores=1, max_queued_requests=40), encoder)
    yield fixture
    encoder.let(1_000)
    fixture.close()


@pytest.fixture
def two_cores(encoder: PausingEncoder) -> Iterator[QueueFixture]:
    fixture = QueueFixture(BatchQueue(cores=2, max_queued_requests=40), encoder)
    yield fixture
    encoder.let(1_000)
    fixture.close()


def test_a_lone_text_is_encoded_at_once_on_all_cores(two_cores: QueueFixture, encoder: PausingEncoder) -> None:
    answer = two_cores.ask(text(1))
    encoder.let()
    assert answer.result(PATIENCE_S).shape == (1, 192)
    assert encoder.batches == [([1], Parallelism.ALL_CORES)]


def test_requests_that_arrive_while_a_batch_runs_share_the_next_one(
    one_core: QueueFixture, encoder: PausingEncoder
) -> None:
    answers = [one_core.ask(text(mark)) for mark in range(5)]
    assert one_core.queue.stats().queued_requests == 4
    encoder.let(2)
    assert all(answer.result(PATIENCE_S).shape == (1, 192) for answer in answers)
    assert encoder.marks == [[0], [1, 2, 3, 4]]


def test_two_batches_that_both_wait_take_a_core_each(two_cores: QueueFixture, encoder: PausingEncoder) -> None:
    long = [two_cores.ask(text(mark, tokens=BATCH_TOKENS)) for mark in range(3)]
    encoder.let()
    encoder.wait_for_batch()
    encoder.wait_for_batch()
    encoder.wait_for_batch()
    assert two_cores.queue.stats().running_batches == 2
    encoder.let(2)
    assert [answer.result(PATIENCE_S).shape for answer in long] == [(1, 192)] * 3
    assert [parallelism for _, parallelism in encoder.batches] == [
        Parallelism.ALL_CORES,
        Parallelism.ONE_CORE,
        Parallelism.ONE_CORE,
    ]


def test_a_batch_holds_no_more_tokens_than_pay(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    one_core.ask(text(0))
    half = BATCH_TOKENS // 2
    answers = [one_core.ask(text(1, half)), one_core.ask(text(2, half + 1)), one_core.ask(text(3, half))]
    encoder.let(4)
    for answer in answers:
        answer.result(PATIENCE_S)
    assert encoder.marks == [[0], [1, 3], [2]]


def test_short_texts_of_many_requests_share_a_larger_batch(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    one_core.ask(text(0))
    count = SHARED_BATCH_TOKENS // 16
    answers = [one_core.ask(text(mark, tokens=16)) for mark in range(1, 2 * count + 1)]
    encoder.let(10)
    for answer in answers:
        answer.result(PATIENCE_S)
    assert list(map(len, encoder.marks)) == [1, count, count]


def test_a_long_text_shares_no_larger_batch(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    one_core.ask(text(0))
    long = SHORT_TOKENS + 1
    answers = [one_core.ask(text(mark, tokens=size)) for mark, size in enumerate((long, *[16] * 20), 1)]
    encoder.let(10)
    for answer in answers:
        answer.result(PATIENCE_S)
    assert len(encoder.marks[1]) == 1 + (BATCH_TOKENS - long) // 16


def test_a_core_leaves_another_one_some_texts(two_cores: QueueFixture, encoder: PausingEncoder) -> None:
    two_cores.ask(text(0))
    answers = [two_cores.ask(text(mark, tokens=16)) for mark in range(1, SHARED_BATCH_TOKENS // 16 + 1)]
    encoder.let(10)
    for answer in answers:
        answer.result(PATIENCE_S)
    for_the_other = BATCH_TOKENS // 2 // 16
    assert sorted(map(len, encoder.marks)) == [1, for_the_other, SHARED_BATCH_TOKENS // 16 - for_the_other]


def test_a_text_longer_than_a_batch_gets_one_of_its_own(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    one_core.ask(text(0))
    long, short = one_core.ask(text(1, BATCH_TOKENS + 50)), one_core.ask(text(2))
    encoder.let(3)
    assert (long.result(PATIENCE_S).shape, short.result(PATIENCE_S).shape) == ((1, 192), (1, 192))
    assert encoder.marks == [[0], [1], [2]]


def test_many_texts_of_one_request_do_not_hold_up_a_single_one(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    many = one_core.ask(*[text(mark, tokens=8) for mark in range(100)])
    encoder.wait_for_batch()
    single = one_core.ask(text(500))
    encoder.let(2)
    single.result(PATIENCE_S)
    assert not many.done()
    assert 500 in encoder.marks[1]
    assert len(encoder.marks[1]) == BATCH_TOKENS // 8, "the rest of the batch goes to the request with many texts"
    encoder.let(10)
    assert many.result(PATIENCE_S).shape == (100, 192)


def test_each_request_gets_a_quantum_of_a_batch(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    one_core.ask(text(0))
    answers = [one_core.ask(*[text(mark, tokens=8)] * 50) for mark in (1, 2, 3)]
    encoder.let()
    encoder.wait_for_batch()
    encoder.wait_for_batch()
    share = QUANTUM_TOKENS // 8
    assert encoder.marks[1] == [1] * share + [2] * share + [3] * share + [1] * share
    encoder.let(50)
    for answer in answers:
        answer.result(PATIENCE_S)


def test_texts_of_one_request_are_encoded_shortest_first_and_returned_in_their_order(
    one_core: QueueFixture, encoder: PausingEncoder
) -> None:
    texts = [text(1, 60), text(2, 5), text(3, 90)]
    encoder.let(10)
    features = one_core.ask(*texts).result(PATIENCE_S)
    assert [mark for batch in encoder.marks for mark in batch] == [2, 1, 3]
    np.testing.assert_allclose(features, FakeEncoder().encode(texts, [None] * 3, Parallelism.ALL_CORES), atol=1e-6)


def test_texts_of_different_encoders_never_share_a_batch(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    other = PausingEncoder()
    other.let(10)
    one_core.ask(text(0))
    answers = [one_core.ask(text(1)), one_core.ask(text(2), encoder=other), one_core.ask(text(3))]
    encoder.let(2)
    for answer in answers:
        answer.result(PATIENCE_S)
    assert encoder.marks == [[0], [1, 3]]
    assert other.marks == [[2]]


def test_a_full_queue_refuses_immediately_and_says_when_to_retry(encoder: PausingEncoder) -> None:
    fixture = QueueFixture(BatchQueue(cores=1, max_queued_requests=2), encoder)
    answers = [fixture.ask(text(mark)) for mark in range(3)]
    with pytest.raises(Overloaded, match="Try this one again in 1 s") as refused:
        fixture.ask(text(4))
    assert refused.value.facts == {
        "retry_after_s": 1,
        "limit": 2,
        "setting": "WINDROW_MAX_QUEUED_REQUESTS",
        "waiting": 2,
    }
    assert fixture.queue.stats().refused == 1
    encoder.let(10)
    for answer in answers:
        answer.result(PATIENCE_S)
    assert fixture.ask(text(5)).result(PATIENCE_S).shape == (1, 192)
    fixture.close()


def test_too_many_waiting_tokens_are_refused_until_the_shortest_request_is_done(encoder: PausingEncoder) -> None:
    fixture = QueueFixture(BatchQueue(cores=1, max_queued_requests=40, max_queued_tokens=100_000), encoder)
    fixture.ask(text(0))
    answers = [fixture.ask(*[text(mark, 100)] * 600) for mark in range(2)]
    with pytest.raises(Overloaded) as refused:
        fixture.queue.check_capacity()
    assert refused.value.facts["setting"] == "WINDROW_MAX_QUEUED_TOKENS"
    # Both get equal shares of 4,000 tokens/s, the guess before the first batch: the first place is free after 30 s.
    assert refused.value.facts["retry_after_s"] == 30
    more = fixture.queue.encode(encoder, [text(9)], [None], lambda: True, is_admitted=True)
    encoder.let(5_000)
    for answer in (*answers, more):
        answer.result(PATIENCE_S)
    fixture.queue.check_capacity()
    fixture.close()


def test_texts_that_nobody_wants_any_more_are_not_encoded(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    one_core.ask(text(0))
    left = threading.Event()
    gone, stays = one_core.ask(text(1), is_connected=lambda: not left.is_set()), one_core.ask(text(2))
    left.set()
    encoder.let(5)
    with pytest.raises(ClientClosedRequest):
        gone.result(PATIENCE_S)
    stays.result(PATIENCE_S)
    assert encoder.marks == [[0], [2]]
    assert one_core.queue.stats().client_closed == 1


def test_a_request_whose_caller_leaves_halfway_stops_there(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    left = threading.Event()
    gone = one_core.ask(*[text(mark, tokens=64) for mark in range(20)], is_connected=lambda: not left.is_set())
    encoder.wait_for_batch()
    left.set()
    encoder.let(50)
    with pytest.raises(ClientClosedRequest):
        gone.result(PATIENCE_S)
    assert len(encoder.batches) == 1
    assert one_core.queue.stats().queued_requests == 0


def test_a_failure_reaches_all_whose_texts_were_in_the_batch_and_nobody_else(
    one_core: QueueFixture, encoder: PausingEncoder
) -> None:
    one_core.ask(text(0))
    failing = [one_core.ask(text(1, 60)), one_core.ask(text(2, 60))]
    later = one_core.ask(text(3, 100))
    encoder.let()
    encoder.wait_for_batch()
    encoder.wait_for_batch()
    encoder.failure = RuntimeError("out of memory")
    encoder.let()
    for answer in failing:
        with pytest.raises(RuntimeError, match="out of memory"):
            answer.result(PATIENCE_S)
    encoder.failure = None
    encoder.let()
    assert later.result(PATIENCE_S).shape == (1, 192)


def training_batch(number: int, order: list[int] | None = None) -> Callable[[], Floats]:
    """Return a batch of a training, which notes its number."""

    def work() -> Floats:
        if order is not None:
            order.append(number)
        return np.full((1, 1), number, np.float32)

    return work


def test_a_training_gets_its_results_in_order() -> None:
    queue = BatchQueue(cores=3, max_queued_requests=1)
    assert [float(result[0, 0]) for result in queue.compute([training_batch(number) for number in range(20)])] == [
        *range(20)
    ]
    assert queue.compute([]) == []
    queue.close()


def test_a_failure_reaches_the_training() -> None:
    queue = BatchQueue(cores=1, max_queued_requests=1)

    def fail() -> Floats:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        queue.compute([training_batch(0), fail])
    assert len(queue.compute([training_batch(1)])) == 1
    queue.close()


def test_a_training_waits_behind_predictions_but_not_forever(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    answers = [one_core.ask(text(mark, BATCH_TOKENS)) for mark in range(3 * BATCHES_PER_TRAINING_BATCH)]
    encoder.wait_for_batch()
    order: list[int] = []
    done = threading.Event()

    def note_batches() -> Floats:
        return training_batch(len(encoder.batches), order)()

    def train() -> None:
        one_core.queue.compute([note_batches, training_batch(0)])
        done.set()

    training = threading.Thread(target=train)
    training.start()
    wait_until(lambda: one_core.queue.waiting_training_batches == 2)
    encoder.let(len(answers))
    for answer in answers:
        answer.result(PATIENCE_S)
    assert done.wait(PATIENCE_S)
    training.join()
    assert 1 <= order[0] <= BATCHES_PER_TRAINING_BATCH + 1, "after that many batches of predictions"


def test_a_training_takes_every_core_that_nobody_else_wants() -> None:
    queue = BatchQueue(cores=2, max_queued_requests=1)
    meeting = threading.Barrier(2, timeout=PATIENCE_S)

    def meet() -> Floats:
        meeting.wait()
        return np.zeros((1, 1), np.float32)

    assert len(queue.compute([meet, meet])) == 2
    queue.close()


def test_closing_fails_a_training_that_waits(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    one_core.ask(text(0))
    encoder.wait_for_batch()
    failure: list[ShuttingDown] = []

    def train() -> None:
        try:
            one_core.queue.compute([training_batch(0)])
        except ShuttingDown as error:
            failure.append(error)

    training = threading.Thread(target=train)
    training.start()
    wait_until(lambda: one_core.queue.waiting_training_batches == 1)
    encoder.let()
    one_core.close()
    training.join(PATIENCE_S)
    assert len(failure) == 1


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.integers(1, 200), min_size=1, max_size=12), min_size=1, max_size=12),
    st.integers(1, 4),
)
def test_each_text_gets_its_own_features_whatever_it_shares_a_batch_with(sizes: list[list[int]], cores: int) -> None:
    encoder, queue = FakeEncoder(), BatchQueue(cores, max_queued_requests=100)
    requests = [
        [text(100 * number + place, size) for place, size in enumerate(own)] for number, own in enumerate(sizes)
    ]

    def ask(texts: list[Tokens]) -> Floats:
        return queue.encode(encoder, texts, [None] * len(texts), lambda: True).result(PATIENCE_S)

    with ThreadPoolExecutor(len(requests)) as threads:
        answers = list(threads.map(ask, requests))
    for texts, features in zip(requests, answers, strict=True):
        alone = np.concatenate([encoder.encode([one], [None], Parallelism.ALL_CORES) for one in texts])
        np.testing.assert_allclose(features, alone, atol=1e-5)
    stats = queue.stats()
    assert (stats.queued_requests, stats.running_batches) == (0, 0)
    assert stats.tokens == sum(map(sum, sizes))
    queue.close()


def test_a_storm_of_requests_and_trainings_ends_with_every_core_free() -> None:
    encoder, queue = FakeEncoder(), BatchQueue(cores=2, max_queued_requests=1_000)
    random = np.random.default_rng(1)
    sizes = random.integers(1, 60, 300).tolist()

    def work(number: int) -> bool:
        if number % 10 == 0:
            return len(queue.compute([training_batch(number)] * 3)) == 3
        wanted = number % 7 != 0
        try:
            texts = [text(number, sizes[number])] * (1 + number % 3)
            queue.encode(encoder, texts, [None] * len(texts), lambda: wanted).result(PATIENCE_S)
        except ClientClosedRequest:
            return not wanted
        return wanted

    with ThreadPoolExecutor(32) as threads:
        assert all(threads.map(work, range(300)))
    assert queue.encode(encoder, [text(1)], [None], lambda: True).result(PATIENCE_S).shape == (1, 192)
    queue.close()


def test_closing_finishes_what_runs_and_fails_what_waits(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    running, waiting = one_core.ask(text(0)), one_core.ask(text(1))
    encoder.wait_for_batch()
    closing = threading.Thread(target=one_core.close)
    closing.start()
    with pytest.raises(ShuttingDown, match="Ask again once"):
        waiting.result(PATIENCE_S)
    encoder.let()
    assert running.result(PATIENCE_S).shape == (1, 192)
    closing.join(PATIENCE_S)
    with pytest.raises(ShuttingDown):
        one_core.ask(text(2))


def test_closing_after_a_failure_ends_everything(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    encoder.failure = RuntimeError("out of memory")
    failing = one_core.ask(*[text(mark, BATCH_TOKENS) for mark in range(3)])
    failing.add_done_callback(lambda _: one_core.queue.close())
    encoder.let(3)
    with pytest.raises(RuntimeError, match="out of memory"):
        failing.result(PATIENCE_S)
    one_core.close()
    with pytest.raises(ShuttingDown):
        one_core.queue.compute([training_batch(0)])


def test_a_thread_that_cannot_be_started_fails_that_request_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, encoder = BatchQueue(cores=2, max_queued_requests=5), FakeEncoder()
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def start_one(thread: threading.Thread) -> None:
        if len(started) == 1:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start_one)
        with pytest.raises(RuntimeError, match="can't start"):
            queue.encode(encoder, [text(0)], [None], lambda: True)
    answers = [queue.encode(encoder, [text(mark)], [None], lambda: True) for mark in range(4)]
    assert all(answer.result(PATIENCE_S).shape == (1, 192) for answer in answers)
    queue.close()


def test_a_callback_may_send_the_next_request(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    answered = threading.Event()

    def ask_again(_: Future[Floats]) -> None:
        one_core.ask(text(1)).add_done_callback(lambda _: answered.set())

    one_core.ask(text(0)).add_done_callback(ask_again)
    encoder.let(2)
    assert answered.wait(PATIENCE_S)


def test_a_key_that_floods_the_queue_delays_another_one_by_no_more_than_the_batch_that_runs(
    one_core: QueueFixture, encoder: PausingEncoder
) -> None:
    flood = [ask_as("flood", one_core, text(mark, 8)) for mark in range(40)]
    encoder.wait_for_batch()
    other = ask_as("other", one_core, text(100, 8))
    encoder.let(2)
    assert other.result(PATIENCE_S).shape == (1, 192)
    encoder.let(len(flood))
    assert all(answer.result(PATIENCE_S).shape == (1, 192) for answer in flood)
    assert encoder.marks[:3] == [[0], [100], [1, 2, 3, 4]]


def test_keys_that_wait_for_little_share_a_small_batch(one_core: QueueFixture, encoder: PausingEncoder) -> None:
    answers = [ask_as("flood", one_core, text(mark, 8)) for mark in range(20)]
    encoder.wait_for_batch()
    answers += [ask_as(name, one_core, text(mark, 8)) for name, mark in (("b", 100), ("c", 101), ("c", 102))]
    encoder.let(100)
    assert all(answer.result(PATIENCE_S) is not None for answer in answers)
    assert encoder.marks[:3] == [[0], [100, 101, 102], [1, 2, 3, 4]]


def test_batches_are_small_as_long_as_a_key_comes_now_and_then_and_large_again_later(encoder: PausingEncoder) -> None:
    now_s = [100.0]
    fixture = QueueFixture(BatchQueue(1, 100, clock_s=lambda: now_s[0]), encoder)
    answers = [ask_as("flood", fixture, text(0, 8)) for _ in range(80)]
    encoder.wait_for_batch()
    answers.append(ask_as("other", fixture, text(1, 8)))
    for _ in range(3):
        encoder.let()
        encoder.wait_for_batch()
    now_s[0] += SPARSE_S
    encoder.let(100)
    assert all(answer.result(PATIENCE_S) is not None for answer in answers)
    sizes = [len(marks) * 8 for marks in encoder.marks]
    assert sizes[:5] == [8, 8, SPARSE_BATCH_TOKENS, SPARSE_BATCH_TOKENS, SHARED_BATCH_TOKENS]
    fixture.close()


def test_a_requests_wait_lasts_until_a_batch_takes_its_first_text_and_counts_once(encoder: PausingEncoder) -> None:
    now_s = [100.0]
    fixture = QueueFixture(BatchQueue(1, 100, clock_s=lambda: now_s[0]), encoder)
    first = fixture.ask(text(0))
    encoder.wait_for_batch()
    assert fixture.queue.stats().waits.seconds == 0
    # Of more texts than one batch takes.
    long = fixture.ask(*(text(1, 50) for _ in range(6)))
    now_s[0] += 3.0
    encoder.let(100)
    assert all(answer.result(PATIENCE_S) is not None for answer in (first, long))
    waits = fixture.queue.stats().waits
    assert (waits.count, waits.seconds) == (2, 3.0)
    assert fixture.queue.stats().encode_seconds > 0
    fixture.close()


def test_two_keys_have_as_many_tokens_of_a_batch_whatever_each_request_brings(encoder: PausingEncoder) -> None:
    now_s = [100.0]
    fixture = QueueFixture(BatchQueue(1, 40, clock_s=lambda: now_s[0]), encoder)
    first = ask_as("many", fixture, text(0))
    encoder.wait_for_batch()
    many = [ask_as("many", fixture, text(1, 8)) for _ in range(30)]
    few = [ask_as("few", fixture, *(text(2, 8) for _ in range(30)))]
    now_s[0] += SPARSE_S
    encoder.let(100)
    assert all(answer.result(PATIENCE_S) is not None for answer in (first, *many, *few))
    assert [marks.count(1) for marks in encoder.marks[1:4]] == [marks.count(2) for marks in encoder.marks[1:4]]
    assert all(len(marks) * 8 == BATCH_TOKENS for marks in encoder.marks[1:4])
    fixture.close()


def test_the_requests_of_one_key_are_encoded_in_the_order_of_those_without_a_key(encoder: PausingEncoder) -> None:
    orders = []
    for name in (None, "shop"):
        fixture, done = QueueFixture(BatchQueue(cores=1, max_queued_requests=40), encoder), len(encoder.batches)
        answers = [ask_as(name, fixture, text(0))]
        encoder.wait_for_batch()
        answers += [ask_as(name, fixture, *(text(mark, 20 + mark) for _ in range(mark))) for mark in range(1, 9)]
        encoder.let(100)
        assert all(answer.result(PATIENCE_S) is not None for answer in answers)
        orders.append(encoder.marks[done:])
        fixture.close()
    assert orders[0] == orders[1]


def test_a_queue_that_one_key_has_filled_still_takes_another_ones_share(encoder: PausingEncoder) -> None:
    fixture = QueueFixture(BatchQueue(cores=1, max_queued_requests=4), encoder)
    answers = [ask_as("flood", fixture, text(0))]
    encoder.wait_for_batch()
    answers += [ask_as("flood", fixture, text(mark)) for mark in range(1, 5)]
    with pytest.raises(Overloaded):
        ask_as("flood", fixture, text(5))
    answers += [ask_as("other", fixture, text(mark)) for mark in (6, 7)]
    with pytest.raises(Overloaded):
        ask_as("other", fixture, text(8))
    encoder.let(100)
    assert all(answer.result(PATIENCE_S) is not None for answer in answers)
    fixture.close()


def ask_as(name: str | None, fixture: QueueFixture, *texts: Tokens) -> Future[Floats]:
    with calling(Caller(name)):
        return fixture.ask(*texts)
