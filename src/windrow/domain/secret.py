"""A text that is not to be shown by accident: an API key, or what holds one."""

import hmac
from typing import NoReturn


class Secret:
    """A secret text, which no ``repr``, f-string, log line or JSON shows, and which no file can take.

    Args:
        text: The text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for where it is sent or compared; keep it in no variable that lasts."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not copied, nor written into a file.")
