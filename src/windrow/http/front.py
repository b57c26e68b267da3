"""What runs in the proxies of Ray Serve, in front of the replicas.

A proxy answers with status 500 and no word of what is wrong where a replica was lost in the middle of a request, and
it takes in whatever it is sent.
"""

from dataclasses import dataclass

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windrow.http.logs import REQUEST_ID_HEADER, request_id_of
from windrow.http.problems import BodyTooLarge, ReplicaLost, problem_response
from windrow.settings import read_settings


class ReplicaFront:
    """ASGI middleware that tells a client when a replica was lost, and takes no larger body than a replica would.

    Args:
        app: Hands requests on to replicas.
        max_body_bytes: The largest body.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope)
        # Serve would send any other one back, beside that of the replica.
        scope["headers"] = [each for each in scope["headers"] if each[0] != REQUEST_ID_HEADER]
        scope["headers"].append((REQUEST_ID_HEADER, request_id.encode()))
        exchange = _Exchange(receive, send, self._max_body_bytes)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            if exchange.is_answered:
                raise
        if not exchange.is_answered and not exchange.is_left:
            answer = problem_response(exchange.problem, request_id, {"X-Request-ID": request_id})
            await answer(scope, receive, send)


@dataclass(slots=True)
class _Exchange:
    """A request and its reply, watched.

    Args:
        source: Gives what the client sends.
        sink: Takes what it is sent.
        room_bytes: What its body may still have.
    """

    source: Receive
    sink: Send
    room_bytes: int
    is_answered: bool = False
    is_left: bool = False
    is_too_large: bool = False

    @property
    def problem(self) -> BodyTooLarge | ReplicaLost:
        if self.is_too_large:
            return BodyTooLarge("The body is larger than any that the server takes. Send less at a time.")
        return ReplicaLost(
            "The replica that had this request was lost, so nobody knows what became of it. Send it again; where it "
            "changes something, look first whether that is done."
        )

    async def receive(self) -> Message:
        message = await self.source()
        if message["type"] == "http.disconnect":
            self.is_left = not self.is_too_large
        self.room_bytes -= len(message.get("body", b""))
        if self.room_bytes < 0:
            self.is_too_large = True
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        self.is_answered = True
        await self.sink(message)


def proxy_middlewares() -> list[Middleware]:
    """Return what Ray Serve puts in front of its proxies, by ``RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH``."""
    settings = read_settings()
    return [Middleware(ReplicaFront, max(settings.max_body_bytes, settings.max_import_bytes))]
