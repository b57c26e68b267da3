"""What is said of bytes that are no text in the encoding of their file: where they stand, and which encoding fits."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from windrow.domain.errors import InvalidFile
from windrow.files.encoding_guess import guess_encoding

# As ``Source.error``: makes the error that refuses a file.
Refuse = Callable[..., InvalidFile]
# So much of a line is shown on either side of the byte.
_SHOWN_CHARS: Final = 30
_CANDIDATE: Final = (
    "As {candidate}, the text there is {reading!r}. If that is right, add {set:encoding={candidate}}; otherwise name "
    "its encoding with {arg:encoding}, or save the file as UTF-8."
)


def decoding_error(refuse: Refuse, error: UnicodeDecodeError, offset: int, place: tuple[str, int]) -> InvalidFile:
    """Return the error for a byte that the encoding cannot decode.

    Args:
        refuse: Makes the error.
        error: The decoder's error.
        offset: Where the byte stands in the file, from 0.
        place: The encoding, and the line at which the decoder's text begins.
    """
    encoding, line = place
    with suppress(ValueError):
        line += _line_ends(error.object[: error.start].decode(encoding, "ignore"))
    advice = "Name its real encoding with {arg:encoding}."
    facts: Mapping[str, object] = {}
    if encoding == "utf-8":
        # In UTF-16, only a text from its first byte on can be told.
        begins = 0 if offset == error.start else error.object.rfind(b"\n", 0, error.start) + 1
        facts = _candidate(error.object[begins:], error.start - begins)
        known = "Name its encoding, often {set:encoding=cp1252}, or save the file as UTF-8."
        advice = _CANDIDATE if facts else known
    byte = error.object[error.start]
    words = f"the byte 0x{{byte:02x}} at offset {{offset}} is not {{encoding}}. {advice}"
    return refuse(words, line, parameter="encoding", byte=byte, offset=offset, encoding=encoding.upper(), **facts)


def unreadable_error(refuse: Refuse, line: int, encoding: str) -> InvalidFile:
    """Return the error for bytes that an encoding refuses as a whole, such as UTF-16 without a byte-order mark."""
    if encoding in ("utf-16", "utf-32"):
        return refuse(
            "it does not begin with a byte order mark, so it is not clear how {encoding} orders its bytes. Name "
            "{set:encoding={encoding}-le}, as Windows writes it, or {set:encoding={encoding}-be}.",
            encoding=encoding,
            parameter="encoding",
        )
    words = "it is not {encoding}. Name its real encoding with {arg:encoding}."
    return refuse(words, line, encoding=encoding, parameter="encoding")


def nul_error(refuse: Refuse, content: bytes, line: int, encoding: str) -> InvalidFile:
    """Return the error for a text with NUL characters, which UTF-16 has where it is taken for UTF-8.

    Args:
        refuse: Makes the error.
        content: The bytes in which the character stands, from the beginning of the file.
        line: The line of the first one.
        encoding: The encoding.
    """
    facts = _candidate(content, content.find(0)) if encoding == "utf-8" else {}
    advice = _CANDIDATE if facts else "Is it a text file? Remove the character, or name another file."
    return refuse(
        f"there is a NUL character, which no text has. {advice}", line, parameter="encoding", encoding=encoding, **facts
    )


def _candidate(content: bytes, place: int) -> Mapping[str, object]:
    """Return the encoding that fits, and what the text at a place is in it; nothing where none of the usual ones fits.

    Args:
        content: From the beginning of a line.
        place: The byte that is no UTF-8.
    """
    candidate = guess_encoding(content)
    if candidate is None:
        return {}
    text = content.decode(candidate, "replace")
    at = len(content[:place].decode(candidate, "ignore"))
    first = max(text.rfind("\n", 0, at) + 1, at - _SHOWN_CHARS)
    end = text.find("\n", at)
    last = min(len(text) if end < 0 else end, at + _SHOWN_CHARS)
    return {"candidate": candidate, "reading": text[first:last].strip()}


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
