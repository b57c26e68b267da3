"""Spans, their parents and their times, by the in-memory exporter of OpenTelemetry."""

import contextvars
import gzip
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tests.fakes.traced import Traced, parent_id, span_id
from windrow.domain.errors import InvalidParameter
from windrow.tracing import Tracer, current_span, nanoseconds, open_tracer, span

CLIENT = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


@pytest.fixture
def traced() -> Traced:
    return Traced()


def test_where_nothing_is_traced_there_is_no_span() -> None:
    assert current_span() is None
    with span("fit", {"windrow.rows": 3}) as child:
        assert child is None
        assert current_span() is None


def test_a_request_is_the_current_span_until_its_end_and_others_are_below_it(traced: Traced) -> None:
    with traced.tracer.request("POST", {}, {"http.request.method": "POST"}) as request:
        assert current_span() is request
        with span("fit", {"windrow.rows": 3}) as child:
            assert child is not None
            assert current_span() is child
            child.note({"windrow.outcome": "succeeded"})
        assert current_span() is request
        request.rename("POST /v1/classifier/fit")
    assert current_span() is None
    found = traced.spans()
    assert list(found) == ["fit", "POST /v1/classifier/fit"]
    outer, inner = found["POST /v1/classifier/fit"], found["fit"]
    assert (parent_id(outer), parent_id(inner)) == (None, span_id(outer))
    assert outer.attributes == {"http.request.method": "POST"}
    assert inner.attributes == {"windrow.rows": 3, "windrow.outcome": "succeeded"}


def test_a_request_goes_on_with_the_trace_of_its_client(traced: Traced) -> None:
    with traced.tracer.request("GET", CLIENT):
        pass
    (request,) = traced.spans().values()
    assert request.context is not None
    assert f"{request.context.trace_id:032x}" == CLIENT["traceparent"].split("-")[1]
    assert f"{parent_id(request):016x}" == CLIENT["traceparent"].split("-")[2]


@pytest.mark.parametrize("header", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_header_that_names_no_trace_begins_a_new_one(traced: Traced, header: str) -> None:
    with traced.tracer.request("GET", {"traceparent": header}):
        pass
    (request,) = traced.spans().values()
    assert request.parent is None


def test_what_is_over_is_added_with_its_times_also_after_the_end_of_its_parent(traced: Traced) -> None:
    with traced.tracer.request("POST", {}) as request:
        pass
    request.record("queue", 1_000, 3_500, {"windrow.texts": 2})
    queue = traced.spans()["queue"]
    assert (queue.start_time, queue.end_time) == (1_000, 3_500)
    assert parent_id(queue) == span_id(traced.spans()["POST"])


def test_a_span_goes_along_into_a_thread_with_its_context(traced: Traced) -> None:
    seen: list[object] = []
    with traced.tracer.request("POST", {}) as request:
        run = contextvars.copy_context().run
        thread = threading.Thread(target=run, args=(lambda: seen.append(current_span()),))
        thread.start()
        thread.join()
    assert seen == [request]


def test_what_failed_by_the_servers_fault_says_so(traced: Traced) -> None:
    with traced.tracer.request("GET", {}) as request:
        request.fail()
    assert not traced.spans()["GET"].status.is_ok


def test_a_span_ends_where_an_error_leaves_it(traced: Traced) -> None:
    with pytest.raises(ValueError, match="a defect"), traced.tracer.request("GET", {}), span("fit"):
        raise ValueError("a defect")
    assert current_span() is None
    assert set(traced.spans()) == {"GET", "fit"}


def test_a_time_is_told_in_nanoseconds_since_1970() -> None:
    assert nanoseconds(datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)) == 2_000_000_000


def test_where_opentelemetry_is_not_installed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    with pytest.raises(InvalidParameter, match=r'pip install "windrow\[otel\]"'):
        open_tracer()


class StuckProvider(TracerProvider):
    """A provider whose collector does not answer."""

    def __init__(self) -> None:
        super().__init__(shutdown_on_exit=False)
        self.began, self.may_end = threading.Event(), threading.Event()

    def shutdown(self) -> None:
        self.began.set()
        assert self.may_end.wait(30)


def test_a_collector_that_does_not_answer_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.tracing.CLOSE_TIMEOUT_S", 0.01)
    provider = StuckProvider()
    Tracer(provider).close()
    assert provider.began.wait(30)
    provider.may_end.set()


def test_a_real_tracer_sends_what_it_has_to_the_address_of_opentelemetrys_own_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bodies: list[bytes] = []
    with _collector(bodies) as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "windrow-shop")
        tracer = open_tracer()
        with tracer.request("GET /v1/classifier/models", {}):
            pass
        tracer.close()
    (body,) = bodies
    assert b"GET /v1/classifier/models" in body
    assert b"windrow-shop" in body


@contextmanager
def _collector(bodies: list[bytes]) -> Iterator[str]:
    """Give the address of a collector of spans, which keeps what it is sent."""

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
