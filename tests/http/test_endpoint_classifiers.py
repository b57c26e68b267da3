"""The classifiers that exist: list, show, describe, delete, restore, reproduce, over a real socket."""

import threading

import httpx
import pytest

from tests.http.asking import (
    ALIASES,
    FIT,
    FIT_PATH,
    JSON,
    MODEL,
    MODELS,
    PREDICT,
    PREDICT_PATH,
    SECRET,
    TIME,
    check_problem,
    fit,
)
from tests.toy import Toy
from windrow.api.examples import EXAMPLE_NAME
from windrow.domain.recipe import DEFAULT_BASE_MODEL


def _names(client: httpx.Client, **query: str) -> list[str]:
    return [model["name"] for model in client.get(MODELS, params=query).json()["models"]]


def _point(client: httpx.Client, alias: str, model_name: str) -> None:
    assert client.put(f"{ALIASES}/{alias}", json={"model_name": model_name}).status_code == 200


def test_the_pages_of_the_list_put_together_are_the_list(client: httpx.Client) -> None:
    for number in range(5):
        client.post(FIT_PATH, json={**FIT, "model_name": f"tickets_{number}"})
    everything = client.get(MODELS).json()
    assert list(everything) == ["models"]
    models: list[object] = []
    sizes: list[int] = []
    cursor: str | None = None
    while cursor or not sizes:
        page = client.get(MODELS, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        models += page["models"]
        sizes.append(len(page["models"]))
        cursor = page["next_cursor"]
    assert (models, sizes) == (everything["models"], [2, 2, 1])


def test_a_page_goes_on_where_the_one_before_ended_though_its_last_classifier_is_gone(client: httpx.Client) -> None:
    for name in ("a", "b", "c"):
        client.post(FIT_PATH, json={**FIT, "model_name": name})
    cursor = client.get(MODELS, params={"limit": 2}).json()["next_cursor"]
    client.delete(f"{MODELS}/b")
    page = client.get(MODELS, params={"cursor": cursor}).json()
    assert [model["name"] for model in page["models"]] == ["c"]
    assert page["next_cursor"] is None


def test_each_entry_begins_with_the_contracts_fields_and_says_what_is_needed_to_choose(client: httpx.Client) -> None:
    fit(client, description="Tickets.", tags=["shop"])
    [entry] = client.get(MODELS).json()["models"]
    assert list(entry)[:5] == ["name", "labels", "base_model", "num_examples", "created_at"]
    assert {name: entry[name] for name in list(entry)[5:]} == {
        "kind": "single_label",
        "revision": 1,
        "description": "Tickets.",
        "tags": ["shop"],
        "test_accuracy": None,
        "test_interval": None,
        "estimated_accuracy": entry["estimated_accuracy"],
        "estimated_interval": entry["estimated_interval"],
        "size_bytes": entry["size_bytes"],
        "last_used_at": None,
        "recent_predictions": 0,
        "deleted_at": None,
    }


def test_the_versions_of_a_task_come_in_the_order_of_their_numbers(client: httpx.Client) -> None:
    fit(client, "tickets_v10", "tickets_v2", "tickets_v1", "tickets", "other_v3")
    assert _names(client, task="tickets") == ["tickets_v1", "tickets_v2", "tickets_v10"]
    assert _names(client, task="tickets", sort="-version") == ["tickets_v10", "tickets_v2", "tickets_v1"]
    assert _names(client) == ["other_v3", "tickets", "tickets_v1", "tickets_v10", "tickets_v2"]
    first = client.get(MODELS, params={"task": "tickets", "limit": "2"}).json()
    rest = client.get(MODELS, params={"task": "tickets", "cursor": first["next_cursor"]}).json()
    assert [model["name"] for model in first["models"] + rest["models"]] == ["tickets_v1", "tickets_v2", "tickets_v10"]


def test_prefix_tag_and_base_model_choose_together(client: httpx.Client) -> None:
    fit(client, "a_1", tags=["x"])
    fit(client, "a_2", "b_1", tags=["x"])
    fit(client, "a_3")
    assert _names(client, prefix="a_") == ["a_1", "a_2", "a_3"]
    assert _names(client, tag="x") == ["a_1", "a_2", "b_1"]
    assert _names(client, base_model=DEFAULT_BASE_MODEL, tag="x", prefix="b") == ["b_1"]
    assert _names(client, base_model="BAAI/bge-small-en-v1.5") == []
    assert _names(client, tag="y") == []


def test_the_deleted_are_listed_where_they_are_asked_for_with_the_time_of_their_end(client: httpx.Client) -> None:
    fit(client, "a", "b")
    client.delete(f"{MODELS}/b")
    assert _names(client) == ["a"]
    [entry] = client.get(MODELS, params={"deleted": "true"}).json()["models"]
    assert entry["name"] == "b"
    assert TIME.fullmatch(entry["deleted_at"])


def test_whole_records_are_listed_where_they_are_asked_for(client: httpx.Client) -> None:
    fit(client, "a", "b")
    reply = client.get(MODELS, params={"full": "true"}).json()
    shown = client.get(f"{MODELS}/a").json()
    assert reply["next_cursor"] is None
    assert reply["models"][0] == {name: shown[name] for name in reply["models"][0]}
    assert set(shown) - set(reply["models"][0]) == {"answers", "revisions", "aliases"}
    assert client.get(MODELS, params={"full": "1", "limit": "1"}).json()["next_cursor"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"sort": "colour"}, "Send one of name, version"),
        ({"sort": ""}, "sort is empty"),
        ({"sort": "--name"}, "Send one of"),
        ({"prefix": ""}, "prefix is empty"),
        ({"tag": ""}, "tag is empty"),
        ({"task": ""}, "task is empty"),
        ({"base_model": ""}, "base_model is empty"),
        ({"deleted": "yes"}, "deleted=true"),
        ({"full": ""}, "full=true"),
    ],
)
def test_a_list_that_cannot_be_gets_422_with_the_rule(client: httpx.Client, query: dict[str, str], said: str) -> None:
    document = check_problem(client.get(MODELS, params=query), 422, "invalid_parameter")
    assert said in str(document["detail"])
    assert document["parameter"] in query


