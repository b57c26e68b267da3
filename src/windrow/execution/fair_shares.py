"""Whose turn it is among clients that want the same thing: the one that has had least of it since it began to wait.

Start-time fair queueing (Goyal, Vin & Cheng, 1996), with the API key as the flow. Who was away begins where the others
are: nobody saves up, and nobody pays for what was free at the time.
"""

from collections.abc import Collection, Mapping

# The name of an API key; ``None`` where there are no keys.
Client = str | None


class FairShares:
    """What each waiting client has had; not thread-safe."""

    def __init__(self) -> None:
        self._had: dict[Client, float] = {}

    def update(self, waiting: Mapping[Client, int]) -> None:
        """Take note of who waits.

        Args:
            waiting: How many requests of each client wait; who is not in it is forgotten.
        """
        kept = [had for client, had in self._had.items() if client in waiting]
        start = min(kept, default=0.0)
        self._had = {client: self._had.get(client, start) for client in waiting}

    def next_of(self, clients: Collection[Client], waiting: Mapping[Client, int]) -> Client:
        """Return whose turn it is: of those that have had as little, the one that asks for least, then the first one.

        Args:
            clients: At least one of those that wait.
            waiting: How many requests of each client wait.
        """
        return min(clients, key=lambda client: (self._had[client], waiting[client]))

    def charge(self, client: Client, amount: float) -> None:
        """Note what a client was given.

        Args:
            client: The client.
            amount: How much.
        """
        self._had[client] += amount
