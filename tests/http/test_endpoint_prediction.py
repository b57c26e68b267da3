"""Predict over a real socket, in its three forms and by every way to name a classifier."""

import http.client
import json
import socket
import threading
from queue import Queue

import httpx
import pytest

from tests.http.asking import (
    ALIASES,
    FIT,
    FIT_PATH,
    PREDICT,
    PREDICT_PATH,
    ROWS,
    check_problem,
    fit,
    read_while,
    wait_until,
)
from tests.multi_label import LABELS, NAME, publish_multi_label
from tests.multi_label import ROWS as MULTI_LABEL_ROWS
from tests.toy import Toy
from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_TEXT
from windrow.domain.prediction import IsConnected
from windrow.http.context import THREADS


def test_many_texts_are_answered_in_their_order_each_as_it_would_be_alone(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=FIT)
    texts = [EXAMPLE_TEXT, "The app crashes", EXAMPLE_TEXT, "a " * 257]
    reply = client.post(PREDICT_PATH, json={"model_name": EXAMPLE_NAME, "texts": texts}).json()
    assert list(reply) == ["predictions", "kind", "model_name", "revision", "alias"]
    alone = [client.post(PREDICT_PATH, json={**PREDICT, "text": text}).json() for text in texts]
    who = {"kind": "single_label", "model_name": EXAMPLE_NAME, "revision": 1, "alias": None, "explanation": None}
    for answer, expected in zip(reply["predictions"], alone, strict=True):
        assert {**answer, **who}.keys() == expected.keys()
        assert (answer["label"], answer["truncated"]) == (expected["label"], expected["truncated"])
        # What else is in a batch decides the last digits.
        assert answer["scores"] == pytest.approx(expected["scores"], abs=1e-5)
    assert list(reply["predictions"][0]) == ["label", "labels", "scores", "truncated", "abstained", "in_scope"]


def test_many_classifiers_answer_one_text_in_the_order_of_their_names(client: httpx.Client) -> None:
    other = [{**row, "label": row["label"].upper()} for row in ROWS]
    client.post(FIT_PATH, json=FIT)
    client.post(FIT_PATH, json={"model_name": "other", "training_data": other})
    names = ["other", EXAMPLE_NAME, "other"]
    reply = client.post(PREDICT_PATH, json={"model_names": names, "text": EXAMPLE_TEXT}).json()
    assert list(reply) == ["predictions"]
    alone = [client.post(PREDICT_PATH, json={**PREDICT, "model_name": name}).json() for name in names]
    assert [{**answer, "explanation": None} for answer in reply["predictions"]] == alone


def test_a_multi_label_classifier_answers_with_its_labels_in_each_form(client: httpx.Client, operations: Toy) -> None:
    client.post(FIT_PATH, json=FIT)
    publish_multi_label(operations)
    for text, labels in MULTI_LABEL_ROWS.items():
        reply = client.post(PREDICT_PATH, json={"model_name": NAME, "text": text}).json()
        assert (reply["kind"], reply["label"], reply["abstained"]) == ("multi_label", None, False)
        assert sorted(reply["labels"]) == list(labels)
        assert reply["labels"] == sorted(reply["labels"], key=lambda label: -reply["scores"][label])
        expected = {label: 0.982 if label in labels else 0.018 for label in LABELS}
        assert reply["scores"] == pytest.approx(expected, abs=0.01)
    texts = client.post(PREDICT_PATH, json={"model_name": NAME, "texts": list(MULTI_LABEL_ROWS), "top_k": 1}).json()
    assert texts["kind"] == "multi_label"
    assert [sorted(each["labels"]) for each in texts["predictions"]] == list(map(list, MULTI_LABEL_ROWS.values()))
    assert {len(each["scores"]) for each in texts["predictions"]} == {1}
    both = client.post(PREDICT_PATH, json={"model_names": [NAME, EXAMPLE_NAME], "text": "The search finds nothing"})
    one, other = both.json()["predictions"]
    assert (one["kind"], one["label"], one["labels"]) == ("multi_label", None, ["bug"])
    assert (other["kind"], other["labels"]) == ("single_label", None)
    assert isinstance(other["label"], str)


