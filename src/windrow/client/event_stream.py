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
    data: list[bytes] = []
    for line in _lines(pieces):
        field, _, value = line.partition(b":")
        if not line and data:
            yield b"\n".join(data)
            data = []
        elif field == b"data":
            data.append(value.removeprefix(b" "))
        # What else there is (comments that keep the connection alive, the event's name) says nothing more.


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise ValueError("a line of the stream has no end")
        for line in lines:
            yield line.removesuffix(b"\r")