def test_everything_that_is_known_of_a_classifier_is_shown(client: httpx.Client) -> None:
    fit(client, seed=7, num_iterations=5, tags=["shop"])
    fit(client)
    _point(client, "live", EXAMPLE_NAME)
    _point(client, "first", f"{EXAMPLE_NAME}@1")
    shown = client.get(f"{MODEL}@1").json()
    assert {name: shown[name] for name in ("name", "revision", "answers", "revisions", "aliases", "seed", "tags")} == {
        "name": EXAMPLE_NAME,
        "revision": 1,
        "answers": False,
        "revisions": [1, 2],
        "aliases": ["first", "live"],
        "seed": 7,
        "tags": ["shop"],
    }
    assert shown["rows_per_label"] == {"account": 2, "billing": 2, "technical": 2}
    assert (shown["keeps_training_data"], shown["origin"], shown["deleted_at"]) == (True, None, None)
    now = client.get(MODEL).json()
    assert (now["revision"], now["answers"], now["aliases"]) == (2, True, ["live"])
    assert client.get(f"{MODELS}/live").json() == now


@pytest.mark.parametrize("written", ["%401", "@1"])
def test_a_revision_is_reached_also_where_the_sign_is_encoded(client: httpx.Client, written: str) -> None:
    fit(client)
    assert client.get(MODEL + written).json()["revision"] == 1


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("tickets", 404, "classifier_not_found"),
        (f"{EXAMPLE_NAME}@9", 404, "revision_not_found"),
        ("a/b", 422, "invalid_name"),
        ("a%2Fb", 422, "invalid_name"),
        ("", 422, "invalid_name"),
    ],
)
def test_showing_nothing_is_refused(client: httpx.Client, name: str, status: int, code: str) -> None:
    fit(client)
    document = check_problem(client.get(f"{MODELS}/{name}"), status, code)
    assert code != "revision_not_found" or document["revisions"] == [1]


