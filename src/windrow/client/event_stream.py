"""Server-sent events: the lines of a stream that does not end, as the data of one event after the other.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import Iterable, Iterator

# No event of a Windrow server comes near; what is longer is no stream of events.
MAX_LINE_BYTES = 1_000_000


def read_events(pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield the data of each event, once its end has come.

    Args:
        pieces: The stream, cut anywhere; lines end with ``\n`` or ``\r\n``.

    Raises:
        ValueError: A line has no end.
    """
    reader = EventReader()
    for piece in pieces:
        yield from reader.feed(piece)


class EventReader:
    """Finds the events of a stream that comes in pieces."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the data of each event that ends with a piece.

        Raises:
            ValueError: A line has no end.
        """
        for line in self._lines(piece):
            field, _, value = line.partition(b":")
            if not line and self._data:
                yield b"\n".join(self._data)
                self._data = []
            elif field == b"data":
                self._data.append(value.removeprefix(b" "))
            # What else there is (comments that keep the connection alive, the event's name) says nothing more.

    def _lines(self, piece: bytes) -> Iterator[bytes]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise ValueError("a line of the stream has no end")
        for line in lines:
            yield line.removesuffix(b"\r")
