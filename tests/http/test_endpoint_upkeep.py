"""Base models, usage and checks over a real socket."""

import httpx
import pytest

from tests.http.asking import API, check_problem, fit
from tests.toy import Toy
from windrow.domain.recipe import DEFAULT_BASE_MODEL

BASE_MODELS = f"{API}/base-models"
SMALL = "BAAI/bge-small-en-v1.5"


def test_the_base_models_are_listed_with_what_they_take_and_who_needs_them(client: httpx.Client) -> None:
    fit(client, "a", "b")
    listed = client.get(BASE_MODELS).json()["base_models"]
    assert [(model["id"], model["classifiers"], model["is_default"]) for model in listed] == [
        (SMALL, 0, False),
        (DEFAULT_BASE_MODEL, 2, True),
    ]
    assert listed[0] == {
        "id": SMALL,
        "location": "data_directory",
        "size_bytes": 130,
        "graph_bytes": 0,
        "digest": "1" * 64,
        "revision": "5c38ec7",
        "problem": None,
        "classifiers": 0,
        "is_default": False,
    }


@pytest.mark.parametrize("written", [SMALL, SMALL.replace("/", "%2F")])
def test_an_unused_base_model_is_removed(client: httpx.Client, written: str) -> None:
    reply = client.delete(f"{BASE_MODELS}/{written}").json()
    assert reply == {"status": "deleted", "base_model": SMALL, "freed_bytes": 130}
    assert [model["id"] for model in client.get(BASE_MODELS).json()["base_models"]] == [DEFAULT_BASE_MODEL]
    check_problem(client.delete(f"{BASE_MODELS}/{written}"), 404, "base_model_not_found")


def test_a_base_model_that_came_along_or_no_id_is_refused(client: httpx.Client) -> None:
    check_problem(client.delete(f"{BASE_MODELS}/{DEFAULT_BASE_MODEL}"), 409, "base_model_in_use")
    check_problem(client.delete(f"{BASE_MODELS}/a/b/c"), 422, "invalid_parameter")
    check_problem(client.delete(f"{BASE_MODELS}/"), 422, "invalid_parameter")


def test_usage_tells_what_is_shared_what_is_each_classifiers_own_and_the_sum(client: httpx.Client) -> None:
    fit(client, "a", "a", "b")
    client.delete(f"{API}/models/b")
    usage = client.get(f"{API}/usage").json()
    a, b = usage["classifiers"]
    assert (a["name"], a["revisions"], a["deleted"]) == ("a", 2, False)
    assert (b["name"], b["revisions"], b["deleted"]) == ("b", 1, True)
    assert (usage["classifier_bytes"], usage["deleted_bytes"]) == (a["size_bytes"], b["size_bytes"])
    parts = ("shared_bytes", "classifier_bytes", "deleted_bytes", "other_bytes")
    assert usage["total_bytes"] == sum(usage[name] for name in parts)
    assert usage["free_bytes"] > 0
    assert [model["id"] for model in usage["base_models"]] == [SMALL, DEFAULT_BASE_MODEL]


def test_a_check_tells_what_it_found_and_repairs_only_where_it_is_told_to(
    client: httpx.Client, operations: Toy
) -> None:
    fit(client)
    [blob, *_] = sorted(operations.settings.local_dir.glob("classifiers/*/blobs/*"))
    blob.write_bytes(blob.read_bytes() + b"altered")
    checked = client.post(f"{API}/fsck").json()
    assert (checked["sound"], checked["classifiers"], checked["records"]) == (False, 1, 1)
    assert "blob_altered" in [found["code"] for found in checked["findings"]]
    repaired = client.post(f"{API}/fsck", json={"repair": True}).json()
    assert [found["repaired"] for found in repaired["findings"] if found["severity"] == "damage"] == [False]
