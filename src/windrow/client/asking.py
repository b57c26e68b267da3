"""Asking: one request of a verb and its reply, in the wire's shapes.

Owns how long a verb may take and whether it may be sent twice; knows nothing of single verbs.
"""

from dataclasses import dataclass, field
from typing import TypeVar

from windrow.client.replies import read_reply, to_json
from windrow.client.transport import Call, Transport
from windrow.wire.shapes import Wire

Shape = TypeVar("Shape", bound=Wire)


@dataclass(frozen=True, slots=True)
class Manner:
    """How something is asked.

    Args:
        may_repeat: Whether asking twice does what asking once does.
        is_patient: Whether the server may take as long as it needs.
    """

    may_repeat: bool = False
    is_patient: bool = False


CHANGE = Manner()
LOOK = Manner(may_repeat=True)
# What may take minutes is not begun once more by a client that lost its connection, unless it changes nothing and is
# refused at once where too many wait.
LONG_CHANGE = Manner(is_patient=True)
LONG_LOOK = Manner(may_repeat=True, is_patient=True)


@dataclass(slots=True)
class Asking:
    """What the verbs of a client work with.

    Args:
        transport: Sends requests.
        timeout_s: Longest silence of the server, in seconds, for what does not take long.
    """

    transport: Transport
    timeout_s: float = field(default=60.0)

    def get(self, path: str, shape: type[Shape], manner: Manner = LOOK) -> Shape:
        """Return what stands at a path."""
        return self.read(self.transport.ask(self.call("GET", path, manner)), shape)

    def post(self, path: str, body: Wire | None, shape: type[Shape], manner: Manner) -> Shape:
        """Send a body, or nothing, and return the reply."""
        return self.send("POST", path, body, shape, manner)

    def send(self, method: str, path: str, body: Wire | None, shape: type[Shape], manner: Manner) -> Shape:
        """Send a request and return the reply.

        Raises:
            WindrowError: What the server raised, or what stood between.
        """
        return self.read(self.transport.ask(self.call(method, path, manner, body)), shape)

    def call(self, method: str, path: str, manner: Manner, body: Wire | None = None) -> Call:
        """Return a request as the transport takes it."""
        content = None if body is None else to_json(body)
        timeout_s = None if manner.is_patient else self.timeout_s
        return Call(method, path, content, timeout_s=timeout_s, may_repeat=manner.may_repeat)

    def read(self, content: bytes, shape: type[Shape]) -> Shape:
        """Return a reply in its shape.

        Raises:
            UnexpectedReply: It has another one.
        """
        return read_reply(content, shape, self.transport.url)
