"""Predict over a real socket, in its three forms and by every way to name a classifier."""

import http.client
import json
import socket
import threading
from queue import Queue

import httpx
import pytest

from tests.http.asking import ALIASES, FIT, FIT_PATH, PREDICT, PREDICT_PATH, ROWS, check_problem, fit, wait_until
from tests.toy import Toy
from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_TEXT
from windrow.domain.prediction import IsConnected
from windrow.http.context import THREADS


def test_many_texts_are_answered_in_their_order_each_as_it_would_be_alone(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=FIT)
    texts = [EXAMPLE_TEXT, "The app crashes", EXAMPLE_TEXT, "a " * 257]
    reply = client.post(PREDICT_PATH, json={"model_name": EXAMPLE_NAME, "texts": texts}).json()
    assert list(reply) == ["predictions", "model_name", "revision", "alias"]
    alone = [client.post(PREDICT_PATH, json={**PREDICT, "text": text}).json() for text in texts]
    who = {"model_name": EXAMPLE_NAME, "revision": 1, "alias": None, "explanation": None}
    for answer, expected in zip(reply["predictions"], alone, strict=True):
        assert {**answer, **who}.keys() == expected.keys()
        assert (answer["label"], answer["truncated"]) == (expected["label"], expected["truncated"])
        # What else is in a batch decides the last digits.
        assert answer["scores"] == pytest.approx(expected["scores"], abs=1e-5)
    assert list(reply["predictions"][0]) == ["label", "scores", "truncated", "abstained", "in_scope"]


def test_many_classifiers_answer_one_text_in_the_order_of_their_names(client: httpx.Client) -> None:
    other = [{**row, "label": row["label"].upper()} for row in ROWS]
    client.post(FIT_PATH, json=FIT)
    client.post(FIT_PATH, json={"model_name": "other", "training_data": other})
    names = ["other", EXAMPLE_NAME, "other"]
    reply = client.post(PREDICT_PATH, json={"model_names": names, "text": EXAMPLE_TEXT}).json()
    assert list(reply) == ["predictions"]
    alone = [client.post(PREDICT_PATH, json={**PREDICT, "model_name": name}).json() for name in names]
    assert [{**answer, "explanation": None} for answer in reply["predictions"]] == alone


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


def test_a_text_longer_than_the_encoder_reads_is_answered_and_marked(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=FIT)
    reply = client.post(PREDICT_PATH, json={**PREDICT, "text": "a " * 257})
    assert (reply.status_code, reply.json()["truncated"]) == (200, True)


@pytest.mark.parametrize(
    ("is_instant", "padding", "thread"), [(True, 0, ""), (False, 0, "load"), (True, 5_000, "predict")]
)
def test_only_a_large_prediction_or_one_that_must_load_its_classifier_takes_a_thread(
    is_instant: bool, padding: int, thread: str, client: httpx.Client, operations: Toy
) -> None:
    client.post(FIT_PATH, json=FIT)
    operations.is_instant = is_instant
    threads: list[str] = []
    operations.before_predict = lambda is_connected: threads.append(threading.current_thread().name)
    content = json.dumps(PREDICT) + " " * padding
    assert client.post(PREDICT_PATH, content=content, headers={"Content-Type": "application/json"}).is_success
    pool = threads[0].rpartition("_")[0]
    assert (pool if pool in THREADS else "") == thread


def test_an_answer_is_wanted_until_the_client_closes_its_connection(client: httpx.Client, operations: Toy) -> None:
    client.post(FIT_PATH, json=FIT)
    asked: Queue[IsConnected] = Queue()
    go_on, done = threading.Event(), threading.Event()

    def block(is_connected: IsConnected) -> None:
        asked.put(is_connected)
        go_on.wait()
        done.set()

    operations.before_predict = block
    leaver = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    try:
        leaver.request("POST", PREDICT_PATH, json.dumps(PREDICT), {"Content-Type": "application/json"})
        is_connected = asked.get(timeout=30)
        assert client.get("/health").status_code == 200  # the server has had its chance to err
        assert is_connected()
        leaver.close()
        wait_until(lambda: not is_connected())
    finally:
        go_on.set()
    assert done.wait(30)
    assert client.get("/health").status_code == 200


def test_a_second_request_sent_before_the_first_is_answered_is_no_departure(
    client: httpx.Client, operations: Toy
) -> None:
    client.post(FIT_PATH, json=FIT)
    asked: Queue[IsConnected] = Queue()
    go_on = threading.Event()

    def block(is_connected: IsConnected) -> None:
        asked.put(is_connected)
        go_on.wait()

    operations.before_predict = block
    body = json.dumps(PREDICT).encode()
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    sent = head % (PREDICT_PATH.encode(), len(body)) + body
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(sent)
        is_connected = asked.get(timeout=30)
        connection.sendall(sent)
        assert client.get("/health").status_code == 200
        assert is_connected()
        go_on.set()
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 2 or not received.endswith(b"}\n"):
            received += connection.recv(65_536)


@pytest.mark.parametrize(
    ("asked", "name", "revision", "alias"),
    [
        ("tickets_v2", "tickets_v2", 2, None),
        ("tickets_v2@1", "tickets_v2", 1, None),
        ("tickets@latest", "tickets_v10", 1, None),
        ("live", "tickets_v2", 2, "live"),
        ("pinned", "tickets_v2", 1, "pinned"),
    ],
)
def test_every_reference_is_answered_by_name_and_revision_of_who_answered(
    client: httpx.Client, asked: str, name: str, revision: int, alias: str | None
) -> None:
    fit(client, "tickets_v2", "tickets_v2", "tickets_v10")
    client.put(f"{ALIASES}/live", json={"model_name": "tickets_v2"})
    client.put(f"{ALIASES}/pinned", json={"model_name": "tickets_v2@1"})
    one = client.post(PREDICT_PATH, json={"model_name": asked, "text": EXAMPLE_TEXT}).json()
    many_texts = client.post(PREDICT_PATH, json={"model_name": asked, "texts": [EXAMPLE_TEXT]}).json()
    many_names = client.post(PREDICT_PATH, json={"model_names": [asked], "text": EXAMPLE_TEXT}).json()
    for answer in (one, many_texts, many_names["predictions"][0]):
        assert (answer["model_name"], answer["revision"], answer["alias"]) == (name, revision, alias)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("tickets_v1@7", 404, "revision_not_found"),
        ("tickets_v1@0", 422, "invalid_name"),
        ("tickets_v1@", 422, "invalid_name"),
        ("tickets_v1@one", 422, "invalid_name"),
        ("tickets@1@2", 422, "invalid_name"),
        ("other@latest", 404, "classifier_not_found"),
        ("ticket", 404, "classifier_not_found"),
    ],
)
def test_a_reference_to_nothing_is_refused(client: httpx.Client, asked: str, status: int, code: str) -> None:
    fit(client, "tickets_v1")
    check_problem(client.post(PREDICT_PATH, json={"model_name": asked, "text": "a"}), status, code)
