"""Answered rows as labelling tools import them."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.files.answered import NONE_FITS, SEVERAL, SURE, UNSURE
from windrow.domain.prediction import Kind
from windrow.files.reading import Record
from windrow.files.tool_results import HELD_ROWS, ToolContext, ToolNames, ToolResultFormat, ToolWriter
from windrow.files.writing import Gained, Note

Json = dict[str, Any]


def shown(
    to: ToolResultFormat,
    rows: Sequence[Mapping[str, object]],
    answers: Sequence[Gained],
    kind: Kind = "single_label",
    names: ToolNames | None = None,
) -> tuple[list[Json], str]:
    """Return what rows become, and what is to be done in the tool."""
    file = io.StringIO()
    context = ToolContext("tickets_v1@3", ("account", "billing"), kind, names or ToolNames())
    writer = ToolWriter(file, to, context)
    records = [Record(n, str(row.get("text", "My bill")), row) for n, row in enumerate(rows, 1)]
    for record, answer in zip(records, answers, strict=True):
        writer.write([record], [answer])
    writer.end()
    text = file.getvalue()
    found: list[Json] = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    return found, writer.remark


def test_a_row_becomes_a_task_of_label_studio() -> None:
    rows, remark = shown("label_studio", [{"id": "7", "text": "My bill"}, {"text": "?"}], [SURE, UNSURE])
    assert rows[0] == {
        "data": {"id": "7", "text": "My bill"},
        "predictions": [
            {
                "model_version": "tickets_v1@3",
                "score": 0.75,
                "result": [
                    {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["billing"]}}
                ],
            }
        ],
    }
    assert rows[1]["predictions"] == []
    assert "the Choices are called 'label' and the Text 'text'" in remark
    named, remark = shown("label_studio", [{"body": "My bill"}], [SURE], names=ToolNames("topic", "mail"))
    assert named[0]["predictions"][0]["result"][0] | {"value": 0} == {
        "from_name": "topic",
        "to_name": "mail",
        "type": "choices",
        "value": 0,
    }
    assert (named[0]["data"], remark) == ({"text": "My bill", "body": "My bill"}, "")


def annotated(name: str) -> Json:
    result = {"from_name": name, "to_name": "mail", "type": "choices", "value": {"choices": ["x"]}}
    return {"annotations": [{"result": [result]}]}


def test_names_of_label_studio_are_those_of_the_first_row_that_tells_them() -> None:
    tasks = [{"id": n, "data": {"mail": "a"}} for n in range(3)]
    rows, remark = shown("label_studio", [*tasks, {"id": 3, "data": {"mail": "a"}, **annotated("topic")}], [SURE] * 4)
    assert remark == ""
    assert {(each["predictions"][0]["result"][0]["from_name"]) for each in rows} == {"topic"}
    assert [each["id"] for each in rows] == [0, 1, 2, 3]
    late = [{"data": {"mail": "a"}}] * HELD_ROWS + [{"data": {"mail": "a"}, **annotated("topic")}]
    rows, remark = shown("label_studio", late, [SURE] * len(late))
    assert len(rows) == HELD_ROWS + 1
    assert rows[-1]["predictions"][0]["result"][0]["from_name"] == "label"
    assert remark


def test_a_task_keeps_other_predictions_and_loses_that_of_the_same_revision() -> None:
    before = [{"model_version": "other", "result": []}, {"model_version": "tickets_v1@3", "result": []}]
    [row], _ = shown(
        "label_studio", [{"id": 1, "data": {"text": "a"}, "predictions": before}], [NONE_FITS], "multi_label"
    )
    assert [each["model_version"] for each in row["predictions"]] == ["other", "tickets_v1@3"]
    assert row["predictions"][1] == {"model_version": "tickets_v1@3", "score": 0.75, "result": []}


def test_a_row_becomes_a_record_of_argilla() -> None:
    rows, remark = shown("argilla", [{"id": "7", "text": "My bill"}, {"text": "?"}], [SURE, UNSURE])
    suggestion = {"value": "billing", "score": 0.75, "agent": "tickets_v1@3"}
    assert rows[0] == {"fields": {"text": "My bill"}, "metadata": {"id": "7"}, "suggestions": {"label": suggestion}}
    assert rows[1]["suggestions"] == {}
    assert "a question called 'label'" in remark


@pytest.mark.parametrize(
    ("record", "suggestions"),
    [
        ({"responses": {"topic": [{"value": "x"}]}, "suggestions": {"other": {"value": 1}}}, ["other", "topic"]),
        ({"responses": {}, "suggestions": {"topic": {"value": "x", "score": 1, "agent": "robot"}}}, ["topic"]),
    ],
)
def test_a_record_of_argilla_gains_the_suggestion_of_its_question(record: Json, suggestions: list[str]) -> None:
    [row], remark = shown("argilla", [{"fields": {"text": "a"}, **record}], [SEVERAL], "multi_label")
    assert list(row["suggestions"]) == suggestions
    told = {"value": ["billing", "account"], "score": [0.75, 0.25], "agent": "tickets_v1@3"}
    assert (row["suggestions"]["topic"], row["responses"], remark) == (told, record["responses"], "")


def test_older_and_flat_records_of_argilla_gain_it_in_their_form() -> None:
    feedback = {"fields": {"text": "a"}, "responses": [{"values": {"topic": {"value": "x"}}}], "suggestions": []}
    [row], _ = shown("argilla", [feedback], [SURE])
    told = {"question_name": "topic", "value": "billing", "score": 0.75, "agent": "tickets_v1@3"}
    assert row == {**feedback, "suggestions": [told]}
    flat = {"text": "a", "topic.responses": ["x"], "topic.suggestion": "y", "topic.suggestion.score": 0.1}
    [row, none], _ = shown("argilla", [flat, flat], [SURE, UNSURE])
    told = {"topic.suggestion": "billing", "topic.suggestion.score": 0.75, "topic.suggestion.agent": "tickets_v1@3"}
    assert row == {**flat, **told}
    assert none == {**flat, **dict.fromkeys(told)}


def test_a_prediction_is_a_label_of_doccano_only_where_nobody_gave_one() -> None:
    rows, _ = shown(
        "doccano", [{"id": 1, "text": "a", "label": ["x"]}, {"text": "a", "labels": []}, {"text": "a"}], [SURE] * 3
    )
    assert [each.get("label", each.get("labels")) for each in rows] == [["x"], ["billing"], ["billing"]]
    assert all(each["predicted_label"] == "billing" and each["score"] == 0.75 for each in rows)
    [row], _ = shown("doccano", [{"text": "a"}], [Note("the text is blank")])
    assert row == {"text": "a", "label": [], "note": "the text is blank"}


def test_a_row_becomes_a_task_of_prodigy() -> None:
    [row, unsure], _ = shown("prodigy", [{"id": "7", "text": "My bill"}] * 2, [SURE, UNSURE])
    options = [{"id": label, "text": label} for label in ("account", "billing")]
    told = {"id": "7", "predicted_label": "billing", "score": 0.75, "model": "tickets_v1@3"}
    assert row == {"text": "My bill", "meta": told, "options": options, "accept": ["billing"]}
    assert (unsure["accept"], unsure["meta"]["predicted_label"]) == ([], None)


def test_what_was_answered_in_prodigy_stays() -> None:
    task = {"text": "a", "options": [{"id": 1, "text": "billing"}], "_input_hash": 1, "_task_hash": 2}
    answered = {**task, "accept": [3], "answer": "accept"}
    [row, open_one, binary], _ = shown(
        "prodigy", [answered, task, {"text": "a", "label": "account", "_input_hash": 1}], [SURE] * 3
    )
    assert {**row, "meta": 0} == {**answered, "meta": 0}
    assert (open_one["accept"], "_task_hash" in open_one) == ([1], False)
    assert binary["label"] == "billing"


@pytest.mark.parametrize("control", ["taxonomy", "choices"])
def test_a_task_with_a_taxonomy_or_nested_choices_gains_the_path_to_its_label(control: str) -> None:
    value = {control: [["Money", "Refunds"]]}
    chosen = {"from_name": "topic", "to_name": "mail", "type": control, "value": value}
    answer = replace(SURE, label="Money/billing")
    [row], remark = shown(
        "label_studio", [{"id": 1, "data": {"mail": "a"}, "annotations": [{"result": [chosen]}]}], [answer]
    )
    [result] = row["predictions"][0]["result"]
    assert result == chosen | {"value": {control: [["Money", "billing"]]}}
    assert remark == ""


def test_a_label_with_a_slash_stays_one_where_choices_are_not_nested() -> None:
    value = {"choices": ["TCP/IP"]}
    chosen = {"from_name": "topic", "to_name": "mail", "type": "choices", "value": value}
    answer = replace(SURE, label="TCP/IP")
    [row], _ = shown(
        "label_studio", [{"id": 1, "data": {"mail": "a"}, "annotations": [{"result": [chosen]}]}], [answer]
    )
    assert row["predictions"][0]["result"] == [chosen]
