"""The four endpoints and /health over a real socket."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from queue import Queue

import httpx
import pytest

from tests.fakes.operations import ADAPTER, FakeOperations
from tests.http.conftest import SETTINGS
from windrow import __version__
from windrow.domain.prediction import IsWanted
from windrow.http.routes import FIT_THREADS
from windrow.wire.shapes import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT

ROWS = [{"text": text, "label": label} for text, label in EXAMPLE_ROWS]
FIT = {"model_name": EXAMPLE_NAME, "training_data": ROWS}
PREDICT = {"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT}
FIT_PATH, PREDICT_PATH, LIST_PATH = "/v1/classifier/fit", "/v1/classifier/predict", "/v1/classifier/models"


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


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
    assert list(predicted) == ["label", "scores", "model_name", "truncated"]
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


def test_many_texts_are_answered_in_their_order_each_as_it_would_be_alone(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=FIT)
    texts = [EXAMPLE_TEXT, "The app crashes", EXAMPLE_TEXT, "a " * 257]
    reply = client.post(PREDICT_PATH, json={"model_name": EXAMPLE_NAME, "texts": texts}).json()
    assert list(reply) == ["predictions", "model_name"]
    alone = [client.post(PREDICT_PATH, json={**PREDICT, "text": text}).json() for text in texts]
    assert [{**answer, "model_name": EXAMPLE_NAME} for answer in reply["predictions"]] == alone
    assert list(reply["predictions"][0]) == ["label", "scores", "truncated"]


def test_many_classifiers_answer_one_text_in_the_order_of_their_names(client: httpx.Client) -> None:
    other = [{**row, "label": row["label"].upper()} for row in ROWS]
    client.post(FIT_PATH, json=FIT)
    client.post(FIT_PATH, json={"model_name": "other", "training_data": other})
    names = ["other", EXAMPLE_NAME, "other"]
    reply = client.post(PREDICT_PATH, json={"model_names": names, "text": EXAMPLE_TEXT}).json()
    assert list(reply) == ["predictions"]
    alone = [client.post(PREDICT_PATH, json={**PREDICT, "model_name": name}).json() for name in names]
    assert reply["predictions"] == alone


def test_top_k_keeps_the_best_scores_in_each_form(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=FIT)
    every = client.post(PREDICT_PATH, json=PREDICT).json()["scores"]
    best = sorted(every, key=lambda label: -every[label])
    for top_k in (1, 2, 3, None):
        expected = best[:top_k] if top_k else list(every)
        one = client.post(PREDICT_PATH, json={**PREDICT, "top_k": top_k}).json()
        texts = {"model_name": EXAMPLE_NAME, "texts": [EXAMPLE_TEXT], "top_k": top_k}
        names = {"model_names": [EXAMPLE_NAME], "text": EXAMPLE_TEXT, "top_k": top_k}
        [by_text] = client.post(PREDICT_PATH, json=texts).json()["predictions"]
        [by_name] = client.post(PREDICT_PATH, json=names).json()["predictions"]
        assert [list(answer["scores"]) for answer in (one, by_text, by_name)] == [expected] * 3
        assert one["label"] == best[0]


def test_the_pages_of_the_list_put_together_are_the_list(client: httpx.Client) -> None:
    for number in range(5):
        client.post(FIT_PATH, json={**FIT, "model_name": f"tickets_{number}"})
    everything = client.get(LIST_PATH).json()
    assert list(everything) == ["models"]
    models: list[object] = []
    sizes: list[int] = []
    cursor: str | None = None
    while cursor or not sizes:
        page = client.get(LIST_PATH, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        models += page["models"]
        sizes.append(len(page["models"]))
        cursor = page["next_cursor"]
    assert (models, sizes) == (everything["models"], [2, 2, 1])


def test_a_page_goes_on_where_the_one_before_ended_though_its_last_classifier_is_gone(client: httpx.Client) -> None:
    for name in ("a", "b", "c"):
        client.post(FIT_PATH, json={**FIT, "model_name": name})
    cursor = client.get(LIST_PATH, params={"limit": 2}).json()["next_cursor"]
    client.delete(f"{LIST_PATH}/b")
    page = client.get(LIST_PATH, params={"cursor": cursor}).json()
    assert [model["name"] for model in page["models"]] == ["c"]
    assert page["next_cursor"] is None


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


def test_the_list_and_health_answer_while_as_many_predictions_wait_as_may(
    client: httpx.Client, operations: FakeOperations
) -> None:
    client.post(FIT_PATH, json=FIT)
    waiting, go_on = threading.Semaphore(0), threading.Event()

    def block(is_wanted: IsWanted) -> None:
        waiting.release()
        go_on.wait()

    operations.before_predict = block
    with ThreadPoolExecutor(SETTINGS.max_waiting) as pool:
        predicts = [pool.submit(client.post, PREDICT_PATH, json=PREDICT) for _ in range(SETTINGS.max_waiting)]
        try:
            for _ in predicts:
                assert waiting.acquire(timeout=30)
            for path in (LIST_PATH, "/health", "/metrics"):
                assert client.get(path).status_code == 200
        finally:
            go_on.set()
        assert {predict.result().status_code for predict in predicts} == {200}


@pytest.mark.parametrize(
    ("is_instant", "padding", "takes_thread"), [(True, 0, False), (False, 0, True), (True, 5_000, True)]
)
def test_only_a_large_prediction_or_one_that_must_load_its_classifier_takes_a_thread(
    is_instant: bool, padding: int, takes_thread: bool, client: httpx.Client, operations: FakeOperations
) -> None:
    client.post(FIT_PATH, json=FIT)
    operations.is_instant = is_instant
    threads: list[str] = []
    operations.before_predict = lambda is_wanted: threads.append(threading.current_thread().name)
    content = json.dumps(PREDICT) + " " * padding
    assert client.post(PREDICT_PATH, content=content, headers={"Content-Type": "application/json"}).is_success
    assert threads[0].startswith("predict") == takes_thread


def test_an_answer_is_wanted_until_the_client_closes_its_connection(
    client: httpx.Client, operations: FakeOperations
) -> None:
    client.post(FIT_PATH, json=FIT)
    asked: Queue[IsWanted] = Queue()
    go_on, done = threading.Event(), threading.Event()

    def block(is_wanted: IsWanted) -> None:
        asked.put(is_wanted)
        go_on.wait()
        done.set()

    operations.before_predict = block
    leaver = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    try:
        leaver.request("POST", PREDICT_PATH, json.dumps(PREDICT), {"Content-Type": "application/json"})
        is_wanted = asked.get(timeout=30)
        assert client.get("/health").status_code == 200  # the server has had its chance to err
        assert is_wanted()
        leaver.close()
        wait_until(lambda: not is_wanted())
    finally:
        go_on.set()
    assert done.wait(30)
    assert client.get("/health").status_code == 200


def test_a_second_request_sent_before_the_first_is_answered_is_no_departure(
    client: httpx.Client, operations: FakeOperations
) -> None:
    client.post(FIT_PATH, json=FIT)
    asked: Queue[IsWanted] = Queue()
    go_on = threading.Event()

    def block(is_wanted: IsWanted) -> None:
        asked.put(is_wanted)
        go_on.wait()

    operations.before_predict = block
    body = json.dumps(PREDICT).encode()
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    sent = head % (PREDICT_PATH.encode(), len(body)) + body
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(sent)
        is_wanted = asked.get(timeout=30)
        connection.sendall(sent)
        assert client.get("/health").status_code == 200
        assert is_wanted()
        go_on.set()
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 2 or not received.endswith(b"}\n"):
            received += connection.recv(65_536)


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
