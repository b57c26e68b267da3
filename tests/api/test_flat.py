"""Replies that have several forms: what they look like, and that a client reads what the server wrote."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.api.examples import example_of
from windrow.api.flat import read_predictions, write_reply
from windrow.domain.classifier import Deletion
from windrow.domain.listing import Listing, ListRequest
from windrow.domain.prediction import Prediction, PredictRequest

ANSWERS = (
    Prediction(
        label="billing",
        scores={"billing": 0.75, "technical": 0.25},
        model_name="tickets_v1",
        revision=3,
        truncated=True,
        alias="live",
        in_scope=0.5,
    ),
    Prediction(
        label=None,
        scores={"billing": 0.5, "technical": 0.5},
        model_name="tickets_v1",
        revision=3,
        truncated=False,
        alias="live",
    ),
)
SEVERAL = tuple(
    replace(ANSWERS[0], kind="multi_label", label=None, labels=labels)
    for labels in (("technical", "billing"), (), None)
)
ONE = PredictRequest(model_name="live", text="a")
TEXTS = PredictRequest(model_name="live", texts=("a", "b"))
NAMES = PredictRequest(model_names=("live", "live"), text="a")


def written(request: PredictRequest, predictions: tuple[Prediction, ...]) -> dict[str, Any]:
    """Return the reply to a predict, parsed."""
    reply: dict[str, Any] = json.loads(write_reply("predict", request, predictions))
    return reply


def test_one_text_has_everything_on_one_floor() -> None:
    assert written(ONE, ANSWERS[:1]) == {
        "label": "billing",
        "labels": None,
        "scores": {"billing": 0.75, "technical": 0.25},
        "kind": "single_label",
        "model_name": "tickets_v1",
        "revision": 3,
        "alias": "live",
        "truncated": True,
        "abstained": False,
        "in_scope": 0.5,
        "explanation": None,
    }


@given(
    scores=st.dictionaries(st.text(), st.floats(0, 1), min_size=1),
    truncated=st.booleans(),
    abstains=st.booleans(),
    in_scope=st.none() | st.floats(0, 1),
)
def test_a_single_label_has_the_reply_that_it_had_before_there_were_several(
    scores: dict[str, float], truncated: bool, abstains: bool, in_scope: float | None
) -> None:
    label = None if abstains else max(scores, key=scores.__getitem__)
    answer = replace(ANSWERS[0], label=label, scores=scores, truncated=truncated, in_scope=in_scope)
    before = {"label": label, "scores": scores, "truncated": truncated, "abstained": abstains, "in_scope": in_scope}
    who = {"model_name": "tickets_v1", "revision": 3, "alias": "live"}
    one, texts, names = (written(request, (answer,)) for request in (ONE, TEXTS, NAMES))
    new = {"kind": "single_label", "labels": None}
    assert one == {**before, **who, "explanation": None, **new}
    assert texts == {"predictions": [{**before, "labels": None}], **who, "kind": "single_label"}
    assert names == {"predictions": [{**before, **who, **new}]}


def test_many_texts_share_who_answered() -> None:
    reply = written(TEXTS, ANSWERS)
    assert list(reply) == ["predictions", "kind", "model_name", "revision", "alias"]
    assert (reply["model_name"], reply["revision"], reply["alias"]) == ("tickets_v1", 3, "live")
    assert [list(each) for each in reply["predictions"]] == [
        ["label", "labels", "scores", "truncated", "abstained", "in_scope"]
    ] * 2
    assert [each["abstained"] for each in reply["predictions"]] == [False, True]


def test_many_classifiers_each_say_who_they_are() -> None:
    reply = written(NAMES, ANSWERS)
    assert list(reply) == ["predictions"]
    assert [each["model_name"] for each in reply["predictions"]] == ["tickets_v1"] * 2
    assert all("explanation" not in each for each in reply["predictions"])


@pytest.mark.parametrize(("request_", "number"), [(ONE, 1), (TEXTS, 2), (NAMES, 2)])
def test_a_client_reads_what_was_written_also_with_fields_that_it_does_not_know(
    request_: PredictRequest, number: int
) -> None:
    content = write_reply("predict", request_, ANSWERS[:number])
    assert read_predictions(request_, content) == ANSWERS[:number]
    newer = json.loads(content) | {"colour": "red"}
    assert read_predictions(request_, json.dumps(newer).encode()) == ANSWERS[:number]


def test_any_number_of_labels_comes_along_and_the_kind_stands_where_the_classifier_does() -> None:
    reply = written(replace(TEXTS, texts=("a", "b", "c")), SEVERAL)
    assert reply["kind"] == "multi_label"
    assert all("kind" not in each for each in reply["predictions"])
    shown = [(each["label"], each["labels"], each["abstained"]) for each in reply["predictions"]]
    assert shown == [(None, ["technical", "billing"], False), (None, [], False), (None, None, True)]
    mixed = (SEVERAL[0], ANSWERS[0])
    kinds = [each["kind"] for each in written(NAMES, mixed)["predictions"]]
    assert kinds == ["multi_label", "single_label"]
    for request, answers in ((ONE, SEVERAL[1:2]), (TEXTS, SEVERAL), (NAMES, mixed)):
        assert read_predictions(request, write_reply("predict", request, answers)) == answers


def test_a_reply_of_a_server_that_knows_no_kinds_is_of_a_single_label() -> None:
    for request in (ONE, TEXTS, NAMES):
        reply = written(request, ANSWERS[:1])
        for part in (reply, *reply.get("predictions", ())):
            for name in ("kind", "labels"):
                part.pop(name, None)
        assert read_predictions(request, json.dumps(reply).encode()) == ANSWERS[:1]


def test_an_explanation_comes_along() -> None:
    explained = example_of(Prediction)
    assert read_predictions(ONE, write_reply("predict", ONE, (explained,))) == (explained,)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"label": 3}', b'{"predictions": [{}]}'])
@pytest.mark.parametrize("request_", [ONE, TEXTS, NAMES])
def test_another_reply_is_no_prediction(request_: PredictRequest, content: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        read_predictions(request_, content)


def test_the_list_is_short_with_a_cursor_only_where_it_is_a_page_and_whole_where_that_is_asked_for() -> None:
    listing: Listing = replace(example_of(Listing), next_cursor="abc")
    whole = json.loads(write_reply("list_classifiers", ListRequest(), listing))
    assert list(whole) == ["models"]
    assert list(whole["models"][0]) == [
        "name",
        "labels",
        "base_model",
        "num_examples",
        "created_at",
        "kind",
        "revision",
        "description",
        "tags",
        "test_accuracy",
        "test_interval",
        "estimated_accuracy",
        "estimated_interval",
        "size_bytes",
        "last_used_at",
        "recent_predictions",
        "deleted_at",
    ]
    for request in (ListRequest(limit=1), ListRequest(cursor="x")):
        page = json.loads(write_reply("list_classifiers", request, listing))
        assert page == {"models": whole["models"], "next_cursor": "abc"}
    full = json.loads(write_reply("list_classifiers", ListRequest(full=True), listing))
    assert full["next_cursor"] == "abc"
    assert full["models"][0].items() >= whole["models"][0].items()
    assert "training_data_sha256" in full["models"][0]


def test_every_other_reply_is_the_value_itself() -> None:
    assert json.loads(write_reply("delete", None, Deletion("a"))) == {
        "model_name": "a",
        "purged": False,
        "freed_bytes": 0,
        "status": "deleted",
    }
