"""Bad input, row by row, over a real socket; and the table of statuses."""

import inspect
import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.http.asking import FIT, FIT_PATH, JSON, PREDICT_PATH, ROWS, SECRET, check_problem, read_head
from tests.http.conftest import SETTINGS
from tests.toy import Toy
from windrow.api.examples import EXAMPLE_NAME
from windrow.domain import errors
from windrow.domain.prediction import IsConnected
from windrow.http import problems
from windrow.http.problems import STATUSES, problem_response


def _coded(family: type[errors.WindrowError]) -> Iterator[type[errors.WindrowError]]:
    if family.code:
        yield family
    for child in family.__subclasses__():
        yield from _coded(child)


def test_the_table_maps_every_error_that_can_be_raised_and_nothing_else() -> None:
    raised_here = {error for error in _coded(errors.WindrowError) if not error.__module__.startswith("windrow.client")}
    assert set(STATUSES) == raised_here
    assert all(400 <= status < 600 for status in STATUSES.values())


def test_every_code_stands_for_one_class_and_stands_in_the_tree_of_its_module() -> None:
    codes = [error.code for error in STATUSES]
    assert all(codes)
    assert len(set(codes)) == len(codes)
    drawn = inspect.getdoc(errors) or ""
    drawn += inspect.getdoc(problems) or ""
    assert not [code for code in codes if code not in drawn]


def test_facts_cannot_replace_a_member_of_the_problem_and_half_a_surrogate_pair_stays_json() -> None:
    reply = problem_response(errors.InvalidText("Bad \ud800.", {"status": 1, "row": 2}), "id")
    document = json.loads(bytes(reply.body))
    assert (document["status"], document["row"], document["detail"]) == (422, 2, "Bad \ud800.")


