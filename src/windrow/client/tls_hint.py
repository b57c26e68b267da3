"""Finds out whether a server that answers plain HTTP with nothing useful speaks TLS, so that the error can say so.

Most servers close such a connection without a word, or say something else each: only a handshake tells.
"""

import contextlib
import socket
import ssl
from typing import Final

from windrow.client.address import Address
from windrow.client.errors import ConnectionLost, UnexpectedReply, speaks_tls
from windrow.domain.errors import WindrowError

_TIMEOUT_S: Final = 2.0
# What proxies answer to plain HTTP where they speak TLS, in words of their own.
PROXY_STATUS: Final = 400


class TlsHint:
    """Explains the errors of plain HTTP to one server, for any number of threads.

    Args:
        address: The server.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._is_possible = address.scheme == "http"

    def rule_out(self) -> None:
        """Take note that the server has answered in plain HTTP."""
        self._is_possible = False

    def explained(self, error: WindrowError) -> WindrowError:
        """Return the error that says what is wrong: another one where the server speaks TLS. May take seconds.

        Args:
            error: What a request without TLS came to.
        """
        if not self._is_possible or not isinstance(error, ConnectionLost | UnexpectedReply):
            return error
        if _takes_handshake(self._address):
            return speaks_tls(str(self._address))
        # One look is enough: a server that breaks connections is not asked about each of them.
        self._is_possible = False
        return error


def _takes_handshake(address: Address) -> bool:
    """Whether a server speaks TLS, whatever its certificate: nothing but a greeting is sent to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        contextlib.suppress(OSError, ValueError),  # ssl.SSLError is an OSError
        socket.create_connection((address.host, address.port), _TIMEOUT_S) as connection,
        context.wrap_socket(connection, server_hostname=address.host),
    ):
        return True
    return False
