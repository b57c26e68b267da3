"""Each request has a span, with those of its training, of the queue and of the encoder below it, and no text in any."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan

from tests.fakes.traced import Traced, parent_id, span_id
from tests.http.asking import wait_until
from tests.http.conftest import SETTINGS
from tests.toy import Toy
from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_ROWS
from windrow.http.app import create_app

TEXT = "A secret text that no span may hold"
FIT = {"model_name": EXAMPLE_NAME, "training_data": list(EXAMPLE_ROWS)}
PREDICT = {"model_name": EXAMPLE_NAME, "text": TEXT}
API = "/v1/classifier"


class Site:
    """The application with a tracer, asked without a network.

    Args:
        toy: What it works with.
    """

    def __init__(self, toy: Toy) -> None:
        self.traced = Traced()
        self._app = create_app(toy, SETTINGS, tracer=self.traced.tracer)

    def ask(self, method: str, path: str, **more: object) -> httpx.Response:
        """Send one request."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **more)  # type: ignore[arg-type]

        return asyncio.run(send())

    def spans(self, *names: str) -> dict[str, ReadableSpan]:
        """Return the spans by name, once there are those."""
        wait_until(lambda: self.traced.spans().keys() >= {*names})
        return self.traced.spans()


@pytest.fixture
def site() -> Iterator[Site]:
    toy = Toy(SETTINGS)
    yield Site(toy)
    toy.close()


def test_a_request_is_named_by_its_endpoint_and_holds_no_name_of_a_path(site: Site) -> None:
    reply = site.ask("GET", f"{API}/models/unknown_v1", headers={"X-Request-ID": "mine"})
    assert reply.status_code == 404
    (request,) = site.traced.spans().values()
    assert request.name == "GET /v1/classifier/models/{model_name}"
    assert request.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 404,
        "http.route": "/v1/classifier/models/{model_name}",
        "windrow.request_id": "mine",
    }
    assert request.status.is_unset


def test_what_is_no_endpoint_is_named_by_its_method_alone(site: Site) -> None:
    site.ask("GET", "/never/heard/of")
    assert list(site.traced.spans()) == ["GET"]


def test_a_request_that_the_server_fails_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(Toy, "usage", fail)
    assert site.ask("GET", f"{API}/usage").status_code == 500
    (request,) = site.traced.spans().values()
    assert not request.status.is_ok
    assert not request.status.is_unset


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics"])
def test_what_monitors_ask_is_not_traced(site: Site, path: str) -> None:
    assert site.ask("GET", path).status_code == 200
    assert site.traced.spans() == {}


def test_a_training_has_a_span_with_its_wait_and_its_run(site: Site) -> None:
    assert site.ask("POST", f"{API}/fit", json=FIT).status_code == 200
    found = site.spans("fit", "wait", "run", "POST /v1/classifier/fit")
    assert parent_id(found["fit"]) == span_id(found["POST /v1/classifier/fit"])
    assert {parent_id(found[name]) for name in ("wait", "run")} == {span_id(found["fit"])}
    attributes = found["fit"].attributes or {}
    assert (attributes["windrow.outcome"], attributes["windrow.rows"]) == ("succeeded", len(EXAMPLE_ROWS))
    assert found["wait"].end_time == found["run"].start_time


def test_a_training_that_fails_says_so(site: Site) -> None:
    broken = {**FIT, "base_model": "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"}
    assert site.ask("POST", f"{API}/fit", json=broken).status_code >= 400
    fit = site.spans("fit")["fit"]
    assert (fit.attributes or {})["windrow.outcome"] == "failed"
    assert not fit.status.is_ok


def test_a_prediction_has_spans_of_the_queue_and_the_encoder_which_hold_no_text(site: Site) -> None:
    site.ask("POST", f"{API}/fit", json=FIT)
    site.spans("fit")  # which asks the new classifier once, too
    site.traced.clear()
    assert site.ask("POST", f"{API}/predict", json=PREDICT).status_code == 200
    found = site.spans("POST /v1/classifier/predict", "queue", "encode")
    assert {parent_id(found[name]) for name in ("queue", "encode")} == {span_id(found["POST /v1/classifier/predict"])}
    attributes = found["encode"].attributes or {}
    assert (attributes["windrow.texts"], attributes["windrow.tokens"]) == (1, len(TEXT.split()) + 1)
    assert found["queue"].end_time == found["encode"].start_time
    assert TEXT not in "".join(each.to_json() for each in found.values())


def test_without_a_tracer_nothing_is_traced() -> None:
    toy = Toy(SETTINGS)
    site = Site(toy)
    site._app = create_app(toy, SETTINGS)
    site.ask("POST", f"{API}/fit", json=FIT)
    site.ask("POST", f"{API}/predict", json=PREDICT)
    toy.close()
    assert site.traced.spans() == {}
