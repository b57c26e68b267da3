"""Log lines of a real process: their form, the request id, and what never stands in them."""

import http.client
import json
import re
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tests.http.conftest import StartServer
from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT
from windrow.domain.caller import Caller
from windrow.domain.classifier import ModelRequest
from windrow.domain.prediction import PredictRequest
from windrow.http.logs import _log_request, _render_text, note_names

FIT = {
    "model_name": EXAMPLE_NAME,
    "training_data": list(EXAMPLE_ROWS),
}


def _json_lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


@pytest.mark.slow
def test_each_request_is_one_json_line_with_id_status_and_timings(start_server: StartServer) -> None:
    server = start_server(WINDROW_LOG_FORMAT="json")
    fitted = httpx.post(f"{server.url}/v1/classifier/fit", json=FIT, timeout=60)
    lost = httpx.get(f"{server.url}/nowhere%0Aforged", headers={"X-Request-ID": "mine-1"})
    server.process.terminate()
    assert server.wait() == 0
    first, second = (line for line in _json_lines(server.log.read_text()) if line["event"] == "request")
    assert first["request_id"] == fitted.headers["x-request-id"]
    assert (first["method"], first["path"], first["status"], first["level"]) == (
        "POST",
        "/v1/classifier/fit",
        200,
        "info",
    )
    assert 0 <= first["work_ms"] <= first["duration_ms"]
    assert (second["request_id"], second["status"], second["path"]) == ("mine-1", 404, "/nowhere%0Aforged")
    assert lost.headers["x-request-id"] == "mine-1"


@pytest.mark.slow
def test_a_request_is_one_line_of_text_for_a_person(start_server: StartServer) -> None:
    server = start_server()
    reply = httpx.get(f"{server.url}/health")
    server.process.terminate()
    server.wait()
    [line] = [line for line in server.log.read_text().splitlines() if " request " in line]
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+Z info    request method=GET path=/health status=200 "
        rf"client=127.0.0.1 duration_ms=[\d.]+ request_id={reply.headers['x-request-id']}",
        line,
    )


@pytest.mark.slow
def test_a_predict_whose_client_has_left_is_logged_with_499(start_server: StartServer) -> None:
    server = start_server("--wait", WINDROW_LOG_FORMAT="json")
    httpx.post(f"{server.url}/v1/classifier/fit", json=FIT, timeout=60)
    leaver = http.client.HTTPConnection(server.url.removeprefix("http://"))
    body = json.dumps({"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT})
    leaver.request("POST", "/v1/classifier/predict", body, {"Content-Type": "application/json"})
    server.wait_for_line("predict waits")
    leaver.close()
    server.process.terminate()
    assert server.wait() == 0
    log = server.log.read_text()
    [line] = [line for line in _json_lines(log) if line.get("path") == "/v1/classifier/predict"]
    assert (line["event"], line["status"]) == ("request", 499)
    assert "Traceback" not in log


def test_a_value_with_a_line_break_cannot_forge_a_second_line_of_text() -> None:
    event = {"timestamp": "T", "level": "info", "event": "request", "path": "/a\nb", "status": 200}
    assert _render_text(None, "info", event) == r"T info    request path='/a\nb' status=200"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "a;b", "wdr_" + "k" * 43])