def test_a_description_changes_what_it_names_and_nothing_else(client: httpx.Client) -> None:
    fit(client, description="Old.", tags=["a"])
    changed = client.patch(MODEL, json={"description": "New."}).json()
    assert (changed["description"], changed["tags"], changed["revision"]) == ("New.", ["a"], 1)
    changed = client.patch(MODEL, json={"tags": ["c", "b", "c"]}).json()
    assert (changed["description"], changed["tags"]) == ("New.", ["b", "c"])
    [entry] = client.get(MODELS).json()["models"]
    assert entry == {name: changed[name] for name in entry}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"tags": [" "]}, 422, "invalid_parameter"),
        ({"description": "a" * 2_001}, 422, "invalid_parameter"),
        ({"tags": SECRET}, 422, "invalid_request"),
        ({"tags": ["a", 1]}, 422, "invalid_request"),
        ({"tag": ["a"]}, 422, "invalid_request"),
        ([], 422, "invalid_request"),
    ],
)
def test_a_description_that_breaks_a_rule_is_refused(
    client: httpx.Client, body: object, status: int, code: str
) -> None:
    fit(client, description="Old.")
    check_problem(client.patch(MODEL, json=body), status, code)
    assert client.get(MODEL).json()["description"] == "Old."


def test_only_a_classifier_can_be_described_and_only_in_json(client: httpx.Client) -> None:
    fit(client)
    check_problem(client.patch(f"{MODELS}/other", json={}), 404, "classifier_not_found")
    check_problem(client.patch(f"{MODEL}@1", json={}), 422, "invalid_name")
    check_problem(client.patch(MODEL, content=b"{}"), 415, "unsupported_media_type")
    check_problem(client.patch(MODEL, content=b"", headers=JSON), 400, "invalid_json")


@pytest.mark.parametrize("verb", ["restore", "reproduce"])
def test_a_verb_without_fields_refuses_a_body_with_some_and_takes_an_empty_one(client: httpx.Client, verb: str) -> None:
    fit(client)
    document = check_problem(client.post(f"{MODEL}/{verb}", json={"oops": 1}), 422, "invalid_request")
    assert document["problems"] == ["oops is no field of this request; it takes none"]
    assert client.post(f"{MODEL}/{verb}", json={}).status_code in (200, 409)


def test_what_was_deleted_can_be_restored_and_what_was_purged_cannot(client: httpx.Client) -> None:
    fit(client)
    assert client.delete(MODEL).json() == {
        "status": "deleted",
        "model_name": EXAMPLE_NAME,
        "purged": False,
        "freed_bytes": 0,
    }
    check_problem(client.post(PREDICT_PATH, json=PREDICT), 404, "classifier_not_found")
    check_problem(client.delete(MODEL), 404, "classifier_not_found")
    restored = client.post(f"{MODEL}/restore").json()
    assert (restored["status"], restored["name"], restored["deleted_at"]) == ("restored", EXAMPLE_NAME, None)
    assert client.post(PREDICT_PATH, json=PREDICT).status_code == 200
    check_problem(client.post(f"{MODEL}/restore"), 409, "not_deleted")
    purged = client.delete(MODEL, params={"purge": "true"}).json()
    assert purged["purged"] is True
    assert purged["freed_bytes"] > 0
    check_problem(client.post(f"{MODEL}/restore"), 404, "classifier_not_found")


def test_an_older_revision_is_purged_or_made_to_answer_again(client: httpx.Client) -> None:
    fit(client, EXAMPLE_NAME, EXAMPLE_NAME, EXAMPLE_NAME)
    assert client.post(f"{MODEL}%402/restore").json()["revision"] == 2
    assert client.post(PREDICT_PATH, json=PREDICT).json()["revision"] == 2
    document = check_problem(client.delete(f"{MODEL}@1"), 422, "invalid_parameter")
    assert document["parameter"] == "purge"
    purged = client.delete(f"{MODEL}@1", params={"purge": "1"}).json()
    assert (purged["model_name"], purged["purged"]) == (f"{EXAMPLE_NAME}@1", True)
    check_problem(client.get(f"{MODEL}@1"), 404, "revision_not_found")
    check_problem(client.delete(f"{MODEL}@2", params={"purge": "1"}), 409, "classifier_in_use")


