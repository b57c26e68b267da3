"""The endpoints that judge, over a real socket: what they answer, and what they refuse before anything is computed."""

import statistics
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
import pytest

from tests.http.asking import ALIASES, API, MODEL, MODELS, PREDICT, PREDICT_PATH, ROWS, SECRET, check_problem, fit
from windrow.api.examples import EXAMPLE_NAME

EVALUATE, REPORT, COMPARE, CROSS_VALIDATE, SUGGEST = (
    f"{API}/{verb}" for verb in ("evaluate", "report", "compare", "cross-validate", "suggest")
)
# Words of the training rows, one of them under another label than there.
TEST_DATA = [*ROWS, {"text": ROWS[0]["text"], "label": "technical"}]
TEXTS = ["A sentence without any word in common", ROWS[0]["text"], ROWS[0]["text"]]
BODIES: Mapping[str, dict[str, Any]] = {
    EVALUATE: {"model_name": EXAMPLE_NAME, "test_data": TEST_DATA},
    REPORT: {"model_name": EXAMPLE_NAME, "test_data": TEST_DATA, "title": "May & June"},
    COMPARE: {"model_names": [EXAMPLE_NAME, "other"], "test_data": TEST_DATA},
    CROSS_VALIDATE: {"training_data": ROWS, "num_iterations": 0},
    SUGGEST: {"model_name": EXAMPLE_NAME, "texts": TEXTS},
}
_ROW = {"text": "a", "label": "b"}


class Wrong(NamedTuple):
    """A change of a good request, and what it must be refused with.

    Args:
        paths: The endpoints that refuse it.
        changes: Fields by name; ``None`` leaves one out.
        code: Of the problem.
        facts: What the problem names.
    """

    paths: tuple[str, ...]
    changes: Mapping[str, object]
    code: str = "invalid_request"
    facts: Mapping[str, object] = {}


TESTS = (EVALUATE, REPORT, COMPARE)
WRONG = (
    Wrong((*BODIES,), {"extra": SECRET}),
    Wrong(TESTS, {"test_data": None}),
    Wrong(TESTS, {"test_data": {"text": "a"}}),
    Wrong(TESTS, {"test_data": []}, "invalid_test_data", {"parameter": "test_data"}),
    Wrong(TESTS, {"test_data": [_ROW, {"text": "a"}]}, facts={"row": 1, "field": "label"}),
    Wrong(TESTS, {"test_data": [_ROW, _ROW, {**_ROW, "text": 1}]}, facts={"row": 2, "field": "text"}),
    Wrong(TESTS, {"test_data": [*ROWS, {**_ROW, "text": " "}]}, "invalid_test_data", {"row": len(ROWS)}),
    Wrong(TESTS, {"test_data": [_ROW]}, "invalid_test_data", {"known_labels": ["account", "billing", "technical"]}),
    Wrong(TESTS, {"test_data": [_ROW] * 21}, "limit_exceeded", {"limit": 20}),
    Wrong((EVALUATE, REPORT, SUGGEST), {"model_name": None}),
    Wrong((EVALUATE, REPORT, SUGGEST), {"model_name": "no name!"}, "invalid_name"),
    Wrong((EVALUATE, REPORT, SUGGEST), {"model_name": "nobody"}, "classifier_not_found"),
    Wrong((EVALUATE, REPORT), {"save": "yes"}),
    Wrong((REPORT,), {"title": "x" * 201}, "invalid_parameter", {"parameter": "title", "limit": 200}),
    Wrong((REPORT,), {"title": 5}),
    Wrong((EVALUATE,), {"target_precision": 0.49}, "invalid_parameter", {"parameter": "target_precision"}),
    Wrong((EVALUATE,), {"target_precision": 1.01}, "invalid_parameter", {"parameter": "target_precision"}),
    Wrong((EVALUATE,), {"target_precision": "high"}),
    Wrong((COMPARE,), {"model_names": []}, "invalid_parameter", {"parameter": "model_names", "minimum": 2}),
    Wrong((COMPARE,), {"model_names": [EXAMPLE_NAME]}, "invalid_parameter", {"parameter": "model_names"}),
    Wrong((COMPARE,), {"model_names": [EXAMPLE_NAME] * 2}, "invalid_parameter", {"model_name": EXAMPLE_NAME}),
    Wrong((COMPARE,), {"model_names": ["a", 1]}, facts={"index": 1}),
    Wrong((COMPARE,), {"model_names": [EXAMPLE_NAME, "nobody"]}, "classifier_not_found"),
    Wrong((CROSS_VALIDATE,), {"training_data": None}),
    Wrong((CROSS_VALIDATE,), {"training_data": []}, "invalid_training_data"),
    Wrong((CROSS_VALIDATE,), {"training_data": [_ROW, 1]}, facts={"row": 1}),
    Wrong((CROSS_VALIDATE,), {"training_data": [_ROW] * 21}, "limit_exceeded", {"limit": 20}),
    Wrong((CROSS_VALIDATE,), {"folds": 1}, "invalid_parameter", {"parameter": "folds", "minimum": 2}),
    Wrong((CROSS_VALIDATE,), {"folds": 21}, "invalid_parameter", {"parameter": "folds", "maximum": 20}),
    Wrong((CROSS_VALIDATE,), {"folds": 2.5}),
    Wrong((CROSS_VALIDATE,), {"num_iterations": -1}, "invalid_parameter", {"parameter": "num_iterations"}),
    Wrong((SUGGEST,), {"texts": None}),
    Wrong((SUGGEST,), {"texts": "a"}),
    Wrong((SUGGEST,), {"texts": []}, "invalid_parameter", {"parameter": "texts"}),
    Wrong((SUGGEST,), {"texts": ["a", 1]}, facts={"index": 1}),
    Wrong((SUGGEST,), {"texts": ["a", " "]}, "invalid_text", {"index": 1}),
    Wrong((SUGGEST,), {"texts": ["a"] * 21}, "limit_exceeded", {"limit": 20}),
    Wrong((SUGGEST,), {"n": 0}, "invalid_parameter", {"parameter": "n", "minimum": 1}),
    Wrong((SUGGEST,), {"n": "all"}),
)