def test_a_request_id_that_is_not_sane_or_may_be_a_key_is_replaced(client: httpx.Client, sent: str) -> None:
    ids = {client.get("/health", headers={"X-Request-ID": sent}).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert sent not in ids


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_unexpected_error_is_logged_once_with_its_id_and_without_the_text(
    start_server: StartServer, log_format: str
) -> None:
    server = start_server("--break", WINDROW_LOG_FORMAT=log_format)
    httpx.post(f"{server.url}/v1/classifier/fit", json=FIT, timeout=60)
    body = {"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT}
    reply = httpx.post(f"{server.url}/v1/classifier/predict", json=body, headers={"X-Request-ID": "broken-7"})
    assert reply.status_code == 500
    server.process.terminate()
    assert server.wait() == 0
    log = server.log.read_text()
    assert log.count("Traceback (most recent call last)") == 1
    assert log.count("RuntimeError: a defect that nobody foresaw") == 1
    assert log.count("broken-7") == 2  # the error and the request
    assert EXAMPLE_TEXT not in log
    assert EXAMPLE_ROWS[0]["text"] not in log
    if log_format == "json":
        [error] = [line for line in _json_lines(log) if line["event"] == "unexpected_error"]
        assert (error["request_id"], error["level"]) == ("broken-7", "error")


FACT = re.compile(r" (\w+)=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^ ]*)")


def logged(scope: dict[str, Any], request: object = None) -> dict[str, Any]:
    """Return what the log says of a request."""
    whole = {"type": "http", "method": "POST", "raw_path": b"/a", "query_string": b"", "state": {}, **scope}
    if request is not None:
        note_names(whole, request)
    with structlog.testing.capture_logs() as lines:
        _log_request(whole, 200, 0.001)
    (line,) = lines
    return dict(line)


def test_a_line_names_key_client_classifier_and_query() -> None:
    state = {"caller": Caller("shop"), "timings": {"wait_ms": 1}}
    scope = {"query_string": b"limit=3&task=tickets", "client": ("10.0.0.1", 4711), "state": state}
    line = logged(scope, PredictRequest(model_name="tickets_v1@3", text="Our secret"))
    assert list(line.items()) == [
        ("method", "POST"),
        ("path", "/a"),
        ("query", "limit=3&task=tickets"),
        ("status", 200),
        ("key", "shop"),
        ("client", "10.0.0.1"),
        ("model", "tickets_v1@3"),
        ("duration_ms", 1.0),
        ("wait_ms", 1),
        ("event", "request"),
        ("log_level", "info"),
    ]


def test_a_line_names_no_more_than_is_known() -> None:
    assert logged({"state": {"caller": Caller(address="10.0.0.1")}}).keys() == {
        *("method", "path", "status", "duration_ms", "event", "log_level")
    }


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("a", "b@2"), "a,b@2"),
        (tuple("abcdefgh"), "a,b,c,d,e,…"),
        (("a", "What the customer wrote"), "a,…"),
        (("a", "wdr_0123456789abcdef"), "a,…"),
    ],
)
def test_only_what_is_a_name_is_named(names: tuple[str, ...], shown: str) -> None:
    assert logged({}, PredictRequest(model_names=names, text="x"))["model"] == shown


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"key=wdr_0123abc-_XYZ&limit=3", "key=wdr_…&limit=3"),
        (b"wdr_0123", "wdr_…"),
        (b"a=wdr%5f0123%41&b=1", "a=wdr_…&b=1"),
        (b"a=%77%64%72%5F0123", "a=wdr_…"),
        (b"a=wdr&b=%C3%BC", "a=wdr&b=%C3%BC"),
        (b"a=1%0Aforged", "a=1%0Aforged"),
        (b"a=" + b"x" * 10_000, "a=" + "x" * 510),
    ],
)
def test_an_api_key_in_the_address_is_not_logged(sent: bytes, shown: str) -> None:
    assert logged({"query_string": sent})["query"] == shown
    if len(sent) < 100:
        assert logged({"raw_path": b"/" + sent})["path"] == f"/{shown}"


@given(st.binary(max_size=60), st.binary(max_size=60), st.text(max_size=40), st.text(max_size=20))
def test_whatever_is_sent_is_one_line_with_facts_of_its_own(path: bytes, query: bytes, name: str, client: str) -> None:
    line = logged({"raw_path": path, "query_string": query, "client": (client, 1)}, ModelRequest(name))
    event = {"timestamp": "T", "level": line.pop("log_level"), "event": line.pop("event"), **line}
    text = _render_text(None, "info", event)
    assert text.isprintable()
    facts = re.fullmatch(r"T info    request((?: \w+=(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^'\" ][^ ]*|))*)", text)
    assert facts is not None
    assert [each[1] for each in FACT.finditer(facts[1])] == list(line)


@pytest.mark.slow
def test_the_files_of_the_console_have_no_lines_unless_they_are_missing(start_server: StartServer) -> None:
    server = start_server(WINDROW_LOG_FORMAT="json")
    with httpx.Client(base_url=server.url) as client:
        page = client.get("/")
        files = re.findall(r'href="([^"]+\.js)"', page.text)
        assert {client.get(page.url.join(file)).status_code for file in files} == {200}
        assert client.get("/console/other/js/main.js").status_code == 404
    server.process.terminate()
    server.wait()
    lines = [line for line in _json_lines(server.log.read_text()) if line["event"] == "request"]
    assert [(line["path"], line["status"]) for line in lines] == [("/", 200), ("/console/other/js/main.js", 404)]
