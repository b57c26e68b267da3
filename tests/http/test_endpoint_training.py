"""Fit over a real socket: notes, versions, and clients that leave."""

import http.client
import json
import socket
import threading

import httpx

from tests.http.asking import ALIASES, FIT, FIT_PATH, MODEL, PREDICT, PREDICT_PATH, TIME, check_problem, fit
from tests.toy import Toy
from windrow.api.examples import EXAMPLE_NAME


def test_a_fit_without_contrastive_training_has_no_adapter(client: httpx.Client) -> None:
    reply = client.post(FIT_PATH, json={**FIT, "num_iterations": 0}).json()
    assert reply["adapter"] is None


def test_a_label_that_is_a_whole_number_is_taken_as_its_text_with_a_warning(client: httpx.Client) -> None:
    rows = [
        {"text": f"{word} {number}", "label": label} for label, word in ((0, "no"), (1, "yes")) for number in "abcd"
    ]
    reply = client.post(FIT_PATH, json={**FIT, "training_data": rows, "num_iterations": 0}).json()
    assert reply["labels"] == ["0", "1"]
    assert [warning["code"] for warning in reply["warnings"]].count("number_labels") == 1


def test_a_client_that_leaves_within_its_body_or_before_its_answer_harms_nobody(
    client: httpx.Client, operations: Toy
) -> None:
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address) as leaver:
        leaver.sendall(b"POST /v1/classifier/fit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        leaver.sendall(b'Content-Length: 500\r\n\r\n{"model_name"')
    running, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def block() -> None:
        running.set()
        go_on.wait()
        done.set()

    operations.before_fit = block
    leaver2 = http.client.HTTPConnection(*address)
    leaver2.request("POST", FIT_PATH, json.dumps(FIT), {"Content-Type": "application/json"})
    assert running.wait(30)
    leaver2.close()
    go_on.set()
    assert done.wait(30)
    assert client.get("/health").status_code == 200


def test_the_reply_proposes_the_next_free_name_and_says_what_was_noted(client: httpx.Client) -> None:
    fit(client, "ticket_classifier_v7")
    reply = client.post(FIT_PATH, json={**FIT, "description": "Tickets.", "tags": ["shop", "a", "a"]}).json()
    assert (reply["next_name"], reply["description"], reply["tags"]) == (
        "ticket_classifier_v8",
        "Tickets.",
        ["a", "shop"],
    )
    assert TIME.fullmatch(reply["created_at"])
    assert reply["revision"] == 1


def test_a_refit_adds_a_revision_and_keeps_what_was_noted_and_the_older_one_can_still_be_asked(
    client: httpx.Client,
) -> None:
    fit(client, description="Tickets.", tags=["shop"])
    reply = client.post(FIT_PATH, json={**FIT, "tags": []}).json()
    assert (reply["revision"], reply["description"], reply["tags"]) == (2, "Tickets.", [])
    for name, revision in ((EXAMPLE_NAME, 2), (f"{EXAMPLE_NAME}@1", 1), (f"{EXAMPLE_NAME}@2", 2)):
        answer = client.post(PREDICT_PATH, json={**PREDICT, "model_name": name}).json()
        assert (answer["model_name"], answer["revision"], answer["alias"]) == (EXAMPLE_NAME, revision, None)


def test_a_name_that_exists_is_refused_where_the_request_does_not_overwrite(client: httpx.Client) -> None:
    fit(client, overwrite=False)
    document = check_problem(client.post(FIT_PATH, json={**FIT, "overwrite": False}), 409, "classifier_exists")
    assert document["model_name"] == EXAMPLE_NAME
    assert client.get(MODEL).json()["revisions"] == [1]


def test_the_name_of_an_alias_is_none_for_a_classifier(client: httpx.Client) -> None:
    fit(client)
    client.put(f"{ALIASES}/tickets", json={"model_name": EXAMPLE_NAME})
    check_problem(client.post(FIT_PATH, json={**FIT, "model_name": "Tickets"}), 409, "name_taken")


def test_notes_that_break_a_rule_are_refused_and_nothing_is_trained(client: httpx.Client) -> None:
    for notes in (
        {"description": "a" * 2_001},
        {"tags": [""]},
        {"tags": [" a"]},
        {"tags": [str(n) for n in range(21)]},
    ):
        document = check_problem(client.post(FIT_PATH, json={**FIT, **notes}), 422, "invalid_parameter")
        assert document["parameter"] in notes
    check_problem(client.get(MODEL), 404, "classifier_not_found")
