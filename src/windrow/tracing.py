"""Spans of OpenTelemetry: of requests, and of what they have trainings, queue and encoder do. Off by default.

The one module that imports OpenTelemetry, and only where a server is to trace. The span of the request that is answered
is a context variable, which goes along into each thread that works for it, as the caller does; where nothing is traced
it is ``None``, and nothing more is done. No span holds a text that was sent.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from windrow.domain.errors import InvalidParameter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Attributes = Mapping[str, str | int | float | bool]
NO_ATTRIBUTES: Final[Attributes] = MappingProxyType({})
# OpenTelemetry itself would try for ten.
CLOSE_TIMEOUT_S: Final = 3.0
_SERVICE: Final = "windrow"
_NS: Final = 1_000_000_000


class Span:
    """A span that has begun. Made by :class:`Tracer`, and by the methods of other spans.

    Args:
        tracer: OpenTelemetry's tracer.
        span: OpenTelemetry's span.
    """

    def __init__(self, tracer: Any, span: Any) -> None:
        self._tracer = tracer
        self._span = span

    def note(self, attributes: Attributes) -> None:
        """Set attributes.

        Args:
            attributes: Their values by name.
        """
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        """Give it another name, once more is known about it.

        Args:
            name: The name.
        """
        self._span.update_name(name)

    def fail(self) -> None:
        """Say that what it stands for failed by the server's fault."""
        from opentelemetry.trace import StatusCode

        self._span.set_status(StatusCode.ERROR)

    def record(self, name: str, began_ns: int, ended_ns: int, attributes: Attributes = NO_ATTRIBUTES) -> None:
        """Add a span below this one for something that is over, also where this one has ended.

        Args:
            name: What it was.
            began_ns: When it began, in nanoseconds since 1970.
            ended_ns: When it ended, likewise.
            attributes: Its attributes, by name.
        """
        self._begin(name, began_ns, attributes).end(ended_ns)

    @contextmanager
    def child(self, name: str, attributes: Attributes = NO_ATTRIBUTES) -> "Iterator[Span]":
        """Give a span below this one, which is the current one inside the ``with`` block, and ends with it.

        Args:
            name: What is done.
            attributes: Its attributes, by name.
        """
        child = Span(self._tracer, self._begin(name, None, attributes))
        with _current_inside(child):
            yield child

    def end(self) -> None:
        """End it now."""
        self._span.end()

    def _begin(self, name: str, began_ns: int | None, attributes: Attributes) -> Any:
        from opentelemetry.trace import set_span_in_context

        parent = set_span_in_context(self._span)
        return self._tracer.start_span(name, parent, attributes=attributes, start_time=began_ns)


class Tracer:
    """Begins the spans of requests. Made by :func:`open_tracer`.

    Args:
        provider: OpenTelemetry's, with what exports spans.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        from windrow import __version__

        self._provider = provider
        self._tracer = provider.get_tracer(_SERVICE, __version__)

    @contextmanager
    def request(self, name: str, headers: Mapping[str, str], attributes: Attributes = NO_ATTRIBUTES) -> Iterator[Span]:
        """Give the span of a request, which is the current one inside the ``with`` block, and ends with it.

        Args:
            name: What is known of it so far.
            headers: Its headers, in lower case; ``traceparent`` names the client's span (W3C Trace Context).
            attributes: Its attributes, by name.
        """
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        client = TraceContextTextMapPropagator().extract(headers)
        begun = self._tracer.start_span(name, client, kind=SpanKind.SERVER, attributes=attributes)
        with _current_inside(Span(self._tracer, begun)) as span:
            yield span

    def close(self) -> None:
        """Export what is left, as far as that is done in time: a collector that is gone must not hold up the end."""
        thread = threading.Thread(target=self._provider.shutdown, name="close-traces", daemon=True)
        thread.start()
        thread.join(CLOSE_TIMEOUT_S)


_current: ContextVar[Span | None] = ContextVar("span", default=None)


def current_span() -> Span | None:
    """Return the span of what is being done in this thread or task; ``None`` where nothing is traced."""
    return _current.get()


@contextmanager
def span(name: str, attributes: Attributes = NO_ATTRIBUTES) -> Iterator[Span | None]:
    """Give a span below the current one; ``None`` where nothing is traced.

    Args:
        name: What is done.
        attributes: Its attributes, by name.
    """
    parent = current_span()
    if parent is None:
        yield None
        return
    with parent.child(name, attributes) as child:
        yield child


def open_tracer() -> Tracer:
    """Return a tracer that sends spans by OTLP over HTTP, to where OpenTelemetry's own variables say.

    Raises:
        InvalidParameter: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise InvalidParameter(
            "WINDROW_TRACES needs OpenTelemetry, which is not installed here. Install it with: "
            'pip install "windrow[otel]", or leave the setting out.',
            {"parameter": "traces", "package": "opentelemetry-sdk"},
        ) from error
    resource = Resource({"service.name": _SERVICE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)  # the server closes it
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracer(provider)


def nanoseconds(at: datetime) -> int:
    """Return a time in nanoseconds since 1970."""
    return int(at.timestamp() * _NS)


def now_ns() -> int:
    """Return the present time in nanoseconds since 1970."""
    return time.time_ns()


@contextmanager
def _current_inside(span: Span) -> Iterator[Span]:
    before = _current.set(span)
    try:
        yield span
    finally:
        _current.reset(before)
        span.end()
