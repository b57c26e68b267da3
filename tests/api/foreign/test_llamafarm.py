"""LlamaFarm's real requests to a real server: its own replies, on its own paths and on those that it shares."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import TICKETS, Running, Servers

pytestmark = pytest.mark.slow

ML, OWN = "/v1/ml/classifier", "/v1/classifier"
ROWS = [{"text": text, "label": label} for label, texts in TICKETS.items() for text in texts]
COLUMNS = {"texts": [row["text"] for row in ROWS], "labels": [row["label"] for row in ROWS]}
LABELS = sorted(TICKETS)
# As its example of classifiers sends it, without the seconds that an encoder takes to learn.
FIT: dict[str, Any] = {"model": "tickets", "training_data": ROWS, "num_iterations": 0, "batch_size": 16}
TEXTS = ["send me the bill", "my code is refused"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("llamafarm")
    servers = Servers(folder)
    yield servers.start(folder / "data")
    servers.stop()


@pytest.fixture(scope="module")
def client(server: Running) -> httpx.Client:
    reply = server.client.post(f"{ML}/fit", json=FIT)
    assert reply.status_code == 200, reply.text
    return server.client


def sent(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    reply = client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def told(reply: httpx.Response) -> tuple[int, Any]:
    assert reply.headers["content-type"] == "application/json"
    return reply.status_code, reply.json()["detail"]


@pytest.mark.parametrize("root", [ML, OWN])
def test_a_fit_of_its_runtime_and_of_its_server_are_answered_alike(client: httpx.Client, root: str) -> None:
    fitted = sent(client, f"{root}/fit", **FIT, overwrite=True, description="Tickets of May")
    assert fitted.pop("training_time_ms") > 0
    assert fitted.pop("revision") > 1
    assert {warning["code"] for warning in fitted.pop("warnings")} <= {"few_rows", "small_classes"}
    assert fitted == {
        "object": "fit_result",
        "model": "tickets",
        "base_name": "tickets",
        "versioned_name": "tickets",
        "overwrite": True,
        "base_model": "sentence-transformers/all-MiniLM-L6-v2",
        "samples_fitted": 12,
        "num_classes": 3,
        "labels": LABELS,
        "status": "fitted",
        "auto_saved": True,
        "saved_path": "classifiers/tickets",
    }
    assert client.get(f"{OWN}/models/tickets").json()["description"] == "Tickets of May"


@pytest.mark.parametrize("root", [ML, OWN])
def test_predictions_of_many_texts_have_its_shape(client: httpx.Client, root: str) -> None:
    answer = sent(client, f"{root}/predict", model="tickets", texts=TEXTS)
    assert (answer["object"], answer["total_count"], answer["model"]) == ("list", 2, "tickets")
    assert [(each["text"], each["label"]) for each in answer["data"]] == [(TEXTS[0], "invoice"), (TEXTS[1], "login")]
    own = sent(client, f"{OWN}/predict", model_name="tickets", texts=TEXTS)["predictions"]
    for theirs, ours in zip(answer["data"], own, strict=True):
        assert theirs["all_scores"] == pytest.approx(ours["scores"])
        assert theirs["score"] == max(theirs["all_scores"].values())


def test_its_runtimes_classify_asks_a_classifier(client: httpx.Client) -> None:
    answer = sent(client, "/v1/classify", model="tickets", texts=TEXTS, max_length=512)
    assert [(each["index"], each["label"]) for each in answer["data"]] == [(0, "invoice"), (1, "login")]
    own = sent(client, "/v1/classify", text="send me the bill", labels=["invoice", "login"], model="ignored/by-windrow")
    assert own["label"] == "invoice"


@pytest.mark.parametrize("name", ["model", "model_name"])
def test_two_columns_and_parameters_of_other_trainings_are_taken_with_a_warning(
    client: httpx.Client, name: str
) -> None:
    columns = {name: "columns_v1", "training_data": COLUMNS, "num_iterations": 0, "epochs": 3, "learning_rate": 2e-5}
    fitted = sent(client, f"{OWN}/fit", **columns)
    ignored = [each["message"] for each in fitted["warnings"] if each["code"] == "ignored_parameter"]
    assert ignored == [
        "epochs has no meaning here and was ignored: num_iterations says how long the encoder learns.",
        "learning_rate has no meaning here and was ignored: the schedule of a training is fixed.",
    ]
    if name == "model":
        assert (fitted["object"], fitted["samples_fitted"]) == ("fit_result", 12)
    else:
        assert (fitted["status"], fitted["model_name"], fitted["num_examples"]) == ("trained", "columns_v1", 12)
        rows = client.post(f"{OWN}/fit", json={"model_name": "columns_v1", "training_data": ROWS, "num_iterations": 0})
        assert fitted.keys() == rows.json().keys()


def test_a_fit_that_overwrites_nothing_gets_a_name_with_the_time_and_latest_finds_it(client: httpx.Client) -> None:
    first = sent(client, f"{ML}/fit", **{**FIT, "model": "mails"})
    assert first["versioned_name"] == "mails"
    assert sent(client, f"{ML}/predict", model="mails-latest", texts=TEXTS)["model"] == "mails"
    second = sent(client, f"{ML}/fit", **{**FIT, "model": "mails", "overwrite": False})
    assert re.fullmatch(r"mails_\d{8}_\d{6}", second["versioned_name"])
    assert (second["base_name"], second["model"], second["overwrite"]) == ("mails", second["versioned_name"], False)
    assert sent(client, f"{ML}/predict", model="mails-latest", texts=TEXTS)["model"] == second["model"]
    loaded = sent(client, f"{ML}/load", model="mails-latest")
    assert (loaded["object"], loaded["model"], loaded["status"]) == ("load_result", second["model"], "loaded")
    listed = {each["name"]: each for each in client.get(f"{ML}/models").json()["data"]}
    assert (listed["mails"]["base_name"], listed["mails"]["is_versioned"]) == ("mails", False)
    assert (listed[second["model"]]["base_name"], listed[second["model"]]["is_versioned"]) == ("mails", True)


def test_latest_finds_windrows_own_versions_and_leaves_alone_what_is_called_so(client: httpx.Client) -> None:
    for name in ("own_v1", "own_v2", "called-latest"):
        sent(client, f"{OWN}/fit", **{**FIT, "model": name})
    assert sent(client, f"{ML}/predict", model="own-latest", texts=["x"])["model"] == "own_v2"
    assert sent(client, f"{ML}/predict", model="called-latest", texts=["x"])["model"] == "called-latest"
    client.put(f"{OWN}/aliases/live-latest", json={"model_name": "own_v1"}).raise_for_status()
    assert sent(client, f"{ML}/predict", model="live-latest", texts=["x"])["model"] == "own_v1"


@pytest.mark.parametrize("root", [ML, OWN])
def test_load_and_save_say_what_is_there_already(client: httpx.Client, root: str) -> None:
    loaded = sent(client, f"{root}/load", model="tickets")
    assert loaded.pop("revision") >= 1
    assert loaded == {
        "object": "load_result",
        "model": "tickets",
        "path": "classifiers/tickets",
        "is_fitted": True,
        "labels": LABELS,
        "num_classes": 3,
        "status": "loaded",
    }
    saved = sent(client, f"{root}/save", model="tickets")
    assert (saved["object"], saved["status"]) == ("save_result", "saved")
    sent(client, f"{root}/save", model="tickets", description="Described by save")
    assert client.get(f"{OWN}/models/tickets").json()["description"] == "Described by save"


def test_its_list_is_newest_first_and_windrows_own_list_is_as_it_was(client: httpx.Client) -> None:
    sent(client, f"{ML}/fit", **{**FIT, "model": "newest"})
    listed = client.get(f"{ML}/models").json()
    assert (listed["object"], listed["total"], listed["models_dir"]) == ("list", len(listed["data"]), "classifiers")
    times = [each["modified"] for each in listed["data"]]
    assert times == sorted(times, reverse=True)
    entry = next(each for each in listed["data"] if each["name"] == "newest")
    assert entry["labels"] == LABELS
    assert (entry["num_classes"], entry["path"]) == (3, "classifiers/newest")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["created"])
    own = client.get(f"{OWN}/models").json()
    assert list(own) == ["models"]
    assert list(own["models"][0])[:5] == ["name", "labels", "base_model", "num_examples", "created_at"]


def test_a_delete_says_so_in_its_words(client: httpx.Client) -> None:
    sent(client, f"{ML}/fit", **{**FIT, "model": "going"})
    gone = client.delete(f"{ML}/models/going")
    assert (gone.status_code, gone.json()["object"], gone.json()["deleted"]) == (200, "delete_result", True)
    assert told(client.delete(f"{ML}/models/going"))[0] == 404


def test_its_errors_have_a_detail_and_windrows_own_stay_problems(client: httpx.Client) -> None:
    for root in (ML, OWN):
        status, detail = told(client.post(f"{root}/predict", json={"model": "nothing", "texts": TEXTS}))
        assert (status, "nothing" in detail) == (404, True)
        one = {"model": "few", "training_data": ROWS[:1], "num_iterations": 0}
        assert told(client.post(f"{root}/fit", json=one))[0] == 400
        no_label = {**FIT, "training_data": [{"text": "a"}, *ROWS]}
        status, detail = told(client.post(f"{root}/fit", json=no_label))
        assert (status, detail[0]["loc"][0]) == (422, "body")
        unequal = {**FIT, "training_data": {**COLUMNS, "labels": ["a"]}}
        status, detail = told(client.post(f"{root}/fit", json=unequal))
        assert "there are 12 texts and 1 labels" in detail[0]["msg"]
        assert told(client.post(f"{root}/fit", json={**FIT, "overwrite": "yes"}))[0] == 422
        assert told(client.post(f"{root}/fit", json={**FIT, "base_model": "no/such"}))[0] == 400
    assert told(client.post(f"{ML}/predict", json={"model": "tickets"}))[0] == 422
    assert told(client.post(f"{ML}/predict", json={"texts": TEXTS}))[0] == 422
    assert told(client.post(f"{ML}/load", json={"model": 7}))[0] == 422
    assert told(client.post(f"{ML}/load", json={"model": "a/b"}))[0] == 400
    assert told(client.delete(f"{ML}/models/a%5Cb"))[0] == 400
    for body in ({"model": "tickets", "text": "a"}, {"model_name": "tickets"}, {"model": "tickets", "model_name": "b"}):
        own = client.post(f"{OWN}/predict", json=body)
        assert (own.status_code, own.headers["content-type"]) == (422, "application/problem+json")
    wrong = client.post(f"{OWN}/fit", json={"model_name": "a", "training_data": {"text": "a"}})
    assert (wrong.status_code, wrong.headers["content-type"]) == (422, "application/problem+json")


ODD: tuple[Any, ...] = (None, 7, "", "a/b", "\ud800", [None], [[]], {"texts": []}, {"a": 1})


@pytest.mark.parametrize(
    ("root", "path", "body"),
    [
        (ML, "fit", FIT),
        (OWN, "fit", {"model": "tickets", "training_data": COLUMNS, "overwrite": True, "num_iterations": 0}),
        (ML, "predict", {"model": "tickets", "texts": TEXTS}),
        (OWN, "predict", {"model": "tickets", "texts": TEXTS}),
        (ML, "load", {"model": "tickets"}),
        (ML, "save", {"model": "tickets", "description": "a"}),
    ],
)
def test_odd_values_are_refused_or_taken_and_never_a_failure_of_the_server(
    client: httpx.Client, root: str, path: str, body: dict[str, Any]
) -> None:
    def send(document: object) -> httpx.Response:
        return client.post(f"{root}/{path}", content=json.dumps(document), headers={"Content-Type": "application/json"})

    for odd in ODD:
        assert 400 <= send(odd).status_code < 500, odd
        for name in body:
            reply = send({**body, name: odd})
            assert reply.status_code < 500, (name, odd, reply.text)
            assert reply.status_code == 200 or reply.json()["detail"], (name, odd)
    columns = body.get("training_data")
    for name in columns if isinstance(columns, dict) else ():
        for odd in ODD:
            assert told(send({**body, "training_data": {**COLUMNS, name: odd}}))[0] in (400, 422)
            one_odd = {**COLUMNS, name: [odd, *COLUMNS[name][1:]]}
            assert send({**body, "training_data": one_odd}).status_code in (200, 400, 422)


def test_a_fit_that_does_not_wait_is_windrows_alone(client: httpx.Client) -> None:
    reply = client.post(f"{OWN}/fit?wait=false", json=FIT)
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid_request")


def test_keys_may_do_what_their_scopes_allow(tmp_path: Path) -> None:
    servers = Servers(tmp_path)
    try:
        server = servers.start(tmp_path / "data")
        keys: dict[str, dict[str, str]] = {"root": {}}
        for name, scope, only in (
            ("root", "admin", ()),
            ("trainer", "train", ("shop*",)),
            ("asker", "predict", ("shop*",)),
        ):
            wanted = {"name": name, "scopes": [scope], **({"only": only} if only else {})}
            made = server.client.post(f"{OWN}/keys", json=wanted, headers=keys["root"])
            keys[name] = {"Authorization": f"Bearer {made.json()['key']}"}
        shop = {**FIT, "model": "shop_v1"}
        assert told(server.client.post(f"{ML}/fit", json=shop))[0] == 401
        # Refused before its body is read, so in Windrow's form; both have a detail.
        refused = server.client.post(f"{OWN}/fit", json=shop, headers=keys["asker"])
        assert (refused.status_code, "train" in refused.json()["detail"]) == (403, True)
        assert told(server.client.post(f"{ML}/fit", json=FIT, headers=keys["trainer"]))[0] == 403
        assert server.client.post(f"{OWN}/fit", json=shop, headers=keys["trainer"]).status_code == 200
        asked = {"model": "shop-latest", "texts": TEXTS}
        answer = server.client.post(f"{ML}/predict", json=asked, headers=keys["asker"])
        assert (answer.status_code, answer.json()["model"]) == (200, "shop_v1")
        assert server.client.post(f"{ML}/load", json={"model": "shop_v1"}, headers=keys["asker"]).status_code == 200
        assert told(server.client.post(f"{ML}/save", json={"model": "shop_v1"}, headers=keys["asker"]))[0] == 403
        assert told(server.client.delete(f"{ML}/models/shop_v1", headers=keys["asker"]))[0] == 403
        assert told(server.client.get(f"{ML}/models", headers=keys["asker"]))[0] == 403
    finally:
        servers.stop()
