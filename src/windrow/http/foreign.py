"""Foreign endpoints over HTTP: a verb answers a request of another server's format, and errors take that format too."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windrow.api.endpoints import MAX_SMALL_BODY_BYTES, PROBLEM_TYPE, Endpoint
from windrow.api.foreign.form import Dialect, ForeignEndpoint, Received
from windrow.codec.lenient import parse_lenient
from windrow.codec.strict import parse_json
from windrow.domain.errors import InvalidRequest, LimitExceeded
from windrow.http.authentication import check_possible
from windrow.http.bodies import BodyLimit, again, read_body, unpacked
from windrow.http.context import ServerContext, context_of
from windrow.http.endpoint import SMALL_BODY_BYTES, Call, VerbApp, answer_in_thread, respond
from windrow.http.guards import check_csrf
from windrow.http.logs import SENT_STATUS, note_names

_DIALECT: Final = "dialect"


class ForeignApp:
    """Answers the requests of one foreign row.

    Args:
        row: The row.
    """

    def __init__(self, row: ForeignEndpoint) -> None:
        self._row = row

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request, verb = Request(scope, receive), self._row.verb
        context = context_of(request)
        check_csrf(request, context.settings.cors_origins)
        scope["state"]["verb"] = verb.verb
        check_possible(verb)
        call = _ForeignCall(context, verb, request, {}, self._row)
        response = await (respond(call) if self._row.act is None else answer_in_thread(call))
        await response(scope, receive, send)


@dataclass(frozen=True)
class _ForeignCall(Call):
    """A foreign request, while it is answered."""

    row: ForeignEndpoint

    async def parse(self) -> tuple[Any, int]:
        parsed, size_bytes = await super().parse()
        if (complete := self.row.complete) is not None:
            parsed = await self.context.run("light", lambda: complete(self.context.operations, parsed))
            note_names(self.request.scope, parsed)
        return parsed, size_bytes

    @property
    def takes_json(self) -> bool:
        return self.row.takes_json

    def read(self, body: bytes | None) -> Any:
        document = None if body is None else parse_json(body, most_chars=2 * len(body))
        received = Received(document, dict(self.request.path_params), dict(self.request.query_params))
        self.request.scope["state"]["received"] = received
        return self.row.read(received)

    def verb(self) -> Any:
        act = self.row.act
        if act is None:
            return super().verb()
        return lambda request=None, **_: act(self.context.operations, request)

    def reply(self, parsed: object, reply: object) -> Response:
        written = self.row.write(self.request.scope["state"]["received"], parsed, reply)
        text = json.dumps(written.document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
        content = text.encode(errors="backslashreplace")
        return Response(content, self.row.status, dict(written.headers), media_type="application/json")


class SharedApp(VerbApp):
    """Answers the verbs of a path, and a body that they cannot read by the foreign row that it is meant for.

    Args:
        endpoints: The verbs.
        rows: The foreign rows of the path that say which bodies are meant for them.
    """

    def __init__(self, endpoints: Sequence[Endpoint[Any]], rows: Sequence[ForeignEndpoint]) -> None:
        super().__init__(endpoints)
        self._rows = rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        try:
            await super().__call__(scope, receive, send)
        except _MeantForAnotherError as meant:
            scope["state"][_DIALECT] = meant.row.dialect
            await ForeignApp(meant.row)(unpacked(scope, len(meant.body)), again(meant.body, receive), send)

    def call_of(
        self, context: ServerContext, endpoint: Endpoint[Any], request: Request, url_fields: dict[str, object]
    ) -> Call:
        """Return the call of a request."""
        # Of verbs that share a path, the first is the one that no query chooses.
        rows = () if endpoint.chosen_by else self._rows
        return _SharedCall(context, endpoint, request, url_fields, rows)


class _MeantForAnotherError(Exception):
    """A body cannot be read, and a foreign row says that it is meant for it."""

    def __init__(self, row: ForeignEndpoint, body: bytes) -> None:
        super().__init__(row.path)
        self.row = row
        self.body = body


@dataclass(frozen=True)
class _SharedCall(Call):
    """A request to a verb whose path foreign rows share."""

    rows: Sequence[ForeignEndpoint]

    def read(self, body: bytes | None) -> Any:
        try:
            return super().read(body)
        except InvalidRequest as error:
            members = {} if body is None else _members_of(body)
            for row in self.rows:
                if body is not None and row.is_meant is not None and row.is_meant(members):
                    raise _MeantForAnotherError(row, body) from error
            raise


def _members_of(body: bytes) -> Mapping[str, Any]:
    """Return the members of a body that is an object; none of another one, and of one with too many values."""
    try:
        document = parse_json(body, most_chars=2 * len(body))
    except LimitExceeded:
        return {}
    return document if isinstance(document, dict) else {}


class CollidingApp:
    """Answers a path that several formats share, by the keys of the body.

    Args:
        rows: The foreign rows of the path, the one with the most keys to look for first.
        own: What answers a body that is meant for none of them.
    """

    def __init__(self, rows: Sequence[ForeignEndpoint], own: ASGIApp) -> None:
        self._rows = [(each, ForeignApp(each)) for each in rows]
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        context = context_of(request)
        verb: Endpoint[Any] = self._rows[0][0].verb
        check_possible(verb)
        with context.bodies.reserve() as reservation:
            limit = BodyLimit(max(context.settings.max_body_bytes, MAX_SMALL_BODY_BYTES), "WINDROW_MAX_BODY_BYTES")
            body = await read_body(request, limit, reservation)
            is_small = len(body) <= SMALL_BODY_BYTES
            keys = _keys_of(body) if is_small else await context.run("parse", lambda: _keys_of(body))
        row, app = next(((row, app) for row, app in self._rows if keys >= row.keys), (None, self._own))
        if row is not None:
            scope["state"][_DIALECT] = row.dialect
        await app(unpacked(scope, len(body)), again(body, receive), send)


def _keys_of(body: bytes) -> frozenset[str]:
    """Return the keys of a body that is an object; none of another one, which its reader refuses."""
    try:
        document = parse_lenient(body)
    except ValueError:
        return frozenset()
    return frozenset(document) if isinstance(document, dict) else frozenset()


class ForeignErrors:
    """ASGI middleware that writes errors at the paths of foreign rows in the rows' own formats.

    Args:
        app: The application behind it.
        rows: The rows that are on.
    """

    def __init__(self, app: ASGIApp, rows: Sequence[ForeignEndpoint]) -> None:
        self._app = app
        alone = [each for each in rows if not each.shares_path]
        self._exact = {each.path: each.dialect for each in alone if "{" not in each.path}
        self._shared = {each.path for each in rows if each.shares_path}
        self._patterns = [(compile_path(each.path)[0], each.dialect) for each in alone if "{" in each.path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and translate what is a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        dialect = self._dialect(scope["path"])
        may_translate = dialect is not None or scope["path"] in self._shared
        await self._app(scope, receive, _Translated(scope, dialect, send) if may_translate else send)

    def _dialect(self, path: str) -> Dialect | None:
        exact = self._exact.get(path)
        return exact or next((dialect for pattern, dialect in self._patterns if pattern.match(path)), None)


class _Translated:
    """Sends a response on; a problem is held back until it is whole, and sent as its format has it.

    Args:
        scope: The request's.
        dialect: The format of its path; ``None`` where only the body says.
        send: Sends to the client.
    """

    def __init__(self, scope: Scope, dialect: Dialect | None, send: Send) -> None:
        self._scope = scope
        self._dialect = dialect
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._found is not None and _is_problem(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_translated(self._start)

    @property
    def _found(self) -> Dialect | None:
        return self._dialect or self._scope.get("state", {}).get(_DIALECT)

    async def _send_translated(self, start: Message) -> None:
        dialect = self._found
        assert dialect is not None
        problem: Mapping[str, Any] = json.loads(self._body) if self._body else {"status": start["status"], "code": ""}
        status, document = dialect.write_error(problem)
        self._scope["state"][SENT_STATUS] = status
        body = (json.dumps(document, ensure_ascii=False) + "\n").encode(errors="backslashreplace")
        kept = [each for each in start["headers"] if each[0].lower() not in (b"content-length", b"content-type")]
        headers = [*kept, (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self._send({**start, "status": status, "headers": headers})
        # A reply to HEAD has no body.
        await self._send({"type": "http.response.body", "body": body if self._scope["method"] != "HEAD" else b""})


def _is_problem(start: Message) -> bool:
    return any(name.lower() == b"content-type" and value == PROBLEM_TYPE.encode() for name, value in start["headers"])
