"""The errors of the connection between client and server, each with a stable ``code``.

::

    WindrowError
    ├── InvalidInput
    │   └── RefusedByServer           refused_by_server
    ├── Unavailable
    │   ├── ServerUnreachable         server_unreachable
    │   ├── ServerTimedOut            server_timed_out
    │   ├── ConnectionLost            connection_lost
    │   └── UnexpectedReply           unexpected_reply
    └── Failure
        └── FailedInServer            failed_in_server

Other errors of the server are raised as their own class from ``windrow.domain.errors``.
"""

import re
from collections.abc import Mapping
from typing import Final

from windrow.domain.errors import Failure, InvalidInput, Unavailable, WindrowError

# In the words of OpenSSL, in small letters.
_REFUSED_CERTIFICATE: Final = re.compile(r"certificate verify failed: (.+?)(?: \(_ssl\.c:\d+\))?$")


class _ReportedByServer(WindrowError):  # noqa: N818
    """An error reported by the server with a code that is no class of the domain.

    Args:
        code: The error code in the reply.
        template: The message template in the reply.
        facts: The values for the template's placeholders.
    """

    def __init__(self, code: str, template: str, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(template, facts)
        self.code = code  # type: ignore[misc]


class RefusedByServer(_ReportedByServer, InvalidInput):
    """The server refused the request for a reason that only HTTP has; ``code`` is the server's (``body_too_large``)."""

    code = "refused_by_server"


class ServerUnreachable(Unavailable):
    """No server listens at the address, so nothing was sent."""

    code = "server_unreachable"


class ServerTimedOut(Unavailable):
    """The server did not answer in time; the operation may still be carried out."""

    code = "server_timed_out"


class ConnectionLost(Unavailable):
    """The connection broke before the reply was complete; the operation may have been carried out."""

    code = "connection_lost"


class UnexpectedReply(Unavailable):
    """The reply is not from a Windrow server, or from one of another version."""

    code = "unexpected_reply"


class FailedInServer(_ReportedByServer, Failure):
    """Something unforeseen failed in the server; ``code`` is the server's (``internal_error``)."""

    code = "failed_in_server"


def unreachable(url: str, reason: str) -> ServerUnreachable:
    """Return the error for a server that does not listen.

    Args:
        url: The server.
        reason: Why, in a few words, or as the TLS library says it.
    """
    if (refused := _REFUSED_CERTIFICATE.search(reason)) is not None:
        return ServerUnreachable(
            "The certificate of {url} is not trusted: {reason}. If it comes from an authority of your own, set "
            "SSL_CERT_FILE to the file with that authority's certificate.",
            {"url": url, "reason": refused[1]},
        )
    if "wrong_version_number" in reason:
        return ServerUnreachable(
            "What answers at {url} does not speak TLS. If the server has no certificate, write http:// in {arg:url}.",
            {"url": url},
        )
    return ServerUnreachable(
        "No Windrow server can be reached at {url}: {reason}. Start it with `windrow serve`, or name the right one "
        "with {arg:url}.",
        {"url": url, "reason": reason},
    )


def speaks_tls(url: str) -> ServerUnreachable:
    """Return the error for a server that speaks TLS and was asked without.

    Args:
        url: The server, with ``http://``.
    """
    return ServerUnreachable(
        "What answers at {url} seems to speak TLS, and was asked without. Write https:// in {arg:url}.", {"url": url}
    )


def timed_out(url: str) -> ServerTimedOut:
    """Return the error for a server that was silent for too long."""
    return ServerTimedOut(
        "The server at {url} did not answer in time. Ask again later, or with more patience; a change that was asked "
        "for may have been made, so look first.",
        {"url": url},
    )


def connection_lost(url: str) -> ConnectionLost:
    """Return the error for a connection that broke."""
    return ConnectionLost(
        "The connection to {url} broke before the answer was there. Look whether the server still runs; a change that "
        "was asked for may have been made.",
        {"url": url},
    )


def not_http(url: str) -> UnexpectedReply:
    """Return the error for a reply that is not HTTP."""
    return UnexpectedReply("What answers at {url} does not speak HTTP. Check the URL.", {"url": url})


def client_closed(url: str) -> ServerUnreachable:
    """Return the error for a client that was closed."""
    return ServerUnreachable("This client is closed. Make a new one.", {"url": url})
