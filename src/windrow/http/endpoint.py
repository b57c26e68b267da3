"""The one endpoint of all verbs: reads the request from path, query and body, calls the verb, and writes its reply."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from windrow.api.endpoints import (
    CLASSIFY,
    ENDPOINTS,
    FIT,
    JOB,
    MAX_SMALL_BODY_BYTES,
    PREDICT,
    START_FIT,
    START_PREDICT_FILES,
    Endpoint,
    NoRequest,
    Pool,
)
from windrow.api.flat import write_reply
from windrow.codec.request_parsing import read_request
from windrow.codec.types import types_of
from windrow.domain.file_reply import FileReply
from windrow.domain.prediction import IsConnected
from windrow.html_report.page import CONTENT_POLICY
from windrow.http.authentication import check_possible, check_scope
from windrow.http.bodies import BodyLimit, read_body
from windrow.http.context import DisconnectWatch, ServerContext, context_of, note_timings
from windrow.http.events import follow
from windrow.http.guards import check_csrf
from windrow.http.links import link, see_docs
from windrow.http.logs import note_names
from windrow.http.parameters import read_flag, read_parameters, read_query, refuse_body
from windrow.http.uploads import received_file

# A body of this size is read in less time than a thread takes to begin.
SMALL_BODY_BYTES = 4_096
# With so few labels, a text takes half a millisecond beside the encoder, which is less than a thread's turn.
FEW_LABELS = 20
# So few questions take a millisecond at most beside the encoder.
FEW_QUESTIONS = 4
# Above, bodies are read by few threads of their own: the rest goes on, and memory is bounded.
LARGE_BODY_BYTES = 65_536
# A file is kept, not opened here; a browser that opens it all the same runs nothing in it and fetches nothing for it.
_FILE_POLICY: Final = f"{CONTENT_POLICY}; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
Result = TypeVar("Result")


class VerbApp:
    """Answers the requests of one method and path.

    Args:
        endpoints: The verbs there; where there are several, the query says which is meant.
    """

    def __init__(self, endpoints: Sequence[Endpoint[Any]]) -> None:
        self._endpoints = endpoints
        first = endpoints[0]
        # What chooses a verb is off unless it is sent.
        self._choices = {name: value != "true" for each in endpoints for name, value in each.chosen_by.items()}
        in_query = () if first.takes_json else tuple(each.name for each in fields(first.request))
        self.parameters = frozenset((*self._choices, *in_query)) - set(first.path_fields)
        kinds = types_of(first.request)
        self._repeatable = frozenset(name for name in in_query if kinds[name].kind is tuple)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        query = read_query(request, self.parameters, self._repeatable)
        check_csrf(request, context_of(request).settings.cors_origins)
        if self._endpoints[0].body == "none":
            await refuse_body(request, self.parameters)
        endpoint = self._choose(query)
        scope["state"]["verb"] = endpoint.verb
        check_possible(endpoint)
        in_path = {name: (text,) for name, text in request.path_params.items()}
        texts = {**in_path, **{name: query[name] for name in query if name not in self._choices}}
        fields_of_url = read_parameters(endpoint.request, texts) if texts else {}
        response = await respond(self.call_of(context_of(request), endpoint, request, fields_of_url))
        await response(scope, receive, send)

    def call_of(
        self, context: ServerContext, endpoint: Endpoint[Any], request: Request, url_fields: dict[str, object]
    ) -> "Call":
        """Return the call of a request, given what :class:`Call` is given."""
        return Call(context, endpoint, request, url_fields)

    def _choose(self, query: Mapping[str, Sequence[str]]) -> Endpoint[Any]:
        if not self._choices:
            return self._endpoints[0]
        flags = {
            name: read_flag(name, next(iter(query.get(name, ())), None), default=default)
            for name, default in self._choices.items()
        }
        texts = {name: str(value).lower() for name, value in flags.items()}
        return [each for each in self._endpoints if each.chosen_by.items() <= texts.items()][-1]


@dataclass(frozen=True)
class Call:
    """A request to a verb, while it is answered.

    Args:
        context: What the server works with.
        endpoint: The verb's.
        request: The request.
        url_fields: The fields of the verb's request in path and query.
    """

    context: ServerContext
    endpoint: Endpoint[Any]
    request: Request
    url_fields: dict[str, object]

    async def parse(self) -> tuple[Any, int]:
        """Return the request of the verb, which the caller may make, and the size of its body in bytes."""
        parsed, size_bytes = await self._receive()
        note_names(self.request.scope, parsed)
        check_scope(self.endpoint, parsed)
        return parsed, size_bytes

    async def _receive(self) -> tuple[Any, int]:
        if not self.takes_json:
            return self.read(None), 0
        optional = self.endpoint.body == "optional"
        with self.context.bodies.reserve() as reservation:
            body = await read_body(self.request, self._limit(), reservation, optional=optional)
            if len(body) <= SMALL_BODY_BYTES:
                return self.read(body), len(body)
            pool: Pool = "parse" if len(body) > LARGE_BODY_BYTES else self.endpoint.pool
            return await self.context.run(pool, lambda: self.read(body)), len(body)

    @property
    def takes_json(self) -> bool:
        """Whether the request carries a JSON body."""
        return self.endpoint.takes_json

    def read(self, body: bytes | None) -> Any:
        """Return the verb's request.

        Args:
            body: The JSON body; ``None`` where there is none.
        """
        if body is None:
            return self.endpoint.request(**self.url_fields)
        limits = self.context.settings.limits
        advice = f"Correct the request{see_docs(self.context.settings, 'its fields and an example', '; ')}."
        return read_request(self.endpoint.request, body, preset=self.url_fields, limits=limits, advice=advice)

    def _limit(self) -> BodyLimit:
        max_bytes = self.context.settings.max_body_bytes
        if self.endpoint.takes_many or max_bytes <= MAX_SMALL_BODY_BYTES:
            return BodyLimit(max_bytes, "WINDROW_MAX_BODY_BYTES")
        return BodyLimit(MAX_SMALL_BODY_BYTES)

    def verb(self) -> Callable[..., Any]:
        """Return the function that does the verb."""
        verb: Callable[..., Any] = getattr(self.context.operations, self.endpoint.verb)
        return verb

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do some work in the verb's threads, and note how long it took."""
        return await self.context.run_timed(self.request, self.endpoint.pool, work)

    def reply(self, parsed: object, reply: object) -> Response:
        """Return the verb's reply as JSON."""
        # The line end keeps a terminal's prompt off the answer's line.
        content = write_reply(self.endpoint.verb, parsed, reply) + b"\n"
        return Response(content, self.endpoint.status, media_type="application/json")


