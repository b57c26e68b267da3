"""The head of an answer leaves together with its body, and never later than the event loop's next round."""

import asyncio
from collections.abc import Iterable
from typing import cast

from windrow.http.joined_writes import JoinedWrites


class RecordingTransport:
    """Remembers what was sent at a time, and the end."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.sent.append(b"".join(pieces))

    def close(self) -> None:
        self.sent.append(b"<closed>")

    def is_closing(self) -> bool:
        return b"<closed>" in self.sent


async def _joined() -> tuple[JoinedWrites, RecordingTransport]:
    transport = RecordingTransport()
    return JoinedWrites(cast(asyncio.Transport, transport), asyncio.get_running_loop()), transport


def test_a_head_is_sent_with_its_body_and_what_follows_at_once() -> None:
    async def answer() -> list[bytes]:
        joined, transport = await _joined()
        joined.write(b"head ")
        joined.write(b"body")
        joined.write(b"more")
        sent = list(transport.sent)
        await asyncio.sleep(0)
        assert transport.sent == sent
        return sent

    assert asyncio.run(answer()) == [b"head body", b"more"]


def test_a_head_whose_body_is_not_there_yet_does_not_wait_for_it() -> None:
    async def answer() -> list[bytes]:
        joined, transport = await _joined()
        joined.write(b"head")
        assert transport.sent == []
        await asyncio.sleep(0)
        joined.write(b"body")
        return transport.sent

    assert asyncio.run(answer()) == [b"head", b"body"]


def test_a_head_without_a_body_is_sent_once() -> None:
    async def answer() -> list[bytes]:
        joined, transport = await _joined()
        joined.write(b"head")
        joined.write(b"")
        await asyncio.sleep(0)
        return transport.sent

    assert asyncio.run(answer()) == [b"head"]


def test_what_is_held_is_sent_before_the_connection_closes() -> None:
    async def answer() -> list[bytes]:
        joined, transport = await _joined()
        joined.write(b"head")
        assert not joined.is_closing()
        joined.close()
        await asyncio.sleep(0)
        assert joined.is_closing()
        return transport.sent

    assert asyncio.run(answer()) == [b"head", b"<closed>"]
