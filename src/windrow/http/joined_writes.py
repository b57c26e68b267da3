"""A connection's transport that sends the head of an answer together with its body, in one system call."""

import asyncio


class JoinedWrites(asyncio.Transport):
    """Holds the first thing that is written until the next one comes, or until the event loop's next round.

    uvicorn writes the head and the body of an answer apart. Each would be a packet of its own, and wake the client.

    Args:
        transport: Of the connection.
        loop: The event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held: bytes | bytearray | memoryview | None = None
        self._is_begun = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send some bytes, or hold the first ones for a moment."""
        if self._held is not None:
            held, self._held = self._held, None
            self._transport.writelines((held, data) if data else (held,))
        elif self._is_begun:
            self._transport.write(data)
        else:
            self._is_begun, self._held = True, data
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what is held."""
        if self._held is not None:
            held, self._held = self._held, None
            self._transport.write(held)

    def close(self) -> None:
        """Close the connection once all is sent."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Return whether the connection is closed, or about to be."""
        return self._transport.is_closing()
