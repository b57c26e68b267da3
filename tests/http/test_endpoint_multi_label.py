"""Fits of rows with any number of labels over a real socket."""

import json

import httpx

from tests.http.asking import FIT_PATH, MODEL, MODELS, PREDICT, PREDICT_PATH, check_problem, fit
from windrow.api.examples import EXAMPLE_MULTI_LABEL_ROWS, EXAMPLE_NAME
from windrow.codec import request_parsing

FIT_ROWS = [dict(each) for each in EXAMPLE_MULTI_LABEL_ROWS]
FIT = {"model_name": EXAMPLE_NAME, "training_data": FIT_ROWS, "num_iterations": 0}


def test_rows_with_any_number_of_labels_train_a_multi_label_classifier(client: httpx.Client) -> None:
    reply = client.post(FIT_PATH, json=FIT).json()
    assert (reply["status"], reply["kind"], reply["num_examples"]) == ("trained", "multi_label", 6)
    assert reply["labels"] == ["billing", "technical", "urgent"]
    assert reply["rows_per_label"] == {"billing": 2, "technical": 2, "urgent": 2}
    assert "rows_without_labels" in [warning["code"] for warning in reply["warnings"]]
    [entry] = client.get(MODELS).json()["models"]
    assert (entry["name"], entry["kind"]) == (EXAMPLE_NAME, "multi_label")
    assert client.get(MODEL).json()["kind"] == "multi_label"
    answer = client.post(PREDICT_PATH, json=PREDICT).json()
    assert answer["label"] is None
    assert set(answer["scores"]) == {"billing", "technical", "urgent"}


def test_a_body_that_is_read_in_slices_means_the_same(client: httpx.Client) -> None:
    rows = [{**row, "text": f"{row['text']} {number}"} for number in range(3) for row in FIT_ROWS]
    body = json.dumps({**FIT, "training_data": rows})[:-1] + " " * request_parsing._LARGE_BYTES + "}"
    reply = client.post(f"{FIT_PATH}?dry_run=true", content=body, headers={"Content-Type": "application/json"}).json()
    assert reply.get("kind") == "multi_label", reply
    assert reply["num_examples"] == 18
    assert reply["rows_per_label"] == {"billing": 6, "technical": 6, "urgent": 6}


def test_a_label_alone_in_a_list_is_that_label(client: httpx.Client) -> None:
    rows = [{"text": f"{word} {number}", "label": [word]} for word in ("no", "yes") for number in "abcd"]
    reply = client.post(FIT_PATH, json={**FIT, "training_data": rows}).json()
    assert (reply["kind"], reply["labels"]) == ("single_label", ["no", "yes"])


def test_rows_of_another_form_than_the_kept_ones_are_refused(client: httpx.Client) -> None:
    fit(client, num_iterations=0)
    document = {**FIT, "model_name": "other", "training_data": FIT_ROWS[:1], "extends": EXAMPLE_NAME}
    problem = check_problem(client.post(FIT_PATH, json=document), 422, "invalid_training_data")
    assert (problem["row"], problem["extends"]) == (0, f"{EXAMPLE_NAME}@1")
    assert "does not fit the kept rows of" in str(problem["detail"])
