"""The whole application: the contract's four verbs, to the letter."""

from datetime import datetime

import httpx
import pytest

from tests.fakes.operations import ADAPTER
from tests.http.asking import FIT, FIT_PATH, MODEL, MODELS, PREDICT, PREDICT_PATH
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

    predicted = client.post(PREDICT_PATH, json=PREDICT).json()
    assert list(predicted)[:3] == ["label", "scores", "model_name"]
    assert predicted["model_name"] == EXAMPLE_NAME
    assert predicted["label"] in predicted["scores"]
    assert sum(predicted["scores"].values()) == pytest.approx(1)
    assert predicted["truncated"] is False

    [entry] = client.get(MODELS).json()["models"]
    assert list(entry)[:5] == ["name", "labels", "base_model", "num_examples", "created_at"]
    assert entry["created_at"] == "2025-09-15T10:30:00Z"
    assert datetime.fromisoformat(entry["created_at"]).tzinfo is not None

    deleted = client.delete(MODEL).json()
    assert {name: deleted[name] for name in ("status", "model_name")} == {
        "status": "deleted",
        "model_name": EXAMPLE_NAME,
    }
    assert client.get(MODELS).json() == {"models": []}