def test_what_an_alias_points_to_is_deleted_only_by_force(client: httpx.Client) -> None:
    fit(client)
    _point(client, "live", EXAMPLE_NAME)
    document = check_problem(client.delete(MODEL), 409, "classifier_in_use")
    assert document["aliases"] == ["live"]
    check_problem(client.delete(MODEL, params={"force": "false"}), 409, "classifier_in_use")
    assert client.delete(MODEL, params={"force": "true"}).status_code == 200
    assert client.get(ALIASES).json()["aliases"][0]["answers"] is False


def test_a_selection_is_deleted_at_once_and_a_dry_run_only_says_which_it_is(client: httpx.Client) -> None:
    fit(client, "cv_fold_1", "cv_fold_2", "tickets_v1")
    dry = client.delete(MODELS, params={"prefix": "cv_fold_", "dry_run": "true", "purge": "true"}).json()
    assert dry == {
        "status": "dry_run",
        "model_names": ["cv_fold_1", "cv_fold_2"],
        "purged": True,
        "freed_bytes": dry["freed_bytes"],
        "skipped": [],
        "aliases": [],
    }
    assert len(_names(client)) == 3
    done = client.delete(MODELS, params={"prefix": "cv_fold_"}).json()
    assert (done["status"], done["model_names"], done["purged"]) == ("deleted", ["cv_fold_1", "cv_fold_2"], False)
    assert _names(client) == ["tickets_v1"]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"purge": "true"},
        {"dry_run": "true"},
        {"prefix": ""},
        {"prefix": "", "tag": "", "purge": "true"},
        {"prefix": "cv", "tag": ""},
        {"prefix": "cv", "dry_run": "yes"},
        {"prefix": "cv", "dry_run": ""},
    ],
)
def test_a_deletion_that_does_not_say_clearly_which_deletes_nothing(
    client: httpx.Client, query: dict[str, str]
) -> None:
    fit(client, "cv_fold_1", "tickets_v1")
    check_problem(client.delete(MODELS, params=query), 422, "invalid_parameter")
    assert len(_names(client)) == 2


def test_one_classifier_in_use_keeps_a_whole_selection(client: httpx.Client) -> None:
    fit(client, "cv_fold_1", "cv_fold_2")
    _point(client, "live", "cv_fold_2")
    check_problem(client.delete(MODELS, params={"prefix": "cv_"}), 409, "classifier_in_use")
    assert len(_names(client)) == 2
    assert client.delete(MODELS, params={"prefix": "cv_", "force": "true"}).json()["model_names"] == [
        "cv_fold_1",
        "cv_fold_2",
    ]


def test_a_training_done_again_says_how_alike_the_two_are(client: httpx.Client) -> None:
    fit(client)
    reply = client.post(f"{MODEL}@1/reproduce").json()
    assert reply.pop("training_time_seconds") > 0
    assert reply == {
        "model_name": EXAMPLE_NAME,
        "revision": 1,
        "verdict": "identical weights",
        "largest_weight_difference": 0.0,
        "largest_score_difference": 0.0,
        "num_changed_labels": 0,
        "num_texts": 6,
        "changes": [],
        "notes": [],
    }


def test_a_training_whose_rows_are_gone_cannot_be_done_again(client: httpx.Client, operations: Toy) -> None:
    operations.keeps_rows = False
    fit(client)
    check_problem(client.post(f"{MODEL}/reproduce"), 409, "training_data_not_kept")
    check_problem(client.post(f"{MODELS}/other/reproduce"), 404, "classifier_not_found")


def test_a_training_done_again_waits_with_the_other_trainings(client: httpx.Client, operations: Toy) -> None:
    fit(client)
    threads: list[str] = []
    operations.before_fit = lambda: threads.append(threading.current_thread().name)
    client.post(f"{MODEL}/reproduce")
    assert [name.split("_")[0] for name in threads] == ["fit"]
