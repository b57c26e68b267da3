"""Which of the waiting texts the next batch holds: each request, and each API key, gets its share."""

from collections import Counter, deque
from collections.abc import Sequence

from windrow.execution.batches import Batch, EncodeRequest
from windrow.execution.fair_shares import Client, FairShares

# A batch of this many tokens runs at nearly full speed; larger ones only make others wait. Source: docs/adr/0011.
BATCH_TOKENS = 128
# Where as many wait, a batch may hold more short texts, each of another request: Python then does more of the same in
# a row, and so finds its data in the caches. Source: docs/adr/0011.
SHARED_BATCH_TOKENS = 256
# A small batch, for a key that waits for little, is not filled up by one that has more than so many times as many
# requests in the queue: those wait for long in any case.
_MOST_BESIDE = 4


class BatchFiller:
    """Fills batches by deficit round robin (Shreedhar & Varghese, 1996), and fairly between keys; not thread-safe.

    Args:
        cores: The number of batches that may run at the same time.
    """

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._shares = FairShares()

    def fill(self, requests: Sequence[EncodeRequest], max_tokens: int) -> tuple[Batch, dict[EncodeRequest, None]]:
        """Return a batch of waiting texts.

        Args:
            requests: At least one request with waiting texts; the first one's turn is first.
            max_tokens: The number of tokens that the batch may hold, apart from what short texts may share.

        Returns:
            The batch, and the requests that it serves, in the order in which they are to wait for the next one.
        """
        waiting = Counter(request.client for request in requests)
        if len(waiting) > 1:
            return self._fill_by_client(requests, waiting, max_tokens)
        return self._fill_by_turns(requests, max_tokens)

    def _fill_by_turns(
        self, requests: Sequence[EncodeRequest], max_tokens: int
    ) -> tuple[Batch, dict[EncodeRequest, None]]:
        batch = Batch(requests[0].encoder, max_tokens, self._max_shared_tokens(requests, max_tokens))
        served: dict[EncodeRequest, None] = {}
        while took := [request for request in requests if batch.take_quantum(request)]:
            served |= dict.fromkeys(took)
        return batch, served

    def _max_shared_tokens(self, requests: Sequence[EncodeRequest], max_tokens: int) -> int:
        """Return how many tokens a batch of many requests may hold: so many that enough is left for the other cores."""
        if max_tokens < BATCH_TOKENS:
            return max_tokens
        left = sum(request.waiting_tokens for request in requests) - (self._cores - 1) * BATCH_TOKENS // 2
        return min(max(left, BATCH_TOKENS), SHARED_BATCH_TOKENS)

    def _fill_by_client(
        self, requests: Sequence[EncodeRequest], waiting: Counter[Client], max_tokens: int
    ) -> tuple[Batch, dict[EncodeRequest, None]]:
        """Fill a batch quantum by quantum, each for the client that has had the fewest tokens."""
        queues: dict[Client, deque[EncodeRequest]] = {client: deque() for client in waiting}
        for request in requests:
            queues[request.client].append(request)
        self._shares.update(waiting)
        first = self._shares.next_of(list(queues), waiting)
        clients = list(queues)
        if max_tokens < BATCH_TOKENS:
            clients = [client for client in queues if waiting[client] <= _MOST_BESIDE * waiting[first]]
        batch = Batch(queues[first][0].encoder, max_tokens)
        served: dict[EncodeRequest, None] = {}
        while clients:
            client, before = self._shares.next_of(clients, waiting), batch.tokens
            taken = next((request for request in queues[client] if batch.take_quantum(request)), None)
            if taken is None:
                clients.remove(client)
                continue
            self._shares.charge(client, batch.tokens - before)
            served[taken] = None
            queues[client].remove(taken)
            queues[client].append(taken)
        return batch, served
