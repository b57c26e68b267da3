"""A tracer whose spans stay in memory, and how they hang together."""

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from windrow.tracing import Tracer


class Traced:
    """A tracer, and the spans that it has exported."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = Tracer(provider)

    def spans(self) -> dict[str, ReadableSpan]:
        """Return the spans by name; each has another one."""
        found = self._exporter.get_finished_spans()
        assert len({each.name for each in found}) == len(found), [each.name for each in found]
        return {each.name: each for each in found}

    def clear(self) -> None:
        """Forget the spans so far."""
        self._exporter.clear()


def parent_id(child: ReadableSpan) -> int | None:
    """Return the id of the span above one; ``None`` where there is none."""
    parent = child.parent
    return None if parent is None else int(parent.span_id)


def span_id(each: ReadableSpan) -> int:
    """Return the id of a span."""
    context = each.context
    assert context is not None
    return int(context.span_id)