async def respond(call: Call) -> Response:
    """Return the response to a request, as its verb is answered.

    Args:
        call: The request.

    Raises:
        WindrowError: What the request, its key or the verb refuses.
    """
    endpoint = call.endpoint
    response: Response = await _RESPONDERS.get(endpoint.verb, _RESPONDERS[endpoint.reply_form])(call)
    return response


async def answer_in_thread(call: Call) -> Response:
    """Run an operation in a thread; a cancellable one can check whether the client has disconnected."""
    parsed, _ = await call.parse()

    def work(**more: object) -> Response:
        return call.reply(parsed, call.verb()(**more) if isinstance(parsed, NoRequest) else call.verb()(parsed, **more))

    if not call.endpoint.cancellable:
        return await call.run(work)
    with DisconnectWatch(call.request) as is_connected:
        return await call.run(lambda: work(is_connected=is_connected))


async def _fit(call: Call) -> Response:
    """Train; while the training waits and runs, no thread is held for it here."""
    (parsed, _), received_at = await call.parse(), time.perf_counter()
    _, result = await call.context.run(FIT.pool, lambda: call.context.operations.begin_fit(parsed))
    started_at = time.perf_counter()
    fitted = await asyncio.wrap_future(result)
    note_timings(call.request, started_at - received_at, time.perf_counter() - started_at)
    return call.reply(None, fitted)


async def _start_job(call: Call) -> Response:
    """Begin a job that goes on when the answer is sent."""
    parsed, _ = await call.parse()
    job = await call.run(lambda: call.verb()(parsed))
    response = call.reply(None, job)
    response.headers["Location"] = link(call.context.settings, JOB.path.format(job_id=job.id))
    return response


async def _predict(call: Call) -> Response:
    """Predict, with a thread only for what takes time: a large body or reply, or a classifier that must be loaded.

    What is not in memory is read in threads of its own, so that a disk that hangs holds up nothing else.
    """
    parsed, size_bytes = await call.parse()
    with DisconnectWatch(call.request) as is_connected:
        return await _predict_while_connected(call, parsed, size_bytes <= SMALL_BODY_BYTES, is_connected)