@pytest.fixture
def trained(client: httpx.Client) -> httpx.Client:
    """A client of a server with two classifiers, the second one of which learned two rows under another label."""
    fit(client)
    fit(client, "other", training_data=[{**row, "label": "account"} for row in ROWS[:2]] + ROWS[2:])
    return client


def ask(client: httpx.Client, path: str, **changes: object) -> dict[str, Any]:
    """Send a good request with some changes, and return the answer."""
    reply = client.post(path, json={**BODIES[path], **changes})
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


@pytest.mark.parametrize(("path", "wrong"), [(path, wrong) for wrong in WRONG for path in wrong.paths])
def test_what_is_wrong_is_refused_by_its_name_and_place(path: str, wrong: Wrong, trained: httpx.Client) -> None:
    body = {key: value for key, value in {**BODIES[path], **wrong.changes}.items() if value is not None}
    status = 404 if wrong.code == "classifier_not_found" else 422
    document = check_problem(trained.post(path, json=body), status, wrong.code)
    assert {key: document[key] for key in wrong.facts} == wrong.facts
    assert all(name in str(document["detail"]) for name, value in wrong.changes.items() if value is None)


@pytest.mark.parametrize("path", BODIES)
def test_a_query_that_nobody_reads_is_refused(path: str, trained: httpx.Client) -> None:
    document = check_problem(trained.post(f"{path}?save=false", json=BODIES[path]), 422, "invalid_request")
    assert "save" in str(document["detail"])


@pytest.mark.parametrize("path", BODIES)
def test_a_misspelt_field_is_answered_with_the_one_that_was_meant(path: str, trained: httpx.Client) -> None:
    field = next(iter(BODIES[path]))
    body = {key if key != field else f"{field}z": value for key, value in BODIES[path].items()}
    document = check_problem(trained.post(path, json=body), 422, "invalid_request")
    problems = document["problems"]
    assert isinstance(problems, list)
    assert any(f"{field}z is no field of this request; did you mean {field}?" in problem for problem in problems)


