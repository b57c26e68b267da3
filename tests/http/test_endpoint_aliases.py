"""Aliases over a real socket: promote, list, history, roll back, delete."""

import httpx
import pytest

from tests.http.asking import ALIASES, JSON, MODEL, PREDICT, PREDICT_PATH, ROWS, TIME, check_problem, fit
from windrow.api.examples import EXAMPLE_NAME

LIVE = f"{ALIASES}/live"
# The same texts, of which a classifier places none right if it was trained on the other rows.
OTHER_ROWS = [{"text": row["text"], "label": row["label"].upper()} for row in ROWS]


@pytest.fixture(autouse=True)
def _classifiers(client: httpx.Client) -> None:
    fit(client, "tickets_v1", "tickets_v2", "tickets_v10")


def _promote(client: httpx.Client, model_name: str, **fields: object) -> httpx.Response:
    return client.put(LIVE, json={"model_name": model_name, **fields})


def _answering(client: httpx.Client) -> str:
    return str(client.post(PREDICT_PATH, json={**PREDICT, "model_name": "live"}).json()["model_name"])


def test_a_promotion_says_where_the_alias_points_now_and_predict_follows(client: httpx.Client) -> None:
    promoted = _promote(client, "tickets_v1", reason="first", author="ana").json()
    assert TIME.fullmatch(promoted["changed_at"])
    assert promoted == {
        "status": "promoted",
        "alias": "live",
        "model_name": "tickets_v1",
        "revision": None,
        "points_to": "tickets_v1",
        "changed_at": promoted["changed_at"],
        "reason": "first",
        "author": "ana",
        "key_name": None,
        "answers": True,
        "must_pass": [],
        "protected": False,
        "gate": {"passed": True, "checks": [], "failed_rows": [], "candidate": None, "current": None},
    }
    assert _answering(client) == "tickets_v1"
    _promote(client, "tickets_v2@1")
    assert _answering(client) == "tickets_v2"


@pytest.mark.parametrize(
    ("asked", "points_to", "revision"),
    [("tickets_v1", "tickets_v1", None), ("tickets_v1@1", "tickets_v1@1", 1), ("tickets@latest", "tickets_v10", None)],
)
def test_an_alias_follows_a_name_or_stays_at_a_revision(
    client: httpx.Client, asked: str, points_to: str, revision: int | None
) -> None:
    reply = _promote(client, asked).json()
    assert (reply["points_to"], reply["revision"]) == (points_to, revision)


def test_a_rollback_goes_one_promotion_back_each_time(client: httpx.Client) -> None:
    for name in ("tickets_v1", "tickets_v2", "tickets_v10"):
        _promote(client, name)
    reply = client.post(f"{LIVE}/rollback", json={"reason": "It took refunds for bills.", "author": "bo"}).json()
    assert (reply["status"], reply["points_to"], reply["author"]) == ("rolled_back", "tickets_v2", "bo")
    assert client.post(f"{LIVE}/rollback").json()["points_to"] == "tickets_v1"
    check_problem(client.post(f"{LIVE}/rollback"), 409, "nothing_to_roll_back")
    assert _answering(client) == "tickets_v1"


def test_the_history_tells_who_when_from_where_to_where_and_why_also_of_an_alias_that_is_gone(
    client: httpx.Client,
) -> None:
    _promote(client, "tickets_v1", reason="first", author="ana")
    _promote(client, "tickets_v2", reason="better", author="bo")
    client.post(f"{LIVE}/rollback")
    gone = client.delete(LIVE, params={"reason": "not needed", "author": "cy"})
    assert gone.json() == {"status": "deleted", "alias": "live"}
    history = client.get(f"{LIVE}/history").json()
    assert history["alias"] == "live"
    names = ("number", "event", "points_from", "points_to", "reason", "author")
    told = [tuple(change[name] for name in names) for change in history["changes"]]
    assert all(TIME.fullmatch(change["at"]) for change in history["changes"])
    assert history["changes"][0].keys() == {*names, "at", "key_name"}
    assert told == [
        (1, "promoted", None, "tickets_v1", "first", "ana"),
        (2, "promoted", "tickets_v1", "tickets_v2", "better", "bo"),
        (3, "rolled_back", "tickets_v2", "tickets_v1", "", ""),
        (4, "removed", "tickets_v1", None, "not needed", "cy"),
    ]