async def _predict_while_connected(call: Call, parsed: Any, is_small: bool, is_connected: IsConnected) -> Response:
    received_at, operations = time.perf_counter(), call.context.operations
    is_single = is_small and len(parsed.all_texts) == 1 and len(parsed.all_names) == 1
    answer = await _run(call, is_single, lambda: operations.start_predict_in_memory(parsed, is_connected))
    if answer is None:
        answer = await call.context.run("load", lambda: operations.start_predict(parsed, is_connected))
    started_at = time.perf_counter()
    predictions = answer.result() if answer.done() else await call.context.results.wait(answer)
    note_timings(call.request, started_at - received_at, time.perf_counter() - started_at)
    return await _run(call, len(predictions) == 1, lambda: call.reply(parsed, predictions))


async def _classify(call: Call) -> Response:
    """Classify without a classifier; no thread waits for the encoder, and none of those for predictions for a disk."""
    parsed, size_bytes = await call.parse()
    is_single = size_bytes <= SMALL_BODY_BYTES and len(parsed.all_texts) == 1 and len(parsed.labels) <= FEW_LABELS
    with DisconnectWatch(call.request) as is_connected:
        received_at, operations = time.perf_counter(), call.context.operations
        answer = await _run(call, is_single, lambda: operations.start_classify_in_memory(parsed, is_connected))
        if answer is None:
            answer = await call.context.run("load", lambda: operations.start_classify(parsed, is_connected))
        started_at = time.perf_counter()
        classified = await call.context.results.wait(answer)
        note_timings(call.request, started_at - received_at, time.perf_counter() - started_at)
        return await _run(call, is_single, lambda: call.reply(parsed, classified()))


async def _decide(call: Call) -> Response:
    """Answer questions about a text, as :func:`_classify` does."""
    parsed, size_bytes = await call.parse()
    is_single = size_bytes <= SMALL_BODY_BYTES and len(parsed.questions) <= FEW_QUESTIONS
    with DisconnectWatch(call.request) as is_connected:
        received_at, operations = time.perf_counter(), call.context.operations
        answer = await _run(call, is_single, lambda: operations.start_decide_in_memory(parsed, is_connected))
        if answer is None:
            answer = await call.context.run("load", lambda: operations.start_decide(parsed, is_connected))
        started_at = time.perf_counter()
        decided = answer.result() if answer.done() else await call.context.results.wait(answer)
        note_timings(call.request, started_at - received_at, time.perf_counter() - started_at)
        return await _run(call, is_single, lambda: call.reply(parsed, decided()))


async def _run(call: Call, inline: bool, work: Callable[[], Result]) -> Result:
    """Do some work here or, where it takes time, in a thread."""
    return work() if inline else await call.context.run(call.endpoint.pool, work)


async def _take_file(call: Call) -> Response:
    """Take in a file."""
    parsed, _ = await call.parse()
    async with received_file(call.request, call.context, call.endpoint) as file:
        return await call.run(lambda: call.reply(parsed, call.verb()(file, parsed)))


async def _give_file(call: Call) -> Response:
    """Give a file away."""
    parsed, _ = await call.parse()
    file: FileReply = await call.run(lambda: call.verb()(parsed))
    headers = {
        "Content-Disposition": f'attachment; filename="{file.file_name}"',
        "Content-Length": str(file.size_bytes),
        "Content-Security-Policy": _FILE_POLICY,
    }
    return StreamingResponse(_stream(file), headers=headers, media_type=file.media_types[0])


async def _stream(file: FileReply) -> AsyncIterator[bytes]:
    with closing(file):
        # They are in memory, or in a file that was just written; and the client may be slow or disconnected.
        for chunk in file.chunks:
            yield chunk
            await asyncio.sleep(0)


async def _follow(call: Call) -> Response:
    """Tell of a job as long as it lasts."""
    return await follow(call.context, call.request, (await call.parse())[0])


# How a verb is answered, by its name or else by the form of its reply.
_RESPONDERS: Final[Mapping[str, Callable[[Call], Any]]] = {
    FIT.verb: _fit,
    START_FIT.verb: _start_job,
    START_PREDICT_FILES.verb: _start_job,
    PREDICT.verb: _predict,
    CLASSIFY.verb: _classify,
    "start_decide": _decide,
    **{each.verb: _take_file for each in ENDPOINTS if each.body == "file"},
    "json": answer_in_thread,
    "file": _give_file,
    "events": _follow,
}
