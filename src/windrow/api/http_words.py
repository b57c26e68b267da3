"""Render error messages for HTTP: how they name parameters and operations."""

from typing import ClassVar

from windrow.api.endpoints import BY_VERB
from windrow.domain.words import Words


class HttpWords(Words):
    """Parameters as they stand in a body or a query, verbs as method and path."""

    send: ClassVar[str] = "send"
    send_key: ClassVar[str] = "send it in the header 'Authorization: Bearer KEY'"

    def switched(self, name: str, *, on: bool) -> str:
        """Return how a switch is turned on or off: ``purge=true``."""
        return f"{name}={'true' if on else 'false'}"

    def verb(self, name: str) -> str:
        """Return how a verb is called: ``GET /v1/classifier/jobs``."""
        endpoint = BY_VERB[name]
        return f"{endpoint.method} {endpoint.path}"


HTTP = HttpWords()