def test_the_list_is_sorted_by_name_and_without_those_that_are_gone(client: httpx.Client) -> None:
    assert client.get(ALIASES).json() == {"aliases": []}
    for alias in ("b", "c", "a"):
        client.put(f"{ALIASES}/{alias}", json={"model_name": "tickets_v1"})
    client.delete(f"{ALIASES}/c")
    assert [alias["alias"] for alias in client.get(ALIASES).json()["aliases"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model_name": "tickets_v3"}, 404, "classifier_not_found"),
        ({"model_name": "tickets_v1@9"}, 404, "revision_not_found"),
        ({"model_name": "a b"}, 422, "invalid_name"),
        ({"model_name": "tickets_v1", "reason": "a" * 501}, 422, "invalid_parameter"),
        ({"model_name": "tickets_v1", "author": "a" * 501}, 422, "invalid_parameter"),
        ({"model_name": "tickets_v1", "author": None}, 422, "invalid_request"),
        ({"model_name": "tickets_v1", "reasons": ""}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
        ({"model_name": "tickets_v1", "require": {"not_worse": True}}, 422, "invalid_parameter"),
        (
            {"model_name": "tickets_v1", "require": {"test_data": ROWS, "min_recall": {"other": 0.5}}},
            422,
            "invalid_parameter",
        ),
        (
            {"model_name": "tickets_v1", "require": {"test_data": [{"text": "", "label": "a"}]}},
            422,
            "invalid_test_data",
        ),
        ({"model_name": "tickets_v1", "must_pass": [{"text": "a"}]}, 422, "invalid_request"),
        ({"model_name": "tickets_v1", "require": {"tests": ROWS}}, 422, "invalid_request"),
        ({"model_name": "tickets_v1", "require": {"min_recall": {"billing": "all"}}}, 422, "invalid_request"),
        ({"model_name": "tickets_v1", "must_pass": OTHER_ROWS}, 409, "promotion_refused"),
    ],
)
def test_a_promotion_that_cannot_be_leaves_the_alias_where_it_is(
    client: httpx.Client, body: object, status: int, code: str
) -> None:
    _promote(client, "tickets_v2")
    check_problem(client.put(LIVE, json=body), status, code)
    assert _answering(client) == "tickets_v2"


@pytest.mark.parametrize("alias", ["tickets_v1", "TICKETS_v1"])
def test_the_name_of_a_classifier_is_none_for_an_alias(client: httpx.Client, alias: str) -> None:
    check_problem(client.put(f"{ALIASES}/{alias}", json={"model_name": "tickets_v2"}), 409, "name_taken")


@pytest.mark.parametrize("alias", ["a/b", "a%2Fb", "", "a%20b", "a@1"])
def test_an_alias_that_breaks_the_grammar_is_refused_in_each_verb(client: httpx.Client, alias: str) -> None:
    path = f"{ALIASES}/{alias}"
    check_problem(client.put(path, json={"model_name": "tickets_v1"}), 422, "invalid_name")
    check_problem(client.delete(path), 422, "invalid_name")
    check_problem(client.post(f"{path}/rollback"), 422, "invalid_name")
    check_problem(client.get(f"{path}/history"), 422, "invalid_name")


def test_an_alias_that_is_none_is_refused_with_names_that_are_close(client: httpx.Client) -> None:
    _promote(client, "tickets_v1")
    for reply in (
        client.delete(f"{ALIASES}/life"),
        client.post(f"{ALIASES}/life/rollback"),
        client.get(f"{ALIASES}/life/history"),
    ):
        assert check_problem(reply, 404, "alias_not_found")["near_names"] == ["live"]


def test_what_is_said_of_the_end_of_an_alias_has_its_limit(client: httpx.Client) -> None:
    _promote(client, "tickets_v1")
    check_problem(client.delete(LIVE, params={"reason": "a" * 501}), 422, "invalid_parameter")
    check_problem(client.post(f"{LIVE}/rollback", json={"author": "a" * 501}), 422, "invalid_parameter")
    assert _answering(client) == "tickets_v1"


def test_a_promotion_needs_a_body_in_json(client: httpx.Client) -> None:
    check_problem(client.put(LIVE), 415, "unsupported_media_type")
    check_problem(client.put(LIVE, headers=JSON), 400, "invalid_json")


def test_an_alias_is_no_classifier_to_delete(client: httpx.Client) -> None:
    fit(client)
    client.put(LIVE, json={"model_name": EXAMPLE_NAME})
    check_problem(client.delete(MODEL.replace(EXAMPLE_NAME, "live")), 404, "classifier_not_found")


def test_a_promotion_that_meets_its_conditions_shows_how_both_classifiers_did(client: httpx.Client) -> None:
    fit(client, "other", training_data=OTHER_ROWS)
    _promote(client, "other")
    require = {"test_data": ROWS, "not_worse": True, "min_recall": {"billing": 1}}
    reply = _promote(client, "tickets_v1", require=require, must_pass=ROWS[:1]).json()
    assert (reply["status"], reply["points_to"], reply["must_pass"]) == ("promoted", "tickets_v1", ROWS[:1])
    gate = reply["gate"]
    assert [check["condition"] for check in gate["checks"]] == ["must_pass", "not_worse", "min_recall"]
    assert (gate["candidate"]["accuracy"], gate["current"]["accuracy"]) == (1.0, 0.0)
    assert gate["current"]["recall"] == {"account": 0.0, "billing": 0.0, "technical": 0.0}


def test_a_refused_promotion_answers_with_the_report(client: httpx.Client) -> None:
    fit(client, "other", training_data=OTHER_ROWS)
    _promote(client, "tickets_v1", must_pass=ROWS[:1])
    problem = check_problem(
        _promote(client, "other", require={"test_data": ROWS, "not_worse": True}), 409, "promotion_refused"
    )
    assert (problem["alias"], problem["model_name"]) == ("live", "other")
    assert problem["failed_rows"] == [{**ROWS[0], "predicted": "BILLING"}]
    assert isinstance(problem["checks"], list)
    assert [(check["condition"], check["passed"]) for check in problem["checks"]] == [
        ("must_pass", False),
        ("not_worse", False),
    ]
    assert isinstance(problem["current"], dict)
    assert problem["current"]["accuracy"] == 1.0
    assert _answering(client) == "tickets_v1"


def test_the_rows_that_must_pass_are_listed_stay_at_a_rollback_and_can_be_removed(client: httpx.Client) -> None:
    _promote(client, "tickets_v1")
    _promote(client, "tickets_v2", must_pass=ROWS[:2])
    assert client.post(f"{LIVE}/rollback").json()["must_pass"] == ROWS[:2]
    assert [alias["must_pass"] for alias in client.get(ALIASES).json()["aliases"]] == [ROWS[:2]]
    assert _promote(client, "tickets_v2", must_pass=[]).json()["must_pass"] == []


def test_what_is_wrong_inside_the_conditions_is_told_with_its_place(client: httpx.Client) -> None:
    wrong = [*ROWS, {"text": "a", "lable": "b"}]
    problem = check_problem(_promote(client, "tickets_v1", require={"test_data": wrong}), 422, "invalid_request")
    assert (problem["row"], problem["field"]) == (len(ROWS), "lable")
    problem = check_problem(_promote(client, "tickets_v1", require={"not_wrose": True}), 422, "invalid_request")
    assert "did you mean not_worse?" in str(problem["detail"])