class TestEvaluate:
    def test_the_reply_says_how_good_it_is_and_the_score_is_kept(self, trained: httpx.Client) -> None:
        reply = ask(trained, EVALUATE)
        assert (reply["model_name"], reply["revision"], reply["alias"], reply["saved"]) == (EXAMPLE_NAME, 1, None, True)
        assert (reply["correct"], reply["total"]) == (6, 7)
        assert reply["accuracy_interval"]["low"] < 6 / 7 == reply["accuracy"] < reply["accuracy_interval"]["high"]
        assert [label["label"] for label in reply["labels"]] == ["account", "billing", "technical"]
        assert [label["recall_text"] for label in reply["labels"]] == ["1.00 (2/2)", "1.00 (2/2)", "0.67 (2/3)"]
        assert reply["confusion_matrix"]["counts"] == [[2, 0, 0], [0, 2, 0], [0, 1, 2]]
        assert reply["majority_baseline"] == {"label": "technical", "accuracy": 3 / 7}
        [misclassified] = reply["misclassified"]
        assert (misclassified["row"], misclassified["label"], misclassified["predicted"]) == (6, "technical", "billing")
        shown = trained.get(MODEL).json()
        assert (shown["test_accuracy"], shown["test"]["macro_f1"]) == (reply["accuracy"], reply["macro_f1"])
        assert shown["test"]["rows_per_label"] == {"account": 2, "billing": 2, "technical": 3}
        assert shown["test"]["correct_per_label"] == {"account": 2, "billing": 2, "technical": 2}
        assert all(shown["test"][name] == reply[name] for name in ("test_data_sha256", "measured_at"))
        entries = {model["name"]: model for model in trained.get(MODELS).json()["models"]}
        assert [entries[name]["test_accuracy"] for name in (EXAMPLE_NAME, "other")] == [reply["accuracy"], None]
        intervals = [entries[name]["test_interval"] for name in (EXAMPLE_NAME, "other")]
        assert intervals == [reply["accuracy_interval"], None]

    def test_nothing_is_kept_where_that_is_not_wanted(self, trained: httpx.Client) -> None:
        assert ask(trained, EVALUATE, save=False, target_precision=0.9)["saved"] is False
        shown = trained.get(MODEL).json()
        assert (shown["test_accuracy"], shown["threshold"]) == (None, None)

    def test_a_page_comes_as_a_file_that_no_browser_lets_do_anything(self, trained: httpx.Client) -> None:
        reply = trained.post(REPORT, json={**BODIES[REPORT], "save": False})
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert reply.headers["content-disposition"] == f'attachment; filename="{EXAMPLE_NAME}@1.html"'
        assert int(reply.headers["content-length"]) > 10_000
        policy = reply.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", "sandbox"} <= set(policy)
        assert "<h1><bdi>May &amp; June</bdi></h1>" in reply.text
        assert trained.get(MODEL).json()["test"] is None

    def test_a_page_keeps_the_score_as_an_evaluation_does(self, trained: httpx.Client) -> None:
        assert trained.post(REPORT, json=BODIES[REPORT]).status_code == 200
        kept = trained.get(MODEL).json()["test"]
        evaluated = ask(trained, EVALUATE)
        assert {name: kept[name] for name in ("accuracy", "macro_f1", "test_data_sha256")} == {
            name: evaluated[name] for name in ("accuracy", "macro_f1", "test_data_sha256")
        }

    def test_a_threshold_is_proposed_and_no_answer_changes(self, trained: httpx.Client) -> None:
        doubtful = {**PREDICT, "text": "A sentence without any word in common"}
        before = trained.post(PREDICT_PATH, json=doubtful).json()
        proposed = ask(trained, EVALUATE, target_precision=1.0)["proposed_threshold"]
        assert proposed["precision"] == 1.0
        assert 0 < proposed["coverage"] < 1
        assert trained.get(MODEL).json()["threshold"] is None
        assert trained.post(PREDICT_PATH, json=doubtful).json() == before

    def test_a_threshold_that_was_set_is_used_unless_a_request_brings_its_own(self, trained: httpx.Client) -> None:
        proposed = ask(trained, EVALUATE, target_precision=1.0)["proposed_threshold"]
        body = {"abstain_below": proposed["abstain_below"], "reason": "Sure answers only", "author": "ana"}
        update = trained.put(f"{MODEL}/threshold", json=body).json()
        assert (update["status"], update["before"]) == ("set", None)
        shown = trained.get(MODEL).json()
        threshold = {"abstain_below": proposed["abstain_below"], "label_thresholds": {}}
        assert shown["threshold"] == update["threshold"] == threshold
        (change,) = shown["threshold_changes"]
        assert (change["reason"], change["author"]) == ("Sure answers only", "ana")
        doubtful = {**PREDICT, "text": "A sentence without any word in common"}
        abstained = trained.post(PREDICT_PATH, json=doubtful).json()
        assert (abstained["label"], abstained["abstained"]) == (None, True)
        answered = trained.post(PREDICT_PATH, json={**doubtful, "abstain_below": 0}).json()
        assert (answered["label"] is None, answered["abstained"]) == (False, False)
        assert answered["scores"] == abstained["scores"]

    def test_a_revision_or_an_alias_may_be_asked(self, trained: httpx.Client) -> None:
        fit(trained)
        trained.put(f"{ALIASES}/live", json={"model_name": f"{EXAMPLE_NAME}@1"})
        reply = ask(trained, EVALUATE, model_name="live")
        assert (reply["model_name"], reply["revision"], reply["alias"]) == (EXAMPLE_NAME, 1, "live")
        assert reply["saved"] is False
        assert "not_saved" in [warning["code"] for warning in reply["warnings"]]


