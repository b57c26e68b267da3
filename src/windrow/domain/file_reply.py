"""A reply that is a file: what verbs return that give one away."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, eq=False)
class FileReply:
    """A file as a reply."""

    media_types: ClassVar[tuple[str, ...]] = ("application/octet-stream",)
    """What it is, and what may be said of it besides."""
    suffix: ClassVar[str] = ""
    """How its name ends."""

    file_name: str
    """What to call it."""
    size_bytes: int
    """Its size."""
    chunks: Iterator[bytes]
    """Its bytes, in pieces, to be taken once."""

    def close(self) -> None:
        """Let go of where the bytes come from, whether or not they were taken."""
        close: Callable[[], object] | None = getattr(self.chunks, "close", None)
        if close is not None:
            close()