def _fit_with(**changes: object) -> dict[str, object]:
    return {**FIT, **changes}


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (
            _fit_with(training_data=[row for row in ROWS if row["label"] == "billing"]),
            "invalid_training_data",
            "2 labels",
        ),
        (_fit_with(training_data=ROWS[:1]), "invalid_training_data", "2 rows"),
        (_fit_with(training_data=[]), "invalid_training_data", "2 labels"),
        (_fit_with(training_data=[*ROWS[:3], {"label": "x"}]), "invalid_request", "training_data[3].text is missing"),
        (_fit_with(training_data=[ROWS[0], {"text": SECRET}]), "invalid_request", "training_data[1].label is missing"),
        (_fit_with(training_data=[ROWS[0], SECRET]), "invalid_request", "training_data[1] must be an object"),
        (_fit_with(training_data={"text": SECRET}), "invalid_request", "training_data must be a list"),
        (
            _fit_with(training_data=[{"text": SECRET, "label": 3.5}]),
            "invalid_request",
            "training_data[0].label must be a",
        ),
        (_fit_with(training_data=[{"text": SECRET, "label": None}]), "invalid_request", "training_data[0].label must"),
        (
            _fit_with(training_data=[*ROWS, {"text": "", "label": "a"}]),
            "invalid_training_data",
            "training_data[6].text",
        ),
        (_fit_with(training_data=[*ROWS, {"text": " \n", "label": "a"}]), "invalid_training_data", "is blank"),
        (_fit_with(training_data=[{"text": SECRET, "lable": SECRET}]), "invalid_request", "did you mean label?"),
        (_fit_with(model_name="../../etc"), "invalid_name", "[A-Za-z0-9]"),
        (_fit_with(model_name=""), "invalid_name", "[A-Za-z0-9]"),
        (_fit_with(model_name=7), "invalid_request", "model_name must be a string"),
        (_fit_with(num_iterations=1_001), "invalid_parameter", "between 0 and 1000"),
        (_fit_with(num_iterations=10**3000), "invalid_parameter", "between 0 and 1000"),
        (_fit_with(num_iterations=20.5), "invalid_request", "num_iterations must be a whole number"),
        (_fit_with(num_iterations=True), "invalid_request", "num_iterations must be a whole number"),
        (_fit_with(seed=-1), "invalid_parameter", "between 0 and 4294967295"),
        (_fit_with(seed=2**32), "invalid_parameter", "between 0 and 4294967295"),
        (_fit_with(seed=None), "invalid_request", "seed must be a whole number"),
        (_fit_with(max_seconds=0), "invalid_parameter", "more than 0 and at most 86400"),
        (_fit_with(max_seconds=-0.5), "invalid_parameter", "more than 0 and at most 86400"),
        (_fit_with(max_seconds=86_400.5), "invalid_parameter", "more than 0 and at most 86400"),
        (_fit_with(max_seconds=10**3000), "invalid_request", "max_seconds must be a number"),
        (_fit_with(max_seconds="60"), "invalid_request", "max_seconds must be a number"),
        (_fit_with(max_seconds=True), "invalid_request", "max_seconds must be a number"),
        (_fit_with(batch_size="16"), "invalid_request", "batch_size must be a whole number"),
        (_fit_with(base_model=None), "invalid_request", "base_model must be a string"),
        (_fit_with(overwrite="false"), "invalid_request", "overwrite must be true or false"),
        (_fit_with(tags="a"), "invalid_request", "tags must be a list"),
        (_fit_with(tags=["a", 1]), "invalid_request", "tags[1] must be a string"),
        (_fit_with(tags=["a", SECRET * 9]), "invalid_parameter", "tags[1] must have 1 to 64 visible characters"),
        (_fit_with(description=1), "invalid_request", "description must be a string"),
        (_fit_with(description="a" * 2_001), "invalid_parameter", "description has 2001 characters"),
        (
            _fit_with(num_iteration=20),
            "invalid_request",
            "num_iteration is no field of this request; did you mean num_iterations?",
        ),
        (_fit_with(colour=SECRET), "invalid_request", "colour is no field of this request; known are model_name"),
        (_fit_with(training_data=ROWS * 4), "limit_exceeded", "WINDROW_MAX_ROWS"),
        (_fit_with(training_data=[{}] * 21), "limit_exceeded", "at most 20"),
        (
            _fit_with(training_data=[{"text": "a", "label": str(number)} for number in range(5)]),
            "limit_exceeded",
            "WINDROW_MAX_LABELS",
        ),
        (
            _fit_with(training_data=[*ROWS, {"text": "a" * 601, "label": "a"}]),
            "limit_exceeded",
            "training_data[6].text has 601 characters; at most 600 are taken here",
        ),
        ({}, "invalid_request", "model_name is missing"),
        ([], "invalid_request", "The body must be an object"),
        (None, "invalid_request", "The body must be an object"),
    ],
)
def test_a_fit_that_breaks_a_rule_gets_422_with_the_place_and_the_rule(
    client: httpx.Client, body: object, code: str, said: str
) -> None:
    document = check_problem(client.post(FIT_PATH, content=json.dumps(body), headers=JSON), 422, code)
    assert said in str(document["detail"])
    assert client.get("/v1/classifier/models").json() == {"models": []}


def test_a_number_too_large_for_a_computer_is_outside_the_range(client: httpx.Client) -> None:
    body = json.dumps(_fit_with(max_seconds=1.5)).replace("1.5", "1e999")
    document = check_problem(client.post(FIT_PATH, content=body, headers=JSON), 422, "invalid_parameter")
    assert (document["parameter"], document["maximum"]) == ("max_seconds", 86_400)


def test_at_most_ten_problems_are_listed_and_all_are_counted(client: httpx.Client) -> None:
    body = _fit_with(training_data=[{"text": 1, "label": 2.5}] * 9)
    document = check_problem(client.post(FIT_PATH, json=body), 422, "invalid_request")
    assert isinstance(document["problems"], list)
    assert (len(document["problems"]), document["num_problems"]) == (10, 18)
    assert (document["row"], document["field"]) == (0, "text")