def test_a_multi_label_classifier_abstains_only_where_a_bound_takes_its_labels_away(
    client: httpx.Client, operations: Toy
) -> None:
    publish_multi_label(operations)
    for text, labels in MULTI_LABEL_ROWS.items():
        asked = {"model_name": NAME, "text": text}
        sure = client.post(PREDICT_PATH, json={**asked, "abstain_below": 1.0}).json()
        assert (sure["labels"], sure["abstained"]) == ((None, True) if labels else ([], False))
        # It was given no scope, so it cannot tell what is like its training data.
        scoped = client.post(PREDICT_PATH, json={**asked, "min_in_scope": 0.1}).json()
        assert (scoped["labels"], scoped["abstained"]) == (None, True)


def test_each_given_label_is_explained(client: httpx.Client, operations: Toy) -> None:
    publish_multi_label(operations)
    asked = {"model_name": NAME, "text": "My whole shop is down since the update", "explain": True}
    reply = client.post(PREDICT_PATH, json=asked).json()
    explained = reply["explanation"]
    assert [explained["label"], *(each["label"] for each in explained["further_labels"])] == reply["labels"]
    none = client.post(PREDICT_PATH, json={**asked, "text": "Thank you for the nice talk"}).json()
    assert none["labels"] == none["explanation"]["further_labels"] == []
    assert none["explanation"]["label"] == max(none["scores"], key=none["scores"].get)


def test_thresholds_of_labels_change_what_is_answered_until_they_are_cleared(
    client: httpx.Client, operations: Toy
) -> None:
    publish_multi_label(operations)
    path, asked = f"/v1/classifier/models/{NAME}/threshold", {"model_name": NAME, "text": "I was charged twice"}
    client.put(f"{ALIASES}/mails", json={"model_name": NAME}).raise_for_status()
    given = {"abstain_below": None, "label_thresholds": {"billing": 0.999, "bug": 0.001}}
    changed = client.put(path, json=given).json()
    assert changed["label_thresholds"] == {"billing": 0.999, "bug": 0.001, "urgent": 0.75}
    assert changed["threshold"] == {"abstain_below": 0.0, "label_thresholds": {"billing": 0.999, "bug": 0.001}}
    assert "gives 'billing' from 0.999 on, 'bug' from 0.001 on" in changed["warnings"][0]["message"]
    assert client.post(PREDICT_PATH, json=asked).json()["labels"] == ["bug"]
    cleared = client.put(path, json={"abstain_below": None, "label_thresholds": None}).json()
    assert (cleared["status"], cleared["threshold"]) == ("cleared", None)
    assert client.post(PREDICT_PATH, json=asked).json()["labels"] == ["billing"]
    shown = client.get(f"/v1/classifier/models/{NAME}").json()
    assert [change["after"] for change in shown["threshold_changes"]] == [changed["threshold"], None]


@pytest.mark.parametrize(
    ("thresholds", "code", "words"),
    [
        ({"spam": 0.5}, "invalid_parameter", "label_thresholds names 'spam', which is none of the classifier's labels"),
        ({"bug": 1}, "invalid_parameter", "label_thresholds has 1.0 for 'bug'; it must be more than 0 and less than 1"),
        ({"bug": "0.5"}, "invalid_request", "label_thresholds"),
    ],
)
def test_thresholds_of_labels_that_cannot_be_are_refused(
    thresholds: dict[str, object], code: str, words: str, client: httpx.Client, operations: Toy
) -> None:
    publish_multi_label(operations)
    path = f"/v1/classifier/models/{NAME}/threshold"
    reply = client.put(path, json={"abstain_below": None, "label_thresholds": thresholds})
    check_problem(reply, 422, code)
    assert words in reply.json()["detail"]


def test_a_classifier_of_a_single_label_takes_no_thresholds_of_labels(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=FIT)
    path = f"/v1/classifier/models/{EXAMPLE_NAME}/threshold"
    reply = client.put(path, json={"abstain_below": 0.5, "label_thresholds": {"billing": 0.5}})
    check_problem(reply, 422, "invalid_parameter")
    assert "goes with a multi-label classifier" in reply.json()["detail"]


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
        read_while(connection, lambda said: said.count(b"HTTP/1.1 200 OK") < 2 or not said.endswith(b"}\n"))


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
