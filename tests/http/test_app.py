"""The whole application: the contract's four verbs, to the letter."""

from datetime import datetime

import httpx
import pytest

from tests.http.asking import FIT, FIT_PATH, MODEL, MODELS, PREDICT, PREDICT_PATH, TIME
from tests.toy import LOSSES
from windrow.api.examples import EXAMPLE_NAME


def test_the_four_verbs_answer_with_the_fields_and_values_of_the_contract(client: httpx.Client) -> None:
    fitted = client.post(FIT_PATH, json=FIT)
    assert fitted.status_code == 200
    reply = fitted.json()
    assert {name: reply[name] for name in ("model_name", "status", "labels", "num_examples", "base_model")} == {
        "model_name": EXAMPLE_NAME,
        "status": "trained",
        "labels": ["account", "billing", "technical"],
        "num_examples": 6,
        "base_model": "sentence-transformers/all-MiniLM-L6-v2",
    }
    assert reply["training_time_seconds"] > 0
    assert reply["revision"] == 1
    adapter = reply["adapter"]
    assert (adapter["planned_steps"], adapter["steps"], adapter["ended_by"]) == (2, 2, "plan")
    assert (adapter["first_loss"], adapter["last_loss"]) == LOSSES
    assert [warning["code"] for warning in reply["warnings"]] == ["small_classes", "not_better_than_majority"]

    predicted = client.post(PREDICT_PATH, json=PREDICT).json()
    assert predicted.keys() >= {"label", "scores", "model_name"}
    assert predicted["model_name"] == EXAMPLE_NAME
    assert predicted["label"] in predicted["scores"]
    assert sum(predicted["scores"].values()) == pytest.approx(1)
    assert predicted["truncated"] is False

    [entry] = client.get(MODELS).json()["models"]
    assert list(entry)[:5] == ["name", "labels", "base_model", "num_examples", "created_at"]
    assert TIME.fullmatch(entry["created_at"])
    assert datetime.fromisoformat(entry["created_at"]).tzinfo is not None

    deleted = client.delete(MODEL).json()
    assert {name: deleted[name] for name in ("status", "model_name")} == {
        "status": "deleted",
        "model_name": EXAMPLE_NAME,
    }
    assert client.get(MODELS).json() == {"models": []}
