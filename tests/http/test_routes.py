"""The four endpoints and /health over a real socket."""

import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx
import pytest

from tests.fakes.operations import ADAPTER, FakeOperations
from windrow import __version__
from windrow.http.routes import FIT_THREADS
from windrow.wire import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT

ROWS = [{"text": text, "label": label} for text, label in EXAMPLE_ROWS]
FIT = {"model_name": EXAMPLE_NAME, "training_data": ROWS}
PREDICT = {"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT}


def test_the_four_verbs_answer_with_the_fields_and_values_of_the_contract(client: httpx.Client) -> None:
    fitted = client.post("/v1/classifier/fit", json=FIT)
    assert fitted.status_code == 200
    reply = fitted.json()
    assert {name: reply[name] for name in ("model_name", "status", "labels", "num_examples", "base_model")} == {
        "model_name": EXAMPLE_NAME,
        "status": "trained",
        "labels": ["account", "billing", "technical"],
        "num_examples": 6,
        "base_model": "sentence-transformers/all-MiniLM-L6-v2",
    }
    assert reply["training_time_seconds"] == 0.412
    assert reply["revision"] == 1
    assert reply["adapter"] == {
        "strength": 0.75,
        "reason": ADAPTER.reason,
        "candidates": [
            {"strength": 0.0, "estimated_accuracy": 0.9167},
            {"strength": 0.75, "estimated_accuracy": None},
        ],
        "layers": 6,
        "rank": 8,
        "passes": 2,
        "planned_steps": 2,
        "steps": 2,
        "ended_by": "plan",
        "texts": 6,
        "used_label_names": True,
        "first_loss": 1.5,
        "last_loss": 1.25,
    }
    assert [warning["code"] for warning in reply["warnings"]] == ["small_classes"]

    predicted = client.post("/v1/classifier/predict", json=PREDICT).json()
    assert set(predicted) == {"label", "scores", "model_name", "truncated"}
    assert predicted["label"] in predicted["scores"]
    assert sum(predicted["scores"].values()) == pytest.approx(1)
    assert predicted["truncated"] is False

    [entry] = client.get("/v1/classifier/models").json()["models"]
    assert set(entry) == {"name", "labels", "base_model", "num_examples", "created_at"}
    assert entry["created_at"] == "2025-09-15T10:30:00Z"
    assert datetime.fromisoformat(entry["created_at"]).tzinfo is not None

    deleted = client.delete(f"/v1/classifier/models/{EXAMPLE_NAME}").json()
    assert deleted == {"status": "deleted", "model_name": EXAMPLE_NAME}
    assert client.get("/v1/classifier/models").json() == {"models": []}


def test_a_fit_without_contrastive_training_has_no_adapter(client: httpx.Client) -> None:
    reply = client.post("/v1/classifier/fit", json={**FIT, "num_iterations": 0}).json()
    assert reply["adapter"] is None


def test_a_text_longer_than_the_encoder_reads_is_answered_and_marked(client: httpx.Client) -> None:
    client.post("/v1/classifier/fit", json=FIT)
    reply = client.post("/v1/classifier/predict", json={**PREDICT, "text": "a " * 257})
    assert (reply.status_code, reply.json()["truncated"]) == (200, True)


def test_health_names_the_version(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": __version__}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/vnd.api+json",
        "application/json; indent=4",
    ],
)
def test_every_way_to_declare_json_in_utf_8_is_taken(client: httpx.Client, content_type: str) -> None:
    reply = client.post("/v1/classifier/fit", content=json.dumps(FIT), headers={"Content-Type": content_type})
    assert reply.status_code == 200


def test_predict_and_health_answer_while_more_fits_wait_than_there_are_threads_for_them(
    client: httpx.Client, operations: FakeOperations
) -> None:
    client.post("/v1/classifier/fit", json=FIT)
    running, go_on = threading.Semaphore(0), threading.Event()

    def block() -> None:
        running.release()
        go_on.wait()

    operations.before_fit = block
    with (
        ThreadPoolExecutor(FIT_THREADS + 5) as pool,
        httpx.Client(
            base_url=client.base_url, timeout=30, limits=httpx.Limits(max_connections=FIT_THREADS + 5)
        ) as many,
    ):
        fits = [pool.submit(many.post, "/v1/classifier/fit", json=FIT) for _ in range(FIT_THREADS + 5)]
        try:
            for _ in range(FIT_THREADS):
                assert running.acquire(timeout=30)
            assert client.post("/v1/classifier/predict", json=PREDICT).status_code == 200
            assert client.get("/health").status_code == 200
            assert client.get("/v1/classifier/models").status_code == 200
        finally:
            go_on.set()
        assert {fit.result().status_code for fit in fits} == {200}


def test_a_client_that_leaves_within_its_body_or_before_its_answer_harms_nobody(
    client: httpx.Client, operations: FakeOperations
) -> None:
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address) as leaver:
        leaver.sendall(b"POST /v1/classifier/fit HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        leaver.sendall(b'Content-Length: 500\r\n\r\n{"model_name"')
    running, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def block() -> None:
        running.set()
        go_on.wait()
        done.set()

    operations.before_fit = block
    leaver2 = http.client.HTTPConnection(*address)
    leaver2.request("POST", "/v1/classifier/fit", json.dumps(FIT), {"Content-Type": "application/json"})
    assert running.wait(30)
    leaver2.close()
    go_on.set()
    assert done.wait(30)
    assert client.get("/health").status_code == 200