def test_a_text_sent_as_a_field_name_is_cut_short_in_the_reply(client: httpx.Client) -> None:
    reply = client.post(PREDICT_PATH, json={"model_name": "a", "text": "b", "My card was billed " * 9: 1})
    document = check_problem(reply, 422, "invalid_request")
    assert str(document["detail"]).startswith("My card was billed My card was billed My… is no field of this request")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b'{"model_name": "a",}', "line 1, column"),
        (b'{"model_name": NaN}', "NaN is no JSON number"),
        (b'{"model_name": -Infinity}', "-Infinity is no JSON number"),
        (b'{"text": 1, "text": 2}', "'text' stands twice"),
        (b"[" * 10_000, "nested more than 100 levels deep"),
        (b"[" * 9_000 + b"]" * 9_000, "nested more than 100 levels deep"),
        (b'{"text": "\xff"}', "byte 10 is no UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"text": 1}'.encode("utf-16"), "is no UTF-8"),
        (b'{"n": ' + b"9" * 5_000 + b"}", "too many digits"),
        (b"\x00", "line 1, column 1"),
    ],
)
def test_a_body_that_is_no_strict_json_gets_400_that_says_why(client: httpx.Client, body: bytes, said: str) -> None:
    for path in (FIT_PATH, PREDICT_PATH):
        document = check_problem(client.post(path, content=body, headers=JSON), 400, "invalid_json")
        assert said in str(document["detail"])


@pytest.mark.parametrize("escape", [r"\ud800", r"\udfff x", r"x \ud83d"])
def test_half_a_surrogate_pair_gets_422_wherever_it_stands(client: httpx.Client, escape: str) -> None:
    bodies = [
        f'{{"model_name": "a", "text": "{escape}"}}',
        f'{{"model_name": "{escape}", "text": "a"}}',
        f'{{"model_name": "a", "text": "a", "{escape}": 1}}',
    ]
    for body in bodies:
        assert client.post(PREDICT_PATH, content=body, headers=JSON).status_code == 422
    row = f'{{"text": "a", "label": "{escape}"}}'
    body = f'{{"model_name": "a", "training_data": [{row}, {{"text": "b", "label": "c"}}]}}'
    document = check_problem(client.post(FIT_PATH, content=body, headers=JSON), 422, "invalid_training_data")
    assert "training_data[0].label is not valid Unicode" in str(document["detail"])


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "multipart/form-data"],
)
def test_another_content_type_gets_415_that_says_which_header_to_send(client: httpx.Client, content_type: str) -> None:
    reply = client.post(
        FIT_PATH, content=json.dumps(FIT), headers={"Content-Type": content_type} if content_type else {}
    )
    document = check_problem(reply, 415, "unsupported_media_type")
    assert "'Content-Type: application/json'" in str(document["detail"])


def test_an_unknown_classifier_gets_404_with_names_that_are_close(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=FIT)
    reply = client.post(PREDICT_PATH, json={"model_name": "ticket_clasifier_v1", "text": SECRET})
    document = check_problem(reply, 404, "classifier_not_found")
    assert document["near_names"] == [EXAMPLE_NAME]
    check_problem(client.delete("/v1/classifier/models/unknown"), 404, "classifier_not_found")