class TestCompare:
    def test_the_reply_sets_each_two_side_by_side_and_says_which_to_promote(self, trained: httpx.Client) -> None:
        reply = ask(trained, COMPARE, test_data=ROWS)
        assert [(each["reference"], each["correct"]) for each in reply["models"]] == [(EXAMPLE_NAME, 6), ("other", 4)]
        [pair] = reply["pairs"]
        assert (pair["first"], pair["second"], pair["fixed"], pair["broken"]) == (EXAMPLE_NAME, "other", 0, 2)
        assert pair["better"] is None
        assert pair["verdict"].startswith("Not enough evidence: only 2 rows differ")
        assert len(reply["disagreements"]) == 2
        assert all(set(disagreement["predicted"]) == {EXAMPLE_NAME, "other"} for disagreement in reply["disagreements"])
        assert reply["recommendation"]["model_name"] == EXAMPLE_NAME
        assert trained.get(MODEL).json()["test_accuracy"] is None


class TestCrossValidate:
    def test_the_reply_says_how_such_a_training_does_and_leaves_no_classifier(self, client: httpx.Client) -> None:
        reply = ask(client, CROSS_VALIDATE)
        assert (reply["folds"], len(reply["fold_accuracies"]), reply["total"]) == (2, 2, len(ROWS))
        assert reply["mean_accuracy"] == pytest.approx(statistics.fmean(reply["fold_accuracies"]))
        assert reply["accuracy_std"] == pytest.approx(statistics.stdev(reply["fold_accuracies"]))
        for error in reply["probable_label_errors"]:
            assert ROWS[error["row"]] == {"text": error["text"], "label": error["label"]}
        assert reply["advice_text"]
        assert reply["recommendation"]
        assert client.get(MODELS).json() == {"models": []}


class TestSuggest:
    def test_the_reply_names_what_is_new_first_and_each_text_once(self, trained: httpx.Client) -> None:
        reply = ask(trained, SUGGEST)
        assert (reply["model_name"], reply["revision"]) == (EXAMPLE_NAME, 1)
        assert len(reply["suggestions"]) == reply["total"] == len({*TEXTS} - {row["text"] for row in ROWS})
        reasons = [each["reason"] for each in reply["suggestions"]]
        assert reasons == sorted(reasons)  # new, uncertain
        for each in reply["suggestions"]:
            assert each["text"] == TEXTS[each["index"]]
            assert each["label"] != each["runner_up"]

    def test_no_more_are_named_than_were_asked_for(self, trained: httpx.Client) -> None:
        assert len(ask(trained, SUGGEST, n=1)["suggestions"]) == 1


class TestPredict:
    def test_what_is_unlike_the_training_data_gets_no_label_where_a_bound_is_set(self, trained: httpx.Client) -> None:
        foreign = {**PREDICT, "text": TEXTS[0]}
        assert trained.post(PREDICT_PATH, json=foreign).json()["label"] is not None
        for text, is_known in ((TEXTS[0], False), (TEXTS[1], True)):
            answer = trained.post(PREDICT_PATH, json={**PREDICT, "text": text, "min_in_scope": 0.9}).json()
            assert (answer["label"] is not None) is is_known is not answer["abstained"]
            assert (answer["in_scope"] >= 0.9) is is_known

    def test_an_explanation_comes_only_where_it_is_asked_for(self, trained: httpx.Client) -> None:
        assert trained.post(PREDICT_PATH, json=PREDICT).json()["explanation"] is None
        explanation = trained.post(PREDICT_PATH, json={**PREDICT, "explain": True}).json()["explanation"]
        assert explanation["nearest_rows"][0].keys() == {"row", "text", "label", "labels", "similarity"}
        words = [(word["word"], word["start"]) for word in explanation["words"]]
        assert all(PREDICT["text"][start:].startswith(word) for word, start in words)

    @pytest.mark.parametrize("form", [{"texts": ["a", "b"]}, {"model_names": [EXAMPLE_NAME, "other"], "text": "a"}])
    def test_an_explanation_of_many_answers_is_refused(self, form: dict[str, object], trained: httpx.Client) -> None:
        body = {"model_name": EXAMPLE_NAME, **form, "explain": True}
        if "model_names" in form:
            del body["model_name"]
        assert check_problem(trained.post(PREDICT_PATH, json=body), 422, "invalid_parameter")["parameter"] == "explain"

    @pytest.mark.parametrize("bound", ["abstain_below", "min_in_scope"])
    @pytest.mark.parametrize("value", [-0.01, 1.01])
    def test_a_bound_beyond_its_range_is_refused(self, bound: str, value: float, trained: httpx.Client) -> None:
        document = check_problem(trained.post(PREDICT_PATH, json={**PREDICT, bound: value}), 422, "invalid_parameter")
        assert (document["parameter"], document["minimum"], document["maximum"]) == (bound, 0, 1)
