"""Fit over a real socket: notes, versions, and clients that leave."""

import http.client
import json
import socket
import threading

import httpx

from tests.http.asking import (
    ALIASES,
    API,
    FIT,
    FIT_PATH,
    MODEL,
    MODELS,
    PREDICT,
    PREDICT_PATH,
    ROWS,
    TIME,
    check_problem,
    fit,
)
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


def test_a_fit_extends_what_is_kept_by_one_row_and_says_what_it_took_over(client: httpx.Client) -> None:
    fit(client)
    correction = {"text": ROWS[0]["text"], "label": "refund"}
    body = {"model_name": "ticket_classifier_v2", "extends": EXAMPLE_NAME, "training_data": [correction]}
    estimate = client.post(f"{FIT_PATH}?dry_run=true", json=body).json()
    job = client.post(f"{FIT_PATH}?wait=false", json=body).json()
    made = client.post(FIT_PATH, json=body).json()
    shown = client.get(f"{MODELS}/ticket_classifier_v2").json()
    for each in (estimate, job, made, shown):
        found = (each["extends"], each["taken_over_rows"], each["replaced_rows"], each["num_examples"])
        assert found == (f"{EXAMPLE_NAME}@1", len(ROWS) - 1, 1, len(ROWS))
    assert estimate["rows_per_label"] == made["rows_per_label"]
    assert made["rows_per_label"]["refund"] == 1
    assert shown["training_data_sha256"] == job["training_data_sha256"]


def test_rows_may_be_none_where_a_fit_extends_and_must_be_sent_all_the_same(client: httpx.Client) -> None:
    fit(client)
    body = {"model_name": EXAMPLE_NAME, "extends": f"{EXAMPLE_NAME}@1", "training_data": []}
    assert client.post(FIT_PATH, json=body).json()["taken_over_rows"] == len(ROWS)
    del body["training_data"]
    check_problem(client.post(FIT_PATH, json=body), 422, "invalid_request")
    check_problem(client.post(FIT_PATH, json={**FIT, "training_data": []}), 422, "invalid_training_data")


def test_what_cannot_be_extended_is_told(client: httpx.Client, operations: Toy) -> None:
    fit(client)
    body = {"model_name": "ticket_classifier_v2", "training_data": ROWS[:1]}
    for what, status, code in (
        ("nothing", 404, "classifier_not_found"),
        (f"{EXAMPLE_NAME}@9", 404, "revision_not_found"),
        ("no name", 422, "invalid_name"),
        (7, 422, "invalid_request"),
    ):
        check_problem(client.post(FIT_PATH, json={**body, "extends": what}), status, code)
    texts = [row["text"] for row in ROWS]
    forgotten = client.post(f"{API}/forget", json={"texts": texts, "action": "remove_rows"})
    assert forgotten.status_code == 200, forgotten.text
    refused = check_problem(
        client.post(FIT_PATH, json={**body, "extends": EXAMPLE_NAME}), 409, "training_data_not_kept"
    )
    assert refused["extends"] == f"{EXAMPLE_NAME}@1"
    assert refused["detail"] == (
        f"No training rows of {EXAMPLE_NAME}@1 are kept here, so that no training can take them over. Send all rows "
        "from your own copy, and leave extends out."
    )