@pytest.mark.parametrize("name", ["!", "%2e%2e%2fetc", "a%2Fb", "", "a%20b", "%ff", "é"])
def test_deleting_a_bad_name_gets_422_with_the_grammar_and_deletes_nothing(client: httpx.Client, name: str) -> None:
    client.post(FIT_PATH, json=FIT)
    document = check_problem(client.delete(f"/v1/classifier/models/{name}"), 422, "invalid_name")
    assert str(document["grammar"]).startswith("[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
    assert len(client.get("/v1/classifier/models").json()["models"]) == 1


def test_a_name_that_differs_only_in_case_gets_409(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=FIT)
    check_problem(client.post(FIT_PATH, json=_fit_with(model_name=EXAMPLE_NAME.upper())), 409, "name_taken")


@pytest.mark.parametrize("text", ["", "  ", "a" * 601])
def test_a_text_that_is_empty_blank_or_too_long_gets_422(client: httpx.Client, text: str) -> None:
    reply = client.post(PREDICT_PATH, json={"model_name": "a", "text": text})
    check_problem(reply, 422, "limit_exceeded" if text.strip() else "invalid_text")


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"model_name": "a"}, "invalid_request", "text (or texts) is missing"),
        ({"text": "a"}, "invalid_request", "model_name (or model_names) is missing"),
        ({"model_name": "a", "text": "a", "texts": ["a"]}, "invalid_request", "Only one of text and texts"),
        ({"model_name": "a", "model_names": ["a"], "text": "a"}, "invalid_request", "Only one of model_name"),
        ({"model_names": ["a"], "texts": ["a"]}, "invalid_request", "model_names goes with text"),
        ({"model_name": "a", "texts": SECRET}, "invalid_request", "texts must be a list"),
        ({"model_name": "a", "texts": ["a", {SECRET: SECRET}]}, "invalid_request", "texts[1] must be a string"),
        ({"model_name": "a", "txts": ["a"]}, "invalid_request", "did you mean text"),
        ({"model_name": "a", "text": "a", "top_k": "2"}, "invalid_request", "top_k must be a whole number"),
        ({"model_name": "a", "texts": []}, "invalid_parameter", "texts is empty. Send between 1 and 10."),
        ({"model_names": [], "text": "a"}, "invalid_parameter", "model_names is empty. Send between 1 and 5."),
        ({"model_name": "a", "texts": ["a"] * 11}, "limit_exceeded", "WINDROW_MAX_TEXTS"),
        ({"model_names": ["a"] * 6, "text": "a"}, "limit_exceeded", "WINDROW_MAX_MODEL_NAMES"),
        ({"model_name": "a", "texts": ["a", " "]}, "invalid_text", "texts[1] is blank"),
        ({"model_name": "a", "texts": ["a", "b" * 601]}, "limit_exceeded", "texts[1] has 601 characters"),
        ({"model_names": [EXAMPLE_NAME, "../a"], "text": "a"}, "invalid_name", "[A-Za-z0-9]"),
        ({"model_name": EXAMPLE_NAME, "text": "a", "top_k": 0}, "invalid_parameter", "between 1 and 3"),
        ({"model_name": EXAMPLE_NAME, "texts": ["a"], "top_k": 4}, "invalid_parameter", "between 1 and 3"),
        ({"model_names": [EXAMPLE_NAME], "text": "a", "top_k": -1}, "invalid_parameter", "between 1 and 3"),
        ([], "invalid_request", "The body must be an object"),
    ],
)
def test_a_predict_that_breaks_a_rule_gets_422_with_the_place_and_the_rule(
    client: httpx.Client, body: object, code: str, said: str
) -> None:
    client.post(FIT_PATH, json=FIT)
    document = check_problem(client.post(PREDICT_PATH, json=body), 422, code)
    assert said in str(document["detail"])
    assert "texts[1]" not in said or document["index"] == 1


def test_one_unknown_name_among_many_gets_404_that_names_it_and_nothing_is_answered(client: httpx.Client) -> None:
    client.post(FIT_PATH, json=FIT)
    body = {"model_names": [EXAMPLE_NAME, "ticket_clasifier_v1"], "text": SECRET}
    document = check_problem(client.post(PREDICT_PATH, json=body), 404, "classifier_not_found")
    assert "ticket_clasifier_v1" in str(document["detail"])
    assert document["near_names"] == [EXAMPLE_NAME]
    assert "predictions" not in document


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"limit": "0"}, "between 1 and 1000"),
        ({"limit": "1001"}, "between 1 and 1000"),
        ({"limit": "-3"}, "between 1 and 1000"),
        ({"limit": "ten"}, "between 1 and 1000"),
        ({"limit": ""}, "between 1 and 1000"),
        ({"cursor": "???"}, "next_cursor"),
        ({"cursor": ""}, "next_cursor"),
    ],
)
def test_a_page_that_cannot_be_gets_422_with_the_rule(
    client: httpx.Client, parameters: dict[str, str], said: str
) -> None:
    reply = client.get("/v1/classifier/models", params=parameters)
    document = check_problem(reply, 422, "invalid_parameter")
    assert said in str(document["detail"])
    assert document["parameter"] in parameters


