"""Fits that describe their labels, over a real socket: without rows, with few of them, and what is refused."""

import httpx
import pytest

from tests.http.asking import FIT, FIT_PATH, MODEL, MODELS, PREDICT_PATH, ROWS, check_problem
from windrow.api.examples import EXAMPLE_NAME

LABELS = sorted({row["label"] for row in ROWS})
DESCRIPTIONS = {label: f"Texts about the {label}" for label in LABELS}
NO_ROWS = {"model_name": EXAMPLE_NAME, "training_data": [], "label_descriptions": DESCRIPTIONS}


def test_a_fit_without_rows_makes_a_classifier_that_answers_and_says_so(client: httpx.Client) -> None:
    reply = client.post(FIT_PATH, json=NO_ROWS)
    assert reply.status_code == 200
    made = reply.json()
    assert (made["status"], made["source"], made["num_examples"]) == ("trained", "zero_shot", 0)
    assert made["rows_per_label"] == dict.fromkeys(LABELS, 0)
    assert [warning["code"] for warning in made["warnings"]] == ["zero_shot"]
    assert made["label_descriptions"] == DESCRIPTIONS
    answer = client.post(PREDICT_PATH, json={"model_name": EXAMPLE_NAME, "text": f"about the {LABELS[1]}"}).json()
    assert answer["label"] == LABELS[1]
    record = client.get(MODEL).json()
    assert (record["source"], record["label_descriptions"]) == ("zero_shot", DESCRIPTIONS)
    assert record["scores"]["source"] == "prior"


def test_a_fit_without_rows_gives_any_number_of_labels_where_it_says_so(client: httpx.Client) -> None:
    made = client.post(FIT_PATH, json={**NO_ROWS, "multi_label": True}).json()
    assert (made["kind"], made["source"]) == ("multi_label", "zero_shot")
    answer = client.post(PREDICT_PATH, json={"model_name": EXAMPLE_NAME, "text": f"about the {LABELS[1]}"}).json()
    assert (answer["kind"], answer["label"]) == ("multi_label", None)
    assert answer["labels"] == [LABELS[1]]


def test_a_list_has_descriptions_where_all_fields_are_asked_for(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=NO_ROWS)
    (whole,) = client.get(f"{MODELS}?full=true").json()["models"]
    assert (whole["label_descriptions"], whole["source"]) == (DESCRIPTIONS, "zero_shot")


def test_a_job_says_what_labels_mean(client: httpx.Client) -> None:
    job = client.post(f"{FIT_PATH}?wait=false", json=NO_ROWS).json()
    assert job["label_descriptions"] == DESCRIPTIONS
    assert job["num_examples"] == 0


def test_a_fit_with_rows_keeps_descriptions_and_one_that_extends_it_takes_them_over(client: httpx.Client) -> None:
    described = {LABELS[0]: "The first one"}
    made = client.post(FIT_PATH, json={**FIT, "num_iterations": 0, "label_descriptions": described}).json()
    assert (made["source"], made["label_descriptions"]) == ("examples", described)
    more = {"model_name": "other_v1", "training_data": [], "extends": EXAMPLE_NAME, "num_iterations": 0}
    assert client.post(FIT_PATH, json=more).json()["label_descriptions"] == described
    again = client.post(FIT_PATH, json={**more, "label_descriptions": {LABELS[0]: "Another one"}}).json()
    assert again["label_descriptions"] == {LABELS[0]: "Another one"}
    assert client.post(FIT_PATH, json={**FIT, "num_iterations": 0}).json()["label_descriptions"] == {}


@pytest.mark.parametrize(
    ("descriptions", "words"),
    [
        ({**DESCRIPTIONS, "none": "of them"}, "describes 1 label that no row has: 'none'"),
        ({" ": "x"}, "a label is blank"),
        ({"x" * 257: "x"}, "a label has 257 characters; at most 256"),
        ({LABELS[0]: "x" * 2_001}, "has 2001 characters; at most 2000"),
        ({LABELS[0]: " \t"}, "is blank"),
    ],
)
def test_a_description_that_breaks_a_rule_is_refused(
    client: httpx.Client, descriptions: dict[str, str], words: str
) -> None:
    reply = client.post(FIT_PATH, json={**FIT, "label_descriptions": descriptions})
    problem = check_problem(reply, 422, "invalid_parameter")
    assert words in str(problem["detail"])
    assert problem["parameter"] == "label_descriptions"


@pytest.mark.parametrize("descriptions", [None, {}, {"one": "label"}])
def test_no_rows_without_two_described_labels_are_refused_with_the_way_out(
    client: httpx.Client, descriptions: dict[str, str] | None
) -> None:
    reply = client.post(FIT_PATH, json={**NO_ROWS, "label_descriptions": descriptions})
    problem = check_problem(reply, 422, "invalid_training_data")
    for way_out in ("training_data", "label_descriptions"):
        assert way_out in str(problem["detail"])


def test_more_described_labels_than_a_classifier_may_have_are_refused(client: httpx.Client) -> None:
    many = {f"label {number}": "" for number in range(1_001)}
    check_problem(client.post(FIT_PATH, json={**NO_ROWS, "label_descriptions": many}), 422, "limit_exceeded")


def test_a_dry_run_without_rows_says_what_it_takes(client: httpx.Client) -> None:
    estimate = client.post(f"{FIT_PATH}?dry_run=true", json=NO_ROWS).json()
    assert (estimate["num_examples"], estimate["rows_per_label"]) == (0, dict.fromkeys(LABELS, 0))
    assert [warning["code"] for warning in estimate["warnings"]] == ["zero_shot"]
