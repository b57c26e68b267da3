"""HTTP/1.1 connections: what cannot be read as HTTP is refused as every other problem is."""

import secrets

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from windrow.http.problems import RequestRefused, problem_response


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser cannot read, and close the connection.

        Args:
            msg: uvicorn's sentence, which stands in the log.
        """
        del msg
        problem = RequestRefused("This is no HTTP that the server can read. Correct the first line and the headers.")
        response = problem_response(problem, secrets.token_hex(8), {"Connection": "close"})
        headers = b"".join(b"%s: %s\r\n" % header for header in response.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + headers + b"\r\n" + bytes(response.body))
        self.transport.close()