def test_who_comes_when_too_many_wait_gets_429_and_the_seconds_after_which_to_come_again(
    client: httpx.Client, operations: Toy
) -> None:
    def refuse(is_connected: IsConnected) -> None:
        raise errors.Overloaded("256 requests wait already. Try again in 3 s.", {"retry_after_s": 3})

    operations.before_predict = refuse
    reply = client.post(PREDICT_PATH, json={"model_name": "a", "text": "b"})
    document = check_problem(reply, 429, "overloaded")
    assert (reply.headers["retry-after"], document["retry_after_s"]) == ("3", 3)
    assert "retry-after" not in client.post(PREDICT_PATH, json=[]).headers


@pytest.mark.parametrize("error", sorted(STATUSES, key=str))
def test_every_error_of_a_verb_gets_its_status(
    client: httpx.Client, operations: Toy, error: type[errors.WindrowError]
) -> None:
    def fail() -> None:
        raise error("It went wrong. Do this next.", {"limit": 3})

    operations.before_fit = fail
    document = check_problem(client.post(FIT_PATH, json=FIT), STATUSES[error], error.code)
    assert (document["detail"], document["limit"]) == ("It went wrong. Do this next.", 3)
    assert client.get("/v1/classifier/models").json() == {"models": []}


def test_an_unexpected_error_gets_500_without_its_words(client: httpx.Client, operations: Toy) -> None:
    def fail(is_connected: IsConnected) -> None:
        raise RuntimeError(SECRET)

    operations.before_predict = fail
    reply = client.post(PREDICT_PATH, json={"model_name": "a", "text": "b"}, headers={"X-Request-ID": "my-id.1"})
    document = check_problem(reply, 500, "internal_error")
    assert document["request_id"] == "my-id.1"
    assert "my-id.1" in str(document["detail"])
    assert "RuntimeError" not in reply.text


def test_an_unknown_path_gets_404_with_the_known_endpoints(client: httpx.Client) -> None:
    for path in ("/v2", "/v1/classifier/fit/", "/v1/classifier"):
        document = check_problem(client.get(path), 404, "not_found")
        assert "POST /v1/classifier/predict" not in str(document["detail"])
        assert isinstance(document["endpoints"], list)
        assert "POST /v1/classifier/predict" in document["endpoints"]
        assert "DELETE /v1/classifier/models/{model_name}" in document["endpoints"]


def test_an_unknown_path_that_nearly_is_one_is_told_that_one(client: httpx.Client) -> None:
    document = check_problem(client.post("/v1/classifier/cross_validate", json={}), 404, "not_found")
    assert document["near"] == ["/v1/classifier/cross-validate"]
    assert "did you mean /v1/classifier/cross-validate?" in str(document["detail"])


def test_a_wrong_method_gets_405_with_the_right_one(client: httpx.Client) -> None:
    reply = client.get(FIT_PATH)
    assert check_problem(reply, 405, "method_not_allowed")["allowed"] == ["POST"]
    assert reply.headers["allow"] == "POST"


def test_a_body_that_declares_too_much_gets_413_before_any_of_it_is_sent(client: httpx.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(
            b"POST /v1/classifier/fit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: 20001\r\n\r\n"
        )
        assert read_head(connection).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_streams_too_much_without_declaring_it_gets_413_while_it_streams(client: httpx.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(
            b"POST /v1/classifier/fit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(5):  # 20,480 bytes, and the stream does not end
            connection.sendall(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
        assert read_head(connection).startswith(b"HTTP/1.1 413 ")


def test_a_body_over_the_limit_is_told_the_limit_and_its_setting_and_one_at_the_limit_is_read(
    client: httpx.Client,
) -> None:
    body = json.dumps(FIT)
    reply = client.post(FIT_PATH, content=body.ljust(20_001), headers=JSON)
    document = check_problem(reply, 413, "body_too_large")
    assert (document["limit"], document["setting"]) == (SETTINGS.max_body_bytes, "WINDROW_MAX_BODY_BYTES")
    assert client.post(FIT_PATH, content=body.ljust(20_000), headers=JSON).status_code == 200
